//! What TCP checks say of nodes.

use rota::health::{Ask, Mismatch, Outcome, Reason, Stage, TcpAsk};

use super::node::{Act, node_after};
use super::{PATIENT, SHORT, deaf, fail, probe};

async fn outcome(port: u16, send: &str, expect: &str, patience: std::time::Duration) -> Outcome {
    let ask = TcpAsk { port, send: send.into(), expect: expect.into() };
    probe(super::check(Ask::Tcp(ask), patience)).await.outcome
}

/// What a node hears when it is told "PING" and a line's end, and what becomes of its answer.
async fn check(act: Act, expect: &str, expected: Outcome) {
    let (address, serving) = node_after("\r\n", act).await;
    let patience = if matches!(act, Act::Stall(_)) { SHORT } else { PATIENT };
    let told = outcome(address.port(), "PING\r\n", expect, patience).await;
    assert_eq!(told, expected, "{act:?}");
    // The prober lets go of the connection, or a node that babbles or stalls would never end.
    assert_eq!(serving.await.unwrap(), "PING\r\n");
}

#[tokio::test]
async fn connecting_is_enough_where_nothing_is_expected() {
    let (address, serving) = node_after("anything", Act::Stall("")).await;
    assert_eq!(outcome(address.port(), "", "", PATIENT).await, Outcome::Pass);
    assert_eq!(serving.await.unwrap(), "");
    let (_socket, address) = deaf();
    assert_eq!(outcome(address.port(), "", "", PATIENT).await, fail(Reason::Refused));
}

#[tokio::test]
async fn what_is_expected_is_waited_for_and_no_longer() {
    use Act::{Answer, Babble, Reset, Stall};
    let missing = || fail(Reason::Mismatch(Mismatch::Text));
    check(Answer("+PONG\r\n"), "PONG", Outcome::Pass).await;
    check(Babble("+PO", "NG"), "+PONG", Outcome::Pass).await;
    check(Stall("+PONG and nothing more"), "PONG", Outcome::Pass).await;
    check(Answer("-LOADING\r\n"), "PONG", missing()).await;
    check(Answer(""), "PONG", missing()).await;
    check(Babble("", "x"), "PONG", missing()).await;
    check(Stall("+PO"), "PONG", fail(Reason::Timeout(Stage::Answer))).await;
    check(Reset, "PONG", fail(Reason::Reset)).await;
}

//! What nodes' agents say of them.

use rota::health::{AgentAsk, Ask, Outcome, Reason, Share, Stage};

use super::node::{Act, node_after};
use super::{PATIENT, SHORT, deaf, fail, probe};

/// What becomes of a line, and of the wish for a weight in it.
async fn check(act: Act, outcome: Outcome, weight_percent: Option<u8>) {
    let (address, serving) = node_after("?", act).await;
    let ask = Ask::Agent(AgentAsk { port: address.port(), send: "how?".into() });
    let is_silent = outcome == fail(Reason::Timeout(Stage::Answer));
    let verdict = probe(super::check(ask, if is_silent { SHORT } else { PATIENT })).await;
    // Who wants three quarters of its weight is a quarter loaded.
    let load = weight_percent.map(|percent| Share::thousandths(10 * (100 - u32::from(percent))));
    assert_eq!((verdict.outcome, verdict.load), (outcome, load), "{act:?}");
    assert_eq!(serving.await.unwrap(), "how?");
}

#[tokio::test]
async fn a_line_is_what_counts() {
    use Act::{Answer, Babble, Reset, Stall};
    check(Answer("up 75%\n"), Outcome::Pass, Some(75)).await;
    check(Stall("up 75%\n"), Outcome::Pass, Some(75)).await;
    check(Babble("ready", " up\n"), Outcome::Pass, None).await;
    check(Answer("drain 10%"), fail(Reason::Draining), Some(10)).await;
    check(Answer("down # no disk\n"), fail(Reason::SaysDown("no disk".into())), None).await;
    check(Answer(""), fail(Reason::NoState(String::new())), None).await;
    check(Stall("up"), fail(Reason::Timeout(Stage::Answer)), None).await;
    check(Reset, fail(Reason::Reset), None).await;
    let (_socket, address) = deaf();
    let ask = Ask::Agent(AgentAsk { port: address.port(), send: String::new() });
    let told = probe(super::check(ask, PATIENT)).await.outcome;
    assert_eq!(told, fail(Reason::Refused));
}

#[tokio::test]
async fn a_line_without_end_is_read_to_its_limit() {
    check(Act::Babble("up ", "x"), Outcome::Pass, None).await;
}

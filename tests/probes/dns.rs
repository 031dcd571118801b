//! What DNS checks say of name servers, and of nodes that are none.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder};
use domain::rdata::A;
use rota::health::ask::ExpectedRecord;
use rota::health::{Ask, DnsAsk, DnsFault, Outcome, Reason, Stage};
use rota::wire::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use super::{PATIENT, SHORT, deaf, fail};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn ask(port: u16, tcp: bool) -> DnsAsk {
    let answer = ExpectedRecord { text: ADDRESS.to_string(), octets: ADDRESS.octets().into() };
    DnsAsk {
        port,
        tcp,
        name: Name::from_text("www.example.org").unwrap(),
        rtype: RecordType::A,
        rcode: Rcode::NOERROR,
        answer: Some(answer),
    }
}

async fn outcome(ask: DnsAsk, patience: Duration) -> Outcome {
    super::probe(super::check(Ask::Dns(ask), patience)).await.outcome
}

/// What a name server does with a question.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answer(Rcode, Ipv4Addr),
    /// Sends things that are no answer, and then the answer.
    Babble(usize),
    Silence,
}

fn answer(question: &[u8], rcode: Rcode, address: Ipv4Addr) -> Vec<u8> {
    let question = Message::from_octets(question).unwrap();
    let name = question.sole_question().unwrap().into_qname();
    let mut answer = MessageBuilder::new_vec().start_answer(&question, rcode).unwrap();
    answer.push((name, 5, A::new(address))).unwrap();
    answer.finish()
}

/// A name server for one question.
async fn server(act: Act) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut buffer = [0; 512];
        let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
        let question = &buffer[..length];
        let (junk, rcode, address) = match act {
            Act::Answer(rcode, address) => (0, rcode, address),
            Act::Babble(junk) => (junk, Rcode::NOERROR, ADDRESS),
            Act::Silence => {
                // Closed, the socket would refuse.
                std::future::pending::<()>().await;
                return;
            }
        };
        let mut other = answer(question, rcode, address);
        other[0] ^= 1;
        for at in 0..junk {
            let junk = [&other[..], question, b"junk"][at % 3];
            socket.send_to(junk, client).await.unwrap();
        }
        socket.send_to(&answer(question, rcode, address), client).await.unwrap();
    });
    (address, serving)
}

#[tokio::test]
async fn a_name_server_is_judged_by_code_and_record() {
    let dns = |fault| fail(Reason::Dns(fault));
    let [right, wrong] = [ADDRESS, Ipv4Addr::new(192, 0, 2, 9)];
    for (act, expected) in [
        (Act::Answer(Rcode::NOERROR, right), Outcome::Pass),
        (Act::Answer(Rcode::NOERROR, wrong), dns(DnsFault::NoRecord)),
        (Act::Answer(Rcode::REFUSED, right), dns(DnsFault::Rcode(Rcode::REFUSED))),
        (Act::Babble(15), Outcome::Pass),
        (Act::Babble(16), dns(DnsFault::NoAnswer)),
        (Act::Silence, fail(Reason::Timeout(Stage::Answer))),
    ] {
        let (address, serving) = server(act).await;
        let patience = if matches!(act, Act::Silence) { SHORT } else { PATIENT };
        let told = outcome(ask(address.port(), false), patience).await;
        assert_eq!(told, expected, "{act:?}");
        serving.abort();
    }
    let (_socket, address) = deaf();
    assert_eq!(outcome(ask(address.port(), false), PATIENT).await, fail(Reason::Refused));
    assert_eq!(outcome(ask(address.port(), true), PATIENT).await, fail(Reason::Refused));
}

#[tokio::test]
async fn over_tcp_messages_have_their_length_before_them() {
    for (cut, expected) in
        [(None, Outcome::Pass), (Some(20), fail(Reason::Reset)), (Some(1), fail(Reason::Reset))]
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut question).await.unwrap();
            let answer = answer(&question, Rcode::NOERROR, ADDRESS);
            let mut framed = (answer.len() as u16).to_be_bytes().to_vec();
            framed.extend(answer);
            framed.truncate(cut.unwrap_or(framed.len()));
            stream.write_all(&framed).await.unwrap();
        });
        assert_eq!(outcome(ask(address.port(), true), PATIENT).await, expected);
        serving.await.unwrap();
    }
}

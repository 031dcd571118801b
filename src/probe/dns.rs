//! One question in DNS, over UDP or TCP.
//!
//! Over UDP a packet may be lost, and then the probe fails: how many in a row it takes is what
//! `fails` is for, and a server of which every second packet is lost is not well. What comes from
//! elsewhere never reaches the probe (its socket is connected), and what answers another question
//! is passed over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::{Course, chance, connect, failure};
use crate::health::{DnsAsk, DnsFault, Outcome, Reason, Stage};

/// Datagrams that are read: a node that sends others than the answer has had its chance.
const DATAGRAMS_MAX: usize = 16;
/// Largest datagram that is read. A question without EDNS is answered in 512 octets; what does not
/// keep to that is still read.
const DATAGRAM_LEN_MAX: usize = 4096;

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &DnsAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    let id = u16::from_be_bytes(chance::octets()?);
    let question = ask.message(id);
    if ask.tcp {
        return over_tcp(socket, ask, id, &question, course).await;
    }
    course.enter(Stage::Answer);
    let said = |error| failure::outcome(&error, socket);
    let any = match socket {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let line = UdpSocket::bind((any, 0)).await.map_err(said)?;
    line.connect(socket).await.map_err(said)?;
    line.send(&question).await.map_err(said)?;
    let mut buffer = [0; DATAGRAM_LEN_MAX];
    for _ in 0..DATAGRAMS_MAX {
        let length = line.recv(&mut buffer).await.map_err(said)?;
        if let Some(judged) = ask.judge(id, &buffer[..length]) {
            return judged.map_err(failed);
        }
    }
    Err(failed(DnsFault::NoAnswer))
}

/// Each message has its length before it: RFC 1035 §4.2.2.
async fn over_tcp(
    socket: SocketAddr,
    ask: &DnsAsk,
    id: u16,
    question: &[u8],
    course: &mut Course,
) -> Result<(), Outcome> {
    let mut stream = connect::plain(socket, course).await?;
    course.enter(Stage::Answer);
    let said = |error| failure::outcome(&error, socket);
    let mut framed = (question.len() as u16).to_be_bytes().to_vec();
    framed.extend(question);
    stream.write_all(&framed).await.map_err(said)?;
    let length = stream.read_u16().await.map_err(said)?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await.map_err(said)?;
    ask.judge(id, &answer).unwrap_or(Err(DnsFault::NoAnswer)).map_err(failed)
}

fn failed(fault: DnsFault) -> Outcome {
    Outcome::Fail(Reason::Dns(fault))
}

//! A line from a node's agent: HAProxy's `agent-check`, with its words and on its ports.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Course, connect, failure};
use crate::health::ask::{ANSWER_LEN_MAX, judge_agent};
use crate::health::{AgentAsk, Outcome, Share, Stage};

/// Asks once. The line ends the conversation, or else the connection's end does.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &AgentAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    let mut stream = connect::plain(socket, course).await?;
    course.enter(Stage::Answer);
    let said = |error| failure::outcome(&error, socket);
    stream.write_all(ask.send.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    let mut bounded = stream.take(ANSWER_LEN_MAX as u64);
    while !answer.contains(&b'\n') && bounded.read_buf(&mut answer).await.map_err(said)? > 0 {}
    let report = judge_agent(&answer);
    course.report(report.weight_percent.map(load_of));
    report.judged.map_err(Outcome::Fail)
}

/// Who wants but a part of its weight is loaded by the rest.
fn load_of(weight_percent: u8) -> Share {
    Share::thousandths(10 * u32::from(100 - weight_percent.min(100)))
}

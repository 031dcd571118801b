//! A line from a node's agent: HAProxy's `agent-check`, with its words and on its ports.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Course, connect, failure};
use crate::health::ask::{ANSWER_LEN_MAX, judge_agent};
use crate::health::{AgentAsk, Outcome, Stage};

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
    course.weigh(report.weight_percent);
    report.judged.map_err(Outcome::Fail)
}

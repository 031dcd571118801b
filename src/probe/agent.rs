//! A line from a node's agent: HAProxy's `agent-check`, with its words and on its ports.

use std::net::SocketAddr;

use super::{Course, connect};
use crate::health::ask::judge_agent;
use crate::health::{AgentAsk, Outcome, Share};

/// Asks once. The line ends the conversation, or else the connection's end does.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &AgentAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    let is_line = |answer: &[u8]| answer.contains(&b'\n');
    let answer = connect::exchange(socket, &ask.send, is_line, course).await?;
    let report = judge_agent(&answer);
    course.report(report.weight_percent.map(load_of));
    report.judged.map_err(Outcome::Fail)
}

/// Who wants but a part of its weight is loaded by the rest.
fn load_of(weight_percent: u8) -> Share {
    Share::thousandths(10 * u32::from(100 - weight_percent.min(100)))
}

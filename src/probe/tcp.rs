//! A TCP connection, and perhaps a text said and a text expected.
//!
//! Without a text to expect, the kernel's answer is enough: a program that listens and is stuck
//! passes. With one, octets are read until it has come, wherever it stands in them, and no further.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Course, connect, failure};
use crate::health::ask::ANSWER_LEN_MAX;
use crate::health::{Mismatch, Outcome, Reason, Stage, TcpAsk};

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &TcpAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    let mut stream = connect::plain(socket, course).await?;
    course.enter(Stage::Answer);
    let said = |error| failure::outcome(&error, socket);
    stream.write_all(ask.send.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    let mut bounded = stream.take(ANSWER_LEN_MAX as u64);
    while !ask.is_answered(&answer) {
        if bounded.read_buf(&mut answer).await.map_err(said)? == 0 {
            return Err(Outcome::Fail(Reason::Mismatch(Mismatch::Text)));
        }
    }
    Ok(())
}

//! A TCP connection, and perhaps a text said and a text expected.
//!
//! Without a text to expect, the kernel's answer is enough: a program that listens and is stuck
//! passes. With one, octets are read until it has come, wherever it stands in them, and no further.

use std::net::SocketAddr;

use super::{Course, connect};
use crate::health::{Mismatch, Outcome, Reason, TcpAsk};

/// Asks once.
pub(super) async fn probe(
    socket: SocketAddr,
    ask: &TcpAsk,
    course: &mut Course,
) -> Result<(), Outcome> {
    let is_enough = |answer: &[u8]| ask.is_answered(answer);
    let answer = connect::exchange(socket, &ask.send, is_enough, course).await?;
    match ask.is_answered(&answer) {
        true => Ok(()),
        false => Err(Outcome::Fail(Reason::Mismatch(Mismatch::Text))),
    }
}

//! One stream of questions and answers, over TCP, TLS or whatever else carries the same framing.
//!
//! ```text
//!  [ length:2 | message ] [ length:2 | message ] ...      both ways
//! ```
//!
//! A turn: read what is there, answer every whole message of it in the order asked, write all
//! answers, prefixes included, in one call.
//!
//! What bounds a connection:
//!
//! - Memory: less than one message plus one read waits for its end, and once there are
//!   [`OUTPUT_SOFT_MAX`](super::desk::OUTPUT_SOFT_MAX) octets of answers they are written before
//!   the next is made. An idle connection keeps [`READ_CHUNK`] for each direction at most.
//! - Time: the idle time from one answer to the next, however many octets trickle in meanwhile;
//!   less for a question that has begun, which must be whole in the time of a request.
//! - Pace: while answers wait to be taken nothing is read, so that the client's own window fills;
//!   who takes them too slowly is left (`line.rs`).
//! - Sense: a length that cannot hold a header means that the stream is out of step; it ends.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{timeout, timeout_at};

use super::desk::{Desk, Next};
use super::now;
use super::presence::{Cut, Presence};
use crate::respond::Client;

/// Room made for one read: about a hundred pipelined questions.
const READ_CHUNK: usize = 4096;

/// How long a client may take to hear that this was all.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// One connection from its first octet to its last.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    client: Client,
    desk: Rc<Desk>,
    presence: Rc<Presence>,
) {
    if talk(&mut stream, client, &desk, &presence).await.is_ok() {
        // Over TLS there is a word for it, and clients tell it from a cut.
        drop(timeout(FAREWELL_MAX, stream.shutdown()).await);
    }
}

/// The connection is of no use any more.
struct Broken;

/// Answers until one side has had enough.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    client: Client,
    desk: &Desk,
    presence: &Presence,
) -> Result<(), Broken> {
    let row = desk.row(client.transport);
    let mut input = Vec::new();
    let mut output = Vec::new();
    let mut idle_end = now() + desk.limits.idle;
    // Of the question that has begun, if one has.
    let mut question_end = None;
    loop {
        input.reserve(READ_CHUNK);
        let (end, why) = match question_end {
            Some(end) if end < idle_end => (end, Cut::Request),
            _ => (idle_end, Cut::Idle),
        };
        let read = tokio::select! {
            read = timeout_at(end.into(), stream.read_buf(&mut input)) => read,
            () = presence.told_to_leave() => return Ok(()),
        };
        match read {
            Ok(Ok(1..)) => {}
            // The client has gone.
            Ok(Ok(0)) => return Ok(()),
            Ok(Err(_)) => return Err(Broken),
            Err(_) => {
                presence.cut(why);
                return Ok(());
            }
        }
        loop {
            let held = input.len();
            let (answers, next) = desk.answer_stream(&mut input, &client, &mut output);
            if input.len() < held {
                question_end = None;
            }
            if answers > 0 {
                presence.writes();
                if write(stream, &output).await.is_err() {
                    row.send_errors.add(answers);
                    return Err(Broken);
                }
                row.sent.add(answers);
                output.clear();
                if presence.is_leaving() {
                    return Ok(());
                }
                let now = now();
                presence.rests(now);
                idle_end = now + desk.limits.idle;
            }
            match next {
                Next::Answer => {}
                Next::Read => break,
                Next::Close => return Ok(()),
            }
        }
        // A long message or many answers shall not leave their buffers with an idle connection.
        if input.is_empty() {
            input.shrink_to(READ_CHUNK);
        } else {
            question_end.get_or_insert_with(|| now() + desk.limits.request);
        }
        output.shrink_to(READ_CHUNK);
    }
}

/// All of it, out of every buffer of this process.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, octets: &[u8]) -> io::Result<()> {
    stream.write_all(octets).await?;
    stream.flush().await
}

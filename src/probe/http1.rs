//! HTTP/1.1 as a probe speaks it: one request, one answer, and the connection is over.
//!
//! Looking at nodes is what this program is for, and most of its work where there are many. A
//! client library brings what one exchange does not need (requests in a row, both directions at
//! once, a task for each connection), and ten thousand nodes would pay for it. So the exchange is
//! written out here; a head is parsed by what such libraries use.
//!
//! ```text
//!   request   one write                       head and body together
//!   answer    interim answers, passed over    RFC 9110 §15.2; the line's limit ends them
//!             the head                        at most HEAD_LEN_MAX
//!             the body, if somebody asks      up to a length: `body`
//! ```
//!
//! What is malformed is the node's fault, and so is a connection that ends where more must come.

mod body;

use std::io::ErrorKind;
use std::mem::{self, MaybeUninit};
use std::net::SocketAddr;

use httparse::{ParserConfig, Response, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::failure;
use crate::health::{Header, Outcome, Reason};
use body::Framing;

/// Most of an answer's head that is read.
pub(super) const HEAD_LEN_MAX: usize = 64 * 1024;
/// Most headers in it.
const HEADERS_MAX: usize = 100;
/// Room for the first read: most answers are shorter, and come whole with it.
const READ_LEN: usize = 8 * 1024;

/// The only one of the hundreds that another answer does not follow: RFC 9110 §15.2.2.
pub(super) const SWITCHING_PROTOCOLS: u16 = 101;

/// A request, as its octets.
#[derive(Debug)]
pub(super) struct Request {
    octets: Vec<u8>,
    /// No body follows the head of the answer, whatever that says: RFC 9112 §6.3.
    is_head: bool,
}

impl Request {
    /// A request. `own` are the headers of all probes of a kind; what the operator has `written`
    /// stands in place of one with the same name.
    ///
    /// The configuration lets nothing in that would break a line; what came another way is not
    /// written.
    pub(super) fn new(
        verb: &str,
        path: &str,
        own: &[(&str, &str)],
        written: &[Header],
        body: &str,
    ) -> Result<Self, Outcome> {
        let mut octets = Vec::with_capacity(512);
        write_line(&[verb, " ", path, " HTTP/1.1"], &mut octets)?;
        for (name, value) in own {
            if !written.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
                write_line(&[name, ": ", value], &mut octets)?;
            }
        }
        for Header { name, value } in written {
            write_line(&[name, ": ", value], &mut octets)?;
        }
        octets.extend_from_slice(b"\r\n");
        octets.extend_from_slice(body.as_bytes());
        Ok(Self { octets, is_head: verb == "HEAD" })
    }

    /// Asks over a connection to `socket`, and listens until the head of the answer has come.
    pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        socket: SocketAddr,
    ) -> Result<Answer<S>, Outcome> {
        let written = match stream.write_all(&self.octets).await {
            Ok(()) => stream.flush().await,
            Err(error) => Err(error),
        };
        match written.map_err(|error| (error.kind(), failure::outcome(&error, socket))) {
            // A node may have answered and hung up before it heard all.
            Ok(()) | Err((ErrorKind::BrokenPipe | ErrorKind::ConnectionReset, _)) => {}
            Err((_, outcome)) => return Err(outcome),
        }
        Heard { stream, socket, octets: Vec::with_capacity(READ_LEN) }.answer(self.is_head).await
    }
}

fn write_line(parts: &[&str], octets: &mut Vec<u8>) -> Result<(), Outcome> {
    for part in parts {
        if part.bytes().any(|octet| octet.is_ascii_control() && octet != b'\t') {
            let why = format!("the request cannot be written: {part:?} would break its line");
            return Err(Outcome::NoVerdict(Reason::Local(why)));
        }
        octets.extend_from_slice(part.as_bytes());
    }
    octets.extend_from_slice(b"\r\n");
    Ok(())
}

/// An answer of which the head has come.
#[derive(Debug)]
pub(super) struct Answer<S> {
    /// The response code.
    pub(super) status: u16,
    head: Vec<u8>,
    framing: Framing,
    rest: Heard<S>,
}

impl<S: AsyncRead + Unpin> Answer<S> {
    /// What the headers of a name say, in their order.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        // The head has been parsed: each line is one header.
        let lines = self.head.split(|octet| *octet == b'\n');
        lines.filter_map(move |line| {
            let colon = line.iter().position(|octet| *octet == b':')?;
            let (own, value) = line.split_at(colon);
            own.eq_ignore_ascii_case(name.as_bytes()).then(|| value[1..].trim_ascii())
        })
    }

    /// The body up to a length, and whether that is all of it.
    pub(super) async fn body(mut self, length_max: usize) -> Result<(Vec<u8>, bool), Outcome> {
        self.framing.read(&mut self.rest, length_max).await
    }

    /// The connection, for what is spoken on it after this.
    pub(super) fn into_stream(self) -> S {
        self.rest.stream
    }
}

/// What a node says, as far as it has come and nobody has taken it.
#[derive(Debug)]
struct Heard<S> {
    stream: S,
    socket: SocketAddr,
    octets: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Heard<S> {
    /// Listens until a head has come that is not interim.
    ///
    /// It is parsed as soon as there is something, and then only where it may have come to its end
    /// or has doubled: a node that sends octets one by one costs their number, not its square.
    async fn answer(mut self, is_to_head: bool) -> Result<Answer<S>, Outcome> {
        let mut parsed_len = 0;
        loop {
            let before = self.octets.len();
            let is_over = !self.listen().await?;
            let may_end = || has_blank_line(&self.octets[before.saturating_sub(2)..]);
            if self.octets.len() < 2 * parsed_len && !is_over && !may_end() {
                continue;
            }
            while let Some(head) = Head::parse(&self.octets, is_to_head)? {
                let octets = self.take(head.len);
                if head.status >= 200 || head.status == SWITCHING_PROTOCOLS {
                    let Head { status, framing, .. } = head;
                    return Ok(Answer { status, head: octets, framing, rest: self });
                }
            }
            parsed_len = self.octets.len();
            if is_over {
                return Err(cut_off());
            }
            if parsed_len >= HEAD_LEN_MAX {
                return Err(malformed(format!("its head is over {} KiB", HEAD_LEN_MAX / 1024)));
            }
        }
    }

    /// Takes what comes next; false where nothing comes any more.
    async fn listen(&mut self) -> Result<bool, Outcome> {
        let heard = self.stream.read_buf(&mut self.octets).await;
        heard.map(|length| length > 0).map_err(|error| failure::outcome(&error, self.socket))
    }

    /// Takes so many octets of what is there.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.octets.split_off(length);
        mem::replace(&mut self.octets, rest)
    }

    /// Listens until so many octets are there.
    async fn listen_for(&mut self, length: usize) -> Result<(), Outcome> {
        while self.octets.len() < length {
            if !self.listen().await? {
                return Err(cut_off());
            }
        }
        Ok(())
    }
}

/// Where a head ends, in either way to end lines: RFC 9112 §2.2.
fn has_blank_line(octets: &[u8]) -> bool {
    octets.windows(2).any(|it| it == b"\n\n") || octets.windows(3).any(|it| it == b"\n\r\n")
}

/// What a head says of its answer.
#[derive(Debug)]
struct Head {
    /// With its blank line.
    len: usize,
    status: u16,
    framing: Framing,
}

impl Head {
    /// The head that octets begin with; none where it has not come to its end.
    fn parse(octets: &[u8], is_to_head: bool) -> Result<Option<Self>, Outcome> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut head = Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(
            &mut head,
            octets,
            &mut headers,
        );
        let Status::Complete(len) = parsed.map_err(|error| malformed(error.to_string()))? else {
            return Ok(None);
        };
        let status = head.code.expect("a head that is whole has a code");
        let has_none = is_to_head || status < 200 || [204, 304].contains(&status);
        let framing = if has_none { Ok(Framing::Length(0)) } else { Framing::of(head.headers) };
        Ok(Some(Self { len, status, framing: framing.map_err(malformed)? }))
    }
}

/// The node does not speak HTTP as it should.
fn malformed(why: impl Into<String>) -> Outcome {
    Outcome::Fail(Reason::Protocol(why.into()))
}

/// The connection ended where more must come.
fn cut_off() -> Outcome {
    Outcome::Fail(Reason::Reset)
}

#[cfg(test)]
mod tests;

//! The body of an answer, up to a length: RFC 9112 §6.3, §7.1.
//!
//! ```text
//!   Content-Length: 5            hello
//!   Transfer-Encoding: chunked   3 ; extensions CRLF hel CRLF  2 CRLF lo CRLF  0 CRLF trailers
//!   neither                      hello, and the connection ends
//! ```
//!
//! Extensions and trailers say nothing to a probe. A chunk may have one octet, so what goes over
//! the line is more than what is kept; the line has a limit of its own.

use httparse::{Header, Status};
use tokio::io::AsyncRead;

use super::{Heard, malformed};
use crate::health::Outcome;

/// Longest line before a chunk: a size, and the extensions that nobody sends.
const CHUNK_LINE_LEN_MAX: usize = 1024;
const NO_LENGTH: &str = "its Content-Length is no length";

/// How a body shows where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has so many octets.
    Length(u64),
    /// It comes in chunks, the last of them empty.
    Chunks,
    /// With the connection.
    UntilClose,
}

impl Framing {
    /// What headers say of the body behind them; the error is what is wrong with them.
    pub(super) fn of(headers: &[Header<'_>]) -> Result<Self, &'static str> {
        let all = |name: &'static str| {
            let those = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            those
                .flat_map(|header| header.value.split(|octet| *octet == b','))
                .map(<[u8]>::trim_ascii)
        };
        // An encoding stands above a length, and chunks are the last one or none.
        if let Some(last) = all("transfer-encoding").next_back() {
            let is_chunked = last.eq_ignore_ascii_case(b"chunked");
            return Ok(if is_chunked { Self::Chunks } else { Self::UntilClose });
        }
        let mut lengths = all("content-length");
        let Some(first) = lengths.next() else { return Ok(Self::UntilClose) };
        if lengths.any(|other| other != first) {
            return Err("it has two Content-Lengths");
        }
        // `parse` alone would take a sign.
        let digits = Some(first).filter(|it| it.iter().all(u8::is_ascii_digit));
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok()).ok_or(NO_LENGTH)?;
        digits.parse().map(Self::Length).map_err(|_| NO_LENGTH)
    }

    /// The body up to a length, and whether that is all of it.
    pub(super) async fn read<S: AsyncRead + Unpin>(
        self,
        heard: &mut Heard<S>,
        length_max: usize,
    ) -> Result<(Vec<u8>, bool), Outcome> {
        match self {
            Self::Length(length) => {
                let within = at_most(length, length_max);
                heard.listen_for(within).await?;
                Ok((heard.take(within), within as u64 == length))
            }
            Self::Chunks => chunks(heard, length_max).await,
            Self::UntilClose => {
                while heard.octets.len() <= length_max && heard.listen().await? {}
                let length = heard.octets.len();
                Ok((heard.take(length.min(length_max)), length <= length_max))
            }
        }
    }
}

async fn chunks<S: AsyncRead + Unpin>(
    heard: &mut Heard<S>,
    length_max: usize,
) -> Result<(Vec<u8>, bool), Outcome> {
    let mut body = Vec::new();
    loop {
        let size = chunk_size(heard).await?;
        if size == 0 {
            return Ok((body, true));
        }
        let within = at_most(size, length_max - body.len());
        heard.listen_for(within).await?;
        body.extend(heard.octets.drain(..within));
        if (within as u64) < size {
            return Ok((body, false));
        }
        heard.listen_for(2).await?;
        if heard.octets.drain(..2).ne(*b"\r\n") {
            return Err(malformed("a chunk is longer than it says"));
        }
    }
}

/// Takes the line before a chunk.
async fn chunk_size<S: AsyncRead + Unpin>(heard: &mut Heard<S>) -> Result<u64, Outcome> {
    loop {
        match httparse::parse_chunk_size(&heard.octets) {
            Ok(Status::Complete((length, size))) => {
                heard.octets.drain(..length);
                return Ok(size);
            }
            Ok(Status::Partial) if heard.octets.len() < CHUNK_LINE_LEN_MAX => {
                heard.listen_for(heard.octets.len() + 1).await?;
            }
            Ok(Status::Partial) | Err(_) => return Err(malformed("a chunk without a size")),
        }
    }
}

fn at_most(length: u64, length_max: usize) -> usize {
    usize::try_from(length).map_or(length_max, |length| length.min(length_max))
}

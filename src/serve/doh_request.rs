//! What a request of DNS over HTTPS asks, for whom, and what is wrong with it. RFC 8484 §4.1.
//!
//! | request                             | response                              |
//! |-------------------------------------|---------------------------------------|
//! | another path                        | 404                                   |
//! | neither GET nor POST                | 405                                   |
//! | GET without `dns`, or not base64url | 400                                   |
//! | POST of another media type          | 415                                   |
//! | more than a message can have        | 413                                   |
//! | what is no question                 | 400                                   |
//! | that takes too long                 | 408                                   |
//! | anything else                       | 200, whatever DNS says in its message |

use std::net::{IpAddr, SocketAddr};

use hyper::header::{CONTENT_TYPE, FORWARDED, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode, Uri};

use super::desk::HEADER_LEN;

/// The media type of a DNS message. RFC 8484 §6.
pub(super) const MESSAGE_TYPE: &str = "application/dns-message";
/// The longest message, in octets.
pub(super) const MESSAGE_LEN_MAX: usize = u16::MAX as usize;
/// What most proxies say for whom they come in, though no standard knows it.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Why a request is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Path,
    Method,
    Parameter,
    Encoding,
    MediaType,
    TooLong,
    NoQuestion,
    TooSlow,
    /// The connection broke.
    Broken,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Parameter | Self::Encoding | Self::NoQuestion | Self::Broken => {
                StatusCode::BAD_REQUEST
            }
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// A sentence for whoever tries it by hand.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Path => "DNS is asked at another path\n",
            Self::Method => "DNS is asked by GET or POST\n",
            Self::Parameter => "the parameter dns is missing: a message in base64url\n",
            Self::Encoding => "the parameter dns is not base64url without padding\n",
            Self::MediaType => "the body must be application/dns-message\n",
            Self::TooLong => "a message has at most 65535 octets\n",
            Self::NoQuestion => "the message is no question\n",
            Self::TooSlow => "the message took too long\n",
            Self::Broken => "the message did not come whole\n",
        }
    }
}

/// Where the message of a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// In its target; here it is.
    Target(Vec<u8>),
    /// In its body.
    Body,
}

/// Reads the head of a request; `path` is ours.
pub(super) fn read_head(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    path: &str,
) -> Result<Asked, Refusal> {
    if uri.path() != path {
        return Err(Refusal::Path);
    }
    if method == Method::POST {
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        // It has no parameters of its own, but some clients add one.
        let kind = kind.split(|octet| *octet == b';').next().unwrap_or_default();
        let fits = kind.trim_ascii().eq_ignore_ascii_case(MESSAGE_TYPE.as_bytes());
        return if fits { Ok(Asked::Body) } else { Err(Refusal::MediaType) };
    }
    if method != Method::GET {
        return Err(Refusal::Method);
    }
    let parameters = uri.query().unwrap_or_default().split('&');
    let text = parameters.filter_map(|it| it.strip_prefix("dns=")).next();
    let message = base64url(text.ok_or(Refusal::Parameter)?).ok_or(Refusal::Encoding)?;
    match message.len() {
        ..HEADER_LEN => Err(Refusal::NoQuestion),
        HEADER_LEN..=MESSAGE_LEN_MAX => Ok(Asked::Target(message)),
        _ => Err(Refusal::TooLong),
    }
}

/// RFC 4648 §5, without padding: RFC 8484 §6. None where a character or the length is wrong.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for &character in group {
            let value = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        // What is left of a character beyond whole octets must be nothing.
        let (len, rest) = match group.len() {
            4 => (3, 0),
            3 => (2, 2),
            2 => (1, 4),
            _ => return None,
        };
        if bits & ((1 << rest) - 1) != 0 {
            return None;
        }
        let [.., first, second, third] = (bits >> rest << (8 * (3 - len))).to_be_bytes();
        octets.extend_from_slice(&[first, second, third][..len]);
    }
    Some(octets)
}

/// For whom a proxy asks: the nearest address that is no proxy's, read from the end, because every
/// proxy adds its client behind what it was told. None where it does not say.
///
/// `Forwarded` (RFC 7239) counts before `X-Forwarded-For`.
pub(super) fn client_behind(
    headers: &HeaderMap,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<SocketAddr> {
    let texts = |name| headers.get_all(name).into_iter().filter_map(|it| it.to_str().ok());
    let mut hops: Vec<Option<SocketAddr>> = Vec::new();
    if headers.contains_key(FORWARDED) {
        for text in texts(FORWARDED.as_str()) {
            hops.extend(text.split(',').map(|hop| hop.split(';').find_map(forwarded_for)));
        }
    } else {
        for text in texts(X_FORWARDED_FOR) {
            hops.extend(text.split(',').map(|hop| node(hop.trim())));
        }
    }
    let mut nearest = None;
    for hop in hops.into_iter().rev() {
        // Beyond a hop that says nothing anything may be written.
        let Some(hop) = hop else { break };
        nearest = Some(hop);
        if !is_proxy(hop.ip()) {
            break;
        }
    }
    nearest
}

/// The node of a `for=` pair.
fn forwarded_for(pair: &str) -> Option<SocketAddr> {
    let (name, value) = pair.trim().split_once('=')?;
    name.eq_ignore_ascii_case("for").then(|| node(value.trim_matches('"')))?
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn node(text: &str) -> Option<SocketAddr> {
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().map(|ip: IpAddr| (ip, 0).into())
}

#[cfg(test)]
#[path = "doh_request_tests.rs"]
mod tests;

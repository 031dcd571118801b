//! Who may ask for what: judged once, before any handler.
//!
//! | came by                  | looks            | changes                                    |
//! |--------------------------|------------------|--------------------------------------------|
//! | the Unix socket          | all              | all: its file's mode says who may connect  |
//! | a loopback listener      | `Host` by number | the same, and the token if there is one    |
//! | a listener others reach  | all              | with the token                             |
//!
//! A browser on the operator's machine reaches the loopback for whatever page it shows, so being
//! local is no proof of being meant:
//!
//! * *DNS rebinding*: a page from `evil.test` whose name now points at 127.0.0.1 is the same site
//!   as this listener, to the browser. What it cannot change is the `Host` that it sends, so a
//!   loopback listener answers only to addresses and `localhost`.
//! * *Forged requests*: a page may post a form anywhere without being asked first. So a change must
//!   say `application/json`, which no form can, and an `Origin`, where there is one, must be here.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use subtle::ConstantTimeEq;

use super::docs::ErrorDoc;

/// A token that can be guessed is none.
const TOKEN_LEN_MIN: usize = 16;

/// What a change must be accompanied by. It is shown nowhere.
#[derive(Clone)]
pub struct Token(Arc<[u8]>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Reads the one line of a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Self::new(text.trim())
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, format!("it {why}")))
    }

    fn new(text: &str) -> Result<Self, &'static str> {
        if text.len() < TOKEN_LEN_MIN {
            return Err("holds fewer than 16 characters: `openssl rand -hex 32` makes a good one");
        }
        if !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err("must be one line of printable ASCII without spaces");
        }
        Ok(Self(text.as_bytes().into()))
    }

    fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

/// By which way a request came in; every request carries it.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// The Unix socket, and which user is at its other end.
    Unix { uid: Option<u32> },
    /// A TCP listener.
    Tcp {
        /// Who is at the other end.
        peer: SocketAddr,
        /// Only this machine reaches the listener.
        loopback: bool,
        /// What changes need.
        token: Option<Token>,
    },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { uid: Some(uid) } => write!(f, "unix socket, uid {uid}"),
            Self::Unix { uid: None } => f.write_str("unix socket"),
            Self::Tcp { peer, .. } => peer.fmt(f),
        }
    }
}

/// Lets a request pass, or answers it.
pub(super) async fn guard(
    Extension(way): Extension<Way>,
    request: Request,
    next: Next,
) -> Response {
    let Err((status, error)) = judge(&way, request.method(), request.headers()) else {
        return next.run(request).await;
    };
    if !is_look(request.method()) {
        let (source, path) = (way.to_string(), request.uri().path());
        tracing::warn!(source, path, error, "a change is refused");
    }
    let doc = ErrorDoc { error: error.to_owned(), help: None };
    let mut response = (status, Json(doc)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let scheme = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// What a request that is not let through is answered with.
type Refused = (StatusCode, &'static str);

fn judge(way: &Way, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).and_then(|host| host.parse::<Authority>().ok());
    if let Way::Tcp { loopback: true, .. } = way
        && !host.as_ref().is_some_and(is_by_number)
    {
        let error = "this listener is asked by its address, not by a name (DNS rebinding)";
        return Err((StatusCode::FORBIDDEN, error));
    }
    if is_look(method) {
        return Ok(());
    }
    if let Some(origin) = text(header::ORIGIN) {
        let site = origin.split_once("://").and_then(|(_, site)| site.parse::<Authority>().ok());
        if site.is_none() || site != host {
            let error = "a page of another site may change nothing here";
            return Err((StatusCode::FORBIDDEN, error));
        }
    }
    let form = text(header::CONTENT_TYPE).and_then(|form| form.split(';').next()).map(str::trim);
    let is_json = form.is_some_and(|form| form.eq_ignore_ascii_case("application/json"));
    if method != Method::DELETE && !is_json {
        let error = "a change needs the header content-type: application/json";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    match way {
        Way::Unix { .. } | Way::Tcp { loopback: true, token: None, .. } => Ok(()),
        Way::Tcp { loopback: false, token: None, .. } => {
            Err((StatusCode::FORBIDDEN, "changes from afar need a token, and the server has none"))
        }
        Way::Tcp { token: Some(token), .. } => {
            let given = text(header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
            match given {
                Some(given) if token.is(given.as_bytes()) => Ok(()),
                Some(_) => Err((StatusCode::UNAUTHORIZED, "the token is wrong")),
                None => {
                    let error = "changes need the header authorization: Bearer <token>";
                    Err((StatusCode::UNAUTHORIZED, error))
                }
            }
        }
    }
}

/// True for a request that changes nothing.
fn is_look(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_by_number(host: &Authority) -> bool {
    let host = host.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    /// `u`nix, `l`oopback, `r`emote; capital: with a token.
    fn way(letter: char) -> Way {
        if letter == 'u' {
            return Way::Unix { uid: Some(0) };
        }
        let token = letter.is_ascii_uppercase().then(|| Token::new(TOKEN).unwrap());
        let loopback = letter.eq_ignore_ascii_case(&'l');
        Way::Tcp { peer: ([192, 0, 2, 1], 4000).into(), loopback, token }
    }

    /// A request line and headers; 0 stands for being let through.
    #[track_caller]
    fn check(ways: &str, method: &str, lines: &[&str], expected: u16) {
        let headers = lines.iter().map(|line| line.split_once(": ").unwrap());
        let headers: HeaderMap =
            headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        for letter in ways.chars() {
            let judged = judge(&way(letter), &method.parse().unwrap(), &headers);
            let status = judged.map_or_else(|(status, _)| status.as_u16(), |()| 0);
            assert_eq!(status, expected, "{letter} {method} {lines:?}");
        }
    }

    const JSON: &str = "content-type: application/json";
    const HERE: &str = "host: 127.0.0.1:9153";

    #[test]
    fn everybody_may_look_but_a_rebound_name() {
        check("ulLrR", "GET", &[HERE], 0);
        for host in ["host: localhost:9153", "host: [::1]:9153", "host: 127.0.0.1", "host: [::1]"] {
            check("lL", "GET", &[host], 0);
        }
        for host in
            ["host: evil.test:9153", "host: localhost.evil.test", "host: 127.0.0.1.evil.test"]
        {
            check("lL", "GET", &[host], 403);
            check("lL", "POST", &[host, JSON], 403);
            check("urR", "GET", &[host], 0);
        }
        check("lL", "GET", &[], 403);
    }

    #[test]
    fn changes_need_to_be_meant() {
        let token = &format!("authorization: Bearer {TOKEN}");
        check("ul", "POST", &[HERE, JSON], 0);
        check("ulLR", "POST", &[HERE, JSON, token], 0);
        check("ulLR", "POST", &[HERE, "content-type: Application/JSON; charset=utf-8", token], 0);
        check("ulLR", "DELETE", &[HERE, token], 0);
        check("ulrLR", "POST", &[HERE, token], 415);
        check("ulrLR", "POST", &[HERE, "content-type: text/plain", token], 415);
        check("ulLR", "POST", &[HERE, JSON, token, "origin: http://127.0.0.1:9153"], 0);
        for origin in ["origin: http://evil.test", "origin: null", "origin: http://127.0.0.1:8080"]
        {
            check("ulrLR", "POST", &[HERE, JSON, token, origin], 403);
            check("ulrLR", "DELETE", &[HERE, token, origin], 403);
        }
    }

    #[test]
    fn changes_from_afar_need_the_token() {
        check("r", "POST", &[HERE, JSON, "authorization: Bearer 0123456789abcdef"], 403);
        for wrong in ["Bearer ", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef", "Bearer 0"] {
            check("LR", "POST", &[HERE, JSON, &format!("authorization: {wrong}")], 401);
        }
        check("LR", "POST", &[HERE, JSON], 401);
        check("LR", "DELETE", &[HERE], 401);
    }

    #[test]
    fn tokens_are_long_and_shown_nowhere() {
        for (text, good) in
            [(TOKEN, true), ("0123456789abcde", false), ("0123456789 abcdef", false)]
        {
            assert_eq!(Token::new(text).is_ok(), good, "{text}");
        }
        assert_eq!(format!("{:?}", Token::new(TOKEN).unwrap()), "Token(…)");
    }
}

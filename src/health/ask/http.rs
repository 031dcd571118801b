//! One HTTP request, and the answers that pass.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{BodyTest, Secure};
use crate::health::LoadFrom;

/// One HTTP request and the answers that pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpAsk {
    /// HTTPS, with the host as SNI; none is plain HTTP. All nodes of a check share it.
    pub tls: Option<Arc<Secure>>,
    /// The port of the node.
    pub port: u16,
    /// What is asked for.
    pub method: Method,
    /// Path and query, beginning with a slash.
    pub path: String,
    /// `Host` and SNI: the service's name unless the operator gave another. No final dot.
    pub host: String,
    /// Headers beyond those that every probe has.
    pub headers: Vec<Header>,
    /// Response codes that pass.
    pub expect: Vec<RangeInclusive<u16>>,
    /// What the body of a passing answer must say; none leaves it unread.
    pub body: Option<BodyTest>,
    /// Where a passing answer says how busy the node is.
    pub load: Option<LoadFrom>,
}

impl HttpAsk {
    /// A plain `GET` that 200 to 299 pass.
    pub fn get(port: u16, path: &str, host: &str) -> Self {
        Self {
            tls: None,
            port,
            method: Method::Get,
            path: path.to_owned(),
            host: host.to_owned(),
            headers: Vec::new(),
            expect: vec![200..=299],
            body: None,
            load: None,
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    pub(super) fn place(&self, socket: SocketAddr) -> String {
        let (scheme, path, host) = (self.scheme(), &self.path, &self.host);
        let place = format!("{scheme}://{socket}{path} {host}");
        match &self.method {
            Method::Get => place,
            Method::Head | Method::Options | Method::Post(_) => format!("{} {place}", self.method),
        }
    }
}

/// How a request asks.
///
/// The three that change nothing at the node, and `POST`: JSON-RPC and GraphQL nodes answer to
/// nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`: an answer without a body.
    Head,
    /// `OPTIONS`.
    Options,
    /// `POST` with this body, which may be empty.
    Post(String),
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post(_) => "POST",
        })
    }
}

/// A header of a request. Its value may be a secret, and is not shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// As it was written.
    pub name: String,
    /// Visible ASCII, spaces and tabs.
    pub value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

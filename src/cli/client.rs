//! Asks the admin listener of a running server, as the verbs that control one do.
//!
//! One HTTP request over a plain connection, bounded in time and size. hyper is in the tree for
//! the listener itself, so this needs no client of a larger kind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::load_server;

/// How long the whole of a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most octets of a response that are read.
const RESPONSE_LEN_MAX: usize = 64 << 20;

/// Where a server's admin listener is: as given, or else where the configuration says; its zones
/// do not matter here.
pub(super) fn admin(
    given: Option<SocketAddr>,
    config: Option<&Path>,
) -> anyhow::Result<SocketAddr> {
    let listen = match given {
        Some(admin) => admin,
        None => {
            let server = load_server(config).map_err(|diagnostics| {
                let first = diagnostics.first().map(ToString::to_string).unwrap_or_default();
                anyhow::anyhow!("the configuration has errors: {first}")
            })?;
            server.listen.admin
        }
    };
    Ok(reachable(listen))
}

/// A listener on all addresses is asked on loopback.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Gets a document; the path begins with a slash and is already in the form of a URL.
pub(super) async fn get<T: DeserializeOwned>(server: SocketAddr, path: &str) -> anyhow::Result<T> {
    let request = Request::get(path).header(header::HOST, server.to_string());
    let request = request.body(Body::empty()).context("the question cannot be put in a URL")?;
    let (status, body) = timeout(PATIENCE, talk(server, request))
        .await
        .map_err(|_| anyhow::anyhow!("no answer from {server} within {PATIENCE:?}"))??;
    if status != StatusCode::OK {
        bail!("{}", String::from_utf8_lossy(&body).trim());
    }
    serde_json::from_slice(&body).with_context(|| {
        format!("what answers at {server} is not this version's rota: it said something else")
    })
}

async fn talk(server: SocketAddr, request: Request<Body>) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let unreached = || format!("no server at {server}; is `rota run` running there?");
    let stream = TcpStream::connect(server).await.with_context(unreached)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let conversation = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), RESPONSE_LEN_MAX).await?;
        anyhow::Ok((status, body.to_vec()))
    };
    tokio::select! {
        said = conversation => said,
        Err(error) = connection => Err(error.into()),
    }
}

/// A text as a part of a URL's query. RFC 3986 §2.1.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(octet));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_listener_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:9153", "127.0.0.1:9153"),
            ("[::]:9153", "[::1]:9153"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[test]
    fn texts_are_escaped_for_urls() {
        for (text, expected) in
            [("app.test", "app.test"), ("192.0.2.0/24", "192.0.2.0%2F24"), ("a b*", "a%20b%2A")]
        {
            assert_eq!(escaped(text), expected);
        }
    }
}

//! `GET` over HTTP/1.1, plain or in TLS.
//!
//! What a probe is, and is not:
//!
//! * It goes to the target's address and nowhere else: no name is resolved, no proxy asked, no
//!   redirect followed. A redirect is an answer like another, and passes only if it is expected.
//! * Every probe opens a connection of its own, since being able to connect is half of what is
//!   asked, and says `Connection: close`.
//! * The response code decides. The body is left unread, with one exception: a 503 that does not
//!   pass is looked into for a node that says it is draining, up to [`BODY_LEN_MAX`] bytes.
//! * `Host` is the configured host as it was written, without the port: virtual hosts go by name,
//!   and the port of a probe is rarely the port that clients use. SNI and certificate go by the
//!   same name.
//!
//! Plain HTTP shares one client: the URL holds the address itself, and `Host` is a header like
//! others. In HTTPS the URL must hold the name that the certificate is verified for, so each probe
//! makes a client whose resolver knows one address. That costs microseconds beside a handshake,
//! because the expensive part, the TLS configuration, is shared. Sessions are not resumed: a probe
//! has to see the certificate, or an expired one would pass until somebody restarts.
//!
//! reqwest is handed its TLS configuration for plain HTTP too. Left to itself it would load the
//! system's certificates, and refuse to start in a container that has none.

use std::future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONNECTION, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url, redirect, retry};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};

use super::failure;
use crate::health::{HttpAsk, Outcome, Reason};

/// Most of a 503's body that is read.
pub const BODY_LEN_MAX: usize = 4096;

/// What nodes see in their logs.
const USER_AGENT: &str = concat!("rota/", env!("CARGO_PKG_VERSION"), " (health check)");

/// Executes HTTP and HTTPS checks.
#[derive(Debug)]
pub struct Http {
    plain: Client,
    tls: OnceLock<Result<ClientConfig, String>>,
}

impl Http {
    /// Trusts whom the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).
    ///
    /// The certificates are read at the first HTTPS probe. Where there are none, HTTPS probes give
    /// no verdict and say why.
    pub fn new() -> Self {
        let plain = client(tls_config(RootCertStore::empty()), NoResolver)
            .expect("a client with its TLS given needs nothing of the system");
        Self { plain, tls: OnceLock::new() }
    }

    /// Trusts these authorities alone.
    pub fn trusting(roots: RootCertStore) -> Self {
        Self { tls: OnceLock::from(Ok(tls_config(roots))), ..Self::new() }
    }

    /// Asks once; ends by the deadline.
    pub async fn probe(&self, address: IpAddr, ask: &HttpAsk, deadline: Instant) -> Outcome {
        let socket = SocketAddr::new(address, ask.port);
        let request = match self.request(socket, ask) {
            Ok(request) => request,
            Err(why) => return Outcome::NoVerdict(Reason::Local(why)),
        };
        let response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failure::outcome(&error, socket),
            Err(_elapsed) => return Outcome::Fail(Reason::Timeout),
        };
        let status = response.status();
        if ask.expect.iter().any(|range| range.contains(&status.as_u16())) {
            return Outcome::Pass;
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // A node that never ends its body has not said that it is draining.
            let draining = timeout_at(deadline, says_draining(response)).await.unwrap_or(false);
            if draining {
                return Outcome::Fail(Reason::Draining);
            }
        }
        Outcome::Fail(Reason::HttpStatus(status.as_u16()))
    }

    fn request(
        &self,
        socket: SocketAddr,
        ask: &HttpAsk,
    ) -> Result<reqwest::RequestBuilder, String> {
        let scheme = if ask.tls { "https" } else { "http" };
        let mut url = Url::parse(&format!("{scheme}://{socket}{}", ask.path))
            .map_err(|error| format!("path {:?}: {error}", ask.path))?;
        let host = HeaderValue::from_str(&ask.host)
            .map_err(|error| format!("host {:?}: {error}", ask.host))?;
        if !ask.tls {
            return Ok(self.plain.get(url).header(HOST, host));
        }
        let named = url.set_host(Some(&ask.host)).is_ok() && url.domain().is_some();
        if !named {
            // A host that is an address has no SNI (RFC 6066 §3) and would be connected to: the
            // certificate is verified for the address that is probed.
            url.set_ip_host(socket.ip()).map_err(|()| format!("no URL for {socket}"))?;
        }
        let tls = self.tls.get_or_init(system_tls_config).clone()?;
        let client = client(tls, Pinned(socket)).map_err(|error| error.to_string())?;
        Ok(client.get(url).header(HOST, host))
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a 503 says that its node is leaving.
async fn says_draining(mut response: Response) -> bool {
    if response.headers().contains_key(RETRY_AFTER) {
        return true;
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = BODY_LEN_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == BODY_LEN_MAX {
            break;
        }
    }
    body_says_draining(&body)
}

/// `draining` alone as text, or as the member `status` of a JSON object; case is ignored.
fn body_says_draining(body: &[u8]) -> bool {
    let is_draining = |text: &str| text.trim().eq_ignore_ascii_case("draining");
    let says_as_json = || {
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(is_draining(value.get("status")?.as_str()?))
    };
    std::str::from_utf8(body).is_ok_and(is_draining) || says_as_json().unwrap_or(false)
}

fn client(tls: ClientConfig, resolver: impl Resolve + 'static) -> reqwest::Result<Client> {
    let headers = HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))]);
    ClientBuilder::new()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
}

fn tls_config(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn system_tls_config() -> Result<ClientConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(tls_config(roots));
    }
    let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(format!("the system has no certificates to trust {}", why.join("; ")).trim_end().into())
}

/// Knows one address, whatever the name.
struct Pinned(SocketAddr);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(future::ready(Ok(addresses)))
    }
}

/// Knows no name: URLs of plain probes hold addresses.
struct NoResolver;

impl Resolve for NoResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(future::ready(Err(format!("{} is not looked up", name.as_str()).into())))
    }
}

#[cfg(test)]
mod tests;

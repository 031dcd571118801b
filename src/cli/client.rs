//! Asks a running server, as the verbs that control one do.
//!
//! One HTTP request over a plain connection, bounded in time and size. The Unix socket comes first,
//! because whoever may open it needs no token; where there is none, the address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::docs::ErrorDoc;
use crate::config::{Server, load_server};

/// How long the whole of a request may take. A reload of many zones takes a while.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most octets of a response that are read.
const RESPONSE_LEN_MAX: usize = 64 << 20;
/// Most octets of a line of a stream.
const LINE_LEN_MAX: usize = 1 << 20;

/// Above the options of the verbs that ask a running server.
const SERVER: &str = "The running server";

/// Where the running server is.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ServerArgs {
    /// Ask here rather than where the configuration says: an address and port, or the path of a
    /// Unix socket
    #[arg(long, value_name = "ADDRESS:PORT|PATH", help_heading = SERVER)]
    pub admin: Option<At>,

    /// The file of the token that changes over an address need [default: as configured]
    #[arg(long, value_name = "FILE", help_heading = SERVER)]
    pub token_file: Option<PathBuf>,
}

/// A place to ask at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A Unix socket.
    Unix(PathBuf),
    /// An address.
    Tcp(SocketAddr),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Ok(Self::Unix(text.into()));
        }
        let wrong = |_| "write an address and port (127.0.0.1:9153), or a path with a slash".into();
        text.parse().map(Self::Tcp).map_err(wrong)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// A server that is asked.
#[derive(Debug)]
pub(super) struct Client {
    at: At,
    token: Option<String>,
}

/// The address of a server's admin listener: as given, or else as configured; its zones do not
/// matter here.
pub(super) fn admin(
    given: Option<SocketAddr>,
    config: Option<&Path>,
) -> anyhow::Result<SocketAddr> {
    let listen = match given {
        Some(admin) => admin,
        None => configured(config)?.listen.admin,
    };
    Ok(reachable(listen))
}

fn configured(config: Option<&Path>) -> anyhow::Result<Server> {
    load_server(config).map_err(|diagnostics| {
        let first = diagnostics.first().map(ToString::to_string).unwrap_or_default();
        anyhow!("the configuration has errors: {first}")
    })
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

impl Client {
    /// The server that the arguments or the configuration say.
    pub(super) fn new(args: &ServerArgs, config: Option<&Path>) -> anyhow::Result<Self> {
        let (at, configured_token) = match &args.admin {
            Some(at) => (at.clone(), None),
            None => {
                let server = configured(config)?;
                let socket = server.admin.socket.filter(|path| answers(path));
                let tcp = || At::Tcp(reachable(server.listen.admin));
                (socket.map_or_else(tcp, At::Unix), server.admin.token_file)
            }
        };
        let token = match (&args.token_file, configured_token) {
            (Some(path), _) => {
                let text = std::fs::read_to_string(path);
                let token = text.with_context(|| format!("cannot read {}", path.display()))?;
                Some(token.trim().to_owned())
            }
            // Only changes need it: without the right to read it, looking is allowed still.
            (None, Some(path)) => std::fs::read_to_string(path).ok().map(|it| it.trim().to_owned()),
            (None, None) => None,
        };
        Ok(Self { at, token })
    }

    /// Gets a document; the path begins with a slash and is already in the form of a URL.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, path, String::new()).await
    }

    /// Asks for a change with a document.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.ask(Method::POST, path, serde_json::to_string(form)?).await
    }

    /// Gets a stream of server-sent events and gives the data of each, which is one line, until it
    /// is told to stop. That the stream ends by itself is an error: the server has gone.
    pub(super) async fn follow(
        &self,
        path: &str,
        mut take: impl FnMut(&str) -> anyhow::Result<ControlFlow<()>>,
    ) -> anyhow::Result<()> {
        let client = reqwest::Client::builder().connect_timeout(PATIENCE).read_timeout(PATIENCE);
        let request = self.request(client, Method::GET, path, String::new())?;
        let mut response = request.send().await.map_err(|error| self.unreached(error))?;
        if response.status() != StatusCode::OK {
            let body = self.read(&mut response).await?;
            bail!("{}", complaint(&body));
        }
        let gone = || format!("{} has ended what it told", self.at);
        let mut line = Vec::new();
        while let Some(chunk) = response.chunk().await.with_context(gone)? {
            for octet in chunk {
                if octet != b'\n' {
                    line.push(octet);
                    continue;
                }
                let text = std::str::from_utf8(&line).with_context(gone)?;
                let taken = text.strip_prefix("data: ").map(&mut take).transpose()?;
                if taken.is_some_and(|flow| flow.is_break()) {
                    return Ok(());
                }
                line.clear();
            }
            if line.len() > LINE_LEN_MAX {
                bail!("{} tells more than {LINE_LEN_MAX} octets in a line", self.at);
            }
        }
        bail!(gone())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> anyhow::Result<T> {
        let client = reqwest::Client::builder().timeout(PATIENCE);
        let request = self.request(client, method, path, body)?;
        let mut response = request.send().await.map_err(|error| self.unreached(error))?;
        let body = self.read(&mut response).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            bail!(
                "{}\n      --token-file names the file that has the token, as `token_file` of \
                 [admin] does for the server",
                complaint(&body)
            );
        }
        if response.status() != StatusCode::OK {
            bail!("{}", complaint(&body));
        }
        serde_json::from_slice(&body).with_context(|| {
            format!("what answers at {} is not this version's rota: it said otherwise", self.at)
        })
    }

    fn request(
        &self,
        client: ClientBuilder,
        method: Method,
        path: &str,
        body: String,
    ) -> anyhow::Result<RequestBuilder> {
        // Neither proxies of the environment nor redirects stand between a verb and its server.
        let mut client = client.no_proxy().redirect(Policy::none());
        let host = match &self.at {
            At::Unix(path) => {
                client = client.unix_socket(path.as_path());
                "localhost".to_owned()
            }
            At::Tcp(address) => address.to_string(),
        };
        let mut request = client.build()?.request(method, format!("http://{host}{path}"));
        request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request)
    }

    fn unreached(&self, error: reqwest::Error) -> anyhow::Error {
        if error.is_timeout() {
            return anyhow!("no answer from {} within {PATIENCE:?}", self.at);
        }
        // What the system said is the innermost; what stands around it are steps of the library.
        let mut why: &dyn std::error::Error = &error;
        while let Some(inner) = why.source() {
            why = inner;
        }
        anyhow!(
            "no server at {} ({why})\n      is `rota run` running? --admin or -c say where else \
             to ask",
            self.at
        )
    }

    async fn read(&self, response: &mut Response) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreached(error))? {
            if body.len() + chunk.len() > RESPONSE_LEN_MAX {
                bail!("{} says more than {RESPONSE_LEN_MAX} octets", self.at);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// True where somebody listens at a Unix socket.
fn answers(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

/// What a server says is wrong, with its help on a line of its own.
fn complaint(body: &[u8]) -> String {
    match serde_json::from_slice::<ErrorDoc>(body) {
        Ok(ErrorDoc { error, help: Some(help) }) => format!("{error}\n      {help}"),
        Ok(ErrorDoc { error, help: None }) => error,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
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

    #[test]
    fn places_are_addresses_or_paths() {
        assert_eq!("./rota.sock".parse(), Ok(At::Unix("./rota.sock".into())));
        assert_eq!("[::1]:9153".parse(), Ok(At::Tcp("[::1]:9153".parse().unwrap())));
        assert!("rota.sock".parse::<At>().is_err());
    }

    #[test]
    fn complaints_are_told_with_their_help() {
        for (body, expected) in [
            (r#"{"error": "no", "help": "yes"}"#, "no\n      yes"),
            (r#"{"error": "no", "help": null}"#, "no"),
            ("stopping\n", "stopping"),
        ] {
            assert_eq!(complaint(body.as_bytes()), expected);
        }
    }
}

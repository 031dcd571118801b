//! What one probe does: a variant for each kind of check, each recipe in a file of its own.
//!
//! A recipe is all that its probe needs, with every default filled in and every file already read:
//! two targets whose recipes are equal are one target. What answers pass is part of the recipe, and
//! judged here where that takes no socket ([`BodyTest`]). The kind's other half, which does touch
//! the network, is the file of the same name in `probe`.
//!
//! The time that a probe may take belongs to [`Check`](super::Check): it is the same question for
//! every kind.

use std::net::{IpAddr, SocketAddr};

mod agent;
mod body;
mod dns;
mod exec;
mod file;
mod grpc;
mod http;
mod line;
mod pattern;
mod secure;
mod tcp;
mod tls;
mod websocket;

pub use agent::{AgentAsk, AgentReport, judge as judge_agent};
pub use body::{BODY_LEN_MAX, BodyTest, Mismatch};
pub use dns::{DnsAsk, ExpectedRecord};
pub use exec::{ExecAsk, OUTPUT_LEN_MAX, Variable};
pub use file::{FILE_LEN_MAX, FileAsk, States};
pub use grpc::{GrpcAsk, SERVICE_LEN_MAX, judge as judge_grpc, judge_code as judge_grpc_code};
pub use http::{Header, HttpAsk, Method};
pub use line::line;
pub use pattern::Pattern;
pub use secure::{Identity, Pem, Secure, Trust};
pub use tcp::{ANSWER_LEN_MAX, TcpAsk};
pub use tls::TlsAsk;
pub use websocket::WebSocketAsk;

/// What one probe does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// One request over HTTP or HTTPS.
    Http(HttpAsk),
    /// A TCP connection, and perhaps a word said and a word expected.
    Tcp(TcpAsk),
    /// A TLS handshake.
    Tls(TlsAsk),
    /// A call of gRPC's health service.
    Grpc(GrpcAsk),
    /// A question in DNS.
    Dns(DnsAsk),
    /// A line from the node's agent.
    Agent(AgentAsk),
    /// A program.
    Exec(ExecAsk),
    /// A line of a file.
    File(FileAsk),
    /// An HTTP connection that becomes a WebSocket.
    WebSocket(WebSocketAsk),
}

impl Ask {
    /// The same question about one node, for kinds that ask somebody else about it.
    #[must_use]
    pub fn for_node(&self, id: &str) -> Self {
        match self {
            Self::Exec(ask) => Self::Exec(ExecAsk { node: id.to_owned(), ..ask.clone() }),
            Self::File(ask) => Self::File(FileAsk { node: id.to_owned(), ..ask.clone() }),
            Self::Http(_)
            | Self::Tcp(_)
            | Self::Tls(_)
            | Self::Grpc(_)
            | Self::Dns(_)
            | Self::Agent(_)
            | Self::WebSocket(_) => self.clone(),
        }
    }

    /// What is examined at an address, as one line of text; see [`Place`](super::Place).
    pub(super) fn place(&self, address: IpAddr) -> String {
        let at = |port| SocketAddr::new(address, port);
        match self {
            Self::Http(ask) => ask.place(at(ask.port)),
            Self::Tcp(ask) => format!("tcp://{}", at(ask.port)),
            Self::Tls(ask) => format!("tls://{} {}", at(ask.port), ask.host),
            Self::Grpc(ask) => {
                let scheme = if ask.tls.is_some() { "grpcs" } else { "grpc" };
                format!("{scheme}://{}/{} {}", at(ask.port), ask.service, ask.host)
            }
            Self::Dns(ask) => {
                let scheme = if ask.tcp { "dns+tcp" } else { "dns" };
                format!("{scheme}://{} {} {}", at(ask.port), ask.name, ask.rtype)
            }
            Self::Agent(ask) => format!("agent://{}", at(ask.port)),
            Self::Exec(ask) => ask.place(address),
            Self::File(ask) => ask.place(address),
            Self::WebSocket(ask) => {
                let (scheme, path, host) = (ask.scheme(), &ask.path, &ask.host);
                format!("{scheme}://{}{path} {host}", at(ask.port))
            }
        }
    }
}

//! Probes of every kind against real nodes, which answer, lie, babble, stall and cut the line.
//!
//! ```text
//!   node        what a node does with a connection
//!   authority   nodes with certificates, and the authorities behind those
//!   http        what HTTP checks say of nodes
//!   tcp         what TCP checks say of them
//!   tls         what TLS and HTTPS checks say of them and of their certificates
//!   grpc        what gRPC checks say of health services, and of what is none
//!   dns         what DNS checks say of name servers
//!   agent       what nodes' agents say of them
//!   exec        what programs say of nodes, and what becomes of programs
//!   file        what files say of nodes
//!   websocket   what WebSocket checks say of those that open, and of those that seem to
//! ```

#![allow(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

mod agent;
mod authority;
mod dns;
mod exec;
mod file;
mod grpc;
mod http;
mod node;
mod tcp;
mod tls;
mod websocket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rota::health::{Ask, Check, Outcome, ProbeOrder, Reason, Target, TargetId, Verdict};
use rota::probe::Prober;

/// Long enough for any answer that comes at all, on any machine.
const PATIENT: Duration = Duration::from_secs(20);
/// For nodes that never answer: the only thing that ends these probes.
const SHORT: Duration = Duration::from_millis(200);
/// For nodes that answer and then stall: enough for the answer, and what the test then waits.
const MEDIUM: Duration = Duration::from_secs(3);

fn check(ask: Ask, timeout: Duration) -> Check {
    Check { every: PATIENT, timeout, ..Check::new(ask) }
}

/// One probe of loopback by the prober of the server.
async fn probe(check: Check) -> Verdict {
    let (prober, mut reports) = Prober::new();
    let target = Arc::new(Target { address: [127, 0, 0, 1].into(), check });
    prober.start(ProbeOrder { id: TargetId::FIRST, target, late_by: Duration::ZERO });
    reports.recv().await.unwrap().verdict
}

fn fail(reason: Reason) -> Outcome {
    Outcome::Fail(reason)
}

/// A port of loopback on which nobody listens, for as long as the socket is kept.
fn deaf() -> (tokio::net::TcpSocket, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

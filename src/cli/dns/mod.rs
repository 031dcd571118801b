//! Asking DNS servers, as a client does: what the verbs that look from outside share.
//!
//! ```text
//!   question.rs   Question -> octets       pure
//!   reply.rs      octets -> Reply          pure
//!   exchange.rs   octets -> a server -> octets, over UDP or TCP
//! ```
//!
//! Messages are written and read with the `domain` library rather than with our own `wire`, so that
//! what a verb says of an answer is what a stranger understands.

pub(super) mod exchange;
mod question;
pub(super) mod reply;

use std::net::SocketAddr;

pub(super) use exchange::Silence;
pub(super) use question::Question;
pub(super) use reply::{Data, Record, Reply, addresses, name_servers};

/// Over what a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Udp,
    Tcp,
}

/// Asks a server once; over UDP a second time where the first datagram may have been lost.
pub(super) async fn ask(
    server: SocketAddr,
    question: &Question<'_>,
    over: Over,
) -> Result<Reply, Silence> {
    // A socket of its own for each question: the id has nobody to keep out.
    const ID: u16 = 1;
    let query = question.to_octets(ID);
    let octets = match over {
        Over::Tcp => exchange::tcp(server, &query).await?,
        Over::Udp => match exchange::udp(server, &query).await {
            Err(Silence::TooLong) => exchange::udp(server, &query).await?,
            said => said?,
        },
    };
    Reply::parse(ID, &octets).ok_or(Silence::Garbled)
}

/// Asks over UDP, and over TCP what UDP had no room for.
pub(super) async fn ask_whole(
    server: SocketAddr,
    question: &Question<'_>,
) -> Result<Reply, Silence> {
    let reply = ask(server, question, Over::Udp).await?;
    if reply.truncated { ask(server, question, Over::Tcp).await } else { Ok(reply) }
}

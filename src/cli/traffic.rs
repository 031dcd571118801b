//! The demo's own client.
//!
//! A board without traffic would stand still, so the demo asks its server as a simple client does:
//! one real query after another over UDP. What is shown is what the server counted, the client's
//! queries and everybody else's: whoever adds `dig` or a load generator sees it on the board.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};

use super::dns::Question;
use super::dns::exchange::ANSWER_LEN_MAX;
use crate::wire::{Name, RecordType};

/// Time between two queries: enough of them in a window that weights show, too few to feel.
const EVERY: Duration = Duration::from_millis(20);

/// Asks for A records until dropped, without waiting for the answers: the server counts them.
pub async fn run(server: SocketAddr, name: &Name) -> std::io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await?;
    socket.connect(server).await?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; ANSWER_LEN_MAX];
    let question = Question { edns: false, ..Question::to_authority(name, RecordType::A) };
    let mut id = 0_u16;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                id = id.wrapping_add(1);
                // Fails while the server starts or stops: then there is nobody to ask.
                let _ = socket.send(&question.to_octets(id)).await;
            }
            // Read, or the socket's buffer fills; an error is the echo of a failed query.
            _ = socket.recv(&mut buffer) => {}
        }
    }
}

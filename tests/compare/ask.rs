//! One packet to several servers at once, and what each says.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use domain::base::Rtype;

use super::answer::{Answer, Reply};
use super::name::Name;
use super::peers::Voice;
use super::question::{Odd, Question};

/// After this long silence is believed, and a decent question is asked again.
const PATIENCE: Duration = Duration::from_millis(700);
/// For a datagram that is there if it comes at all.
const BRIEFLY: Duration = Duration::from_millis(20);
/// How often a decent question is asked before silence is believed.
const TRIES: usize = 3;

/// What one server said.
#[derive(Clone, Debug)]
pub struct Heard {
    /// In the form that is compared.
    pub reply: Reply,
    /// As it came.
    pub octets: Vec<u8>,
}

/// Sockets to several servers.
pub struct Asker {
    servers: Vec<(Voice, SocketAddr, UdpSocket)>,
    next_id: u16,
}

impl Asker {
    /// A client of these servers.
    pub fn new(servers: impl Iterator<Item = (Voice, SocketAddr)>) -> Self {
        let connect = |(voice, address)| {
            let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback can be bound");
            socket.connect(address).expect("loopback can be reached");
            (voice, address, socket)
        };
        Self { servers: servers.map(connect).collect(), next_id: 1 }
    }

    /// Asks all; the replies come in the order of the servers.
    pub fn ask(&mut self, question: &Question) -> Vec<(Voice, Heard)> {
        self.next_id = self.next_id.wrapping_add(1);
        let packet = question.to_wire(self.next_id);
        if question.tcp {
            let over_tcp = |&(voice, address, _): &(Voice, SocketAddr, UdpSocket)| {
                (voice, heard(stream(address, &packet).ok()))
            };
            return self.servers.iter().map(over_tcp).collect();
        }
        // All at once: the servers work while the others are waited for.
        for (_, _, socket) in &self.servers {
            drop(socket.send(&packet));
        }
        let tries = if question.odd == Odd::No { TRIES } else { 1 };
        let mut patience = PATIENCE;
        let mut replies = Vec::new();
        for (voice, _, socket) in &self.servers {
            let heard = heard(datagram(socket, &packet, patience, tries));
            if heard.reply == Reply::Silence {
                // The others have had as long.
                patience = BRIEFLY;
            }
            replies.push((*voice, heard));
        }
        replies
    }

    /// True once the only server is authoritative for a zone.
    pub fn serves(&mut self, apex: &Name) -> bool {
        let question = Question {
            name: apex.clone(),
            rtype: Rtype::SOA,
            class: 1,
            flags: [0, 0],
            edns: None,
            tcp: true,
            odd: Odd::No,
        };
        self.ask(&question).iter().all(|(_, heard)| {
            matches!(&heard.reply, Reply::Answer(answer) if answer.authoritative
                && answer.answer.iter().any(|record| record.rtype == Rtype::SOA
                    && record.owner == apex.folded()))
        })
    }
}

fn heard(octets: Option<Vec<u8>>) -> Heard {
    let reply = match &octets {
        None => Reply::Silence,
        Some(octets) => match Answer::decode(octets) {
            Ok(answer) => Reply::Answer(answer),
            Err(why) => Reply::Unreadable(why),
        },
    };
    Heard { reply, octets: octets.unwrap_or_default() }
}

/// The datagram that answers the packet that was sent; older ones are passed over.
fn datagram(
    socket: &UdpSocket,
    packet: &[u8],
    patience: Duration,
    tries: usize,
) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(patience)).ok()?;
    let mut buffer = [0; 65_535];
    for _ in 0..tries {
        while let Ok(len) = socket.recv(&mut buffer) {
            if buffer[..len].starts_with(&packet[..2]) {
                return Some(buffer[..len].to_vec());
            }
        }
        drop(socket.send(packet));
    }
    None
}

fn stream(address: SocketAddr, packet: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&[&(packet.len() as u16).to_be_bytes()[..], packet].concat())?;
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut octets = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut octets)?;
    Ok(octets)
}

//! One packet to several servers at once, and what each says.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use domain::base::Rtype;

use super::answer::{Answer, Reply};
use super::name::Name;
use super::peers::Voice;
use super::question::{Odd, Question};

/// A datagram that loopback lost is sent again after this long.
const PATIENCE: Duration = Duration::from_millis(700);
/// For a datagram that may have been overtaken by a later one.
const BRIEFLY: Duration = Duration::from_millis(20);
/// How often a question is asked before silence is believed.
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
        if question.odd == Odd::No {
            let receive = |(voice, _, socket): &(Voice, SocketAddr, UdpSocket)| {
                (*voice, heard(datagram(socket, &packet)))
            };
            return self.servers.iter().map(receive).collect();
        }
        // What is odd may rightly get no answer. Whoever answers a decent question that came later
        // has nothing to say to this one.
        self.next_id = self.next_id.wrapping_add(1);
        let fence = decent(Name::plain(""), false).to_wire(self.next_id);
        let receive = |(voice, _, socket): &(Voice, SocketAddr, UdpSocket)| {
            drop(socket.send(&fence));
            (*voice, heard(before(socket, &packet, &fence)))
        };
        self.servers.iter().map(receive).collect()
    }

    /// True once the only server is authoritative for a zone.
    pub fn serves(&mut self, apex: &Name) -> bool {
        let question = decent(apex.clone(), true);
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

fn decent(name: Name, tcp: bool) -> Question {
    let (flags, edns, odd) = ([0, 0], None, Odd::No);
    Question { name, rtype: Rtype::SOA, class: 1, flags, edns, tcp, odd }
}

/// The datagram that answers the packet that was sent.
fn datagram(socket: &UdpSocket, packet: &[u8]) -> Option<Vec<u8>> {
    for _ in 0..TRIES {
        if let Some(reply) = receive(socket, PATIENCE, |reply| answers(reply, packet)) {
            return Some(reply);
        }
        drop(socket.send(packet));
    }
    None
}

/// The datagram that answers the packet, if it comes before the one that answers the fence, or soon
/// after.
fn before(socket: &UdpSocket, packet: &[u8], fence: &[u8]) -> Option<Vec<u8>> {
    for _ in 0..TRIES {
        let either = |reply: &[u8]| answers(reply, packet) || answers(reply, fence);
        match receive(socket, PATIENCE, either) {
            Some(reply) if answers(&reply, packet) => return Some(reply),
            Some(_) => return receive(socket, BRIEFLY, |reply| answers(reply, packet)),
            None => drop(socket.send(fence)),
        }
    }
    None
}

/// The next datagram that is wanted; others, which are late, are passed over.
fn receive(
    socket: &UdpSocket,
    patience: Duration,
    wanted: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(patience)).ok()?;
    let mut buffer = [0; 65_535];
    while let Ok(len) = socket.recv(&mut buffer) {
        if wanted(&buffer[..len]) {
            return Some(buffer[..len].to_vec());
        }
    }
    None
}

/// True where the message has the query's id.
fn answers(reply: &[u8], query: &[u8]) -> bool {
    reply.get(..2) == query.get(..2)
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

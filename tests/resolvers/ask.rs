//! A client of a resolver: one question, from any loopback address.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};

use super::scene::APEX;

/// A resolver that drops a question is asked again after this long.
const PATIENCE: Duration = Duration::from_secs(3);
const TRIES: usize = 5;

/// What a resolver said.
#[derive(Debug)]
pub struct Heard {
    pub rcode: ResponseCode,
    pub truncated: bool,
    pub answers: Vec<Record>,
}

/// Asks for a name below the apex over UDP.
pub fn ask(server: SocketAddr, name: &str, rtype: RecordType) -> Heard {
    ask_from(Ipv4Addr::LOCALHOST, server, name, rtype)
}

/// The same from another address.
pub fn ask_from(client: Ipv4Addr, server: SocketAddr, name: &str, rtype: RecordType) -> Heard {
    let heard = try_from(client, server, name, rtype);
    heard.unwrap_or_else(|| panic!("{server} says nothing of {name} {rtype}"))
}

/// The same, of a server that may not be there yet.
pub fn try_from(
    client: Ipv4Addr,
    server: SocketAddr,
    name: &str,
    rtype: RecordType,
) -> Option<Heard> {
    let socket = UdpSocket::bind((client, 0)).expect("all of 127.0.0.0/8 is ours");
    socket.connect(server).expect("loopback can be reached");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let question = question(name, rtype);
    let mut buffer = [0; 4096];
    (0..TRIES).find_map(|_| {
        socket.send(&question).ok()?;
        let len = socket.recv(&mut buffer).ok()?;
        Some(read(&buffer[..len]))
    })
}

/// Asks over TCP.
pub fn ask_stream(server: SocketAddr, name: &str, rtype: RecordType) -> Heard {
    let mut stream = TcpStream::connect(server).expect("resolvers listen on TCP");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let question = question(name, rtype);
    stream.write_all(&(question.len() as u16).to_be_bytes()).expect("the resolver reads");
    stream.write_all(&question).expect("the resolver reads");
    let mut len = [0; 2];
    stream.read_exact(&mut len).expect("an answer's length");
    let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut answer).expect("an answer");
    read(&answer)
}

fn question(name: &str, rtype: RecordType) -> Vec<u8> {
    let name = Name::from_ascii(format!("{name}.{APEX}.")).expect("a name");
    let mut query = Message::new(4711, MessageType::Query, OpCode::Query);
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(name, rtype));
    query.to_vec().expect("a query can be written")
}

fn read(octets: &[u8]) -> Heard {
    let message = Message::from_vec(octets).expect("hickory reads the answer");
    Heard {
        rcode: message.metadata.response_code,
        truncated: message.metadata.truncation,
        answers: message.answers,
    }
}

//! Clients that ask all the time, over UDP and TCP, and accept no silence and no mixture.
//!
//! The zone has two versions, which differ in everything that an answer can hold: addresses, the
//! port of SRV records, the hints of HTTPS records. An answer that holds anything of
//! both is of no generation at all.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::svcb::SvcParamValue;
use hickory_proto::rr::{RData, RecordType};

use super::common::{Client, PATIENCE};

/// The two versions of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Old,
    New,
}

impl Version {
    /// The zone's file.
    pub(super) fn zone(self) -> String {
        let (net, port) = match self {
            Self::Old => ("192.0.2", 443),
            Self::New => ("198.51.100", 8443),
        };
        let nodes: Vec<String> =
            (1..=4).map(|n| format!("{{ name = \"n{n}\", address = \"{net}.{n}\" }}")).collect();
        format!(
            "[zone]\nns = [\"ns1 127.0.0.1\"]\n[service.\"@\"]\n\
             srv = {{ \"_https._tcp\" = {port} }}\nhttps = {{ alpn = [\"h2\"] }}\n\
             nodes = [{}]\n",
            nodes.join(", ")
        )
    }

    fn of_address(address: Ipv4Addr) -> Self {
        match address.octets() {
            [192, 0, 2, 1..=4] => Self::Old,
            [198, 51, 100, 1..=4] => Self::New,
            _ => panic!("{address} is of no version"),
        }
    }

    fn of_port(port: u16) -> Self {
        match port {
            443 => Self::Old,
            8443 => Self::New,
            _ => panic!("port {port} is of no version"),
        }
    }

    /// The one version that all of an answer is of.
    #[track_caller]
    pub(super) fn of(message: &Message) -> Self {
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
        assert!(!message.answers.is_empty(), "{message}");
        let mut seen = Vec::new();
        for record in message.answers.iter().chain(&message.additionals) {
            // The name server's own address is of both.
            if let RData::A(a) = &record.data
                && !a.0.is_loopback()
            {
                seen.push(Self::of_address(a.0));
            } else if let RData::SRV(srv) = &record.data {
                seen.push(Self::of_port(srv.port));
            } else if let RData::HTTPS(https) = &record.data {
                for (_, value) in &https.0.svc_params {
                    if let SvcParamValue::Ipv4Hint(hint) = value {
                        seen.extend(hint.0.iter().map(|a| Self::of_address(a.0)));
                    }
                }
            }
        }
        let first = *seen.first().expect("an answer says something");
        assert!(seen.iter().all(|other| *other == first), "two generations in {message}");
        first
    }
}

/// What is asked in turn: each by its own way to the nodes.
const QUESTIONS: [(&str, RecordType); 3] = [
    ("app.test.", RecordType::A),
    ("_https._tcp.app.test.", RecordType::SRV),
    ("app.test.", RecordType::HTTPS),
];

/// Clients at work. Each asks, waits for the answer, judges it and asks again; a question without
/// an answer ends the test.
pub(super) struct Clients {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    /// So many over UDP, so many on a TCP connection that stays, so many on one for each question.
    pub(super) fn start(server: SocketAddr, udp: usize, kept: usize, fresh: usize) -> Self {
        let mut clients =
            Self { stop: Arc::default(), answers: Arc::default(), threads: Vec::new() };
        for _ in 0..udp {
            let mut client = Client::new(server);
            clients.spawn(move |(name, rtype)| {
                Version::of(&client.ask(name, rtype));
            });
        }
        for _ in 0..kept {
            let mut stream = connect(server);
            let mut client = Client::new(server);
            clients.spawn(move |question| {
                // A server may close a connection that is idle between two questions.
                if !ask(&mut stream, &mut client, question) {
                    stream = connect(server);
                    assert!(ask(&mut stream, &mut client, question), "a new one is answered");
                }
            });
        }
        for _ in 0..fresh {
            let mut client = Client::new(server);
            clients.spawn(move |(name, rtype)| {
                Version::of(&client.ask_stream(&[name], rtype)[0]);
            });
        }
        clients
    }

    fn spawn(&mut self, mut ask: impl FnMut((&str, RecordType)) + Send + 'static) {
        let (stop, answers) = (Arc::clone(&self.stop), Arc::clone(&self.answers));
        self.threads.push(std::thread::spawn(move || {
            for question in QUESTIONS.into_iter().cycle() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                ask(question);
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }

    /// Ends them; panics where one of them did.
    pub(super) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        self.answers.load(Ordering::Relaxed)
    }
}

fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("a connection is never refused");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One question on a stream; false where the server has ended the connection before answering.
fn ask(stream: &mut TcpStream, client: &mut Client, (name, rtype): (&str, RecordType)) -> bool {
    let (question, id) = client.question(name, rtype);
    let mut framed = (question.len() as u16).to_be_bytes().to_vec();
    framed.extend(question);
    let mut prefix = [0; 2];
    if stream.write_all(&framed).is_err() || stream.read_exact(&mut prefix).is_err() {
        return false;
    }
    let mut answer = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut answer).expect("an answer that has begun comes to its end");
    let message = Message::from_vec(&answer).unwrap();
    assert_eq!(message.metadata.id, id);
    Version::of(&message);
    true
}

//! `rota ask`: asks a DNS server for addresses and prints what it says.
//!
//! For the demo's traffic, the compose file's client and machines without `dig`. It reads answers
//! with the `domain` library rather than with our own `wire`, so that what it prints is what a
//! stranger understands. It is no replacement for `dig`: one question, over UDP, to a server that
//! is given by address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, anyhow};
use domain::base::iana::Rcode;
use domain::base::opt::ClientSubnet;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Aaaa};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::Exit;
use crate::geo::Network;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest UDP answer that is read.
pub(super) const ANSWER_LEN_MAX: usize = 4096;
/// What a query with an OPT record says that it can take. RFC 9715 §3.2.
const UDP_SIZE: u16 = 1232;

/// Arguments of `rota ask`.
#[derive(clap::Args, Debug)]
pub struct AskArgs {
    /// The name to ask for
    pub name: Name<Vec<u8>>,

    /// The server, as @address or @address:port
    #[arg(value_name = "@SERVER", value_parser = parse_server)]
    pub server: SocketAddr,

    /// IPv6 addresses (AAAA) rather than IPv4 (A)
    #[arg(short = '6', long)]
    pub ipv6: bool,

    /// Ask for a client in this network; the answer tells for how much of it it holds (scope)
    #[arg(long, value_name = "NETWORK", value_parser = Network::parse)]
    pub ecs: Option<Network>,

    /// Ask again after every such time, until stopped
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub every: Option<Duration>,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub rcode: Rcode,
    /// TTL of the first address, in seconds.
    pub ttl: Option<u32>,
    /// How many leading bits of the client's address it depends on, if it says so. RFC 7871.
    pub scope: Option<u8>,
    /// Addresses of the answer section in the order in which they came.
    pub addresses: Vec<IpAddr>,
}

impl fmt::Display for Answer {
    /// One line: scope where there is one, response code where it is not NOERROR, TTL, addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scope) = self.scope {
            write!(f, "scope /{scope} ")?;
        }
        if self.rcode != Rcode::NOERROR {
            return write!(f, "{}", self.rcode);
        }
        let Some(ttl) = self.ttl else {
            return f.write_str("no addresses");
        };
        write!(f, "ttl {ttl}:")?;
        self.addresses.iter().try_for_each(|address| write!(f, " {address}"))
    }
}

/// Asks once, or again and again until told to stop, and prints a line for each answer.
pub async fn run(args: &AskArgs) -> anyhow::Result<Exit> {
    let rtype = if args.ipv6 { Rtype::AAAA } else { Rtype::A };
    let Some(every) = args.every else {
        let answer = ask(args, rtype).await?;
        super::print(&format!("{} {rtype} {answer}", args.name));
        return Ok(if answer.addresses.is_empty() { Exit::Found } else { Exit::Good });
    };
    let mut stop = pin!(super::stop_signal()?);
    loop {
        let round = async {
            match ask(args, rtype).await {
                Ok(answer) => super::print(&format!("{} {rtype} {answer}", args.name)),
                Err(error) => super::print(&format!("{} {rtype} {error:#}", args.name)),
            }
            sleep(every).await;
        };
        tokio::select! {
            () = round => {}
            () = &mut stop => return Ok(Exit::Good),
        }
    }
}

/// One query without the wish for recursion: the server is authoritative or it is the wrong one.
/// It has an OPT record where it is asked for a client in a network.
pub fn query(id: u16, name: &Name<Vec<u8>>, rtype: Rtype, ecs: Option<Network>) -> Vec<u8> {
    let mut question = MessageBuilder::new_vec().question();
    question.header_mut().set_id(id);
    question.push((name, rtype)).expect("a vector takes any question");
    let Some(network) = ecs else { return question.finish() };
    let subnet = ClientSubnet::new(network.length(), 0, network.address());
    let mut additional = question.additional();
    additional
        .opt(|opt| {
            opt.set_udp_payload_size(UDP_SIZE);
            opt.push(&subnet)
        })
        .expect("a vector takes any option");
    additional.finish()
}

/// Reads an answer to the query with this id; none where it is another message or garbled.
pub fn parse(id: u16, bytes: &[u8]) -> Option<Answer> {
    let message = Message::from_octets(bytes).ok()?;
    if message.header().id() != id || !message.header().qr() {
        return None;
    }
    let opt = message.opt();
    let subnet = opt.and_then(|opt| opt.opt().client_subnet());
    let scope = subnet.map(|subnet| subnet.scope_prefix_len());
    let rcode = message.header().rcode();
    let mut answer = Answer { rcode, ttl: None, scope, addresses: Vec::new() };
    for record in message.answer().ok()? {
        let record = record.ok()?;
        let ttl = record.ttl().as_secs();
        let address = match record.rtype() {
            Rtype::A => IpAddr::V4(record.to_record::<A>().ok()??.data().addr()),
            Rtype::AAAA => IpAddr::V6(record.to_record::<Aaaa>().ok()??.data().addr()),
            _ => continue,
        };
        answer.ttl.get_or_insert(ttl);
        answer.addresses.push(address);
    }
    Some(answer)
}

async fn ask(args: &AskArgs, rtype: Rtype) -> anyhow::Result<Answer> {
    let AskArgs { name, server, ecs, .. } = args;
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.context("no socket")?;
    socket.connect(server).await.with_context(|| format!("no way to {server}"))?;
    // A fresh port for each question and a connected socket: only the server can answer here, so
    // the id has nobody to keep out.
    let id = 1;
    socket
        .send(&query(id, name, rtype, *ecs))
        .await
        .with_context(|| format!("cannot ask {server}"))?;
    let mut buffer = [0; ANSWER_LEN_MAX];
    let len = timeout(PATIENCE, socket.recv(&mut buffer))
        .await
        .map_err(|_| anyhow!("no answer from {server} within {PATIENCE:?}"))?
        .with_context(|| format!("no answer from {server}"))?;
    parse(id, &buffer[..len]).ok_or_else(|| anyhow!("{server} sent something else than an answer"))
}

fn parse_server(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix('@').ok_or("begins with @, such as @127.0.0.1:5300")?;
    address
        .parse()
        .or_else(|_| address.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)))
        .map_err(|_| format!("{address} is no address, and no address:port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name<Vec<u8>> {
        "app.example.org".parse().unwrap()
    }

    /// An answer to `query(7, …)` with these addresses.
    fn answer(addresses: &[[u8; 4]]) -> Vec<u8> {
        let question = query(7, &name(), Rtype::A, None);
        let message = Message::from_octets(question).unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap();
        for octets in addresses {
            answer
                .push((name(), 5, A::from_octets(octets[0], octets[1], octets[2], octets[3])))
                .unwrap();
        }
        answer.finish()
    }

    #[test]
    fn prints_addresses_in_the_order_of_the_answer() {
        for (addresses, expected) in [
            (&[[192, 0, 2, 2], [192, 0, 2, 1]][..], "ttl 5: 192.0.2.2 192.0.2.1"),
            (&[][..], "no addresses"),
        ] {
            assert_eq!(parse(7, &answer(addresses)).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn asks_for_a_client_and_says_for_how_many_the_answer_is() {
        let network = |text: &str| Some(Network::parse(text).unwrap());
        let mut octets = query(7, &name(), Rtype::A, network("192.0.2.0/24"));
        let option = [0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2];
        assert!(octets.ends_with(&option), "{octets:02x?}");
        // The same as a response, once without a scope of its own and once with one.
        octets[2] |= 0x80;
        assert_eq!(parse(7, &octets).unwrap().to_string(), "scope /0 no addresses");
        let scope_at = octets.len() - 4;
        octets[scope_at] = 20;
        assert_eq!(parse(7, &octets).unwrap().to_string(), "scope /20 no addresses");
        let v6 = query(7, &name(), Rtype::A, network("2001:db8::/33"));
        assert!(v6.ends_with(&[0, 8, 0, 9, 0, 2, 33, 0, 0x20, 1, 0x0d, 0xb8, 0]), "{v6:02x?}");
    }

    #[test]
    fn takes_only_the_answer_to_its_own_question() {
        assert_eq!(parse(8, &answer(&[[192, 0, 2, 1]])), None);
        assert_eq!(parse(7, &query(7, &name(), Rtype::A, None)), None);
        assert_eq!(parse(7, b"not dns"), None);
    }

    #[test]
    fn reads_servers_as_dig_does() {
        for (text, expected) in [
            ("@192.0.2.1", Some("192.0.2.1:53")),
            ("@192.0.2.1:5300", Some("192.0.2.1:5300")),
            ("@2001:db8::1", Some("[2001:db8::1]:53")),
            ("@[2001:db8::1]:5300", Some("[2001:db8::1]:5300")),
            ("192.0.2.1", None),
            ("@ns1.example.org", None),
        ] {
            let expected: Option<SocketAddr> = expected.map(|text| text.parse().unwrap());
            assert_eq!(parse_server(text).ok(), expected, "{text}");
        }
    }
}

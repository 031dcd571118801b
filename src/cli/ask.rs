//! `rota ask`: asks a DNS server for addresses and prints what it says.
//!
//! For the compose file's client and machines without `dig`. It is no replacement for `dig`: one
//! question, over UDP, to a server that is given by address.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use domain::base::iana::Rcode;
use tokio::time::sleep;

use super::dns::{self, Data, Over, Question, Reply};
use super::report::bare;
use super::{Exit, print};
use crate::geo::Network;
use crate::wire::{Name, RecordType};

/// Arguments of `rota ask`.
#[derive(clap::Args, Debug)]
pub struct AskArgs {
    /// The name to ask for
    #[arg(value_parser = Name::from_text)]
    pub name: Name,

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

/// Asks once, or again and again until told to stop, and prints a line for each answer.
pub async fn run(args: &AskArgs) -> anyhow::Result<Exit> {
    let rtype = if args.ipv6 { RecordType::AAAA } else { RecordType::A };
    let name = bare(&args.name);
    let Some(every) = args.every else {
        let reply = ask(args, rtype).await?;
        print(&format!("{name} {rtype} {}", told(&reply)));
        return Ok(if reply.addresses().is_empty() { Exit::Found } else { Exit::Good });
    };
    let mut stop = pin!(super::stop_signal()?);
    loop {
        let round = async {
            match ask(args, rtype).await {
                Ok(reply) => print(&format!("{name} {rtype} {}", told(&reply))),
                Err(error) => print(&format!("{name} {rtype} {error:#}")),
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
async fn ask(args: &AskArgs, rtype: RecordType) -> anyhow::Result<Reply> {
    let AskArgs { name, server, ecs, .. } = args;
    let question = Question { edns: false, ecs: *ecs, ..Question::to_authority(name, rtype) };
    dns::ask(*server, &question, Over::Udp).await.with_context(|| format!("asked {server}"))
}

/// Scope where there is one, response code where it is not NOERROR, TTL, addresses.
fn told(reply: &Reply) -> String {
    let scope = reply.edns.and_then(|edns| edns.scope);
    let scope = scope.map(|scope| format!("scope /{scope} ")).unwrap_or_default();
    if reply.rcode != Rcode::NOERROR {
        return format!("{scope}{}", reply.rcode);
    }
    let address = |data: &Data| matches!(data, Data::Address(_));
    let Some(first) = reply.answer.iter().find(|record| address(&record.data)) else {
        return format!("{scope}no addresses");
    };
    let addresses: Vec<String> = reply.addresses().iter().map(IpAddr::to_string).collect();
    format!("{scope}ttl {}: {}", first.ttl, addresses.join(" "))
}

/// A server as `dig` has it.
pub(super) fn parse_server(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix('@').ok_or("begins with @, such as @127.0.0.1:5300")?;
    address
        .parse()
        .or_else(|_| address.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)))
        .map_err(|_| format!("{address} is no address, and no address:port"))
}

#[cfg(test)]
mod tests {
    use domain::base::{Message, MessageBuilder};
    use domain::rdata::A;

    use super::*;

    /// An answer to a question for `app.example.org`, with these addresses.
    fn answer(addresses: &[[u8; 4]]) -> Vec<u8> {
        let name: domain::base::Name<Vec<u8>> = "app.example.org".parse().unwrap();
        let message = Message::from_octets(question(None)).unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap();
        for octets in addresses {
            let address = A::from_octets(octets[0], octets[1], octets[2], octets[3]);
            answer.push((name.clone(), 5, address)).unwrap();
        }
        answer.finish()
    }

    fn question(ecs: Option<&str>) -> Vec<u8> {
        let name = Name::from_text("app.example.org").unwrap();
        let ecs = ecs.map(|text| Network::parse(text).unwrap());
        let question = Question::to_authority(&name, RecordType::A);
        Question { edns: false, ecs, ..question }.to_octets(7)
    }

    #[test]
    fn prints_addresses_in_the_order_of_the_answer() {
        for (addresses, expected) in [
            (&[[192, 0, 2, 2], [192, 0, 2, 1]][..], "ttl 5: 192.0.2.2 192.0.2.1"),
            (&[][..], "no addresses"),
        ] {
            assert_eq!(told(&Reply::parse(7, &answer(addresses)).unwrap()), expected);
        }
    }

    #[test]
    fn says_for_how_many_clients_an_answer_is() {
        // The question as a response, once without a scope of its own and once with one.
        let mut octets = question(Some("192.0.2.0/24"));
        octets[2] |= 0x80;
        assert_eq!(told(&Reply::parse(7, &octets).unwrap()), "scope /0 no addresses");
        let scope_at = octets.len() - 4;
        octets[scope_at] = 20;
        assert_eq!(told(&Reply::parse(7, &octets).unwrap()), "scope /20 no addresses");
    }

    #[test]
    fn takes_only_the_answer_to_its_own_question() {
        assert_eq!(Reply::parse(8, &answer(&[[192, 0, 2, 1]])), None);
        assert_eq!(Reply::parse(7, &question(None)), None);
        assert_eq!(Reply::parse(7, b"not dns"), None);
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

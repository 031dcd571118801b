//! The nodes of a name that is answered today, by whoever answers it.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, bail};
use domain::base::iana::Rcode;

use super::super::dns::{self, Question};
use super::super::report::bare;
use super::draft::Draft;
use crate::wire::{Name, RecordType};

/// Where a system says whom it asks.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// A draft with the addresses of a name.
pub(super) async fn draft(name: Name, server: Option<SocketAddr>) -> anyhow::Result<Draft> {
    let servers = match server {
        Some(server) => vec![server],
        None => {
            let text = std::fs::read_to_string(RESOLV_CONF).context(RESOLV_CONF)?;
            let servers = resolvers(&text);
            if servers.is_empty() {
                bail!("{RESOLV_CONF} names no resolver: add @SERVER");
            }
            servers
        }
    };
    let mut silent = String::new();
    for server in servers {
        match addresses(&name, server).await {
            Ok(draft) => return Ok(draft),
            Err(Trouble::Answer(why)) => bail!("{why}"),
            Err(Trouble::Silence(why)) => {
                let _ = write!(silent, "\n  {server}: {why}");
            }
        }
    }
    bail!("nobody answered for {}:{silent}", bare(&name))
}

/// Why a server gave no addresses.
enum Trouble {
    /// Another one would say the same.
    Answer(String),
    /// Another one may know.
    Silence(String),
}

async fn addresses(name: &Name, server: SocketAddr) -> Result<Draft, Trouble> {
    let mut draft = Draft::of(name.clone());
    for rtype in [RecordType::A, RecordType::AAAA] {
        let question = Question { recursion: true, ..Question::to_authority(name, rtype) };
        let reply = dns::ask_whole(server, &question)
            .await
            .map_err(|silence| Trouble::Silence(silence.to_string()))?;
        match reply.rcode {
            Rcode::NOERROR => {}
            Rcode::NXDOMAIN => {
                return Err(Trouble::Answer(format!(
                    "{server} says that there is no {}",
                    bare(name)
                )));
            }
            other => return Err(Trouble::Silence(format!("it says {other}"))),
        }
        if let (Some(alias), true) = (reply.alias(), draft.origin.is_empty()) {
            draft.origin.push(format!("It was an alias (CNAME) of {}.", bare(alias)));
        }
        draft.nodes.extend(reply.addresses().iter().map(IpAddr::to_string));
    }
    if draft.nodes.is_empty() {
        let name = bare(name);
        let why = match draft.origin.first() {
            Some(alias) => format!("{server} knows no address of {name}. {alias} Ask a resolver."),
            None => format!("{server} says that {name} has neither A nor AAAA"),
        };
        return Err(Trouble::Answer(why));
    }
    draft.origin.push(format!("Its nodes are the addresses that {server} answered."));
    Ok(draft)
}

/// The resolvers of a `resolv.conf`.
fn resolvers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = lines.filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
    addresses.map(|address| SocketAddr::new(address, 53)).collect()
}

#[cfg(test)]
mod tests {
    use super::resolvers;

    #[test]
    fn finds_the_resolvers_of_the_system() {
        let text = "# made by hand\nsearch example.org\nnameserver 192.0.2.1\n\
                    nameserver\t2001:db8::1\nnameserver fe80::1%eth0\noptions edns0\n";
        let expected = ["192.0.2.1:53", "[2001:db8::1]:53"].map(|text| text.parse().unwrap());
        assert_eq!(resolvers(text), expected);
    }
}

//! From the root down to a name, as a resolver walks: who is told to be asked next, at each cut.
//!
//! ```text
//!   root ── "com: ask these" ──► com ── "customer.com: ask these" ──► customer.com ── …
//! ```
//!
//! Every server is asked for the name servers of the name itself, without recursion. A referral
//! leads down; an answer with authority ends the walk. Where glue is missing the server's own name
//! is walked to. Every step, server and query is counted, and there is a limit on each: what is at
//! the other end may be wrong, and may be wrong in a circle.

use std::net::{IpAddr, SocketAddr};

use domain::base::iana::Rcode;

use crate::cli::delegation::NameServer;
use crate::cli::dns::{self, Data, Question, Record, Reply};
use crate::cli::report::bare;
use crate::wire::{Name, RecordType};

/// Cuts on the way to one name: names have fewer in practice, and more labels than that never.
const CUTS_MAX: usize = 16;
/// Servers of one cut that are tried before it is given up.
const SERVERS_MAX: usize = 6;
/// How deep names of servers may depend on names of other servers.
const DEPTH_MAX: usize = 3;
/// Queries of one walk, with all that its servers' names need.
const QUERIES_MAX: usize = 200;

/// Where to begin, and how many queries are left.
#[derive(Debug)]
pub(super) struct Walker {
    roots: Vec<IpAddr>,
    port: u16,
    queries_left: usize,
}

/// A referral: the parent's word on whose a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The delegated name.
    pub(super) owner: Name,
    /// Its servers, with the glue that came along.
    pub(super) servers: Vec<NameServer>,
}

/// The way to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// From the top down.
    pub(super) cuts: Vec<Cut>,
    /// How it ended.
    pub(super) end: End,
}

/// How a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The name is a cut: the last one.
    Cut,
    /// The servers of the last cut have authority over the name, and say that it has these servers:
    /// they serve the zone above it, too, or they are meant for it and delegated too high.
    Within,
    /// The servers of the last cut have authority over the name, which is nobody else's; with what
    /// they hold there.
    NotDelegated(Vec<Record>),
    /// No server of the last cut gave an answer that leads on; why not, one by one.
    Lost(Vec<String>),
}

impl Walk {
    /// The zone in which the name would be delegated, as far as the walk shows.
    pub(super) fn parent(&self) -> Name {
        let above = match self.end {
            End::Cut => self.cuts.len().checked_sub(2),
            End::Within | End::NotDelegated(_) | End::Lost(_) => self.cuts.len().checked_sub(1),
        };
        above.map_or_else(Name::root, |index| self.cuts[index].owner.clone())
    }
}

impl Walker {
    pub(super) fn new(roots: Vec<IpAddr>, port: u16) -> Self {
        Self { roots, port, queries_left: QUERIES_MAX }
    }

    /// Walks to a name.
    pub(super) async fn walk(&mut self, name: &Name) -> Walk {
        self.queries_left = QUERIES_MAX;
        self.descend(name, 0).await
    }

    /// The addresses of a server whose name nobody gave addresses for.
    pub(super) async fn locate(&mut self, name: &Name) -> Vec<IpAddr> {
        self.queries_left = QUERIES_MAX;
        self.locate_at(name, 0).await
    }

    async fn descend(&mut self, name: &Name, depth: usize) -> Walk {
        let mut cuts: Vec<Cut> = Vec::new();
        let mut servers = self.roots.clone();
        loop {
            let zone = cuts.last().map_or_else(Name::root, |cut| cut.owner.clone());
            let (server, reply) = match self.first_to_lead_on(&servers, name, &zone).await {
                Ok(found) => found,
                Err(why) => return Walk { cuts, end: End::Lost(why) },
            };
            let Some(cut) = referral(&reply, name, &zone) else {
                let end = match dns::name_servers(&reply.answer, name).is_empty() {
                    false => End::Within,
                    true => End::NotDelegated(self.held(server, name, reply).await),
                };
                return Walk { cuts, end };
            };
            servers = self.addresses(&cut, depth).await;
            let arrived = cut.owner == *name;
            cuts.push(cut);
            if arrived {
                return Walk { cuts, end: End::Cut };
            }
            if cuts.len() == CUTS_MAX {
                let why = format!("{CUTS_MAX} referrals, and no end");
                return Walk { cuts, end: End::Lost(vec![why]) };
            }
        }
    }

    /// The first of these servers that refers further down, or answers with authority.
    async fn first_to_lead_on(
        &mut self,
        servers: &[IpAddr],
        name: &Name,
        zone: &Name,
    ) -> Result<(IpAddr, Reply), Vec<String>> {
        let mut why = Vec::new();
        for &server in servers.iter().take(SERVERS_MAX) {
            match self.ask(server, name, RecordType::NS).await {
                Ok(reply) if referral(&reply, name, zone).is_some() => return Ok((server, reply)),
                Ok(reply) if reply.authoritative && says(&reply) => return Ok((server, reply)),
                Ok(reply) => why.push(format!("{server} says {} without authority", reply.rcode)),
                Err(silence) => why.push(format!("{server}: {silence}")),
            }
        }
        if why.is_empty() {
            why.push(format!("no server of {} has an address", bare(zone)));
        }
        Err(why)
    }

    /// What a server that has authority over a name holds there.
    async fn held(&mut self, server: IpAddr, name: &Name, reply: Reply) -> Vec<Record> {
        let mut held = reply.answer;
        if held.is_empty() && reply.rcode == Rcode::NOERROR {
            for rtype in [RecordType::A, RecordType::AAAA] {
                held.extend(self.ask(server, name, rtype).await.map_or(vec![], |it| it.answer));
            }
        }
        held
    }

    /// Addresses of a cut's servers: what came along, or else what their names lead to.
    async fn addresses(&mut self, cut: &Cut, depth: usize) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> =
            cut.servers.iter().flat_map(|server| server.addresses.clone()).collect();
        if addresses.is_empty() && depth < DEPTH_MAX {
            for server in cut.servers.iter().take(SERVERS_MAX) {
                // Below the cut itself nobody but the glue could say.
                if !server.name.is_at_or_under(&cut.owner) {
                    addresses.extend(self.locate_at(&server.name, depth + 1).await);
                }
            }
        }
        addresses
    }

    async fn locate_at(&mut self, name: &Name, depth: usize) -> Vec<IpAddr> {
        match Box::pin(self.descend(name, depth)).await.end {
            End::NotDelegated(held) => dns::addresses(&held, None),
            End::Cut | End::Within | End::Lost(_) => Vec::new(),
        }
    }

    async fn ask(
        &mut self,
        server: IpAddr,
        name: &Name,
        rtype: RecordType,
    ) -> Result<Reply, String> {
        let Some(left) = self.queries_left.checked_sub(1) else {
            return Err(format!("not asked: that would be more than {QUERIES_MAX} queries"));
        };
        self.queries_left = left;
        let question = Question::to_authority(name, rtype);
        let server = SocketAddr::new(server, self.port);
        dns::ask_whole(server, &question).await.map_err(|silence| silence.to_string())
    }
}

/// Whether an answer says something of the name, were it that there is no such name.
fn says(reply: &Reply) -> bool {
    reply.rcode == Rcode::NOERROR || reply.rcode == Rcode::NXDOMAIN
}

/// The cut below `zone` and at or above `name` to which a reply refers. RFC 1034 §4.3.2.
fn referral(reply: &Reply, name: &Name, zone: &Name) -> Option<Cut> {
    if reply.authoritative || reply.rcode != Rcode::NOERROR || !reply.answer.is_empty() {
        return None;
    }
    let downward =
        |owner: &Name| owner != zone && owner.is_at_or_under(zone) && name.is_at_or_under(owner);
    let ns =
        |record: &&Record| matches!(record.data, Data::NameServer(_)) && downward(&record.owner);
    let owner = reply.authority.iter().find(ns)?.owner.clone();
    let servers = dns::name_servers(&reply.authority, &owner)
        .into_iter()
        .map(|name| NameServer { addresses: dns::addresses(&reply.additional, Some(&name)), name })
        .collect();
    Some(Cut { owner, servers })
}

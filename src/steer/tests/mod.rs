//! What the tests of steering are made of: nodes with numbers, and clients who ask.

mod answers;
mod keeping;
mod nearest;
mod sets;
mod shares;
mod spread;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::{
    Address, Answers, Asker, Board, Family, Guide, Node, Override, Pick, Plan, Policy, Pool,
    Scratch, Service, SetId, Turn,
};
use crate::health::{Ask, Check, HttpAsk, Standing, Status, Target};
use crate::wire::Name;

/// What checks say; up where nothing is said.
#[derive(Default)]
pub(super) struct Statuses(HashMap<IpAddr, Standing>);

impl Statuses {
    pub(super) fn of(entries: impl IntoIterator<Item = (IpAddr, Status, bool)>) -> Self {
        let standing = |(ip, status, contradicted)| (ip, Standing { status, contradicted });
        Self(entries.into_iter().map(standing).collect())
    }

    /// Both addresses of these nodes are down.
    pub(super) fn down(numbers: impl IntoIterator<Item = usize>) -> Self {
        let both = numbers.into_iter().flat_map(addresses);
        Self::of(both.map(|ip| (ip, Status::Down, false)))
    }
}

impl Board for Statuses {
    fn standing(&self, target: &Target) -> Standing {
        let up = Standing { status: Status::Up, contradicted: false };
        self.0.get(&target.address).copied().unwrap_or(up)
    }

    fn forced(&self, _: &str) -> Option<Override> {
        None
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, target: &Target) -> Option<Duration> {
        // Those with higher numbers are quicker.
        Some(Duration::from_millis(100_000 - number(target.address) as u64))
    }
}

/// The addresses of a node by its number: one of each family.
pub(super) fn addresses(number: usize) -> [IpAddr; 2] {
    let low = number as u16;
    let v4 = Ipv4Addr::from_bits(10 << 24 | u32::from(low));
    [v4.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, low).into()]
}

/// The number in an address.
pub(super) fn number(address: IpAddr) -> usize {
    let octets = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    octets.last_chunk().map_or(0, |&low| u16::from_be_bytes(low).into())
}

/// A node whose addresses are checked.
pub(super) fn node(name: &str, addresses: &[IpAddr], weight: u16) -> Node {
    let ask = Ask::Http(HttpAsk::get(80, "/ready", "app.test"));
    let check = Check::new(ask);
    let address = |&ip: &IpAddr| {
        let target = Arc::new(Target { address: ip, check: check.clone() });
        Address::new(ip, vec![target])
    };
    let addresses = addresses.iter().map(address).collect();
    Node { weight, ..Node::new(format!("test/app/{name}"), name, addresses) }
}

/// Nodes with these numbers and one address of each family, by their weights.
pub(super) fn numbered(first: usize, weights: impl IntoIterator<Item = u16>) -> Vec<Node> {
    let one = |(number, weight)| node(&format!("n{number}"), &addresses(number), weight);
    (first..).zip(weights).map(one).collect()
}

pub(super) fn service(policy: Policy, pools: Vec<Pool>) -> Service {
    Service { policy, ..Service::new(Name::from_text("app.test").unwrap(), "test/app", pools) }
}

pub(super) fn up_to(answers: u16) -> Answers {
    NonZeroU16::new(answers).map_or(Answers::All, Answers::UpTo)
}

pub(super) fn make(service: &Service, board: &impl Board) -> Plan {
    Plan::make(service, Guide::default(), board, |_| false)
}

/// An address that is somewhere.
pub(super) fn somewhere(rng: &mut Rng) -> IpAddr {
    if rng.bool() { IpAddr::V4(rng.u32(..).into()) } else { IpAddr::V6(rng.u128(..).into()) }
}

/// Pearson's χ² is below its 99.9 % point; where nothing is expected nothing may be.
pub(super) fn check_shares(counts: &[usize], shares: &[u16], about: &str) {
    let (all, whole): (usize, u32) =
        (counts.iter().sum(), shares.iter().map(|&share| u32::from(share)).sum());
    let (mut chi2, mut cells) = (0.0, -1.0);
    for (&count, &share) in counts.iter().zip(shares) {
        let expected = all as f64 * f64::from(share) / f64::from(whole);
        if share == 0 {
            assert_eq!(count, 0, "{about}: {counts:?} for {shares:?}");
        } else {
            chi2 += (count as f64 - expected).powi(2) / expected;
            cells += 1.0;
        }
    }
    // Wilson and Hilferty's approximation, within 1 % from two degrees of freedom on.
    let degrees = f64::max(cells, 1.0);
    let term = 2.0 / (9.0 * degrees);
    let limit = degrees * (1.0 - term + 3.09 * f64::sqrt(term)).powi(3);
    assert!(chi2 <= limit, "{about}: chi2 {chi2} over {limit}: {counts:?} for {shares:?}");
}

/// Somebody who asks again and again, through one worker.
pub(super) struct Client {
    pub(super) turn: Turn,
    rng: Rng,
    scratch: Scratch,
}

impl Client {
    pub(super) fn new(seed: u64) -> Self {
        Self { turn: Turn::default(), rng: Rng::with_seed(seed), scratch: Scratch::default() }
    }

    /// The numbers in the addresses of one answer to a client.
    pub(super) fn ask(&mut self, plan: &Plan, family: Family, from: &str) -> Option<Vec<usize>> {
        self.ask_from(plan, family, from.parse().unwrap()).map(|(_, numbers)| numbers)
    }

    /// The same with the set that it is from. Whatever is asked, no address is there twice, and
    /// there are as many as there may be.
    pub(super) fn ask_from(
        &mut self,
        plan: &Plan,
        family: Family,
        from: IpAddr,
    ) -> Option<(SetId, Vec<usize>)> {
        let asker = Asker::source(from);
        let id = plan.choose(family, &asker)?;
        let set = plan.set(id);
        let picked = plan.pick(id, &asker, &mut self.turn, &mut self.rng, &mut self.scratch);
        let records: Vec<&[u8]> = match picked {
            Pick::Run { records, .. } => records.chunks(set.record_len).collect(),
            Pick::List(list) => {
                let record = |&at: &u16| &set.records[usize::from(at) * set.record_len..];
                list.iter().map(|at| &record(at)[..set.record_len]).collect()
            }
        };
        let mut unique = records.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), records.len(), "an address twice");
        assert_eq!(records.len(), usize::from(set.answers));
        let last = |record: &&[u8]| usize::from(u16::from_be_bytes(*record.last_chunk().unwrap()));
        Some((id, records.iter().map(last).collect()))
    }
}

/// Whatever the set, the turn and chance are.
#[test]
fn answers_hold_what_they_may_and_nothing_twice() {
    let mut rng = Rng::with_seed(1);
    for round in 0..160 {
        let count = [1, 2, 3, 15, 16, 17, 40][round % 7];
        let policy = Policy::ALL[rng.usize(..Policy::ALL.len())];
        let weights: Vec<u16> = (0..count).map(|_| [0, 1, 5, 60_000][rng.usize(..4)]).collect();
        let mut nodes = numbered(0, weights);
        for node in &mut nodes {
            for (label, value) in [("rack", rng.u8(..6)), ("site", rng.u8(..6))] {
                if value < 4 {
                    node.labels.insert(label.into(), value.to_string());
                }
            }
        }
        let spread = ["rack", "site", "none"][..rng.usize(..4)].iter().map(|&it| it.into());
        let service = Service {
            answers: up_to([0, 1, 2, 3, 16][rng.usize(..5)]),
            spread: spread.collect(),
            ..service(policy, vec![Pool::new("", nodes)])
        };
        let plan = make(&service, &Statuses::default());
        for _ in 0..10 {
            let mut client = Client::new(rng.u64(..));
            client.turn = Turn::at(rng.u16(..));
            for family in Family::ALL {
                assert!(client.ask_from(&plan, family, somewhere(&mut rng)).is_some());
            }
        }
    }
}

#[test]
fn a_thousand_nodes_are_picked_without_repetition() {
    let pool = Pool::new("", numbered(0, (0..1000).map(|at| if at == 7 { 60_000 } else { 1 })));
    for policy in [Policy::Weighted, Policy::Shuffle, Policy::Rotate] {
        for (answers, count) in [(2, 2), (16, 16), (0, 1000)] {
            let answers = up_to(answers);
            let service = Service { answers, ..service(policy, vec![pool.clone()]) };
            let plan = make(&service, &Statuses::default());
            for _ in 0..3 {
                let found = Client::new(7).ask(&plan, Family::V6, "192.0.2.99");
                assert_eq!(found.map(|found| found.len()), Some(count), "{policy:?}");
            }
        }
    }
}

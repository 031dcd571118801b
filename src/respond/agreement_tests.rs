//! All types of a service say the same to one client, whatever is up, down, draining or forced.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU16;

use domain::base::Rtype;
use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::HTTPS;
use hickory_proto::rr::rdata::svcb::SvcParamValue;
use proptest::prelude::*;

use super::services_tests::{AMERICAN, Bench, CLIENT, From, Statuses, app};
use crate::health::Status;
use crate::steer::{Answers, Board, Override, Service, WhenAllDown};

/// Everything that hickory reads of a service's answers to one client.
#[derive(Debug, Default)]
struct Said {
    addresses: BTreeSet<IpAddr>,
    hints: BTreeSet<IpAddr>,
    has_https: bool,
    /// Targets and weights.
    nodes: Vec<(String, u16)>,
    ttls: BTreeSet<u32>,
}

impl Said {
    fn take_hints(&mut self, https: &HTTPS) {
        self.has_https = true;
        let mut keys = Vec::new();
        for (key, value) in &https.0.svc_params {
            keys.push(u16::from(*key));
            let before = self.hints.len();
            if let SvcParamValue::Ipv4Hint(hint) = value {
                assert!(hint.0.is_sorted_by_key(|it| it.0));
                self.hints.extend(hint.0.iter().map(|a| IpAddr::from(a.0)));
            } else if let SvcParamValue::Ipv6Hint(hint) = value {
                assert!(hint.0.is_sorted_by_key(|it| it.0));
                self.hints.extend(hint.0.iter().map(|aaaa| IpAddr::from(aaaa.0)));
            } else {
                continue;
            }
            assert!(self.hints.len() > before, "a hint is not empty");
        }
        assert!(keys.is_sorted_by(|one, other| one < other), "{keys:?}");
    }
}

fn say(bench: &mut Bench, from: From<'_>) -> Said {
    let mut said = Said::default();
    // Often enough for each address to take its turn.
    let often = [(Rtype::A, 4), (Rtype::AAAA, 4), (Rtype::HTTPS, 1)];
    let asked = often.iter().flat_map(|&(rtype, count)| vec![("app.test", rtype); count]);
    for (qname, rtype) in asked.chain([("_https._tcp.app.test", Rtype::SRV)]) {
        let message = Message::from_vec(&bench.ask(from, qname, rtype)).unwrap();
        for record in &message.answers {
            said.ttls.insert(record.ttl);
            if let RData::A(a) = &record.data {
                said.addresses.insert(a.0.into());
            } else if let RData::AAAA(aaaa) = &record.data {
                said.addresses.insert(aaaa.0.into());
            } else if let RData::SRV(srv) = &record.data {
                said.nodes.push((srv.target.to_string(), srv.weight));
            } else if let RData::HTTPS(https) = &record.data {
                said.take_hints(https);
            } else {
                panic!("{record}");
            }
        }
    }
    said
}

/// What decides about a service's answers.
#[derive(Clone, Debug)]
struct World {
    down: Vec<Option<Status>>,
    forced: Vec<Option<Override>>,
    weights: Vec<u16>,
    min_healthy: u32,
    answers: u16,
    when_all_down: WhenAllDown,
}

fn world() -> impl Strategy<Value = World> {
    use WhenAllDown::{Closed, LastKnown, Open};
    let status = prop::sample::select(vec![
        None,
        Some(Status::Down),
        Some(Status::Down),
        Some(Status::Draining),
    ]);
    let forced = prop::sample::select(vec![
        None,
        None,
        None,
        Some(Override::Up),
        Some(Override::Down),
        Some(Override::Drain),
    ]);
    let parts = (
        prop::collection::vec(status, 6),
        prop::collection::vec(forced, 4),
        prop::collection::vec(prop::sample::select(vec![0_u16, 1, 3, 300]), 4),
        prop::sample::select(vec![0_u32, 1, 4]),
        1..4_u16,
        prop::sample::select(vec![Open, Closed, LastKnown, WhenAllDown::Pool(1)]),
    );
    parts.prop_map(|(down, forced, weights, min_healthy, answers, when_all_down)| World {
        down,
        forced,
        weights,
        min_healthy,
        answers,
        when_all_down,
    })
}

impl World {
    fn service(&self) -> Service {
        let mut service = app();
        service.answers = Answers::UpTo(NonZeroU16::new(self.answers).unwrap());
        service.when_all_down = self.when_all_down;
        let mut weights = self.weights.iter();
        for pool in &mut service.pools {
            pool.min_healthy = self.min_healthy;
            pool.nodes.iter_mut().for_each(|node| node.weight = *weights.next().unwrap());
        }
        service
    }

    fn statuses(&self) -> Statuses {
        let (service, mut statuses) = (app(), Statuses::default());
        let addresses = service.nodes().flat_map(|node| &node.addresses);
        for (address, status) in addresses.zip(&self.down) {
            statuses.of.extend(status.map(|status| (address.ip, status)));
        }
        for (node, forced) in service.nodes().zip(&self.forced) {
            statuses.forced.extend(forced.map(|forced| (node.id.clone(), forced)));
        }
        statuses
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn all_types_say_the_same_of_every_world(world in world(), was_up in any::<bool>()) {
        let (service, statuses) = (world.service(), world.statuses());
        let up = Statuses::default();
        let targets: Vec<_> = service.targets().map(|target| &**target).collect();
        let mut bench = Bench::new(service.clone(), if was_up { &up } else { &statuses });
        bench.publisher.replan(&targets, &statuses);
        let all = [CLIENT, AMERICAN].map(|from| say(&mut bench, from));
        // When all is down, a pool lists what it answers to anybody.
        let answered: BTreeSet<&IpAddr> = all.iter().flat_map(|said| &said.addresses).collect();
        for said in &all {
            for is_v4 in [true, false] {
                let of = |all: &BTreeSet<IpAddr>| -> BTreeSet<IpAddr> {
                    all.iter().copied().filter(|ip| ip.is_ipv4() == is_v4).collect()
                };
                let (addresses, hints) = (of(&said.addresses), of(&said.hints));
                let fits = addresses.len() <= usize::from(world.answers);
                prop_assert_eq!(hints, if fits { addresses } else { BTreeSet::new() });
            }
            prop_assert_eq!(said.has_https, !said.addresses.is_empty());
            prop_assert!(said.ttls.len() <= 1, "{:?}", said.ttls);
            let mut listed = 0;
            for node in service.nodes() {
                let owner = service.node_owner(node).unwrap().to_string();
                let found = said.nodes.iter().find(|(target, _)| *target == owner);
                listed += usize::from(found.is_some());
                let forced = statuses.forced(&node.id);
                let is = |ip: &IpAddr, status: Status| match forced {
                    None => statuses.of.get(ip).copied().unwrap_or(Status::Up) == status,
                    Some(Override::Up) => status == Status::Up,
                    Some(Override::Drain) => status == Status::Draining,
                    Some(Override::Down) => false,
                };
                let mut ips = node.addresses.iter().map(|address| &address.ip);
                prop_assert!(found.is_some() || !ips.clone().any(|ip| said.addresses.contains(ip)));
                let Some((_, weight)) = found else { continue };
                let serving = ips.clone().any(|ip| {
                    is(ip, Status::Up) || answered.contains(ip) && is(ip, Status::Down)
                });
                prop_assert_eq!(*weight > 0, serving && node.weight > 0, "{}", owner);
                prop_assert!(serving || ips.any(|ip| is(ip, Status::Draining)), "{}", owner);
            }
            prop_assert_eq!(said.nodes.len(), listed, "each once: {:?}", said.nodes);
        }
    }
}

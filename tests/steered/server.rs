//! A zone behind mmdb files, in process, asked as a resolver asks.

#![allow(clippy::disallowed_methods, reason = "any time will do")]

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use rota::config::{Grants, ZoneFiles, read_zone_with};
use rota::geo::{Atlas, File, Network};
use rota::health::{Standing, Target};
use rota::respond::{Action, Client, Transport, Worker, explain, respond};
use rota::snapshot::{Publisher, Settings};
use rota::steer::{Asker, Board, Node, Override, Unchecked};
use rota::wire::{Name, RecordType};
use rota::zone::{Severity, Source};

/// The one zone.
pub const APEX: &str = "lb.test";
/// Where queries with a client subnet come from.
const RESOLVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 53));

/// What is published, and a worker that answers.
pub struct Server {
    publisher: Publisher,
    worker: Worker,
}

/// What a resolver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub rcode: ResponseCode,
    /// The data of the answer section, in its order.
    pub records: Vec<String>,
    /// The scope of the client subnet; none where no subnet came back.
    pub scope: Option<u8>,
}

/// The orders that a service's choice at an address follows from, whatever the statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    pub pools: Vec<usize>,
    pub points: Option<Vec<u16>>,
}

impl Server {
    /// Reads the zone as an operator wrote it. Warnings are fine.
    pub fn new(toml: &str, master: Option<&str>, files: &[File<'_>]) -> Self {
        let atlas = Arc::new(Atlas::read(files).unwrap());
        let source = |kind: &str, text: &str| {
            Arc::new(Source { path: format!("{APEX}.{kind}"), text: text.to_owned() })
        };
        let zone = ZoneFiles {
            apex: Name::from_text(APEX).unwrap(),
            toml: Some(source("toml", toml)),
            master: master.map(|text| source("zone", text)),
            serial: 1,
        };
        let mut none = |_: &str| Err(String::from("there are no files beside this one"));
        let mut said = Vec::new();
        let zone = read_zone_with(&zone, &mut none, &Grants::none(), Some(&atlas), &mut said);
        let wrong = said.iter().find(|one| one.severity == Severity::Error);
        assert!(wrong.is_none(), "{wrong:?} in {toml}");
        let mut publisher = Publisher::new();
        publisher.locate(atlas);
        publisher.publish(&[zone], Settings::default(), &Unchecked);
        let mut worker = Worker::new(7);
        worker.begin_batch(&publisher.current().load(), Instant::now());
        Self { publisher, worker }
    }

    /// Takes nodes down by their ids, and all others up.
    pub fn down(&mut self, nodes: HashSet<String>) {
        self.publisher.replan_services(|_| true, &Except(nodes));
    }

    /// The ids of all nodes.
    pub fn nodes(&self) -> Vec<String> {
        let snapshot = self.publisher.current().load();
        let zones = snapshot.zones().map(|(_, zone)| zone);
        let services = zones.flat_map(|zone| zone.services().iter().map(|it| &it.service));
        services.flat_map(|service| service.nodes().map(|node| node.id.clone())).collect()
    }

    /// A query of a resolver that tells of this network.
    pub fn told(&mut self, label: &str, rtype: RecordType, subnet: &Network) -> Heard {
        self.ask(label, rtype, RESOLVER, Some(subnet))
    }

    /// A query of a resolver that stands here and tells of nobody.
    pub fn from(&mut self, label: &str, rtype: RecordType, source: IpAddr) -> Heard {
        self.ask(label, rtype, source, None)
    }

    fn ask(
        &mut self,
        label: &str,
        rtype: RecordType,
        source: IpAddr,
        subnet: Option<&Network>,
    ) -> Heard {
        let name = Name::from_text(&format!("{label}.{APEX}")).unwrap();
        let message = explain::query(&name, rtype, subnet);
        let client = Client { addr: (source, 4000).into(), transport: Transport::Tcp };
        let snapshot = self.publisher.current().load();
        let mut out = [0; 4096];
        let action = respond(&message, &client, &snapshot, &mut self.worker, &mut (), &mut out);
        let Action::Send(len) = action else { panic!("a query is answered") };
        let message = Message::from_vec(&out[..len]).unwrap();
        let edns = message.edns.as_ref().unwrap();
        let scope = match edns.option(EdnsCode::Subnet) {
            Some(EdnsOption::Subnet(subnet)) => Some(subnet.scope_prefix()),
            other => other.map(|other| panic!("no client subnet: {other:?}")),
        };
        Heard {
            rcode: message.metadata.response_code,
            records: message.answers.iter().map(|record| record.data.to_string()).collect(),
            scope,
        }
    }

    /// How the choices of a service stand at an address.
    pub fn orders(&self, label: &str, address: IpAddr) -> Orders {
        let owner = Name::from_text(&format!("{label}.{APEX}")).unwrap();
        let snapshot = self.publisher.current().load();
        let mut services = snapshot.zones().flat_map(|(_, zone)| zone.services());
        let entry = services.find(|entry| entry.service.owner == owner).unwrap();
        let plan = snapshot.plan(entry);
        let points = plan.guide().points(address).map(|ranked| ranked.order.to_vec());
        Orders { pools: plan.order(&entry.service, &Asker::source(address)), points }
    }
}

/// All is up but these nodes, by their ids.
struct Except(HashSet<String>);

impl Board for Except {
    fn standing(&self, target: &Target) -> Standing {
        Unchecked.standing(target)
    }

    fn forced(&self, node: &str) -> Option<Override> {
        self.0.contains(node).then_some(Override::Down)
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

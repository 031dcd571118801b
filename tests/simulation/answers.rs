//! The whole road from verdict to answer: services stand on the world's targets, every change makes
//! plans as in the server, and answers are asked for through the answer path.
//!
//! The checker knows nothing of plans. It works out from the statuses alone which addresses an
//! answer may hold, by the sentence that users rely on: never a down node while an up one stands.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use rota::health::{Monitor, Standing, Status, Target};
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::{Address, Board, Node, Override, Pool, Service};
use rota::wire::{Name, RecordType};
use rota::zone::{Records, rdata};

/// Nodes of one service.
const NODES: usize = 4;

struct Known<'m>(&'m Monitor);

impl Board for Known<'_> {
    fn standing(&self, target: &Target) -> Standing {
        self.0.standing(target)
    }

    fn forced(&self, _: &str) -> Option<Override> {
        None
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }
}

/// Services over a world's targets, and a client that asks for them.
pub(crate) struct Clients {
    publisher: Publisher,
    worker: Worker,
    services: Vec<Vec<Arc<Target>>>,
    now: Instant,
}

impl Clients {
    pub(crate) fn new(monitor: &Monitor, now: Instant) -> Self {
        let targets: Vec<Arc<Target>> =
            monitor.views().map(|view| Arc::clone(view.target)).collect();
        let services: Vec<Vec<Arc<Target>>> = targets.chunks(NODES).map(<[_]>::to_vec).collect();
        let apex = Name::from_text("sim.test").expect("a name");
        let mut records = Records::new(apex.clone());
        let soa = rdata::soa(&apex, &apex, 1, 60, 60, 60, 60);
        records.add(apex, RecordType::SOA, 60, soa);
        let services_of_zone =
            services.iter().enumerate().map(|(at, targets)| service(at, targets));
        let model = ZoneModel { records, services: services_of_zone.collect() };
        let mut publisher = Publisher::new();
        publisher.publish(&[Authored::Good(Arc::new(model))], Settings::default(), &Known(monitor));
        Self { publisher, worker: Worker::new(1), services, now }
    }

    /// What the control task does with a change.
    pub(crate) fn replan(&mut self, target: &Target, monitor: &Monitor) {
        self.publisher.replan([target], &Known(monitor));
    }

    /// Asks for every service and holds the answer against the statuses.
    pub(crate) fn check(&mut self, monitor: &Monitor) {
        for (at, targets) in self.services.clone().iter().enumerate() {
            let found = self.ask(at);
            let of = |wanted: &[Status]| -> BTreeSet<IpAddr> {
                let standing = targets
                    .iter()
                    .filter(|target| wanted.contains(&monitor.standing(target).status));
                standing.map(|target| target.address).collect()
            };
            let up = of(&[Status::Up, Status::Unknown]);
            let draining = of(&[Status::Draining]);
            let expected = match (up.is_empty(), draining.is_empty()) {
                (false, _) => up,
                (true, false) => draining,
                (true, true) => of(&[Status::Down]),
            };
            assert_eq!(found, expected, "service {at}");
        }
    }

    fn ask(&mut self, at: usize) -> BTreeSet<IpAddr> {
        let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(name(at).as_wire());
        message.extend([0, 28, 0, 1]);
        let snapshot = self.publisher.current().load();
        self.worker.begin_batch(&snapshot, self.now);
        let client = Client { addr: (Ipv4Addr::LOCALHOST, 4000).into(), transport: Transport::Udp };
        let mut out = [0; 512];
        let action = respond(&message, &client, &snapshot, &mut self.worker, &mut (), &mut out);
        let Action::Send(len) = action else { panic!("a query is answered") };
        let message = Message::from_vec(&out[..len]).expect("hickory reads it");
        let address =
            |data: &RData| if let RData::AAAA(a) = data { Some(a.0.into()) } else { None };
        message.answers.iter().filter_map(|record| address(&record.data)).collect()
    }
}

fn name(at: usize) -> Name {
    Name::from_text(&format!("s{at}.sim.test")).expect("a name")
}

fn service(at: usize, targets: &[Arc<Target>]) -> Arc<Service> {
    let node = |target: &Arc<Target>| {
        let one = Address::new(target.address, vec![Arc::clone(target)]);
        let id = format!("sim/s{at}/{}", target.address);
        Node::new(id, target.address.to_string(), vec![one])
    };
    let pool = Pool::new("", targets.iter().map(node).collect());
    Arc::new(Service::new(name(at), format!("sim/s{at}"), vec![pool]))
}

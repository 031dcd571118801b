//! The whole road from verdict to answer: services stand on the world's targets, every change makes
//! plans as in the server, and answers are asked for through the answer path.
//!
//! The checker knows nothing of plans. It works out from the statuses, the operator's words and the
//! guards' marks which addresses an answer holds, by the sentence that users rely on: never a down
//! node while an up one stands, unless a guard says so. And no guard says so for ever.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_proto::op::Message;
use hickory_proto::rr::RData;
use rota::health::{Change, Monitor, Poll, Quorum, Share, Standing, Status, Target, Vantages};
use rota::respond::{Action, Client, Transport, Worker, respond};
use rota::snapshot::{Authored, Publisher, Settings, ZoneModel};
use rota::steer::{Address, Board, Guard, Guards, MaxWithdraw, Node, Override, Pool, Service};
use rota::wire::{Name, RecordType};
use rota::zone::{RecordsBuilder, rdata};

use crate::outside::Outside;

/// Nodes of one service.
const NODES: usize = 4;
/// The world acts when something happens, which is some time after a window has ended.
const SLACK: Duration = Duration::from_secs(120);

/// What a node is to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Is {
    Up,
    Held,
    Draining,
    Down,
    Barred,
}

/// What an operator has said of nodes, by their ids.
type Forced = HashMap<String, Override>;

struct Known<'m>(&'m Monitor, &'m Guards, &'m Forced, &'m Vantages);

impl Board for Known<'_> {
    fn standing(&self, target: &Target) -> Standing {
        self.0.standing(target)
    }

    fn poll(&self, node: &str, ip: IpAddr) -> Poll {
        self.3.poll(node, ip)
    }

    fn forced(&self, node: &str) -> Option<Override> {
        self.2.get(node).copied()
    }

    fn weight(&self, node: &Node) -> u16 {
        node.weight
    }

    fn pace(&self, _: &Target) -> Option<Duration> {
        None
    }

    fn holds(&self, node: &Node, ip: IpAddr) -> bool {
        self.1.holds(node, ip)
    }

    fn part(&self, node: &Node) -> Share {
        self.1.part(node)
    }
}

/// Services over a world's targets, an operator, and a client that asks for them.
pub(crate) struct Clients {
    publisher: Publisher,
    worker: Worker,
    services: Vec<Arc<Service>>,
    guards: Guards,
    forced: Forced,
    /// Others who look at the nodes, where there are any.
    outside: Outside,
    has_others: bool,
    /// Since when an address has been held.
    held: HashMap<IpAddr, Instant>,
    /// When addresses left the answers by their checks, of services that limit that, and how.
    left: HashMap<IpAddr, (Instant, Is)>,
    /// What they were when that was looked at last.
    before: HashMap<IpAddr, Is>,
    start: Instant,
    rng: fastrand::Rng,
}

impl Clients {
    pub(crate) fn new(monitor: &Monitor, now: Instant, has_others: bool, seed: u64) -> Self {
        let targets: Vec<Arc<Target>> =
            monitor.views().map(|view| Arc::clone(view.target)).collect();
        let services: Vec<Arc<Service>> =
            targets.chunks(NODES).enumerate().map(|(at, targets)| service(at, targets)).collect();
        let apex = Name::from_text("sim.test").expect("a name");
        let mut records = RecordsBuilder::new(apex.clone());
        let soa = rdata::soa(&apex, &apex, 1, 60, 60, 60, 60);
        records.add(&apex, RecordType::SOA, 60, &soa);
        let model = ZoneModel { records: records.finish(), services: services.clone() };
        let mut clients = Self {
            publisher: Publisher::new(),
            worker: Worker::new(1),
            services,
            guards: Guards::default(),
            forced: Forced::new(),
            outside: Outside::new(now),
            has_others,
            held: HashMap::new(),
            left: HashMap::new(),
            before: HashMap::new(),
            start: now,
            rng: fastrand::Rng::with_seed(seed),
        };
        for service in clients.services.clone() {
            clients.observe(&service, monitor, now);
        }
        let known = Known(monitor, &clients.guards, &clients.forced, &clients.outside.vantages);
        let zones = [Authored::Good(Arc::new(model))];
        clients.publisher.publish(&zones, Settings::default(), &known);
        clients
    }

    /// What the control task does with a change, with what operators say and with its time.
    pub(crate) fn step(&mut self, change: Option<&Change>, monitor: &Monitor, now: Instant) {
        let mut touched: BTreeSet<String> = self.guards.poll_due(now).into_iter().collect();
        if let Some(change) = change {
            let services = self.publisher.services_on(&[&*change.target]);
            touched.extend(services.iter().map(|service| service.id.clone()));
        }
        if self.has_others && self.rng.u8(0..4) == 0 {
            let services = self.services.len();
            let service = Arc::clone(&self.services[self.rng.usize(0..services)]);
            let nodes = &service.pools[0].nodes;
            let node = &nodes[self.rng.usize(0..nodes.len())];
            let (spot, stands) =
                (spot(node), monitor.standing(node.addresses[0].check.targets()[0]));
            let turned = self.outside.step(spot, stands, now, &mut self.rng);
            let has = |it: &Service, id: &String| it.nodes().any(|node| node.id == *id);
            let of = |id: &String| self.services.iter().find(|it| has(it, id));
            touched.extend(turned.iter().filter_map(of).map(|service| service.id.clone()));
        }
        if self.rng.u8(0..20) == 0 {
            let service = Arc::clone(&self.services[self.rng.usize(0..self.services.len())]);
            let node = &service.pools[0].nodes[self.rng.usize(0..service.pools[0].nodes.len())];
            let said = [Override::Up, Override::Down, Override::Drain];
            match self.rng.usize(0..6) {
                word @ 0..3 => drop(self.forced.insert(node.id.clone(), said[word])),
                _ => drop(self.forced.remove(&node.id)),
            }
            touched.insert(service.id.clone());
        }
        for service in self.services.clone().iter().filter(|it| touched.contains(&it.id)) {
            self.observe(service, monitor, now);
        }
        let known = Known(monitor, &self.guards, &self.forced, &self.outside.vantages);
        self.publisher.replan_services(|service| touched.contains(&service.id), &known);
        if !touched.is_empty() {
            self.check(monitor, now);
        }
        assert!(self.guards.poll_timeout().is_none_or(|due| due > now), "a guard that never rests");
    }

    fn observe(&mut self, service: &Service, monitor: &Monitor, now: Instant) {
        let unguarded = Guards::default();
        let board = Known(monitor, &unguarded, &self.forced, &self.outside.vantages);
        self.guards.observe(service, &board, now);
    }

    /// Asks for every service and holds the answer against what is said of its nodes.
    fn check(&mut self, monitor: &Monitor, now: Instant) {
        for at in 0..self.services.len() {
            let found = self.ask(at, now);
            let service = Arc::clone(&self.services[at]);
            let mut of: HashMap<Is, BTreeSet<IpAddr>> = HashMap::new();
            for node in service.nodes() {
                let ip = node.addresses[0].ip;
                let is = self.is(node, &service, monitor);
                of.entry(is).or_default().insert(ip);
                self.check_hold(node, is, &service, now);
            }
            self.check_window(&service, monitor, now);
            let all = |some: &[Is]| -> BTreeSet<IpAddr> {
                some.iter().flat_map(|is| of.get(is)).flatten().copied().collect()
            };
            let (serving, draining) = (all(&[Is::Up, Is::Held]), all(&[Is::Draining]));
            let willing = all(&[Is::Up, Is::Held, Is::Draining, Is::Down]);
            let panics = service.guard.panic.is_some() && serving.len() * 2 < willing.len();
            let expected = match (serving.is_empty(), draining.is_empty()) {
                (false, _) if panics => willing,
                (false, _) => serving,
                (true, false) => draining,
                (true, true) => willing,
            };
            assert_eq!(found, expected, "{} {of:?}", service.id);
            assert!(found.is_disjoint(&all(&[Is::Barred])), "an operator's word was not kept");
        }
    }

    /// What a node is, by the operator's word, its checks, and the guard's mark.
    fn is(&self, node: &Node, service: &Service, monitor: &Monitor) -> Is {
        match self.forced.get(&node.id) {
            Some(Override::Up) => return Is::Up,
            Some(Override::Down) => return Is::Barred,
            Some(Override::Drain) => return Is::Draining,
            None => {}
        }
        let address = &node.addresses[0];
        match self.stands(node, service, monitor) {
            Status::Up | Status::Unknown => Is::Up,
            Status::Draining => Is::Draining,
            Status::Down if self.guards.holds(node, address.ip) => Is::Held,
            Status::Down => Is::Down,
        }
    }

    /// What all who look at a node say of it.
    fn stands(&self, node: &Node, service: &Service, monitor: &Monitor) -> Status {
        let own = monitor.standing(node.addresses[0].check.targets()[0]).status;
        self.outside.verdict(service.quorum, spot(node), own)
    }

    /// Nobody is held without a limit, nor for more windows than there are nodes.
    fn check_hold(&mut self, node: &Node, is: Is, service: &Service, now: Instant) {
        let ip = node.addresses[0].ip;
        if is != Is::Held {
            self.held.remove(&ip);
            return;
        }
        let limit = service.guard.max_withdraw.expect("held without a limit");
        let since = *self.held.entry(ip).or_insert(now);
        let nodes = service.nodes().count() as u32;
        assert!(now - since <= (limit.within + SLACK) * nodes, "held for ever");
    }

    /// No more than half of the nodes leave by their checks within a window.
    fn check_window(&mut self, service: &Service, monitor: &Monitor, now: Instant) {
        let Some(limit) = service.guard.max_withdraw else { return };
        let (mut left_lately, mut drained_lately) = (0, 0);
        for node in service.nodes() {
            let address = &node.addresses[0];
            let stands = self.stands(node, service, monitor);
            let known = self.forced.contains_key(&node.id) || stands != Status::Unknown;
            let is = self.is(node, service, monitor);
            let before = self.before.insert(address.ip, is).filter(|_| known);
            match (before, is) {
                // Whom an operator takes out or puts in has not left by its checks.
                _ if self.forced.contains_key(&node.id) => drop(self.left.remove(&address.ip)),
                (Some(Is::Up | Is::Held), Is::Down | Is::Draining) => {
                    self.left.insert(address.ip, (now, is));
                }
                (Some(Is::Down | Is::Draining), Is::Down | Is::Draining) => {}
                (_, _) => drop(self.left.remove(&address.ip)),
            }
            let left = self.left.get(&address.ip).filter(|(at, _)| now - *at < limit.within);
            left_lately += usize::from(left.is_some_and(|(_, how)| *how == Is::Down));
            drained_lately += usize::from(left.is_some_and(|(_, how)| *how == Is::Draining));
            if !known {
                self.before.remove(&address.ip);
            }
        }
        assert!(left_lately <= NODES / 2, "{} of {} left at once", left_lately, service.id);
        let is = |wanted: Is| service.nodes().any(|node| self.is(node, service, monitor) == wanted);
        let has_left = left_lately + drained_lately > 0;
        assert!(!is(Is::Held) || has_left, "{} holds although nothing has left", service.id);
    }

    fn ask(&mut self, at: usize, now: Instant) -> BTreeSet<IpAddr> {
        let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(name(at).as_wire());
        message.extend([0, 28, 0, 1]);
        let snapshot = self.publisher.current().load();
        assert!(now >= self.start);
        self.worker.begin_batch(&snapshot, now);
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

fn spot(node: &Node) -> (&str, IpAddr) {
    (&node.id, node.addresses[0].ip)
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
    // One without guards, one with each, one with all.
    let guard = Guard {
        panic: (at % 4 == 1 || at % 4 == 3).then(|| Share::thousandths(500)),
        max_withdraw: (at % 4 >= 2).then_some(MaxWithdraw::DEFAULT),
        slow_start: (at % 4 >= 2).then(|| Duration::from_secs(60)),
    };
    let quorum = [Quorum::ANY, Quorum::Majority, Quorum::All][at % 3];
    Arc::new(Service { guard, quorum, ..Service::new(name(at), format!("sim/s{at}"), vec![pool]) })
}

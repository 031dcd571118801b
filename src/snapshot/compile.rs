//! One zone in the form that answers are made from.
//!
//! Static RRsets lie where they were laid out ([`Records`](crate::zone::Records)): each record is
//! two octets of length and its RDATA, one behind the other. Services stand beside them; their
//! plans, which change with every status, have a table of their own ([`Plans`]).

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::steer::{Board, Guide, Guides, Plan, Pool, Service};
use crate::wire::name::{canonical_order, labels};
use crate::wire::{Folded, Name, RecordType};
use crate::zone::{Rrset, unpack};

use super::ZoneModel;
use super::names::{Content, Entry, EntryId, Lookup, NameTable};
use super::plans::{Plans, ServiceSlot};
use super::roles::{self, NodeName, Role, Steered};

/// Where a worker keeps what belongs to a pool: stable over reloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolSlot(pub u32);

/// Where a worker counts the answers that an address got: stable over reloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressSlot(pub u32);

/// Where a worker counts the queries for a zone: stable over reloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneSlot(pub u32);

/// Gives slots to services, pools, addresses and zones by their ids; an id keeps its slot for good.
#[derive(Debug, Default)]
pub struct Slots {
    /// By the names of the zone and the service: ids are texts, and two may read alike.
    services: HashMap<Box<[u8]>, ServiceSlot>,
    pools: HashMap<String, PoolSlot>,
    addresses: HashMap<String, AddressSlot>,
    zones: HashMap<Box<[u8]>, ZoneSlot>,
}

impl Slots {
    fn service(&mut self, apex: &[u8], owner: &Name) -> ServiceSlot {
        let next = ServiceSlot(self.services.len() as u32);
        let key = [apex, &owner.to_folded()].concat();
        *self.services.entry(key.into()).or_insert(next)
    }

    fn pool(&mut self, id: String) -> PoolSlot {
        let next = PoolSlot(self.pools.len() as u32);
        *self.pools.entry(id).or_insert(next)
    }

    fn address(&mut self, id: String) -> AddressSlot {
        let next = AddressSlot(self.addresses.len() as u32);
        *self.addresses.entry(id).or_insert(next)
    }

    fn zone(&mut self, apex: &Name) -> ZoneSlot {
        let next = ZoneSlot(self.zones.len() as u32);
        *self.zones.entry(apex.to_folded()).or_insert(next)
    }

    /// How many services have one.
    pub(super) fn services(&self) -> usize {
        self.services.len()
    }

    /// How many were given out that workers have something for.
    pub fn counts(&self) -> SlotCounts {
        let (pools, addresses, zones) = (self.pools.len(), self.addresses.len(), self.zones.len());
        SlotCounts { pools, addresses, zones }
    }
}

/// How many slots of each kind a worker needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCounts {
    /// [`PoolSlot`]s.
    pub pools: usize,
    /// [`AddressSlot`]s.
    pub addresses: usize,
    /// [`ZoneSlot`]s.
    pub zones: usize,
}

/// A zone being served.
#[derive(Debug)]
pub struct Zone {
    model: Arc<ZoneModel>,
    slot: ZoneSlot,
    names: NameTable,
    rrsets: Box<[StaticRrset]>,
    octets: Arc<[u8]>,
    services: Box<[ServiceEntry]>,
    negative_ttl: u32,
}

/// One static RRset: its records lie among the octets of the zone's records.
#[derive(Clone, Copy, Debug)]
pub struct StaticRrset {
    /// Its type.
    pub rtype: RecordType,
    /// In seconds.
    pub ttl: u32,
    /// How many records.
    pub count: u16,
    rdata_at: u32,
}

/// A service in a zone.
#[derive(Debug)]
pub struct ServiceEntry {
    /// Where its plan is.
    pub slot: ServiceSlot,
    /// What the operator means.
    pub service: Arc<Service>,
    /// Where workers keep rotation positions, for each of its pools in order.
    pub pools: Box<[PoolSlot]>,
    /// Where workers count, for each of its addresses in order.
    pub addresses: Box<[AddressSlot]>,
    /// Which of its addresses are a node's, for each of its nodes in order.
    pub nodes: Box<[Range<usize>]>,
    /// Where its SRV records lead, for each of its nodes in order; nothing where it has none.
    pub node_names: Box<[Option<NodeName>]>,
    /// The RDATA of its HTTPS record up to the hints.
    pub https: Option<Box<[u8]>>,
    guide: Guide,
}

/// What zones are compiled with.
#[derive(Debug)]
pub struct Tools<'t, B> {
    /// Gives slots.
    pub slots: &'t mut Slots,
    /// Knows what services ask of a client's place.
    pub guides: &'t mut Guides,
    /// Knows the statuses.
    pub board: &'t B,
    /// The plans in force.
    pub before: &'t Plans,
    /// Takes the plans that are made.
    pub made: &'t mut HashMap<ServiceSlot, Arc<Plan>>,
}

impl ServiceEntry {
    /// A new plan from what `board` says now, in the place of the one `before`.
    pub(super) fn replan(&self, board: &impl Board, before: &Plan) -> Plan {
        Plan::make(&self.service, self.guide.clone(), board, |at| before.seats()[at].answered)
    }

    /// The addresses that were in the answers when a pool served last.
    fn answered(&self, plan: &Plan) -> HashSet<AddressSlot> {
        let all = self.addresses.iter().zip(plan.seats());
        all.filter(|(_, seat)| seat.answered).map(|(&slot, _)| slot).collect()
    }
}

impl Zone {
    /// Compiles a zone; its services' plans are made from what the board says now, and from what
    /// those of the zone in its place remember.
    pub fn compile(
        model: Arc<ZoneModel>,
        before: Option<&Self>,
        tools: &mut Tools<'_, impl Board>,
    ) -> Self {
        let apex = &model.records.apex;
        let (names, rrsets) = lay_out(&model);
        let before = before.into_iter().flat_map(|zone| &zone.services);
        let before: HashMap<&str, &ServiceEntry> =
            before.map(|entry| (entry.service.id.as_str(), entry)).collect();
        let services = model.services.iter().map(|service| {
            let before = before.get(service.id.as_str()).copied();
            ServiceEntry::new(service, before, &names, tools)
        });
        let services = services.collect();
        let mut zone = Self {
            slot: tools.slots.zone(apex),
            names,
            rrsets,
            octets: Arc::clone(model.records.octets()),
            services,
            negative_ttl: 0,
            model,
        };
        zone.negative_ttl = zone.soa_negative_ttl();
        zone
    }

    /// The zone's name.
    pub fn apex(&self) -> &Name {
        &self.model.records.apex
    }

    /// Where workers count the queries for it.
    pub fn slot(&self) -> ZoneSlot {
        self.slot
    }

    /// The zone's name in lower case.
    #[inline]
    pub(super) fn folded_apex(&self) -> &[u8] {
        self.names.apex_name()
    }

    /// True for names at or under the apex.
    pub fn holds(&self, name: &Folded) -> bool {
        let below = name.label_count().checked_sub(self.apex_labels());
        below.is_some_and(|below| name.suffix(below) == self.names.apex_name())
    }

    /// How many labels the apex has.
    pub fn apex_labels(&self) -> usize {
        self.names.apex_labels()
    }

    /// What the operator wrote.
    pub fn model(&self) -> &Arc<ZoneModel> {
        &self.model
    }

    /// All its services, in the order written.
    pub fn services(&self) -> &[ServiceEntry] {
        &self.services
    }

    /// True where answers depend on where a client is.
    pub(super) fn is_located(&self) -> bool {
        self.services.iter().any(|entry| entry.guide.is_needed())
    }

    /// Finds a name at or below the apex.
    pub fn lookup(&self, name: &Folded) -> Lookup {
        self.names.lookup(name)
    }

    /// What there is at a name that the zone holds, if it exists; cuts are not looked at.
    pub fn find(&self, name: &Folded) -> Option<&Entry> {
        let below = name.label_count() - self.apex_labels();
        self.names.find(name.labels(0, below)).map(|id| self.entry(id))
    }

    /// What there is at a name that was found.
    pub fn entry(&self, id: EntryId) -> &Entry {
        self.names.entry(id)
    }

    /// The apex's entry.
    pub fn apex_entry(&self) -> &Entry {
        self.entry(self.names.apex())
    }

    /// How many labels of a name that was found lie below the apex.
    pub fn labels_below_apex(&self, id: EntryId) -> usize {
        // A key is a name without its root label; counting needs no more than its labels.
        labels(self.names.key(id)).count()
    }

    /// True where an entry's name is exactly this one, which lies at or below it.
    pub fn is_at(&self, id: EntryId, name: &Folded) -> bool {
        self.labels_below_apex(id) + self.apex_labels() == name.label_count()
    }

    /// The service at an entry, and what of it stands there.
    pub fn service_at(&self, entry: &Entry) -> Option<(&ServiceEntry, Role)> {
        self.names.rare(entry).steered.map(|it| (&self.services[it.service as usize], it.role))
    }

    /// All RRsets of an entry, ordered by type.
    pub fn rrsets(&self, entry: &Entry) -> &[StaticRrset] {
        &self.rrsets[entry.rrsets()]
    }

    /// The RRset of one type.
    pub fn rrset(&self, entry: &Entry, rtype: RecordType) -> Option<&StaticRrset> {
        self.rrsets(entry).iter().find(|rrset| rrset.rtype == rtype)
    }

    /// The RDATA of an RRset's records, in the order written.
    pub fn rdata(&self, rrset: &StaticRrset) -> impl Iterator<Item = &[u8]> {
        unpack(&self.octets[rrset.rdata_at as usize..]).take(usize::from(rrset.count))
    }

    /// How long a negative answer may be kept, in seconds. RFC 2308 §5.
    pub fn negative_ttl(&self) -> u32 {
        self.negative_ttl
    }

    /// The lesser of the SOA's TTL and its MINIMUM, the last four octets of its RDATA.
    fn soa_negative_ttl(&self) -> u32 {
        let soa = self.rrset(self.apex_entry(), RecordType::SOA);
        let minimum = |soa| {
            let rdata = self.rdata(soa).next()?;
            rdata.last_chunk().map(|minimum| u32::from_be_bytes(*minimum))
        };
        soa.map_or(0, |soa| minimum(soa).unwrap_or(0).min(soa.ttl))
    }
}

impl ServiceEntry {
    fn new(
        service: &Arc<Service>,
        before: Option<&Self>,
        names: &NameTable,
        tools: &mut Tools<'_, impl Board>,
    ) -> Self {
        let addresses = service.nodes().flat_map(|node| {
            node.addresses.iter().map(|address| format!("{} {}", node.id, address.ip))
        });
        let addresses: Box<[_]> = addresses.map(|id| tools.slots.address(id)).collect();
        let mut next = 0;
        let nodes = service.nodes().map(|node| {
            let first = next;
            next += node.addresses.len();
            first..next
        });
        let pool = |pool: &Pool| tools.slots.pool(format!("{}/{}", service.id, pool.name));
        let pools = service.pools.iter().map(pool).collect();
        let guide = tools.guides.guide(service);
        let answered = before.map(|it| it.answered(tools.before.get(it.slot))).unwrap_or_default();
        let slot = tools.slots.service(names.apex_name(), &service.owner);
        let plan = Plan::make(service, guide.clone(), tools.board, |at: usize| {
            answered.contains(&addresses[at])
        });
        tools.made.insert(slot, Arc::new(plan));
        Self {
            slot,
            service: Arc::clone(service),
            node_names: roles::node_names(service, names),
            https: roles::https_rdata(service),
            nodes: nodes.collect(),
            pools,
            addresses,
            guide,
        }
    }
}

impl StaticRrset {
    fn of(rrset: &Rrset<'_>) -> Self {
        let Rrset { rtype, ttl, count, at, .. } = *rrset;
        Self { rtype, ttl, count, rdata_at: at }
    }
}

/// Every name of a zone with what there is at it, and all RRsets that no service stands in for.
fn lay_out(model: &ZoneModel) -> (NameTable, Box<[StaticRrset]>) {
    let apex = &model.records.apex;
    let services = model.services.iter().zip(0..);
    let steered: BTreeMap<&Name, Steered> = services
        .flat_map(|(service, index)| {
            roles::of(service).map(move |(owner, role)| (owner, Steered { service: index, role }))
        })
        .collect();
    let (mut steered, mut records) = (steered.into_iter().peekable(), model.records.rrsets());
    let mut names = NameTable::with_room_for(records.len() + steered.len(), apex);
    let mut rrsets: Vec<StaticRrset> = Vec::with_capacity(records.len());
    let mut next = records.next();
    let mut key = Vec::new();
    // Both are in canonical order.
    loop {
        let mut content = Content::default();
        let (owner, at_name) = match (&next, steered.peek()) {
            (Some(recorded), None) => (recorded.owner, None),
            (Some(recorded), Some((name, it))) => {
                match canonical_order(recorded.owner, name.as_wire()) {
                    Ordering::Less => (recorded.owner, None),
                    Ordering::Equal | Ordering::Greater => (name.as_wire(), Some(*it)),
                }
            }
            (None, Some((name, it))) => (name.as_wire(), Some(*it)),
            (None, None) => break,
        };
        key.clear();
        key.extend_from_slice(&owner[..owner.len() - apex.as_wire().len()]);
        key.make_ascii_lowercase();
        content.rrsets.0 = rrsets.len() as u32;
        let is_here = |rrset: &Rrset<'_>| rrset.owner.eq_ignore_ascii_case(owner);
        let below_apex = !key.is_empty();
        content.steered = at_name;
        while let Some(rrset) = next.filter(is_here) {
            next = records.next();
            if at_name.is_some_and(|steered| steered.role.offers(rrset.rtype).is_some()) {
                continue;
            }
            content.rrsets.1 += 1;
            content.is_cut |= rrset.rtype == RecordType::NS && below_apex;
            content.is_dname |= rrset.rtype == RecordType::DNAME;
            rrsets.push(StaticRrset::of(&rrset));
        }
        names.insert(&key, &content);
        if at_name.is_some() {
            steered.next();
        }
    }
    (names.finish(), rrsets.into())
}

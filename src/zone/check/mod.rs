//! Does a zone make sense as a whole? What `named-checkzone` would say, and a little more.
//!
//! Reading a master file finds what is wrong in one record; this finds what is wrong between them.
//! A problem that makes resolvers fail, or that the RFCs forbid in so many words, is an error; what
//! is lawful but most probably a slip is a warning. Each subject has a function, the targets of NS,
//! MX and SRV a file:
//!
//! | subject | errors | warnings |
//! |---|---|---|
//! | SOA, NS | none or several SOA, SOA below the apex, no NS | |
//! | CNAME | beside other data, more than one | |
//! | DNAME | data below, more than one, beside a delegation | |
//! | delegations | | data below that is no glue, data at the cut, DS without NS, wildcard NS |
//! | NS targets | in the zone without address | aliases |
//! | MX, SRV targets | | in the zone without address, aliases |
//! | size | | RRsets that no message can carry |
//!
//! Services answer for their names with addresses that are not among the records, so the caller
//! says which names those are.

mod targets;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::masterfile::Places;
use super::{Diagnostic, Records, Rrset, Severity};
use crate::wire::{Name, RecordType};

/// The largest message. RFC 1035 §4.2.2.
const MESSAGE_LEN_MAX: usize = u16::MAX as usize;
/// Octets of a record besides its RDATA where the owner is a pointer: owner, type, class, TTL,
/// length. RFC 1035 §4.1.3, §4.1.4.
const RECORD_OVERHEAD: usize = 2 + 2 + 2 + 4 + 2;

/// Checks a zone's records against one another; what is found is pushed onto `out`.
///
/// `steered` tells the names that have addresses without having records: those of services.
pub fn check(
    records: &Records,
    places: &Places,
    steered: &dyn Fn(&Name) -> bool,
    out: &mut Vec<Diagnostic>,
) {
    let below_apex = |rtype: RecordType| -> HashSet<Name> {
        let owners = records.rrsets().filter(|rrset| rrset.rtype == rtype);
        owners.map(|rrset| rrset.name()).filter(|owner| *owner != records.apex).collect()
    };
    let mut dnames = below_apex(RecordType::DNAME);
    if records.get(&records.apex, RecordType::DNAME).is_some() {
        dnames.insert(records.apex.clone());
    }
    let cuts = below_apex(RecordType::NS);
    let name_servers = records
        .rrsets()
        .filter(|rrset| rrset.rtype == RecordType::NS)
        .flat_map(Rrset::rdata)
        .filter_map(|octets| Name::from_wire(octets).ok())
        .collect();
    let mut checker = Checker { records, places, steered, cuts, dnames, name_servers, out };
    checker.apex();
    for rrset in records.rrsets() {
        checker.rrset(&rrset.name(), rrset.rtype, &rrset);
    }
}

/// A zone under examination.
struct Checker<'z> {
    records: &'z Records,
    places: &'z Places,
    steered: &'z dyn Fn(&Name) -> bool,
    /// Owners of NS below the apex.
    cuts: HashSet<Name>,
    /// Owners of DNAME.
    dnames: HashSet<Name>,
    /// What the NS records of the zone point at: addresses of these may be glue.
    name_servers: HashSet<Name>,
    out: &'z mut Vec<Diagnostic>,
}

/// What a finding is about: an owner, a type, and the index of a record in the RRset.
type Subject<'s> = (&'s Name, RecordType, usize);

impl Checker<'_> {
    /// RFC 1035 §5.2, RFC 1034 §4.2.1: a zone has one SOA and its name servers, at its top.
    fn apex(&mut self) {
        let apex = &self.records.apex;
        match self.records.get(apex, RecordType::SOA).map_or(0, |rrset| rrset.count) {
            0 => self.missing("SOA", "write one, or let `[zone]` in the TOML file make it"),
            1 => {}
            _ => self.error(
                (apex, RecordType::SOA, 1),
                format!("{apex} has more than one SOA"),
                "keep one",
            ),
        }
        if self.records.get(apex, RecordType::NS).is_none() {
            self.missing("NS", "write the zone's name servers, as the parent zone has them");
        }
    }

    fn missing(&mut self, what: &str, help: &str) {
        let apex = &self.records.apex;
        let message = format!("the zone {apex} has no {what} at its apex");
        self.out.push(Diagnostic::unplaced(message).help(help));
    }

    fn rrset(&mut self, owner: &Name, rtype: RecordType, rrset: &Rrset<'_>) {
        let at_apex = *owner == self.records.apex;
        if rtype == RecordType::SOA && !at_apex {
            let help = "an SOA belongs to the zone's apex; a child zone has its own file";
            self.error((owner, rtype, 0), format!("{owner} is not the apex but has an SOA"), help);
        }
        if rtype == RecordType::DS && at_apex {
            // RFC 4035 §2.4.
            let message = format!("{owner} has a DS at its own apex");
            self.error((owner, rtype, 0), message, "a DS belongs into the parent zone");
        }
        let octets: usize = rrset.rdata().map(|rdata| RECORD_OVERHEAD + rdata.len()).sum();
        if octets > MESSAGE_LEN_MAX {
            let message = format!("{owner} {rtype} needs {octets} octets, more than any message");
            self.warn((owner, rtype, 0), message, "spread the records over several names");
        }
        self.alias(owner, rtype, rrset);
        self.redirection(owner, rtype, rrset);
        if !self.is_occluded(owner, rtype) {
            self.delegation(owner, rtype);
            self.targets(owner, rtype, rrset);
        }
    }

    /// RFC 1034 §3.6.2, RFC 2181 §10.1: an alias is alone. RFC 4034 §2.5, §3, §4: but for what
    /// DNSSEC adds to it (KEY, RRSIG, NSEC).
    fn alias(&mut self, owner: &Name, rtype: RecordType, rrset: &Rrset<'_>) {
        if rtype != RecordType::CNAME {
            return;
        }
        if rrset.count > 1 {
            let message = format!("{owner} has more than one CNAME");
            self.error((owner, rtype, 1), message, "for several addresses, make it a service");
        }
        let may_stand_beside =
            [rtype, RecordType::KEY, RecordType::RRSIG, RecordType::NSEC].map(|rtype| rtype.0);
        let others: Vec<String> = self
            .records
            .from(owner)
            .take_while(|other| other.name() == *owner)
            .filter(|other| !may_stand_beside.contains(&other.rtype.0))
            .map(|other| other.rtype.to_string())
            .collect();
        if !others.is_empty() {
            let message = format!("{owner} has a CNAME and also {}", others.join(", "));
            let help = "an alias has no other data: keep either";
            self.error((owner, rtype, 0), message, help);
        }
    }

    /// RFC 6672 §2.3, §2.4.
    fn redirection(&mut self, owner: &Name, rtype: RecordType, rrset: &Rrset<'_>) {
        if rtype == RecordType::DNAME {
            if rrset.count > 1 {
                let message = format!("{owner} has more than one DNAME");
                self.error((owner, rtype, 1), message, "keep one");
            }
            if self.cuts.contains(owner) {
                let message = format!("{owner} has a DNAME and is delegated");
                self.error((owner, rtype, 0), message, "the DNAME belongs into the child zone");
            }
        }
        // The hashed owners of a signed zone whose apex is a DNAME are below it. RFC 5155 §7.1.
        let hashed = matches!(rtype, RecordType::NSEC3 | RecordType::RRSIG);
        if let Some(dname) = self.nearest_above(owner, &self.dnames).filter(|_| !hashed) {
            let message = format!("{owner} {rtype} is below the DNAME of {dname}");
            self.error((owner, rtype, 0), message, "all names below a DNAME are redirected");
        }
    }

    /// Warns of what no one will see because the name is below a delegation; true where it is.
    fn is_occluded(&mut self, owner: &Name, rtype: RecordType) -> bool {
        let Some(cut) = self.nearest_above(owner, &self.cuts) else { return false };
        if !is_address(rtype) || !self.name_servers.contains(owner) {
            let message = format!("{owner} {rtype} is below the delegation of {cut}");
            let help = "it is not served, unless as the address of a name server; \
                        it belongs into the child zone";
            self.warn((owner, rtype, 0), message, help);
        }
        true
    }

    fn delegation(&mut self, owner: &Name, rtype: RecordType) {
        let is_cut = self.cuts.contains(owner);
        if rtype == RecordType::DS && !is_cut && *owner != self.records.apex {
            // RFC 4035 §2.4.
            let message = format!("{owner} has a DS but no NS");
            self.warn((owner, rtype, 0), message, "a DS goes with a delegation");
        }
        if !is_cut {
            return;
        }
        if rtype == RecordType::NS && owner.is_wildcard() {
            // RFC 4592 §4.2: undefined.
            let message = format!("{owner} delegates a wildcard");
            self.warn((owner, rtype, 0), message, "resolvers do not agree what that means");
        }
        // RFC 4035 §2.2-2.4: what a parent has at a cut. DNAME is an error of its own.
        let parental = matches!(
            rtype,
            RecordType::NS
                | RecordType::DS
                | RecordType::RRSIG
                | RecordType::NSEC
                | RecordType::DNAME
        );
        let glue = is_address(rtype) && self.name_servers.contains(owner);
        if !parental && !glue {
            let message = format!("{owner} {rtype} stands at a delegation");
            self.warn((owner, rtype, 0), message, "it is not served; it belongs into the child");
        }
    }

    /// The nearest name strictly above that is in the set, within the zone.
    fn nearest_above<'s>(&self, name: &Name, set: &'s HashSet<Name>) -> Option<&'s Name> {
        if set.is_empty() || *name == self.records.apex {
            return None;
        }
        let mut above = name.parent();
        while let Some(candidate) = above {
            if let Some(found) = set.get(&candidate) {
                return Some(found);
            }
            if candidate == self.records.apex {
                return None;
            }
            above = candidate.parent();
        }
        None
    }

    fn error(&mut self, subject: Subject<'_>, message: String, help: &str) {
        self.say(Severity::Error, subject, message, help);
    }

    fn warn(&mut self, subject: Subject<'_>, message: String, help: &str) {
        self.say(Severity::Warning, subject, message, help);
    }

    fn say(
        &mut self,
        severity: Severity,
        (owner, rtype, index): Subject<'_>,
        message: String,
        help: &str,
    ) {
        let place = self.places.of(owner, rtype, index);
        let diagnostic = Diagnostic { severity, place, ..Diagnostic::unplaced(message) };
        self.out.push(diagnostic.help(help));
    }
}

fn is_address(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::AAAA)
}

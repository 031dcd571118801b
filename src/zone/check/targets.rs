//! Do the names that NS, MX and SRV records point at lead to addresses?
//!
//! Only targets inside the zone can be judged: for others the answer lies with somebody else.
//!
//! ```text
//!   target is                          NS of the zone    NS of a delegation   MX, SRV
//!   an alias                           warning           warning              warning
//!   without address, ours to answer    error             error                warning
//!   without address, below its own cut error (no glue)   error (no glue)      -
//!   without address, below another cut -                 -                    -
//!   outside the zone, or a service     -                 -                    -
//! ```

use super::Checker;
use crate::wire::{Name, RecordType};
use crate::zone::{Rrset, rdata};

/// What a name in this zone leads to.
enum Leads {
    /// Addresses, or nothing that could be known here.
    Fine,
    /// An alias, its own or a wildcard's.
    Alias,
    /// Nowhere.
    Nowhere,
    /// Below a delegation, without glue.
    NoGlue(Name),
}

impl Checker<'_> {
    /// Warns of targets of one RRset that lead nowhere.
    pub(super) fn targets(&mut self, owner: &Name, rtype: RecordType, rrset: &Rrset<'_>) {
        if !matches!(rtype, RecordType::NS | RecordType::MX | RecordType::SRV) {
            return;
        }
        for (index, octets) in rrset.rdata().enumerate() {
            let Some(target) =
                rdata::target(rtype, octets).and_then(|wire| Name::from_wire(wire).ok())
            else {
                continue;
            };
            // RFC 7505 and RFC 2782: the root as the target says that there is no such thing.
            if target.is_root() && rtype != RecordType::NS {
                continue;
            }
            let subject = (owner, rtype, index);
            let leads = self.leads(&target);
            match leads {
                Leads::Fine => {}
                // RFC 2181 §10.3 for NS and MX, RFC 2782 for SRV.
                Leads::Alias => self.warn(
                    subject,
                    format!("the {rtype} of {owner} points at an alias, {target}"),
                    "name the host itself",
                ),
                Leads::Nowhere if rtype == RecordType::NS => self.error(
                    subject,
                    format!("the name server {target} of {owner} has no address"),
                    nowhere_help(&target, "add its A or AAAA record"),
                ),
                Leads::Nowhere => self.warn(
                    subject,
                    format!("the {rtype} of {owner} points at {target}, which has no address"),
                    nowhere_help(&target, "add its A or AAAA record"),
                ),
                // RFC 9471 §2: without glue such a delegation cannot be followed.
                Leads::NoGlue(cut) if rtype == RecordType::NS && cut == *owner => self.error(
                    subject,
                    format!("the name server {target} of {owner} has no glue"),
                    "add its A or AAAA record here, as the child zone has it",
                ),
                Leads::NoGlue(_) => {}
            }
        }
    }

    fn leads(&self, target: &Name) -> Leads {
        if !target.is_at_or_under(&self.records.apex) || (self.steered)(target) {
            return Leads::Fine;
        }
        let has = |owner: &Name, rtype| self.records.get(owner, rtype).is_some();
        let has_address = |owner: &Name| has(owner, RecordType::A) || has(owner, RecordType::AAAA);
        let cut = match self.cuts.get(target) {
            Some(cut) => Some(cut),
            None => self.nearest_above(target, &self.cuts),
        };
        if has_address(target) {
            return Leads::Fine;
        }
        if let Some(cut) = cut {
            return Leads::NoGlue(cut.clone());
        }
        if has(target, RecordType::CNAME) {
            return Leads::Alias;
        }
        if self.nearest_above(target, &self.dnames).is_some() {
            return Leads::Alias;
        }
        if self.exists(target) {
            return Leads::Nowhere;
        }
        // RFC 4592 §3.3.1: the wildcard of the closest encloser stands for what does not exist.
        let mut encloser = target.parent();
        while let Some(name) = encloser.filter(|name| name.is_at_or_under(&self.records.apex)) {
            if self.exists(&name) {
                let wildcard = Name::from_text_under("*", &name);
                return match wildcard {
                    Ok(wildcard) if has_address(&wildcard) || (self.steered)(&wildcard) => {
                        Leads::Fine
                    }
                    Ok(wildcard) if has(&wildcard, RecordType::CNAME) => Leads::Alias,
                    Ok(_) | Err(_) => Leads::Nowhere,
                };
            }
            encloser = name.parent();
        }
        Leads::Nowhere
    }

    /// True where the name owns records or a name below it does: canonical order has them next.
    fn exists(&self, name: &Name) -> bool {
        self.records.from(name).next().is_some_and(|rrset| rrset.name().is_at_or_under(name))
    }
}

/// A common slip has its own words: an address where a name belongs.
fn nowhere_help<'h>(target: &Name, otherwise: &'h str) -> &'h str {
    let text = target.to_string();
    let octets = text.split('.').take(4).filter(|label| label.parse::<u8>().is_ok()).count();
    if octets == 4 { "write the name of a host here, not an address" } else { otherwise }
}

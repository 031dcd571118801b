//! Names that stand for other names: CNAME, and DNAME for all names below one.
//!
//! Either way a CNAME record is written whose owner is the name asked, and the answer goes on at
//! its target. A DNAME goes before it, so that resolvers which know DNAME can make the rest
//! themselves (RFC 6672 §3.1).

use crate::snapshot::{Entry, EntryId, StaticRrset, Zone};
use crate::wire::name::NAME_LEN_MAX;
use crate::wire::{Full, Owner, Query, RecordType, Section, Writer};

use super::ALIAS_CHAIN_MAX;
use super::answers::{Answered, write_rrset};
use super::tally::Outcome;
use super::worker::Worker;

/// The DNAMEs that an answer holds already: a chain may come by one again, and a record that stands
/// twice says nothing more. RFC 2181 §5.
#[derive(Default)]
pub(super) struct Renames {
    /// Addresses of their entries.
    written: [usize; ALIAS_CHAIN_MAX + 1],
    count: usize,
}

impl Renames {
    /// True where the answer holds this entry's DNAME.
    pub(super) fn hold(&self, entry: &Entry) -> bool {
        self.written[..self.count].contains(&std::ptr::from_ref(entry).addr())
    }

    /// True the first time.
    fn is_new(&mut self, entry: &Entry) -> bool {
        let address = std::ptr::from_ref(entry).addr();
        if self.hold(entry) {
            return false;
        }
        if let Some(slot) = self.written.get_mut(self.count) {
            *slot = address;
            self.count += 1;
        }
        true
    }
}

/// Answers with a CNAME. RFC 1034 §3.6.2.
pub(super) fn cname(
    zone: &Zone,
    rrset: &StaticRrset,
    owner: usize,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Answered {
    let Some(target) = zone.rdata(rrset).next() else {
        return Answered::Done(Outcome::Answered);
    };
    let mark = response.mark();
    match write_cname(rrset.ttl, owner, target, response) {
        Ok(written_at) => {
            worker.name.fold(target);
            Answered::Alias { written_at }
        }
        Err(Full) => {
            response.rewind(mark);
            response.truncated();
            Answered::Done(Outcome::Answered)
        }
    }
}

/// Answers with the DNAME of an ancestor and the CNAME that it makes. RFC 6672 §3.2.
pub(super) fn renamed(
    query: &Query<'_>,
    zone: &Zone,
    ancestor: EntryId,
    owner: usize,
    renames: &mut Renames,
    worker: &mut Worker,
    response: &mut Writer<'_>,
) -> Answered {
    let entry = zone.entry(ancestor);
    let rrset = zone.rrset(entry, RecordType::DNAME);
    let target = rrset.and_then(|rrset| Some((rrset, zone.rdata(rrset).next()?)));
    let Some((rrset, target)) = target else { return Answered::Done(Outcome::Answered) };

    let ancestor_labels = zone.labels_below_apex(ancestor) + zone.apex_labels();
    let kept_labels = worker.name.label_count() - ancestor_labels;
    let kept = worker.name.start(kept_labels);
    // The name in the case in which it was asked, of which the kept labels are taken over.
    let mut name = [0; NAME_LEN_MAX];
    let len = response.read_name(owner, &mut name);
    let mark = response.mark();
    let dname = Owner::Wire(&name[kept..len]);
    let written = match renames.is_new(entry) {
        true => write_rrset(zone, rrset, 0, Section::Answer, dname, response),
        false => Ok(()),
    };
    let new_len = kept + target.len();
    if written.is_ok() && new_len > NAME_LEN_MAX {
        return Answered::Done(Outcome::TooLong);
    }
    let written = written.and_then(|()| {
        name[kept..new_len].copy_from_slice(target);
        write_cname(rrset.ttl, owner, &name[..new_len], response)
    });
    let Ok(written_at) = written else {
        response.rewind(mark);
        response.truncated();
        return Answered::Done(Outcome::Answered);
    };
    if query.qtype == RecordType::CNAME {
        // It is what was asked for.
        return Answered::Done(Outcome::Answered);
    }
    worker.name.fold(&name[..new_len]);
    Answered::Alias { written_at }
}

/// Writes a CNAME and gives the octet of the response where its target begins.
fn write_cname(
    ttl: u32,
    owner: usize,
    target: &[u8],
    response: &mut Writer<'_>,
) -> Result<usize, Full> {
    let owner = Owner::At(owner);
    let start = response.begin_record(Section::Answer, owner, RecordType::CNAME, ttl)?;
    let written_at = response.position();
    response.name(target)?;
    response.end_record(start);
    Ok(written_at)
}

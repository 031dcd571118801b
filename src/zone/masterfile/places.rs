//! Where records were written.
//!
//! One is asked for only where something is wrong, and there are as many as records: so each is a
//! few numbers in a row, and a question walks the row.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::wire::{Name, RecordType};
use crate::zone::{Place, Source};

/// The places of a zone's records, in the order read; duplicates have none.
#[derive(Debug, Default)]
pub struct Places {
    sources: Vec<Arc<Source>>,
    /// A hash of each RRset's owner and type: would two share one, a message would show another
    /// line.
    rrsets: Vec<u64>,
    spots: Vec<Spot>,
}

#[derive(Debug)]
struct Spot {
    rrset: u32,
    source: u32,
    start: u32,
    end: u32,
}

impl Places {
    /// The place of one record, by its index in its RRset; of the set's first if there is none.
    pub fn of(&self, owner: &Name, rtype: RecordType, index: usize) -> Option<Place> {
        let wanted = hash(owner, rtype);
        let rrset = self.rrsets.iter().position(|&hash| hash == wanted)?;
        let all = || self.spots.iter().filter(|spot| spot.rrset as usize == rrset);
        let spot = all().nth(index).or_else(|| all().next())?;
        Some(Place {
            source: Arc::clone(self.sources.get(spot.source as usize)?),
            span: spot.start as usize..spot.end as usize,
        })
    }

    /// Notes a record of an RRset, which has a number; numbers come one after the other.
    pub(super) fn note(
        &mut self,
        rrset: usize,
        (owner, rtype): (&Name, RecordType),
        place: &Place,
    ) {
        if rrset == self.rrsets.len() {
            self.rrsets.push(hash(owner, rtype));
        }
        let known = self.sources.iter().rposition(|it| Arc::ptr_eq(it, &place.source));
        let source = known.unwrap_or_else(|| {
            self.sources.push(Arc::clone(&place.source));
            self.sources.len() - 1
        });
        self.spots.push(Spot {
            rrset: rrset as u32,
            source: source as u32,
            start: place.span.start as u32,
            end: place.span.end as u32,
        });
    }
}

fn hash(owner: &Name, rtype: RecordType) -> u64 {
    FixedState::with_seed(0).hash_one((owner.to_folded(), rtype.0))
}

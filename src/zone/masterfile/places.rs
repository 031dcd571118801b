//! Where records were written.
//!
//! One is asked for only where something is wrong, and there are as many as records: so each is a
//! few numbers in a row, and a question walks the row.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::wire::{Name, RecordType};
use crate::zone::{Place, Source};

/// The places of a zone's records, in the order read; duplicates have none.
#[derive(Debug, Default)]
pub struct Places {
    sources: Vec<Arc<Source>>,
    spots: Vec<Spot>,
}

#[derive(Debug)]
struct Spot {
    /// A hash of owner and type: would two sets share one, a message would show another line.
    rrset: u64,
    source: u32,
    start: u32,
    end: u32,
}

impl Places {
    /// The place of one record, by its index in its RRset; of the set's first if there is none.
    pub fn of(&self, owner: &Name, rtype: RecordType, index: usize) -> Option<Place> {
        let wanted = hash(owner, rtype);
        let all = || self.spots.iter().filter(|spot| spot.rrset == wanted);
        let spot = all().nth(index).or_else(|| all().next())?;
        Some(Place {
            source: Arc::clone(self.sources.get(spot.source as usize)?),
            span: spot.start as usize..spot.end as usize,
        })
    }

    pub(super) fn note(&mut self, owner: &Name, rtype: RecordType, place: &Place) {
        let known = self.sources.iter().rposition(|it| Arc::ptr_eq(it, &place.source));
        let source = known.unwrap_or_else(|| {
            self.sources.push(Arc::clone(&place.source));
            self.sources.len() - 1
        });
        self.spots.push(Spot {
            rrset: hash(owner, rtype),
            source: source as u32,
            start: place.span.start as u32,
            end: place.span.end as u32,
        });
    }
}

fn hash(owner: &Name, rtype: RecordType) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    owner.hash(&mut hasher);
    rtype.0.hash(&mut hasher);
    hasher.finish()
}

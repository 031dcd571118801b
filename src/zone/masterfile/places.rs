//! Where records were written.
//!
//! One is asked for only where something is wrong, and there are as many as records: so each is a
//! few numbers in a row. The first question sorts them by RRsets, since a zone that has one mistake
//! may have it a million times.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::wire::{Name, RecordType};
use crate::zone::builder::hash;
use crate::zone::{Place, Source};

/// The places of a zone's records, in the order read; duplicates have none.
#[derive(Debug, Default)]
pub struct Places {
    sources: Vec<Arc<Source>>,
    /// A hash of each RRset's owner and type: would two share one, a message would show another
    /// line.
    rrsets: Vec<u64>,
    spots: Vec<Spot>,
    /// By the hash of an RRset, which of the spots are its records', in order.
    sorted: OnceCell<HashMap<u64, Vec<u32>>>,
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
        let of_rrset =
            self.sorted.get_or_init(|| self.sort()).get(&hash(owner.as_wire(), rtype))?;
        let at = of_rrset.get(index).or(of_rrset.first())?;
        let spot = self.spots.get(*at as usize)?;
        Some(Place {
            source: Arc::clone(self.sources.get(spot.source as usize)?),
            span: spot.start as usize..spot.end as usize,
        })
    }

    fn sort(&self) -> HashMap<u64, Vec<u32>> {
        let mut sorted: HashMap<u64, Vec<u32>> = HashMap::new();
        for (spot, at) in self.spots.iter().zip(0..) {
            sorted.entry(self.rrsets[spot.rrset as usize]).or_default().push(at);
        }
        sorted
    }

    /// Notes a record of an RRset, which has a number; numbers come one after the other.
    pub(super) fn note(
        &mut self,
        rrset: usize,
        (owner, rtype): (&Name, RecordType),
        (source, span): (&Arc<Source>, Range<usize>),
    ) {
        self.sorted.take();
        if rrset == self.rrsets.len() {
            self.rrsets.push(hash(owner.as_wire(), rtype));
        }
        let known = self.sources.iter().rposition(|it| Arc::ptr_eq(it, source));
        let source = known.unwrap_or_else(|| {
            self.sources.push(Arc::clone(source));
            self.sources.len() - 1
        });
        self.spots.push(Spot {
            rrset: rrset as u32,
            source: source as u32,
            start: span.start as u32,
            end: span.end as u32,
        });
    }
}

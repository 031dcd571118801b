//! Whose each frame of the shared memory is: no frame is lost, and none is in two places.
//!
//! ```text
//!            lend to be filled                     arrived
//!   spare ──────────────────────► the kernel's ───────────────► here
//!     ▲                           waits to be filled              │
//!     ├────────────────────────────── kept ───────────────────────┤
//!     │                                                           │ lend to be sent
//!     └── taken back ◄── the kernel's, leaving ◄──────────────────┘
//! ```
//!
//! A [`Frame`] is the right to touch its octets. It cannot be copied, only given up for an address
//! that the kernel is told; and what the kernel tells is believed only where the ledger says that
//! the kernel has it. So a kernel that named a frame twice could not have two parts of the process
//! write into one place.

/// Octets of a frame's place in the shared memory: a page has two.
pub(super) const FRAME_LEN: usize = 2048;

/// The right to a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame(u32);

impl Frame {
    /// Where it begins in the shared memory, in octets.
    pub(super) fn at(&self) -> usize {
        self.0 as usize * FRAME_LEN
    }
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nobody needs it.
    Spare,
    /// A part of this process works on it.
    Here,
    /// The kernel writes into it what comes next, or has done so.
    Filling,
    /// The kernel sends it.
    Leaving,
}

/// How many frames are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Census {
    pub(in crate::serve) spare: usize,
    pub(in crate::serve) here: usize,
    pub(in crate::serve) filling: usize,
    pub(in crate::serve) leaving: usize,
}

/// All frames of one shared memory.
#[derive(Debug)]
pub(super) struct Ledger {
    places: Box<[Place]>,
    /// The last that was kept is the first to be used again: its lines are in the cache.
    spare: Vec<Frame>,
}

impl Ledger {
    /// So many frames, all spare.
    pub(super) fn new(frames: u32) -> Self {
        let places = vec![Place::Spare; frames as usize].into();
        Self { places, spare: (0..frames).rev().map(Frame).collect() }
    }

    /// One that nobody needs.
    pub(super) fn take(&mut self) -> Option<Frame> {
        let frame = self.spare.pop()?;
        self.places[frame.0 as usize] = Place::Here;
        Some(frame)
    }

    /// Nobody needs it any more.
    pub(super) fn keep(&mut self, frame: Frame) {
        self.places[frame.0 as usize] = Place::Spare;
        self.spare.push(frame);
    }

    /// Gives it to the kernel.
    pub(super) fn lend(&mut self, frame: Frame, to: Place) {
        self.places[frame.0 as usize] = to;
    }

    /// Takes back what the kernel names, with the octet in it that the address is of; none where
    /// the kernel does not have that frame.
    pub(super) fn reclaim(&mut self, address: u64, from: Place) -> Option<(Frame, usize)> {
        let address = usize::try_from(address).ok()?;
        let (index, offset) = (address / FRAME_LEN, address % FRAME_LEN);
        let place = self.places.get_mut(index).filter(|place| **place == from)?;
        *place = Place::Here;
        let index = u32::try_from(index).expect("there are no more frames than that");
        Some((Frame(index), offset))
    }

    /// How many are where.
    pub(super) fn census(&self) -> Census {
        let mut census = Census::default();
        for place in &self.places {
            *match place {
                Place::Spare => &mut census.spare,
                Place::Here => &mut census.here,
                Place::Filling => &mut census.filling,
                Place::Leaving => &mut census.leaving,
            } += 1;
        }
        census
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_gives_back_only_what_it_has() {
        let mut ledger = Ledger::new(2);
        let frame = ledger.take().unwrap();
        let at = frame.at() as u64;
        assert_eq!(ledger.reclaim(at, Place::Filling), None, "it is here");
        ledger.lend(frame, Place::Filling);
        assert_eq!(ledger.reclaim(at, Place::Leaving), None, "it is not being sent");
        assert_eq!(ledger.reclaim(2 * FRAME_LEN as u64, Place::Filling), None);
        assert_eq!(ledger.reclaim(u64::MAX, Place::Filling), None);
        let (frame, offset) = ledger.reclaim(at + 256, Place::Filling).unwrap();
        assert_eq!((frame.at() as u64, offset), (at, 256));
        assert_eq!(ledger.reclaim(at, Place::Filling), None, "it was taken back before");
        ledger.keep(frame);
        assert_eq!(ledger.census(), Census { spare: 2, ..Census::default() });
    }
}

//! How frames go round: filled by the kernel, answered in place, sent, and filled again.
//!
//! ```text
//!   receive   what was sent is spare again; spare frames are lent; what arrived is taken, a batch
//!   answer    each frame becomes an answer, or is kept
//!   send      answers are lent to be sent; those that the ring has no room for are kept
//! ```
//!
//! A frame that arrives is the frame that leaves, with the query copied out first, since an answer
//! repeats most of it from the front. An answer has no more room than the frame has, and the link
//! takes: a longer one is cut, and its TC bit sends the client to TCP.
//!
//! Nothing here is a system call: the kernel's side is [`Rings`], which tests replace by one that
//! drops, fails and ends as it likes.

use std::net::SocketAddr;

use fastrand::Rng;

use super::super::batch::{BATCH_WIDTH, Sent};
use super::ledger::{Census, FRAME_LEN, Frame, Ledger, Place};
use crate::wire::frame::Datagram;

/// A part of the shared memory, as rings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) address: u64,
    pub(super) len: u32,
}

/// The kernel's side of an exchange.
pub(super) trait Rings {
    /// The next frame that came in.
    fn arrived(&mut self) -> Option<Piece>;
    /// The next frame that was sent, or given up.
    fn gone(&mut self) -> Option<u64>;
    /// Lends a frame to be filled; false where the ring is full.
    fn fill(&mut self, address: u64) -> bool;
    /// Lends a frame to be sent; false where the ring is full.
    fn leave(&mut self, piece: Piece) -> bool;
    /// Shows the kernel what was taken and lent to be filled.
    fn publish(&mut self);
    /// Shows the kernel what was lent to be sent, and has it begin.
    fn flush(&mut self);
    /// The octets of a frame.
    fn octets(&mut self, frame: &Frame) -> &mut [u8];
}

/// The frames of one queue, and what is done with them.
#[derive(Debug)]
pub(super) struct Exchange<R> {
    pub(super) rings: R,
    ledger: Ledger,
    /// The longest IP packet of the link.
    mtu: usize,
    arrived: Vec<(Frame, usize, usize)>,
    answers: Vec<(Frame, usize, usize)>,
    query: Box<[u8; FRAME_LEN]>,
    rng: Rng,
}

impl<R: Rings> Exchange<R> {
    pub(super) fn new(rings: R, frames: u32, mtu: usize, seed: u64) -> Self {
        Self {
            rings,
            ledger: Ledger::new(frames),
            mtu,
            arrived: Vec::with_capacity(BATCH_WIDTH),
            answers: Vec::with_capacity(BATCH_WIDTH),
            query: Box::new([0; FRAME_LEN]),
            rng: Rng::with_seed(seed),
        }
    }

    /// Takes what has arrived, up to one batch; returns how many frames that are.
    pub(super) fn receive(&mut self) -> usize {
        self.recover();
        while self.arrived.len() < BATCH_WIDTH
            && let Some(Piece { address, len }) = self.rings.arrived()
        {
            // A frame that the kernel does not have is no frame.
            if let Some((frame, offset)) = self.ledger.reclaim(address, Place::Filling) {
                self.arrived.push((frame, offset, len as usize));
            }
        }
        self.rings.publish();
        self.arrived.len()
    }

    /// Hands every query received to `respond`, as `Batch::answer` does. Returns the number of
    /// frames that met silence, those that hold no query among them.
    pub(super) fn answer(
        &mut self,
        mut respond: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
    ) -> usize {
        let mut silent = 0;
        for (frame, offset, len) in self.arrived.drain(..) {
            let octets = self.rings.octets(&frame).get_mut(offset..).unwrap_or_default();
            let (mtu, identification) = (self.mtu, self.rng.u16(..));
            match turn(octets, len, mtu, identification, &mut self.query, &mut respond) {
                Some(len) => self.answers.push((frame, offset, len)),
                None => {
                    silent += 1;
                    self.ledger.keep(frame);
                }
            }
        }
        silent
    }

    /// Sends the answers. Those for which there is no room are left out.
    pub(super) fn send(&mut self) -> Sent {
        let mut outcome = Sent { sent: 0, failed: 0 };
        let mut may_wait = true;
        for (frame, offset, len) in self.answers.drain(..) {
            let piece = Piece { address: (frame.at() + offset) as u64, len: len as u32 };
            let mut taken = self.rings.leave(piece);
            if !taken && may_wait {
                // The kernel may not have begun with what is in the ring.
                self.rings.flush();
                taken = self.rings.leave(piece);
                may_wait = taken;
            }
            if taken {
                self.ledger.lend(frame, Place::Leaving);
                outcome.sent += 1;
            } else {
                self.ledger.keep(frame);
                outcome.failed += 1;
            }
        }
        if outcome.sent > 0 {
            self.rings.flush();
        }
        outcome
    }

    /// Takes back what was sent, and lends what is spare to be filled.
    pub(super) fn recover(&mut self) {
        while let Some(address) = self.rings.gone() {
            if let Some((frame, _)) = self.ledger.reclaim(address, Place::Leaving) {
                self.ledger.keep(frame);
            }
        }
        while let Some(frame) = self.ledger.take() {
            if !self.rings.fill(frame.at() as u64) {
                self.ledger.keep(frame);
                break;
            }
            self.ledger.lend(frame, Place::Filling);
        }
        self.rings.publish();
    }

    /// How many frames are where.
    pub(super) fn census(&self) -> Census {
        self.ledger.census()
    }
}

/// Turns a frame of so many octets into its answer; returns the length of that, or nothing for
/// silence. `octets` go on to the end of the frame's place.
fn turn(
    octets: &mut [u8],
    len: usize,
    mtu: usize,
    identification: u16,
    query: &mut [u8; FRAME_LEN],
    respond: &mut impl FnMut(&[u8], SocketAddr, &mut [u8]) -> Option<usize>,
) -> Option<usize> {
    let frame = octets.get(..len)?;
    let datagram = Datagram::parse(frame).ok()?;
    let payload = &frame[datagram.payload.clone()];
    let query = query.get_mut(..payload.len())?;
    query.copy_from_slice(payload);
    let end = datagram.frame_len_max(mtu).min(octets.len());
    let out = octets.get_mut(datagram.reply_at()..end)?;
    let len = respond(query, datagram.source, out)?;
    datagram.reply(&mut octets[..end], len, identification)
}

#[cfg(test)]
mod tests;

//! Names in a response: written once, and pointed to from then on. RFC 1035 §4.1.4.
//!
//! Where labels stand is remembered as they are written, the question's only once somebody writes a
//! name: most answers are addresses and never do.

use super::{Full, HEADER_LEN, QUESTION_TAIL_LEN, Writer};
use crate::wire::name::{NAME_LEN_MAX, suffixes};

/// Pointers have 14 bits. RFC 1035 §4.1.4.
const POINTER_MAX: u16 = 0x3fff;
/// The two bits that make a pointer of a length.
const POINTER: u16 = 0xc000;
/// How many places for names to point to are remembered; a bound on the cost of compression.
const PLACES_MAX: usize = 40;

/// Where labels were written that names can point to.
pub(super) struct Places {
    at: [u16; PLACES_MAX],
    pub(super) count: usize,
}

impl Places {
    #[inline]
    pub(super) fn none() -> Self {
        Self { at: [0; PLACES_MAX], count: 0 }
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.at[..self.count].iter().map(|&place| usize::from(place))
    }

    /// Remembers one more, as long as there is room.
    fn note(&mut self, at: usize) -> Option<()> {
        *self.at.get_mut(self.count)? = u16::try_from(at).ok().filter(|&at| at <= POINTER_MAX)?;
        self.count += 1;
        Some(())
    }
}

impl Writer<'_> {
    /// Appends a complete name, compressed. RFC 1035 §4.1.4.
    pub fn name(&mut self, wire: &[u8]) -> Result<(), Full> {
        // Only now is anybody interested in what the question's name has.
        if self.places.count == 0 && self.has_question {
            self.note_labels(HEADER_LEN, self.start.len - QUESTION_TAIL_LEN);
        }
        for suffix in suffixes(wire) {
            if suffix.len() == 1 {
                break;
            }
            if let Some(place) = self.find(suffix) {
                let written = wire.len() - suffix.len();
                let start = self.len;
                self.bytes(&wire[..written])?;
                self.bytes(&pointer(place))?;
                self.note_labels(start, start + written);
                return Ok(());
            }
        }
        let start = self.len;
        self.bytes(wire)?;
        self.note_labels(start, self.len);
        Ok(())
    }

    /// Copies the name written at `at` without compression; gives its length.
    pub fn read_name(&self, mut at: usize, into: &mut [u8; NAME_LEN_MAX]) -> usize {
        let mut len = 0;
        // What this writer has written is well-formed, and its pointers point backwards.
        while let Some(&length) = self.out[..self.len].get(at) {
            if length >= (POINTER >> 8) as u8 {
                at = usize::from(u16::from_be_bytes([length, self.out[at + 1]]) & !POINTER);
                continue;
            }
            let end = 1 + usize::from(length);
            let Some(room) = into.get_mut(len..len + end) else { break };
            room.copy_from_slice(&self.out[at..at + end]);
            len += end;
            if length == 0 {
                break;
            }
            at += end;
        }
        len
    }

    /// The octet of an earlier name that reads the same, case aside.
    fn find(&self, name: &[u8]) -> Option<usize> {
        // Most differ in the length of their first label already.
        self.places.all().find(|&place| self.out[place] == name[0] && self.reads(place, name))
    }

    /// True where the name written at `at` is `name`, case aside.
    pub fn reads(&self, mut at: usize, mut name: &[u8]) -> bool {
        let written = &self.out[..self.len];
        // Most names that are the same stand there whole, and in the same case.
        if written.get(at..at + name.len()) == Some(name) {
            return true;
        }
        // Pointers that this writer makes point backwards, so the walk ends.
        while let (Some(&length), Some(&wanted)) = (written.get(at), name.first()) {
            if length >= (POINTER >> 8) as u8 {
                at = usize::from(u16::from_be_bytes([length, written[at + 1]]) & !POINTER);
                continue;
            }
            let end = 1 + usize::from(length);
            if length != wanted || !written[at..at + end].eq_ignore_ascii_case(&name[..end]) {
                return false;
            }
            if length == 0 {
                return true;
            }
            at += end;
            name = &name[end..];
        }
        false
    }

    /// Remembers the labels that were written from `at` up to `end`, the root's is none.
    fn note_labels(&mut self, mut at: usize, end: usize) {
        while at < end {
            let length = self.out[at];
            if length == 0 || self.places.note(at).is_none() {
                break;
            }
            at += 1 + usize::from(length);
        }
    }
}

/// A pointer to the name at this octet.
pub(super) fn pointer(place: usize) -> [u8; 2] {
    debug_assert!(place <= usize::from(POINTER_MAX), "only places within 14 bits are remembered");
    (POINTER | place as u16).to_be_bytes()
}

//! The name asked, folded to lower case once and cut into labels once.
//!
//! Tables are keyed by folded names, and a look-up walks from the whole name towards the root. A
//! [`Folded`] keeps where each label begins, so that every suffix is one slice. It is a buffer that
//! a worker owns and fills anew for each name.

use super::name::{LABEL_COUNT_MAX, NAME_LEN_MAX};

/// A complete name in lower case with the offsets of its labels.
pub struct Folded {
    bytes: [u8; NAME_LEN_MAX],
    len: usize,
    starts: [u8; LABEL_COUNT_MAX + 1],
    labels: usize,
}

impl Folded {
    /// The root.
    pub const fn root() -> Self {
        Self { bytes: [0; NAME_LEN_MAX], len: 1, starts: [0; LABEL_COUNT_MAX + 1], labels: 0 }
    }

    /// Takes over a complete name in wire form. A slice that is none becomes the root.
    pub fn fold(&mut self, wire: &[u8]) {
        (self.len, self.labels) = (1, 0);
        self.bytes[0] = 0;
        if wire.len() > NAME_LEN_MAX {
            return;
        }
        let mut at = 0;
        let mut labels = 0;
        while let Some(&length) = wire.get(at)
            && length != 0
        {
            // A name of 255 octets has at most 127 labels, so there is room for every start.
            let Some(start) = self.starts.get_mut(labels) else { return };
            *start = at as u8;
            labels += 1;
            at += 1 + usize::from(length);
        }
        if at + 1 != wire.len() {
            return;
        }
        // Length octets are at most 63, below any letter: folding all octets changes none of them.
        let (eights, rest) = wire.as_chunks();
        let (folded, last) = self.bytes[..wire.len()].split_at_mut(eights.len() * 8);
        for (to, from) in folded.as_chunks_mut().0.iter_mut().zip(eights) {
            *to = fold_eight(*from);
        }
        for (to, from) in last.iter_mut().zip(rest) {
            *to = from.to_ascii_lowercase();
        }
        self.starts[labels] = at as u8;
        (self.len, self.labels) = (wire.len(), labels);
    }

    /// How many labels, the root's empty one not counted.
    pub fn label_count(&self) -> usize {
        self.labels
    }

    /// The name in wire form.
    pub fn as_wire(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The name without its first `skip` labels; the root where there are no more.
    pub fn suffix(&self, skip: usize) -> &[u8] {
        &self.bytes[self.start(skip)..self.len]
    }

    /// The labels from the `from`-th up to, not including, the `to`-th.
    pub fn labels(&self, from: usize, to: usize) -> &[u8] {
        let (start, end) = (self.start(from), self.start(to));
        &self.bytes[start.min(end)..end]
    }

    /// Where the `label`-th label begins.
    pub fn start(&self, label: usize) -> usize {
        usize::from(self.starts[label.min(self.labels)])
    }
}

/// Eight octets in lower case at once: most names are a few of these long.
fn fold_eight(octets: [u8; 8]) -> [u8; 8] {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const EACH: u64 = 0x0101_0101_0101_0101;
    let all = u64::from_ne_bytes(octets);
    let low = all & !HIGH;
    // The high bit of each octet of these: it is at least `A`, and it is beyond `Z`.
    let from_a = low + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low + (0x80 - (b'Z' + 1) as u64) * EACH;
    let letters = from_a & !beyond_z & !all & HIGH;
    (all | (letters >> 2)).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Name;

    #[test]
    fn folds_and_cuts() {
        let mut folded = Folded::root();
        folded.fold(Name::from_text("WWW.Example.ORG").unwrap().as_wire());
        assert_eq!(folded.label_count(), 3);
        assert_eq!(folded.as_wire(), b"\x03www\x07example\x03org\x00");
        assert_eq!(folded.suffix(1), b"\x07example\x03org\x00");
        assert_eq!(folded.suffix(9), b"\x00");
        assert_eq!(folded.labels(0, 1), b"\x03www");
        assert_eq!(folded.labels(1, 1), b"");
    }

    #[test]
    fn longest_names_fit_and_others_become_the_root() {
        let mut folded = Folded::root();
        let longest = vec!["a"; LABEL_COUNT_MAX].join(".");
        folded.fold(Name::from_text(&longest).unwrap().as_wire());
        assert_eq!((folded.label_count(), folded.as_wire().len()), (127, 255));
        for wire in [&b"\x03ww"[..], b"", &[1; 300], b"\x01a\x00\x00"] {
            folded.fold(wire);
            assert_eq!(folded.as_wire(), b"\x00", "{wire:?}");
        }
    }

    #[test]
    fn every_octet_is_folded_alike_wherever_it_stands() {
        for octet in 0..=u8::MAX {
            for at in 0..8 {
                let mut octets = *b"Zz@[`{\x7f\xff";
                octets[at] = octet;
                assert_eq!(fold_eight(octets), octets.map(|it| it.to_ascii_lowercase()));
            }
        }
    }
}

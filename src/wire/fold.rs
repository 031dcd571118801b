//! The name asked, folded to lower case once and cut into labels once.
//!
//! Tables are keyed by folded names, and a look-up walks from the whole name towards the root. A
//! [`Folded`] keeps where each label begins, so that every suffix is one slice. It is a buffer that
//! a worker owns and fills anew for each name.

use super::name::{LABEL_COUNT_MAX, NAME_LEN_MAX};

/// Octets that are folded in one step.
const STEP: usize = 16;
/// Room for every name, in whole steps.
const ROOM: usize = NAME_LEN_MAX.next_multiple_of(STEP);

/// A complete name in lower case with the offsets of its labels.
pub struct Folded {
    /// What is behind the name means nothing.
    bytes: [u8; ROOM],
    len: usize,
    starts: [u8; LABEL_COUNT_MAX + 1],
    labels: usize,
}

impl Folded {
    /// The root.
    pub const fn root() -> Self {
        Self { bytes: [0; ROOM], len: 1, starts: [0; LABEL_COUNT_MAX + 1], labels: 0 }
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
        self.bytes[..wire.len()].copy_from_slice(wire);
        // Length octets are at most 63, below any letter: folding all octets changes none of them.
        for octets in &mut self.bytes.as_chunks_mut::<STEP>().0[..wire.len().div_ceil(STEP)] {
            *octets = octets.map(|octet| octet.to_ascii_lowercase());
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
            for at in 0..3 * STEP {
                let mut wire = [&[48][..], &b"Zz@[`{"[..].repeat(8), b"\0"].concat();
                wire[1 + at] = octet;
                let mut folded = Folded::root();
                folded.fold(&wire);
                assert_eq!(folded.as_wire(), wire.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn a_longer_name_before_leaves_nothing_behind() {
        let mut folded = Folded::root();
        folded.fold(Name::from_text("a.very.long.name.of.many.labels.EXAMPLE").unwrap().as_wire());
        folded.fold(Name::from_text("B.Example").unwrap().as_wire());
        assert_eq!(folded.as_wire(), b"\x01b\x07example\x00");
        assert_eq!(folded.suffix(2), b"\x00");
    }
}

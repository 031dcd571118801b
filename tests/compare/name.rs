//! Domain names of generated zones: labels of any octets, in the case that was chosen for them.
//!
//! Not the product's own names: what writes the questions shall not share the mistakes of what
//! reads them.

use std::fmt;

/// Longest name in octets, the root's empty label included. RFC 1035 §2.3.4.
pub const NAME_LEN_MAX: usize = 255;
/// Longest label in octets. RFC 1035 §2.3.4.
pub const LABEL_LEN_MAX: usize = 63;

/// A complete name: its labels from the left, the root's empty one left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<Vec<u8>>);

impl Name {
    /// The name that a plain text says; nothing in it is escaped.
    pub fn plain(text: &str) -> Self {
        let labels = text.split('.').filter(|label| !label.is_empty());
        Self(labels.map(|label| label.as_bytes().to_vec()).collect())
    }

    /// Reads a name in wire form that ends where the octets end.
    pub fn from_wire(mut octets: &[u8]) -> Option<Self> {
        let mut labels = Vec::new();
        loop {
            let (&len, rest) = octets.split_first()?;
            if len == 0 {
                return rest.is_empty().then_some(Self(labels));
            }
            let (label, after) = rest.split_at_checked(usize::from(len))?;
            labels.push(label.to_vec());
            octets = after;
        }
    }

    /// The name below this one, if it is not too long.
    pub fn child(&self, label: &[u8]) -> Option<Self> {
        let mut labels = vec![label.to_vec()];
        labels.extend(self.0.iter().cloned());
        let name = Self(labels);
        (name.wire_len() <= NAME_LEN_MAX).then_some(name)
    }

    /// The name above this one.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_first().map(|(_, above)| Self(above.to_vec()))
    }

    /// This name and all above it, the root last.
    pub fn and_above(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// A name as long as names can be, or as long as `len_max` allows, at or below this one.
    pub fn lengthened(&self, len_max: usize, fill: u8) -> Self {
        let mut name = self.clone();
        loop {
            let room = len_max.saturating_sub(name.wire_len());
            if room < 2 {
                return name;
            }
            match name.child(&vec![fill; (room - 1).min(LABEL_LEN_MAX)]) {
                Some(longer) => name = longer,
                None => return name,
            }
        }
    }

    /// The same name in lower case: equal to others that differ in case only.
    pub fn folded(&self) -> Self {
        Self(self.0.iter().map(|label| label.to_ascii_lowercase()).collect())
    }

    /// The same name with the case of each letter chosen by `upper`.
    pub fn recased(&self, mut upper: impl FnMut() -> bool) -> Self {
        let mut recase = |octet: &u8| {
            if upper() { octet.to_ascii_uppercase() } else { octet.to_ascii_lowercase() }
        };
        Self(self.0.iter().map(|label| label.iter().map(&mut recase).collect()).collect())
    }

    /// True for names at or below `other`, whatever their case.
    pub fn is_at_or_under(&self, other: &Self) -> bool {
        let Some(skip) = self.0.len().checked_sub(other.0.len()) else { return false };
        self.0[skip..].iter().zip(&other.0).all(|(left, right)| left.eq_ignore_ascii_case(right))
    }

    /// True where the first label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.first().is_some_and(|label| label == b"*")
    }

    /// Octets in wire form.
    pub fn wire_len(&self) -> usize {
        self.0.iter().map(|label| 1 + label.len()).sum::<usize>() + 1
    }

    /// The wire form, without compression.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.wire_len());
        for label in &self.0 {
            wire.push(label.len() as u8);
            wire.extend(label);
        }
        wire.push(0);
        wire
    }
}

impl fmt::Display for Name {
    /// As master files have it, with the final dot. RFC 1035 §5.1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for label in &self.0 {
            for &octet in label {
                match octet {
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'*' => {
                        write!(f, "{}", char::from(octet))?;
                    }
                    // NSD 4.6 takes an escaped backslash before a dot for an escaped dot.
                    b'!'..=b'[' | b']'..=b'~' => write!(f, "\\{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

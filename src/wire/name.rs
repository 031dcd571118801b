//! Domain names as the wire has them: length-prefixed labels, ended by the empty label.
//!
//! ```text
//!   www.example.org.   03 w w w 07 e x a m p l e 03 o r g 00
//! ```
//!
//! [`Name`] owns its bytes and is for the cold: zones, services, configuration. The hot path works
//! on byte slices of the query, folded to lower case once. Both forms are always complete,
//! uncompressed and within the limits of RFC 1035 §2.3.4, so nobody downstream checks again.
//! Case is kept for showing and ignored for comparing (RFC 4343).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest name on the wire, in octets, the root's empty label included. RFC 1035 §2.3.4.
pub const NAME_LEN_MAX: usize = 255;
/// Longest label, in octets. RFC 1035 §2.3.4.
pub const LABEL_LEN_MAX: usize = 63;
/// Most labels a name can have, the root's empty label not counted.
pub const LABEL_COUNT_MAX: usize = 127;

/// A complete domain name in wire form.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

/// Why a text or a byte sequence is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Two dots in a row, or a leading dot.
    EmptyLabel,
    /// A label of more than 63 octets.
    LongLabel,
    /// More than 255 octets in all.
    LongName,
    /// A backslash that starts no character and no three-digit octet.
    BadEscape,
    /// Bytes that are not a complete uncompressed name.
    Malformed,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLabel => "a label is empty (two dots in a row, or a leading dot)",
            Self::LongLabel => "a label is longer than 63 octets",
            Self::LongName => "the name is longer than 255 octets",
            Self::BadEscape => "a backslash must be followed by a character or three digits",
            Self::Malformed => "these bytes are not a complete domain name",
        })
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads the presentation form of a complete name; a final dot is optional. RFC 1035 §5.1.
    pub fn from_text(text: &str) -> Result<Self, NameError> {
        Self::from_text_under(text.strip_suffix('.').unwrap_or(text), &Self::root())
    }

    /// Reads a name as operators write it beside a zone: absolute with a final dot, else under
    /// `origin`; `@` is the origin itself.
    pub fn from_text_under(text: &str, origin: &Self) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(origin.clone());
        }
        if text.is_empty() || text == "." {
            return Ok(Self::root());
        }
        let (relative, tail): (&str, &[u8]) = match text.strip_suffix('.') {
            // `a\.` ends in an escaped dot, which is part of the label.
            Some(stem) if !ends_in_escape(stem) => (stem, &[0]),
            Some(_) | None => (text, origin.as_wire()),
        };
        let mut wire = Vec::with_capacity(relative.len() + 2 + tail.len());
        let mut octets = relative.bytes().peekable();
        while octets.peek().is_some() {
            let length_at = wire.len();
            wire.push(0);
            let mut dot = false;
            while let Some(octet) = octets.next() {
                match octet {
                    b'.' => {
                        dot = true;
                        break;
                    }
                    b'\\' => wire.push(unescape(&mut octets)?),
                    other => wire.push(other),
                }
            }
            let length = wire.len() - length_at - 1;
            if length == 0 || (dot && octets.peek().is_none()) {
                return Err(NameError::EmptyLabel);
            }
            if length > LABEL_LEN_MAX {
                return Err(NameError::LongLabel);
            }
            wire[length_at] = length as u8;
        }
        wire.extend_from_slice(tail);
        if wire.len() > NAME_LEN_MAX {
            return Err(NameError::LongName);
        }
        Ok(Self(wire.into()))
    }

    /// Takes exactly one complete uncompressed name.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, NameError> {
        match wire_len(bytes) {
            Some(len) if len == bytes.len() => Ok(Self(bytes.into())),
            Some(_) | None => Err(NameError::Malformed),
        }
    }

    /// The name's octets, the root's empty label included.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The octets in lower case: the key that tables use.
    pub fn to_folded(&self) -> Box<[u8]> {
        self.0.to_ascii_lowercase().into()
    }

    /// How many labels, the root's empty one not counted.
    pub fn label_count(&self) -> usize {
        labels(&self.0).count()
    }

    /// True for the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// True where the leftmost label is `*`. RFC 4592 §2.1.1.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// True where this name is `other` or lies below it.
    pub fn is_at_or_under(&self, other: &Self) -> bool {
        suffixes(&self.0).any(|suffix| suffix.eq_ignore_ascii_case(&other.0))
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<Self> {
        suffixes(&self.0).nth(1).map(|suffix| Self(suffix.into()))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in &self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        canonical_order(&self.0, &other.0)
    }
}

impl fmt::Display for Name {
    /// Presentation form with the final dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_wire(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_wire(&self.0, f)
    }
}

/// Length in octets of the uncompressed name that `bytes` starts with; none where there is none.
pub fn wire_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*bytes.get(at)?);
        if length > LABEL_LEN_MAX {
            return None;
        }
        at += 1 + length;
        if at > NAME_LEN_MAX || at > bytes.len() {
            return None;
        }
        if length == 0 {
            return Some(at);
        }
    }
}

/// Canonical order of complete names: by labels from the right, in lower case. RFC 4034 §6.1.
pub fn canonical_order(one: &[u8], other: &[u8]) -> Ordering {
    let (ours, theirs) = (LabelStarts::of(one), LabelStarts::of(other));
    for (ours, theirs) in ours.rightmost_first(one).zip(theirs.rightmost_first(other)) {
        // Most labels of two names of one zone are those of its apex.
        if ours != theirs {
            let fold = u8::to_ascii_lowercase;
            let order = ours.iter().map(fold).cmp(theirs.iter().map(fold));
            if order.is_ne() {
                return order;
            }
        }
    }
    ours.count.cmp(&theirs.count)
}

/// How a name begins in canonical order: where two names begin otherwise, that is their order, and
/// one comparison of numbers stands for many of octets. Each label has a zero behind it.
pub fn canonical_start(name: &[u8]) -> u128 {
    let mut start = [0; 16];
    let mut room = start.iter_mut();
    for label in LabelStarts::of(name).rightmost_first(name) {
        for octet in label {
            let Some(next) = room.next() else { return u128::from_be_bytes(start) };
            // A zero is the end of a label; what is as low is left to the comparison of octets.
            *next = octet.to_ascii_lowercase().max(1);
            if *octet <= 1 {
                return u128::from_be_bytes(start);
            }
        }
        room.next();
    }
    u128::from_be_bytes(start)
}

/// The labels of a complete name from the left, the root's empty label not among them.
pub fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    suffixes(wire).map_while(|suffix| {
        let length = usize::from(suffix[0]);
        (length > 0).then(|| &suffix[1..=length])
    })
}

/// The name itself, then the name without its first label, and so on down to the root.
pub fn suffixes(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(wire);
    std::iter::from_fn(move || {
        let suffix = rest?;
        let length = usize::from(*suffix.first()?);
        rest = if length == 0 { None } else { suffix.get(1 + length..) };
        Some(suffix)
    })
}

/// A name in wire form, shown as text.
pub struct ShowName<'a>(pub &'a [u8]);

impl fmt::Display for ShowName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_wire(self.0, f)
    }
}

fn fmt_wire(wire: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if wire.len() <= 1 {
        return f.write_str(".");
    }
    for label in labels(wire) {
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'$' | b'@' => {
                    write!(f, "\\{}", octet as char)?;
                }
                0x21..=0x7e => write!(f, "{}", octet as char)?,
                _ => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_str(".")?;
    }
    Ok(())
}

/// Where each label of a name starts: sorting a million names should not allocate for each compare.
struct LabelStarts {
    starts: [u8; LABEL_COUNT_MAX],
    count: usize,
}

impl LabelStarts {
    fn of(wire: &[u8]) -> Self {
        let mut found = Self { starts: [0; LABEL_COUNT_MAX], count: 0 };
        let mut at = 0;
        for (label, start) in labels(wire).zip(&mut found.starts) {
            *start = at;
            at += 1 + label.len() as u8;
            found.count += 1;
        }
        found
    }

    /// The labels, the rightmost first.
    fn rightmost_first<'w>(&'w self, wire: &'w [u8]) -> impl Iterator<Item = &'w [u8]> {
        self.starts[..self.count].iter().rev().map(|&start| {
            let rest = &wire[usize::from(start)..];
            &rest[1..=usize::from(rest[0])]
        })
    }
}

fn ends_in_escape(stem: &str) -> bool {
    stem.bytes().rev().take_while(|&octet| octet == b'\\').count() % 2 == 1
}

fn unescape(octets: &mut impl Iterator<Item = u8>) -> Result<u8, NameError> {
    let first = octets.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = octets.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, NameError>) {
        assert_eq!(Name::from_text(text).map(|name| name.to_string()), expected.map(String::from));
    }

    #[test]
    fn reads_and_shows_presentation_form() {
        check("www.Example.org", Ok("www.Example.org."));
        check("www.example.org.", Ok("www.example.org."));
        check(".", Ok("."));
        check(r"a\.b.c", Ok(r"a\.b.c."));
        check(r"a\032b.c", Ok(r"a\032b.c."));
        check("a..b", Err(NameError::EmptyLabel));
        check(".a", Err(NameError::EmptyLabel));
        check(r"a\", Err(NameError::BadEscape));
        check(r"a\300", Err(NameError::BadEscape));
        check(&"x".repeat(64), Err(NameError::LongLabel));
        check(&vec!["x".repeat(63); 4].join("."), Err(NameError::LongName));
    }

    #[test]
    fn relative_names_take_the_origin() {
        let origin = Name::from_text("example.org").unwrap();
        for (text, expected) in [
            ("@", "example.org."),
            ("app", "app.example.org."),
            ("*.app", "*.app.example.org."),
            ("other.test.", "other.test."),
        ] {
            assert_eq!(Name::from_text_under(text, &origin).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn compares_without_case_and_orders_canonically() {
        let names: Vec<Name> =
            ["example", "a.example", "yljkjljk.a.example", "Z.a.example", "zABC.a.EXAMPLE"]
                .iter()
                .map(|text| Name::from_text(text).unwrap())
                .collect();
        assert!(names.is_sorted());
        assert_eq!(Name::from_text("A.b").unwrap(), Name::from_text("a.B").unwrap());
        assert!(names[3].is_at_or_under(&names[0]));
        assert!(!names[0].is_at_or_under(&names[3]));
        assert_eq!(names[1].parent(), Some(names[0].clone()));
    }

    #[test]
    fn a_start_never_contradicts_canonical_order() {
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let name = |rng: &mut fastrand::Rng| {
                let mut wire = Vec::new();
                for _ in 0..rng.usize(..4) {
                    let label: Vec<u8> = (0..rng.usize(1..9))
                        .map(|_| [0, 1, 2, b'a', b'A', b'b', 0xff][rng.usize(..7)])
                        .collect();
                    wire.push(label.len() as u8);
                    wire.extend(label);
                }
                wire
            };
            let (one, other) = (name(&mut rng), name(&mut rng));
            let starts = canonical_start(&one).cmp(&canonical_start(&other));
            let order = canonical_order(&one, &other);
            assert!(starts.is_eq() || starts == order, "seed {seed}: {one:?} {other:?}");
        }
    }

    #[test]
    fn wire_len_refuses_pointers_and_cut_names() {
        assert_eq!(wire_len(b"\x01a\x00rest"), Some(3));
        assert_eq!(wire_len(b"\x01a"), None);
        assert_eq!(wire_len(b"\xc0\x0c"), None);
        assert_eq!(wire_len(b""), None);
    }
}

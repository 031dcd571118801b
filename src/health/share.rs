//! A part of a whole.

use std::fmt;

/// A part of a whole in thousandths, exact for what people write: 0.5 is 500.
///
/// It may be more than the whole, where it says by how much something grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self(1000);

    /// So many thousandths.
    pub const fn thousandths(count: u32) -> Self {
        Self(count)
    }

    /// What people write: 0.5, in steps of a thousandth; none for what is no part of a whole.
    pub fn from_text(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(rest) || whole.is_empty() || rest.len() > 3 {
            return None;
        }
        let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
        let rest: u32 = format!("{rest:0<3}").parse().ok()?;
        Some(Self(whole * 1000 + rest)).filter(|share| *share <= Self::WHOLE)
    }

    /// How many thousandths.
    pub fn count(self) -> u32 {
        self.0
    }

    /// The same part of this part.
    #[must_use]
    pub fn of_share(self, other: Self) -> Self {
        let product = u64::from(self.0) * u64::from(other.0) / 1000;
        Self(u32::try_from(product).unwrap_or(u32::MAX))
    }

    /// True where `part` is less than this part of `whole`.
    pub fn exceeds(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1000 < u128::from(whole) * u128::from(self.0)
    }

    /// True where `part` is at most this part of `whole`.
    pub fn covers(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1000 <= u128::from(whole) * u128::from(self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_what_people_write() {
        for (text, expected) in [
            ("0.5", Some(("0.5", 500))),
            ("0.125", Some(("0.125", 125))),
            ("0", Some(("0", 0))),
            ("1", Some(("1", 1000))),
            ("1.0", Some(("1", 1000))),
            ("1.001", None),
            ("2", None),
            ("0.0001", None),
            ("-0.5", None),
            ("5e-1", None),
            (".5", None),
        ] {
            let share = Share::from_text(text);
            let told = share.map(|share| (share.to_string(), share.count()));
            let expected = expected.map(|(shown, count): (&str, u32)| (shown.to_owned(), count));
            assert_eq!(told, expected, "{text}");
        }
    }

    #[test]
    fn a_part_is_compared_exactly() {
        let half = Share::thousandths(500);
        assert!(half.covers(50, 100) && !half.covers(51, 100));
        assert!(half.exceeds(49, 100) && !half.exceeds(50, 100) && !half.exceeds(0, 0));
        assert_eq!(half.of_share(half), Share::thousandths(250));
    }
}

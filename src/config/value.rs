//! What one TOML value says: its type, its number, its duration, and where exactly it stands.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeString, DeTable, DeValue};

use super::keys::Shape;
use crate::health::Share;

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A name of a table's entry and where it stands.
pub(super) type Written<'t> = Spanned<DeString<'t>>;

/// A text and where its inside stands: the quotes are not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

impl Text {
    /// A part of the text, which is a slice of it, with its own place.
    pub(super) fn part(&self, part: &str) -> Self {
        let exact = self.span.len() == self.text.len() && !part.is_empty();
        let at = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let here = self.text.get(at..).is_some_and(|rest| rest.starts_with(part));
        let start = self.span.start;
        let span =
            if exact && here { start + at..start + at + part.len() } else { self.span.clone() };
        Self { text: part.to_owned(), span }
    }
}

/// A table's entries in the order of the file, which is the operator's order of things.
pub(super) fn in_order<'t>(table: &'t DeTable<'t>) -> Vec<(&'t Written<'t>, &'t Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A number, where the value is one that fits 64 bits.
pub(super) fn number(value: &DeValue<'_>) -> Option<u64> {
    value.as_integer().and_then(integer)
}

/// A part of a whole, where the value is one.
pub(super) fn as_share(value: &DeValue<'_>) -> Option<Share> {
    let float = value.as_float().map(DeFloat::as_str);
    Share::from_text(float.or_else(|| value.as_integer().map(DeInteger::as_str))?)
}

/// A duration, where the value is text that says one.
pub(super) fn as_duration(value: &DeValue<'_>) -> Option<Duration> {
    humantime::parse_duration(value.as_str()?).ok()
}

/// A number as written, where it is not negative and fits 64 bits.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The type, where a key can take it.
pub(super) fn shape(value: &DeValue<'_>) -> Option<Shape> {
    match value {
        DeValue::String(_) => Some(Shape::Text),
        DeValue::Integer(_) => Some(Shape::Number),
        DeValue::Boolean(_) => Some(Shape::Flag),
        DeValue::Array(_) => Some(Shape::List),
        DeValue::Table(_) => Some(Shape::Table),
        DeValue::Float(_) => Some(Shape::Fraction),
        DeValue::Datetime(_) => None,
    }
}

/// The type as a sentence names it.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

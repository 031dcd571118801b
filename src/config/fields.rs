//! One table as its readers see it: values that fit, or else defaults.
//!
//! Asking cannot fail. What was not written has its default, and so has what was refused: nobody
//! acts on that, because the error keeps the whole file from being used, and [`Fields::sound`]
//! keeps it out of complaints about values that do not go together.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Fallback, Key, Kind};
use super::reader::Reader;
use super::value::{Text, Value, Written, as_duration, as_share, number};
use crate::health::Share;

/// One table's values, all of which fit their description.
pub(super) struct Fields<'t> {
    kind: &'static Kind,
    /// Where the table stands.
    pub(super) span: Range<usize>,
    good: Vec<Field<'t>>,
    refused: Vec<&'static str>,
}

struct Field<'t> {
    name: &'static str,
    key_span: Range<usize>,
    value: &'t Value<'t>,
}

impl<'t> Fields<'t> {
    /// A table in which nothing has been judged yet.
    pub(super) fn new(kind: &'static Kind, span: Range<usize>) -> Self {
        Self { kind, span, good: Vec::new(), refused: Vec::new() }
    }

    /// Takes in a value that fits its key.
    pub(super) fn accept(&mut self, key: &Key, written: &Written<'_>, value: &'t Value<'t>) {
        self.good.push(Field { name: key.name, key_span: written.span(), value });
    }

    /// Notes that a key's value was refused.
    pub(super) fn refuse(&mut self, key: &Key) {
        self.refused.push(key.name);
    }

    /// The value of a key, where it is written and fits.
    pub(super) fn value(&self, name: &str) -> Option<&'t Value<'t>> {
        self.field(name).map(|field| field.value)
    }

    /// Where the key is written, or else the table.
    pub(super) fn key_span(&self, name: &str) -> Range<usize> {
        self.field(name).map_or_else(|| self.span.clone(), |field| field.key_span.clone())
    }

    /// Where the value is written, or else the table.
    pub(super) fn value_span(&self, name: &str) -> Range<usize> {
        self.field(name).map_or_else(|| self.span.clone(), |field| field.value.span())
    }

    /// True where the key stands in the table, fitting or not.
    pub(super) fn written(&self, name: &str) -> bool {
        self.field(name).is_some() || self.refused.contains(&name)
    }

    /// True where none of the keys has been refused.
    pub(super) fn sound(&self, names: &[&str]) -> bool {
        !names.iter().any(|name| self.refused.contains(name))
    }

    /// A table or list inside this one.
    pub(super) fn table(&self, name: &str) -> Option<(&'t DeTable<'t>, Range<usize>)> {
        let value = self.value(name)?;
        value.get_ref().as_table().map(|table| (table, self.key_span(name)))
    }

    /// A number, or the default.
    pub(super) fn number(&self, name: &str) -> u64 {
        let written = self.value(name).and_then(|value| number(value.get_ref()));
        written.or_else(|| number(&self.default(name)?)).unwrap_or_default()
    }

    /// A flag, or the default.
    pub(super) fn flag(&self, name: &str) -> bool {
        let written = self.value(name).and_then(|value| value.get_ref().as_bool());
        written.or_else(|| self.default(name)?.as_bool()).unwrap_or_default()
    }

    /// A part of a whole, or the default.
    pub(super) fn share(&self, name: &str) -> Share {
        let written = self.value(name).and_then(|value| as_share(value.get_ref()));
        written.or_else(|| as_share(&self.default(name)?)).unwrap_or(Share::WHOLE)
    }

    /// A duration, or the default.
    pub(super) fn duration(&self, name: &str) -> Duration {
        let written = self.value(name).and_then(|value| as_duration(value.get_ref()));
        written.or_else(|| as_duration(&self.default(name)?)).unwrap_or_default()
    }

    /// A word or text, or the default.
    pub(super) fn word(&self, name: &str) -> String {
        let written = self.value(name).and_then(|value| value.get_ref().as_str());
        let default = || self.default(name)?.as_str().map(str::to_owned);
        written.map(str::to_owned).or_else(default).unwrap_or_default()
    }

    /// The texts of a list, or one text, or those of the default, which has the table's place.
    pub(super) fn texts(&self, name: &str, reader: &Reader<'_>) -> Vec<Text> {
        if let Some(value) = self.value(name) {
            return reader.texts(value);
        }
        let default = self.default(name);
        let one = default.iter().filter_map(DeValue::as_str);
        let all = default.iter().filter_map(DeValue::as_array).flat_map(|all| all.iter());
        one.chain(all.filter_map(|one| one.get_ref().as_str()))
            .map(|text| Text { text: text.to_owned(), span: self.span.clone() })
            .collect()
    }

    fn field(&self, name: &str) -> Option<&Field<'t>> {
        debug_assert!(self.kind.key(name).is_some(), "{} describes `{name}`", self.kind.noun);
        self.good.iter().find(|field| field.name == name)
    }

    fn default(&self, name: &str) -> Option<DeValue<'static>> {
        self.kind.key(name).and_then(default_value)
    }
}

/// The value that a key has where it is not written, if that is one value.
fn default_value(key: &Key) -> Option<DeValue<'static>> {
    match key.default {
        Fallback::Value(text) => DeValue::parse(text).ok().map(Spanned::into_inner),
        Fallback::Rule(_) | Fallback::Required => None,
    }
}

//! Reads TOML against the descriptions of [`super::tables`], and never stops at the first problem.
//!
//! `serde` would stop there and forget where a value stood, so the spanned tree of `toml` is walked
//! directly. [`Reader::fields`] judges one table: unknown keys, types, bounds, words, "not yet".
//! What it refuses it reports and leaves out, so the [`Fields`] that come back hold only values
//! that fit their description, and asking them cannot fail: what was not written, or was refused,
//! has its default. Nobody acts on a default that stands for a refused value, because the error
//! keeps the whole file from being used; [`Fields::sound`] keeps it out of further complaints.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::keys::{Fallback, Key, Kind, Shape, Takes, Word};
use super::suggest::nearest;
use super::tables::KINDS;
use crate::zone::{Diagnostic, Place, Source};

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A text and where its inside stands: the quotes are not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Reports what is wrong in one file.
pub(super) struct Reader<'a> {
    source: &'a Arc<Source>,
    out: &'a mut Vec<Diagnostic>,
}

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

impl<'a> Reader<'a> {
    /// A reader of one file.
    pub(super) fn new(source: &'a Arc<Source>, out: &'a mut Vec<Diagnostic>) -> Self {
        Self { source, out }
    }

    /// Reports an error; `help` says what to write instead, and may be empty.
    pub(super) fn refuse(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = Place { source: Arc::clone(self.source), span };
        self.push(Diagnostic::error(place, message), help.into());
    }

    /// Reports what can be used but was probably not meant.
    pub(super) fn warn(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = Place { source: Arc::clone(self.source), span };
        self.push(Diagnostic::warning(place, message), help.into());
    }

    fn push(&mut self, diagnostic: Diagnostic, help: String) {
        self.out.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Judges one table by its description.
    pub(super) fn fields<'t>(
        &mut self,
        kind: &'static Kind,
        table: &'t DeTable<'t>,
        span: Range<usize>,
    ) -> Fields<'t> {
        let mut fields = Fields { kind, span, good: Vec::new(), refused: Vec::new() };
        for (written, value) in in_order(table) {
            let Some(key) = kind.key(written.get_ref()) else {
                self.refuse_unknown(kind, written);
                continue;
            };
            let fits = self.fits(key.name, &key.takes, value, key.later.is_some());
            if let Some(today) = key.later {
                self.refuse(written.span(), format!("`{}` is not yet built", key.name), today);
            }
            if fits && key.later.is_none() {
                fields.good.push(Field { name: key.name, key_span: written.span(), value });
            } else {
                fields.refused.push(key.name);
            }
        }
        for key in kind.keys.iter().filter(|key| key.default == Fallback::Required) {
            if !fields.written(key.name) {
                let message = format!("{} needs `{}`", kind.noun, key.name);
                let help = format!("write `{} = …`: {}", key.name, key.takes.words());
                self.refuse(fields.span.clone(), message, help);
                fields.refused.push(key.name);
            }
        }
        fields
    }

    /// Judges one value; tables inside it only when `deep`, because whoever reads them judges them.
    fn fits(&mut self, name: &str, takes: &'static Takes, value: &Value<'_>, deep: bool) -> bool {
        let shape = shape(value.get_ref());
        if !takes.shapes().iter().any(|fitting| Some(*fitting) == shape) {
            self.refuse_type(name, takes, value);
            return false;
        }
        match (takes, value.get_ref()) {
            (Takes::Number { min, max }, DeValue::Integer(number)) => {
                let within = integer(number).is_some_and(|n| (*min..=*max).contains(&n));
                if !within {
                    let message = format!("`{name}` is {number}, but must be {min} to {max}");
                    self.refuse(value.span(), message, "");
                }
                within
            }
            (Takes::Duration { min, max, step }, DeValue::String(text)) => {
                match duration(text, *min, *max, *step) {
                    Ok(_) => true,
                    Err(why) => {
                        let example = "write a number and a unit: \"500ms\", \"5s\", \"1m30s\"";
                        self.refuse(value.span(), format!("`{name}` {why}"), example);
                        false
                    }
                }
            }
            (Takes::Words { words, other }, DeValue::String(text)) => {
                self.fits_word(name, words, *other, text, value.span())
            }
            (Takes::List(inner), DeValue::Array(all)) => {
                for one in all.iter() {
                    // A bad one is reported, the list goes on: its reader skips what has not fit.
                    self.fits(name, inner, one, deep);
                }
                true
            }
            (Takes::Map(inner), DeValue::Table(table)) => {
                for (key, one) in in_order(table) {
                    self.fits(key.get_ref(), inner, one, deep);
                }
                true
            }
            (Takes::Named(kind), DeValue::Table(table)) => {
                for (key, one) in in_order(table) {
                    match one.get_ref().as_table() {
                        Some(inner) if deep => {
                            self.fields(kind, inner, key.span());
                        }
                        Some(_) => {}
                        None => {
                            let message = format!("`{}` is not a table", key.get_ref());
                            self.refuse(one.span(), message, format!("write {}", kind.header));
                        }
                    }
                }
                true
            }
            (Takes::Table(kind), DeValue::Table(table)) => {
                if deep {
                    self.fields(kind, table, value.span());
                }
                true
            }
            (Takes::Either(all), _) => all
                .iter()
                .find(|one| one.shapes().iter().any(|fitting| Some(*fitting) == shape))
                .is_some_and(|one| self.fits(name, one, value, deep)),
            // The shape has been compared: text and flags have nothing more to judge.
            (_, _) => true,
        }
    }

    fn fits_word(
        &mut self,
        name: &str,
        words: &[Word],
        other: Option<(&str, &str)>,
        text: &str,
        span: Range<usize>,
    ) -> bool {
        let not_yet = |what: &str| format!("`{name} = {text:?}`{what} is not yet built");
        if let Some(word) = words.iter().find(|word| word.name == text) {
            if let Some(today) = word.later {
                self.refuse(span, not_yet(""), today);
            }
            return word.later.is_none();
        }
        let all = words.iter().map(|word| format!("\"{}\"", word.name)).collect::<Vec<_>>();
        match (nearest(text, words.iter().map(|word| word.name)), other) {
            (Some(near), _) => {
                let message = format!("`{name}` knows no \"{text}\"");
                self.refuse(span, message, format!("did you mean \"{near}\"?"));
            }
            (None, Some((meaning, today))) => {
                self.refuse(span, not_yet(&format!(" ({meaning})")), today);
            }
            (None, None) => {
                let message = format!("`{name}` knows no \"{text}\"");
                self.refuse(span, message, format!("it takes {}", all.join(", ")));
            }
        }
        false
    }

    fn refuse_type(&mut self, name: &str, takes: &Takes, value: &Value<'_>) {
        let message =
            format!("`{name}` takes {}, not {}", takes.words(), type_name(value.get_ref()));
        let help = match (takes, value.get_ref()) {
            (Takes::Duration { .. }, DeValue::Integer(number)) => {
                format!("write the unit: \"{number}s\"")
            }
            (Takes::Either(_), DeValue::Integer(number))
                if takes.shapes().contains(&Shape::Text) =>
            {
                format!("write \"{number}s\"")
            }
            (Takes::List(_), DeValue::String(text)) => format!("put it in brackets: [\"{text}\"]"),
            (Takes::Number { .. }, DeValue::String(text)) if text.parse::<u64>().is_ok() => {
                format!("write it without quotes: {text}")
            }
            (_, _) => String::new(),
        };
        self.refuse(value.span(), message, help);
    }

    fn refuse_unknown(&mut self, kind: &'static Kind, written: &Spanned<toml::de::DeString<'_>>) {
        let name = written.get_ref().as_ref();
        let same_elsewhere =
            || KINDS.iter().find(|other| other.keys.iter().any(|key| key.name == name));
        let help = if let Some(key) = kind.keys.iter().find(|key| key.aka.contains(&name)) {
            format!("here it is called `{}`", key.name)
        } else if let Some(near) = nearest(name, kind.keys.iter().map(|key| key.name)) {
            format!("did you mean `{near}`?")
        } else if let Some(other) = same_elsewhere() {
            format!("`{name}` belongs to {}: {}", other.noun, other.header)
        } else {
            format!("its keys are {}", kind.key_list())
        };
        self.refuse(written.span(), format!("{} has no key `{name}`", kind.noun), help);
    }

    /// A string value, with the place of what is between its quotes.
    pub(super) fn text(&self, value: &Value<'_>) -> Option<Text> {
        let text = value.get_ref().as_str()?;
        let span = value.span();
        let raw = self.source.text.get(span.clone()).unwrap_or_default();
        // An escape makes the written text longer than what it means; then it is shown whole.
        let span = match raw.find(text) {
            Some(at) if !text.is_empty() => span.start + at..span.start + at + text.len(),
            Some(_) | None => span,
        };
        Some(Text { text: text.to_owned(), span })
    }

    /// The string values of a list, or of a single string.
    pub(super) fn texts(&self, value: &Value<'_>) -> Vec<Text> {
        match value.get_ref().as_array() {
            Some(all) => all.iter().filter_map(|one| self.text(one)).collect(),
            None => self.text(value).into_iter().collect(),
        }
    }
}

impl Text {
    /// A part of the text, which is a slice of it, with its own place.
    pub(super) fn part(&self, part: &str) -> Self {
        let exact = self.span.len() == self.text.len() && !part.is_empty();
        let at = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let span = match at.filter(|at| exact && *at <= self.text.len() - part.len()) {
            Some(at) => self.span.start + at..self.span.start + at + part.len(),
            None => self.span.clone(),
        };
        Self { text: part.to_owned(), span }
    }
}

impl<'t> Fields<'t> {
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

/// A table's entries in the order of the file, which is the operator's order of things.
pub(super) fn in_order<'t>(
    table: &'t DeTable<'t>,
) -> Vec<(&'t Spanned<toml::de::DeString<'t>>, &'t Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A number, where the value is one that fits 64 bits.
pub(super) fn number(value: &DeValue<'_>) -> Option<u64> {
    value.as_integer().and_then(integer)
}

/// A duration, where the value is text that says one.
pub(super) fn as_duration(value: &DeValue<'_>) -> Option<Duration> {
    humantime::parse_duration(value.as_str()?).ok()
}

fn integer(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn duration(text: &str, min: Duration, max: Duration, step: Duration) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| format!("is {text:?}, which is not a duration"))?;
    if !(min..=max).contains(&duration) {
        let (min, max) = (humantime::format_duration(min), humantime::format_duration(max));
        return Err(format!("is {text}, but must be {min} to {max}"));
    }
    if !duration.as_nanos().is_multiple_of(step.as_nanos()) {
        let step = humantime::format_duration(step);
        return Err(format!("is {text}, but must be a multiple of {step}"));
    }
    Ok(duration)
}

fn shape(value: &DeValue<'_>) -> Option<Shape> {
    match value {
        DeValue::String(_) => Some(Shape::Text),
        DeValue::Integer(_) => Some(Shape::Number),
        DeValue::Boolean(_) => Some(Shape::Flag),
        DeValue::Array(_) => Some(Shape::List),
        DeValue::Table(_) => Some(Shape::Table),
        DeValue::Float(_) | DeValue::Datetime(_) => None,
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
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

//! Reads TOML against the descriptions of [`super::tables`], and never stops at the first problem.
//!
//! `serde` would stop there and forget where a value stood, so the spanned tree of `toml` is walked
//! directly. [`Reader::fields`] judges one table: unknown keys, types, bounds, words, "not yet".
//! What it refuses it reports and leaves out, so the [`Fields`] that come back hold only values
//! that fit their description.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::fields::Fields;
use super::keys::{Fallback, Key, Kind, Takes};
use super::suggest::nearest;
use super::tables::KINDS;
use super::value::{Text, Value, Written, as_share, in_order, integer, shape, type_name};
use crate::zone::{Diagnostic, Place, Source};

/// Reports what is wrong in one file.
pub(super) struct Reader<'a> {
    source: &'a Arc<Source>,
    out: &'a mut Vec<Diagnostic>,
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

    /// Judges one table by its description; tables inside it are left to whoever reads them.
    pub(super) fn fields<'t>(
        &mut self,
        kind: &'static Kind,
        table: &'t DeTable<'t>,
        span: Range<usize>,
    ) -> Fields<'t> {
        let mut fields = Fields::new(kind, span);
        for (written, value) in in_order(table) {
            let Some(key) = kind.key(written.get_ref()) else {
                // What was meant for a key is no sign that nothing was.
                if let Some(meant) = self.refuse_unknown(kind, written) {
                    fields.refuse(meant);
                }
                continue;
            };
            let fits = self.fits(key.name, &key.takes, value);
            if fits {
                fields.accept(key, written, value);
            } else {
                fields.refuse(key);
            }
        }
        for key in kind.keys.iter().filter(|key| key.default == Fallback::Required) {
            if !fields.written(key.name) {
                let message = format!("{} needs `{}`", kind.noun, key.name);
                let help = format!("write `{} = …`: {}", key.name, key.takes.words());
                self.refuse(fields.span.clone(), message, help);
                fields.refuse(key);
            }
        }
        fields
    }

    /// Judges one value; tables inside it are judged when they are read.
    fn fits(&mut self, name: &str, takes: &'static Takes, value: &Value<'_>) -> bool {
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
            (Takes::Share, found) => {
                let fits = as_share(found).is_some();
                if !fits {
                    let message = format!("`{name}` is no part of a whole");
                    let help = "write 0 to 1, with up to three digits behind the point: 0.5";
                    self.refuse(value.span(), message, help);
                }
                fits
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
            (Takes::Words { words, other: None }, DeValue::String(text)) => {
                self.fits_word(name, takes, words, text, value.span())
            }
            (Takes::List(inner), DeValue::Array(all)) => {
                for one in all.iter() {
                    // A bad one is reported, the list goes on: its reader skips what has not fit.
                    self.fits(name, inner, one);
                }
                true
            }
            (Takes::Map(inner), DeValue::Table(table)) => {
                for (key, one) in in_order(table) {
                    self.fits(key.get_ref(), inner, one);
                }
                true
            }
            (Takes::Named(kind), DeValue::Table(table)) => {
                for (key, one) in in_order(table) {
                    match one.get_ref().as_table() {
                        Some(_) => {}
                        None => {
                            let message = format!("`{}` is not a table", key.get_ref());
                            self.refuse(one.span(), message, format!("write {}", kind.header));
                        }
                    }
                }
                true
            }
            (Takes::Either(all), _) => all
                .iter()
                .find(|one| one.shapes().iter().any(|fitting| Some(*fitting) == shape))
                .is_some_and(|one| self.fits(name, one, value)),
            // The shape has been compared: text and flags have nothing more to judge.
            (_, _) => true,
        }
    }

    fn fits_word(
        &mut self,
        name: &str,
        takes: &Takes,
        words: &[&'static str],
        text: &str,
        span: Range<usize>,
    ) -> bool {
        if words.contains(&text) {
            return true;
        }
        let help = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it takes {}", takes.words()),
        };
        self.refuse(span, format!("`{name}` knows no \"{text}\""), help);
        false
    }

    fn refuse_type(&mut self, name: &str, takes: &Takes, value: &Value<'_>) {
        let message =
            format!("`{name}` takes {}, not {}", takes.words(), type_name(value.get_ref()));
        let help = match (takes, value.get_ref()) {
            (Takes::Duration { .. }, DeValue::Integer(number)) => {
                format!("write the unit: \"{number}s\"")
            }
            (Takes::Either(all), DeValue::Integer(number))
                if all.iter().any(|one| matches!(one, Takes::Duration { .. })) =>
            {
                format!("write the unit: \"{number}s\"")
            }
            (Takes::Either(all), DeValue::Integer(number))
                if all
                    .iter()
                    .any(|one| matches!(one, Takes::Text(is) if is.starts_with("a port"))) =>
            {
                format!("write it as text: \":{number}\"")
            }
            (Takes::List(_), DeValue::String(text)) => format!("put it in brackets: [\"{text}\"]"),
            (Takes::Number { .. }, DeValue::String(text)) if text.parse::<u64>().is_ok() => {
                format!("write it without quotes: {text}")
            }
            (Takes::Share, DeValue::String(_)) => "write a number: 0.5".to_owned(),
            (_, _) => String::new(),
        };
        self.refuse(value.span(), message, help);
    }

    /// Refuses a key that there is not; gives the one that was probably meant.
    fn refuse_unknown(
        &mut self,
        kind: &'static Kind,
        written: &Written<'_>,
    ) -> Option<&'static Key> {
        let name = written.get_ref().as_ref();
        let same_elsewhere =
            || KINDS.iter().find(|other| other.keys.iter().any(|key| key.name == name));
        let called = kind.keys.iter().find(|key| key.aka.contains(&name));
        let near = nearest(name, kind.keys.iter().map(|key| key.name));
        let help = if let Some(key) = called {
            format!("here it is called `{}`", key.name)
        } else if let Some(near) = near {
            format!("did you mean `{near}`?")
        } else if let Some(other) = same_elsewhere() {
            format!("`{name}` belongs to {}: {}", other.noun, other.header)
        } else {
            format!("its keys are {}", kind.key_list())
        };
        self.refuse(written.span(), format!("{} has no key `{name}`", kind.noun), help);
        called.or_else(|| kind.key(near?))
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

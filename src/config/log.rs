//! `[log]`: which answers are written down, and what of them.

use std::num::NonZeroU32;
use std::path::Path;

use super::fields::Fields;
use super::reader::Reader;
use crate::snapshot::settings::Sampling;

/// What `answers = true` is: of a busy server some lines a second.
const EVERY: NonZeroU32 = NonZeroU32::new(1000).expect("it is not 0");
/// Beyond it, gaps would not fit their counter.
const EVERY_MAX: u32 = 1_000_000_000;

/// Reads the table; files that are not absolute are relative to `base`.
pub(super) fn read_log(
    fields: &Fields<'_>,
    base: &Path,
    reader: &mut Reader<'_>,
) -> Option<Sampling> {
    let file = fields.texts("answers_file", reader).pop();
    if let Some(text) = file.as_ref().filter(|text| text.text.is_empty()) {
        let help = "write a path, or leave it out for lines of the log";
        reader.refuse(text.span.clone(), "`answers_file` is empty", help);
    }
    let every = read_every(fields, reader);
    if every.is_none() && file.is_some() && fields.sound(&["answers"]) {
        let help = "write answers = \"1/1000\" beside it";
        reader.warn(fields.key_span("answers_file"), "no answers are written to it", help);
    }
    // The keys' bounds lie within 8 bits.
    let bits = |name| u8::try_from(fields.number(name)).unwrap_or(u8::MAX);
    Some(Sampling {
        every: every?,
        bits: [bits("ipv4_bits"), bits("ipv6_bits")],
        file: file.map(|text| base.join(text.text).into()),
    })
}

fn read_every(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<NonZeroU32> {
    let value = fields.value("answers")?;
    let Some(text) = reader.text(value) else {
        return fields.flag("answers").then_some(EVERY);
    };
    let number = text.text.strip_prefix("1/").and_then(|number| number.trim().parse().ok());
    let every = number.filter(|every: &NonZeroU32| every.get() <= EVERY_MAX);
    if every.is_none() {
        let message = format!("\"{}\" is not a part of all answers", text.text);
        let help = "write \"1/1000\" for one in a thousand, \"1/1\" for all, or false";
        reader.refuse(text.span, message, help);
    }
    every
}

//! From a file's text to a tree in which every key and value knows its place.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use crate::zone::{Diagnostic, Place, Source};

/// Parses TOML and reports every syntax error.
///
/// A tree comes back only where it says what the operator wrote. After a real syntax error it would
/// be a guess, and every complaint about a guess is one that goes away by itself; a key written
/// twice is the operator's to resolve, but the rest of the file means what it says.
pub(super) fn parse<'s>(
    source: &'s Arc<Source>,
    out: &mut Vec<Diagnostic>,
) -> Option<Spanned<DeTable<'s>>> {
    let (tree, errors) = DeTable::parse_recoverable(&source.text);
    let mut readable = true;
    let mut last_line = 0;
    for error in errors {
        let span = shown(&source.text, error.span().unwrap_or_default());
        let duplicate = error.message().starts_with("duplicate key");
        readable &= duplicate;
        // What follows a syntax error on its own line is its echo.
        let (line, _) = source.line_column(span.start);
        if line == last_line && !duplicate {
            continue;
        }
        last_line = line;
        let name = source.text.get(span.clone()).unwrap_or_default().trim().to_owned();
        let place = Place { source: Arc::clone(source), span };
        out.push(if duplicate {
            Diagnostic::error(place, format!("`{name}` is written twice"))
                .help("keep one of the two; the first one stands above")
        } else {
            Diagnostic::error(place, format!("this is not TOML: {}", error.message()))
        });
    }
    readable.then_some(tree)
}

/// A stretch that can be underlined: at least one character where there is one.
fn shown(text: &str, span: Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    if span.end > start {
        return start..span.end.min(text.len());
    }
    match text[start..].chars().next() {
        Some(next) if next != '\n' => start..start + next.len_utf8(),
        Some(_) | None => start..start,
    }
}

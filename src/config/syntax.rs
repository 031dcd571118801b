//! From a file's text to a tree in which every key and value knows its place.
//!
//! The parser goes on after an error, but after a bracket that was never closed it takes the rest
//! of the file for items of that list. So that one slip does not bury the others, such an error is
//! told where the bracket stands, and parsing starts anew with the line that is plainly no item.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, Error};

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
    let text = source.text.as_str();
    let (tree, mut errors) = DeTable::parse_recoverable(text);
    let readable = errors.iter().all(is_duplicate);
    let mut from = 0;
    let mut last_line = 0;
    'parts: loop {
        for error in &errors {
            let span = error.span().unwrap_or_default();
            let span = shown(text, from + span.start..from + span.end);
            if let Some((bracket, restart)) = unclosed(text, from, span.start, error) {
                let place = Place { source: Arc::clone(source), span: bracket };
                let found = Diagnostic::error(place, "this bracket is never closed");
                out.push(found.help("close it after its last item, before the next key begins"));
                from = restart;
                errors = DeTable::parse_recoverable(&text[from..]).1;
                // The part begun anew does not know which keys stood before it, nor does it have
                // to: duplicates can wait until the file can be read.
                errors.retain(|error| !is_duplicate(error));
                continue 'parts;
            }
            let (line, _) = source.line_column(span.start);
            // What follows a syntax error on its own line is its echo.
            if line != last_line || is_duplicate(error) {
                out.push(told(error, Place { source: Arc::clone(source), span }));
            }
            last_line = line;
        }
        return readable.then_some(tree);
    }
}

fn told(error: &Error, place: Place) -> Diagnostic {
    if is_duplicate(error) {
        let name = place.source.text.get(place.span.clone()).unwrap_or_default().to_owned();
        return Diagnostic::error(place, format!("`{name}` is written twice"))
            .help("keep one of the two; the first one stands above");
    }
    Diagnostic::error(place, format!("this is not TOML: {}", error.message()))
}

fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

/// The bracket that `error` comes from where one was left open, and where the next statement is.
fn unclosed(text: &str, from: usize, at: usize, error: &Error) -> Option<(Range<usize>, usize)> {
    if !error.message().contains("between") && !error.message().contains("unclosed") {
        return None;
    }
    let line_start = text[..at].rfind('\n')? + 1;
    let first_of_line = text[line_start..at].trim_ascii().is_empty();
    if line_start <= from || !first_of_line || !begins_statement(&text[line_start..]) {
        return None;
    }
    let before = &text[from..line_start];
    // The statement that the list belongs to: the nearest line above that begins one.
    let starts = before.match_indices('\n').map(|(newline, _)| newline + 1);
    let mut starts = std::iter::once(0).chain(starts);
    let statement = starts.rfind(|start| begins_statement(&before[*start..]))?;
    let bracket = from + statement + before[statement..].find(['[', '{'])?;
    Some((bracket..bracket + 1, line_start))
}

/// True for `key = …`, `[table]`: what can be no item of a list.
fn begins_statement(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_.\" ".contains(c);
    let key = line.split_once('=').is_some_and(|(key, _)| {
        key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(bare)
    });
    let table = line.strip_prefix('[').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains(']')
    });
    key || table
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

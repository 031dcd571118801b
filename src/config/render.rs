//! Diagnostics as an operator reads them: file:line:column, the line, the stretch underlined, and
//! what to write instead.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use crate::zone::{Diagnostic, Place, Severity};

/// So many problems are shown; who has more mends these first.
pub const SHOWN_MAX: usize = 100;

/// A key whose values nobody else may read.
const SECRET_KEY: &str = "cookie_secrets";
/// Tables in which any value may be a token or a password, as they begin.
const SECRET_TABLES: [&str; 4] = ["headers", "env =", "env=", ".env]"];
/// A key whose text may be a password, and which stands in the line of its text.
const SECRET_TEXT: &str = "send";

/// Renders all problems and a last line that counts them; nothing where there are none.
pub fn render(diagnostics: &[Diagnostic], colours: bool) -> String {
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN_MAX) {
        text.push_str(&render_one(diagnostic, &renderer));
        text.push_str("\n\n");
    }
    if let Some(summary) = summary(diagnostics) {
        text.push_str(&summary);
        text.push('\n');
    }
    text
}

/// "2 errors, 1 warning"; none where there is nothing to count.
pub fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let of = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let mut text = String::new();
    for (count, noun) in [(of(Severity::Error), "error"), (of(Severity::Warning), "warning")] {
        if count > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            let plural = if count == 1 { "" } else { "s" };
            let _ = write!(text, "{comma}{count} {noun}{plural}");
        }
    }
    if diagnostics.len() > SHOWN_MAX {
        let _ = write!(text, "; the first {SHOWN_MAX} are shown");
    }
    (!text.is_empty()).then_some(text)
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
    if let Some(place) = &diagnostic.place {
        group = group.element(snippet(place, &diagnostic.label));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    renderer.render(&[group])
}

/// The place's first line alone: a table or a list may be long, and its start says which it is.
fn snippet<'d>(place: &'d Place, label: &'d str) -> Snippet<'d, annotate_snippets::Annotation<'d>> {
    let text = &place.source.text;
    let start = floor(text, place.span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line = text[line_start..line_end].trim_end_matches('\r');
    if is_secret(text, start, line) || is_in_secret_table(text, start, line) {
        return Snippet::source("(this line is not shown: it holds a secret)")
            .path(place.source.path.as_str())
            .line_start(place.source.line_column(start).0)
            .annotation(AnnotationKind::Primary.span(0..0));
    }
    // A place at the very end may stand behind the carriage returns that were cut off.
    let line_end = line_start + line.len();
    let start = start.min(line_end);
    let end = floor(text, place.span.end).clamp(start, line_end);
    let mark = AnnotationKind::Primary.span(start - line_start..end - line_start);
    Snippet::source(line)
        .path(place.source.path.as_str())
        .line_start(place.source.line_column(start).0)
        .annotation(if label.is_empty() { mark } else { mark.label(label) })
}

/// True where a line names a secret's key, or the place lies in the list that such a key begins:
/// what is printed ends in logs and in tickets.
fn is_secret(text: &str, start: usize, line: &str) -> bool {
    let begun = text[..start].rfind(SECRET_KEY).is_some_and(|key| {
        // A further assignment ends the list.
        text[key..start].matches('=').count() <= 1
    });
    begun || line.contains(SECRET_KEY)
}

/// True where a line names a secret text or table, or the place lies in such a table: between
/// braces, or under its heading.
fn is_in_secret_table(text: &str, start: usize, line: &str) -> bool {
    let before = &text[..start];
    let begun = |name: &&str| {
        before.rfind(name).is_some_and(|table| {
            let heading =
                before[..table].rsplit('\n').next().is_some_and(|head| head.starts_with('['));
            let inside = &before[table..];
            if heading { !inside.contains("\n[") } else { !inside.contains('}') }
        })
    };
    SECRET_TABLES.iter().any(|name| begun(name) || line.contains(name))
        || line.contains(SECRET_TEXT)
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

//! Coloured text in columns, never wider than the terminal.
//!
//! What boards are laid out with: pieces of a line with a colour each, cut to the width as a whole.

use std::fmt::Write;
use std::time::Duration;

use crate::admin::docs;

/// A way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Green,
    Red,
    Yellow,
    Cyan,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }
}

/// A short age: `8s`, `3m05`, `2h07`.
pub(super) fn age(age: Duration) -> String {
    docs::age(age.as_secs())
}

/// Lines under way: pieces are collected, cut to the width and only then coloured, so that
/// escape sequences never count as columns.
pub(super) struct Page {
    out: String,
    line: Vec<(Ink, String)>,
    width: usize,
    colour: bool,
}

impl Page {
    /// Nothing yet, on so many columns.
    pub(super) fn new(width: usize, colour: bool) -> Self {
        Self { out: String::new(), line: Vec::new(), width, colour }
    }

    /// The widest that a line may be.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// All lines.
    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// A piece of the line under way.
    pub(super) fn put(&mut self, ink: Ink, text: impl Into<String>) {
        self.line.push((ink, text.into()));
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        let mut room = self.width;
        let pieces = std::mem::take(&mut self.line);
        let last = pieces.len().saturating_sub(1);
        for (at, (ink, text)) in pieces.iter().enumerate() {
            let text = cut(text, room);
            room -= columns(&text);
            let text = if at == last { text.trim_end() } else { &text };
            if self.colour && *ink != Ink::Plain && !text.is_empty() {
                write!(self.out, "\x1b[{}m{text}\x1b[0m", ink.code())
                    .expect("a string takes all text");
            } else {
                self.out.push_str(text);
            }
        }
        self.out.push('\n');
    }
}

/// Columns of a text: everything that the board writes is one column a character.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// A text cut to a width, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('…');
    }
    short
}

/// The widest of some texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(columns).max().unwrap_or(0)
}

//! The page that a report is written on: lines, and settings with their values in one column.

use std::fmt::Display;

use crate::config::keys::{Fallback, Kind};

/// How wide values are before "(default)".
const VALUE_COLUMN: usize = 34;

/// How wide lists are before they go on in the next line.
const LIST_COLUMN: usize = 64;

/// Text being written, two spaces for each step inwards.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn line(&mut self, depth: usize, text: impl Display) {
        let line = format!("{:indent$}{text}", "", indent = depth * 2);
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A setting, its value, and whether that is what the key's description has as its default.
    pub(super) fn setting(&mut self, depth: usize, kind: &Kind, name: &str, value: impl Display) {
        self.named_setting(depth, name, kind, name, value);
    }

    /// The same under another name, where the key's own says too little outside its table.
    pub(super) fn named_setting(
        &mut self,
        depth: usize,
        label: &str,
        kind: &Kind,
        name: &str,
        value: impl Display,
    ) {
        let value = value.to_string();
        let default = kind.key(name).is_some_and(|key| match key.default {
            Fallback::Value(text) => text == value || text.trim_matches('"') == value,
            Fallback::Rule(_) | Fallback::Required => false,
        });
        self.resolved(depth, label, &value, default);
    }

    pub(super) fn resolved(&mut self, depth: usize, name: &str, value: &str, default: bool) {
        let mark = if default { "(default)" } else { "" };
        // The server's keys are longer than those of a service.
        let width = if depth == 1 { 27 } else { 19 - depth * 2 };
        self.line(depth, format_args!("{name:width$} {value:VALUE_COLUMN$} {mark}"));
    }

    /// A setting with many values, which are broken over lines.
    pub(super) fn listed(
        &mut self,
        depth: usize,
        name: &str,
        all: impl IntoIterator<Item = impl Display>,
    ) {
        let mut lines = vec![String::new()];
        for one in all.into_iter().map(|one| one.to_string()) {
            let (last, more) = (lines.len() - 1, !lines[0].is_empty());
            lines[last] += if more { "," } else { "" };
            if more && lines[last].len() + one.len() > LIST_COLUMN {
                lines.push(one);
            } else {
                lines[last] += if more { " " } else { "" };
                lines[last] += &one;
            }
        }
        let names = std::iter::once(name).chain(std::iter::repeat(""));
        for (name, line) in names.zip(&lines) {
            self.resolved(depth, name, line, false);
        }
    }
}

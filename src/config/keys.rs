//! What a table of the configuration may hold, described once.
//!
//! A [`Kind`] is one kind of table and a [`Key`] one of its settings: its name, what it takes, its
//! default, one sentence of documentation, and whether it is built yet. The reader refuses by these
//! descriptions (unknown keys, wrong types, values out of bounds, "not yet"), takes defaults from
//! them, and `rota check` shows them. [`super::tables`] holds the descriptions themselves.
//!
//! A default is kept as the operator would write it, so that what is documented is what is parsed.

use std::time::Duration;

/// One kind of table.
#[derive(Debug)]
pub struct Kind {
    /// How a sentence names it: "a check".
    pub noun: &'static str,
    /// Where it is written: `[check.<name>]`.
    pub header: &'static str,
    /// All keys, in the order of their documentation.
    pub keys: &'static [Key],
}

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Type and bounds.
    pub takes: Takes,
    /// What holds where it is not written.
    pub default: Fallback,
    /// One sentence without a full stop.
    pub doc: &'static str,
    /// What other products call it; a reader who writes that is pointed here.
    pub aka: &'static [&'static str],
}

/// What holds where a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// This value, in TOML.
    Value(&'static str),
    /// What this sentence says.
    Rule(&'static str),
    /// Nothing: the key must be written.
    Required,
}

/// What a key takes.
#[derive(Debug)]
pub enum Takes {
    /// Any text; the reader of the key judges it. In words, with an example.
    Text(&'static str),
    /// A whole number within bounds, both included.
    Number {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// True or false.
    Flag,
    /// A part of a whole: 0 to 1, in steps of a thousandth.
    Share,
    /// A duration within bounds, both included, in whole steps.
    Duration {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
        /// What it must be a multiple of.
        step: Duration,
    },
    /// One of these words.
    Words {
        /// The words.
        words: &'static [&'static str],
        /// What any other word means; the reader of the key judges it.
        other: Option<&'static str>,
    },
    /// A list.
    List(&'static Takes),
    /// A table of a kind.
    Table(&'static Kind),
    /// Tables of a kind under names of the operator's choice.
    Named(&'static Kind),
    /// Values under names of the operator's choice.
    Map(&'static Takes),
    /// The first of these that has the written value's type.
    Either(&'static [Takes]),
}

/// The types that TOML knows, as far as a key may take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An integer.
    Number,
    /// A float.
    Fraction,
    /// A boolean.
    Flag,
    /// An array.
    List,
    /// A table.
    Table,
}

impl Kind {
    /// The description of a key.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// What heads a page about it: its noun without the article.
    pub fn title(&self) -> &'static str {
        let noun = self.noun.strip_prefix("a ").or(self.noun.strip_prefix("an "));
        noun.unwrap_or(self.noun).trim_matches(['[', ']'])
    }

    /// The title as links and schemas write it: `http-check`.
    pub fn slug(&self) -> String {
        let title = self.title().to_ascii_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
    }
}

impl Key {
    /// A key that has this name alone.
    pub const fn new(
        name: &'static str,
        takes: Takes,
        default: Fallback,
        doc: &'static str,
    ) -> Self {
        Self { name, takes, default, doc, aka: &[] }
    }

    /// The same key, with its names in other products.
    #[must_use]
    pub const fn aka(self, names: &'static [&'static str]) -> Self {
        Self { aka: names, ..self }
    }
}

impl Takes {
    /// The TOML types that fit; lists and tables are judged by what is in them later.
    pub fn shapes(&self) -> Vec<Shape> {
        match self {
            Self::Text(_) | Self::Duration { .. } | Self::Words { .. } => vec![Shape::Text],
            Self::Number { .. } => vec![Shape::Number],
            Self::Flag => vec![Shape::Flag],
            Self::Share => vec![Shape::Fraction, Shape::Number],
            Self::List(_) => vec![Shape::List],
            Self::Table(_) | Self::Named(_) | Self::Map(_) => vec![Shape::Table],
            Self::Either(all) => all.iter().flat_map(Self::shapes).collect(),
        }
    }

    /// What fits, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Text(what) => (*what).to_owned(),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Flag => "true or false".to_owned(),
            Self::Share => "a part of a whole (like 0.5)".to_owned(),
            Self::Duration { .. } => "a duration (like \"5s\")".to_owned(),
            Self::Words { words, other } => {
                let quoted = words.iter().map(|word| format!("\"{word}\""));
                one_of(quoted.chain(other.map(str::to_owned)))
            }
            Self::List(inner) => format!("a list, each item {}", inner.words()),
            Self::Table(kind) => format!("a table {{ {} }}", kind.key_names().join(", ")),
            Self::Named(kind) => format!("tables {}", kind.header),
            Self::Map(inner) => format!("a table of names, each with {}", inner.words()),
            Self::Either(all) => one_of(all.iter().map(Self::words)),
        }
    }
}

impl Kind {
    fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// The keys, as a sentence has them.
    pub fn key_list(&self) -> String {
        self.key_names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

/// "a", "a or b", "a, b or c".
pub(super) fn one_of(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    let last = all.pop().unwrap_or_default();
    if all.is_empty() { last } else { format!("{} or {last}", all.join(", ")) }
}

//! What the doctor says: one line for each finding, and what to do.

use std::fmt;

use serde_json::json;

/// How a finding is meant; worse is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// As it should be.
    Good,
    /// Works, and is probably not meant so.
    Doubt,
    /// Some clients get no answer, or a wrong one.
    Bad,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How it is meant.
    pub(super) mark: Mark,
    /// What was looked at, in a word for machines: `glue`.
    pub(super) about: &'static str,
    /// What is so.
    pub(super) message: String,
    /// What to do; empty where all is good.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn good(about: &'static str, message: impl Into<String>) -> Self {
        Self { mark: Mark::Good, about, message: message.into(), remedy: String::new() }
    }

    pub(super) fn doubt(
        about: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { mark: Mark::Doubt, about, message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn bad(
        about: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { mark: Mark::Bad, about, message: message.into(), remedy: remedy.into() }
    }

    /// For machines; `of` is the zone, or `here`.
    pub(super) fn json(&self, of: &str) -> serde_json::Value {
        json!({
            "of": of,
            "mark": self.mark.word(),
            "about": self.about,
            "message": self.message,
            "remedy": (!self.remedy.is_empty()).then_some(&self.remedy),
        })
    }
}

impl fmt::Display for Finding {
    /// The finding and, in a line below, its remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.mark {
            Mark::Good => '✓',
            Mark::Doubt => '!',
            Mark::Bad => '✗',
        };
        write!(f, "  {sign} {}", self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n      {}", self.remedy) }
    }
}

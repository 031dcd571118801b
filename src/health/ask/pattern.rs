//! A regular expression whose cost is known before it runs.
//!
//! A body comes from a node that is not trusted, and is matched on the task that does all the
//! thinking. So the expression becomes a table when the configuration is read, and matching is one
//! step of it for each octet. What would need too large a table is refused then.
//!
//! It matches octets: `.` is any octet but a line feed, and `\d`, `\w` and `(?i)` know ASCII.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use regex_automata::Input;
use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense::{Builder, Config, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

/// Most octets of a table, and of what it is made from: a few are under way at once, and building
/// one takes a moment.
const TABLE_LEN_MAX: usize = 1 << 20;

/// A regular expression.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    table: Arc<DFA<Vec<u32>>>,
}

impl Pattern {
    /// Reads an expression; the error is one line for whoever wrote it.
    pub fn new(text: &str) -> Result<Self, String> {
        let table = Builder::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(TABLE_LEN_MAX)))
            .configure(
                Config::new()
                    .dfa_size_limit(Some(TABLE_LEN_MAX))
                    .determinize_size_limit(Some(TABLE_LEN_MAX)),
            )
            .build(text)
            .map_err(|error| said(&error))?;
        Ok(Self { text: text.to_owned(), table: Arc::new(table) })
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, octets: &[u8]) -> bool {
        let input = Input::new(octets).earliest(true);
        // Only an octet or an anchor that the table was told to give up at is an error.
        self.table.try_search_fwd(&input).is_ok_and(|found| found.is_some())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The innermost sentence of a library's error, which may draw carets over many lines before it.
fn said(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = inner.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, octets: &[u8], expected: bool) {
        assert_eq!(Pattern::new(pattern).unwrap().is_match(octets), expected, "{pattern}");
    }

    #[test]
    fn it_is_looked_for_anywhere_in_octets_of_any_kind() {
        check("ok", b"all is ok here", true);
        check("^ok$", b"all is ok here", false);
        check("(?i)READY", b"\xff\x00ready", true);
        check(r"version \d+\.\d+", b"version 10.1", true);
        check(r"\bup\b", b"upper", false);
        check("(?m)^state: (up|warm)$", b"node: a\nstate: warm\n", true);
        check("", b"", true);
        check("é", "café".as_bytes(), true);
    }

    #[track_caller]
    fn check_refused(pattern: &str, expected: &str) {
        let told = Pattern::new(pattern).unwrap_err();
        assert!(told.contains(expected) && !told.contains('\n'), "{pattern}: {told}");
    }

    #[test]
    fn what_cannot_be_read_or_would_be_too_large_is_refused() {
        check_refused("(", "unclosed group");
        check_refused("a**b{", "repetition");
        check_refused("[ab]*a[ab]{24}", "exceed");
        check_refused("((a{99}){99}){99}", "exceed");
    }
}

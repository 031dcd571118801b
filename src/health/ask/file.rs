//! A file in which somebody else says how nodes are.
//!
//! ```text
//!   # written by the rollout
//!   eu1                        up
//!   example.org/app/eu/eu2     drain   moves to the new rack
//!   192.0.2.13                 down    disk is full
//! ```
//!
//! A line begins with a node's id, its name or the address that is checked; where lines of several
//! kinds fit, the first of these counts, and of two lines of one kind the later. What is not there
//! is not said: a node without a line, or with one that cannot be read, keeps the status it has. So
//! whoever writes the file may die without taking a pool out of the answers with him.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use super::line;
use crate::health::{Outcome, Reason};

/// Largest file that is read.
pub const FILE_LEN_MAX: u64 = 1 << 20;

/// Looks a node up in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileAsk {
    /// The file.
    pub path: PathBuf,
    /// The node's id: `zone/service/pool/name`.
    pub node: String,
}

impl FileAsk {
    pub(super) fn place(&self, address: IpAddr) -> String {
        format!("file:{} {address} {}", self.path.display(), self.node)
    }
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(HashMap<String, Said>);

/// What a line says of whom it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Up,
    Drain,
    Down(String),
    /// The line of this number is none.
    Unclear(usize, String),
}

impl States {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Self {
        let mut all = HashMap::new();
        for (index, written) in text.lines().enumerate() {
            let mut words = written.split_whitespace();
            let Some(whom) = words.next().filter(|first| !first.starts_with('#')) else { continue };
            let state = words.next().unwrap_or_default();
            let said = match state.to_ascii_lowercase().as_str() {
                "up" => Said::Up,
                "drain" => Said::Drain,
                "down" => {
                    let why = words.collect::<Vec<_>>().join(" ");
                    Said::Down(line(if why.is_empty() { "down" } else { &why }.as_bytes()))
                }
                _ => Said::Unclear(index + 1, line(state.as_bytes())),
            };
            all.insert(whom.to_owned(), said);
        }
        Self(all)
    }

    /// What the file says of a node at an address.
    pub fn judge(&self, node: &str, address: IpAddr) -> Result<(), Outcome> {
        let name = node.rsplit('/').next().unwrap_or(node);
        let address = address.to_string();
        let unsaid = |why| Err(Outcome::NoVerdict(Reason::Local(why)));
        match [node, name, &address].into_iter().find_map(|key| self.0.get(key)) {
            Some(Said::Up) => Ok(()),
            Some(Said::Drain) => Err(Outcome::Fail(Reason::Draining)),
            Some(Said::Down(why)) => Err(Outcome::Fail(Reason::SaysDown(why.clone()))),
            Some(Said::Unclear(number, word)) => {
                unsaid(format!("line {number} of the file has no state but {word:?}"))
            }
            None => unsaid(format!("the file has no line for {name} or {address}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\n\n  n1 up\nn2\tDown  no  disk\nn3 drain now\nn4 upp\nn5\n\
                        192.0.2.6 down\na.test/@/n7 up\nn7 down\n192.0.2.7 drain\nn8 up\nn8 down\n";

    #[track_caller]
    fn check(name: &str, host: u8, expected: Result<(), Outcome>) {
        let told = States::parse(TEXT).judge(&format!("a.test/@/{name}"), [192, 0, 2, host].into());
        assert_eq!(told, expected, "{name}");
    }

    #[test]
    fn a_line_is_found_by_id_name_or_address() {
        let down = |why: &str| Err(Outcome::Fail(Reason::SaysDown(why.into())));
        let unsaid = |why: &str| Err(Outcome::NoVerdict(Reason::Local(why.into())));
        check("n1", 1, Ok(()));
        check("n2", 2, down("no disk"));
        check("n3", 3, Err(Outcome::Fail(Reason::Draining)));
        check("n4", 4, unsaid("line 6 of the file has no state but \"upp\""));
        check("n5", 5, unsaid("line 7 of the file has no state but \"\""));
        check("n6", 6, down("down"));
        check("n7", 7, Ok(()));
        check("n8", 8, down("down"));
        check("n9", 9, unsaid("the file has no line for n9 or 192.0.2.9"));
        check("#", 1, unsaid("the file has no line for # or 192.0.2.1"));
    }
}

//! What a node's agent says of its node, in the words of HAProxy's `agent-check`.
//!
//! One line of words, parted by spaces, tabs or commas; what follows a `#` is for people:
//!
//! ```text
//!   up  ready                       in service
//!   75%                             the same, with this part of its weight
//!   drain  0%                       leaving: no new clients
//!   down  fail  stopped  maint      out of service
//! ```
//!
//! Of several the last row of these decides, and a percentage is carried beside all of them. Words
//! that are not known (`maxconn:30`) are passed over. HAProxy keeps `ready`, `drain` and `maint`
//! until the other word comes; here every line is the whole truth, as for any other check.

use super::line;
use crate::health::Reason;

/// Connects, says `send`, and reads a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentAsk {
    /// The port of the agent.
    pub port: u16,
    /// What is said first; usually nothing.
    pub send: String,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentReport {
    /// Pass, or why not.
    pub judged: Result<(), Reason>,
    /// How much of its weight the node wants to have.
    pub weight_percent: Option<u8>,
}

/// Judges the first line of what came.
pub fn judge(octets: &[u8]) -> AgentReport {
    let line = line(octets);
    let (words, comment) = line.split_once('#').unwrap_or((&line, ""));
    let words = || words.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let find =
        |known: &[&str]| words().find(|word| known.iter().any(|it| it.eq_ignore_ascii_case(word)));
    let percent = |word: &str| word.strip_suffix('%')?.parse().ok().map(|it: u64| it.min(255));
    let weight_percent = words().find_map(percent).map(|percent| percent as u8);
    let judged = if let Some(word) = find(&["down", "fail", "failed", "stopped", "maint"]) {
        let comment = comment.trim();
        let why = if comment.is_empty() { word } else { comment };
        Err(Reason::SaysDown(why.to_owned()))
    } else if find(&["drain"]).is_some() || weight_percent == Some(0) {
        Err(Reason::Draining)
    } else if find(&["up", "ready"]).is_some() || weight_percent.is_some() {
        Ok(())
    } else {
        Err(Reason::NoState(line.clone()))
    };
    AgentReport { judged, weight_percent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, judged: Result<(), Reason>, weight_percent: Option<u8>) {
        assert_eq!(judge(line.as_bytes()), AgentReport { judged, weight_percent }, "{line:?}");
    }

    #[test]
    fn the_worst_word_decides_and_a_percentage_is_carried() {
        let down = |why: &str| Err(Reason::SaysDown(why.into()));
        check("up\n", Ok(()), None);
        check("UP 75%\r\n", Ok(()), Some(75));
        check("75%", Ok(()), Some(75));
        check("ready,up,100%\n", Ok(()), Some(100));
        check("up maxconn:30\n", Ok(()), None);
        check("300%\n", Ok(()), Some(255));
        check("0%\n", Err(Reason::Draining), Some(0));
        check("up drain\t50%\n", Err(Reason::Draining), Some(50));
        check("down\n", down("down"), None);
        check("ready stopped # the backup runs\nup\n", down("the backup runs"), None);
        check("Fail#disk", down("disk"), None);
        check("maint up 10%\n", down("maint"), Some(10));
        check("drain down\n", down("down"), None);
    }

    #[test]
    fn what_says_nothing_is_quoted() {
        for line in ["", "hello", "-5%", "up% 7"] {
            check(line, Err(Reason::NoState(line.into())), None);
        }
        check("\nup\n", Err(Reason::NoState(String::new())), None);
    }
}

//! A zone's file in the making: its parts, its text, and what the reader of configurations says.

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

use crate::config::{ZoneFiles, read_zone, render};
use crate::wire::Name;
use crate::zone::{Diagnostic, Source, diagnostic::has_errors};

use super::super::report::bare;

/// What is known so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// The name to be delegated.
    pub(super) apex: Option<Name>,
    /// As `[zone]` has them.
    pub(super) name_servers: Vec<String>,
    /// As a service has them.
    pub(super) nodes: Vec<String>,
    /// What every node is asked.
    pub(super) check: Option<Check>,
    /// Where the nodes come from, for a comment.
    pub(super) origin: Vec<String>,
    /// The zone's other records, a line each.
    pub(super) records: Vec<String>,
    /// Whether SOA and NS are among those records, so that `[zone]` would be one too many.
    pub(super) has_start: bool,
}

/// What a draft needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Apex,
    NameServers,
    Nodes,
    Check,
}

/// What every node is asked, as the command line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The key of a check, and its text: `http`, `:8080/ready`.
    Ask(&'static str, String),
    /// Nothing.
    None,
}

impl Check {
    /// Reads `:8080/ready`, `https://:443/ready`, `tcp://:6379`, `tls://:443` or `none`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let (kind, rest) = text.split_once("://").unwrap_or(("http", text));
        let Some(kind) = ["http", "https", "tcp", "tls"].into_iter().find(|known| *known == kind)
        else {
            return Err(format!("{kind:?} is no kind of check: http, https, tcp or tls"));
        };
        if !rest.starts_with(':') {
            return Err(
                "write a port and a path, such as :8080/ready: the address is each node's \
                        own; or tcp://:6379, or none"
                    .to_owned(),
            );
        }
        Ok(Self::Ask(kind, rest.to_owned()))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(kind, text) => write!(f, "{kind}://{text}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// A name that can be delegated, and that a file can be called by.
pub(super) fn apex(text: &str) -> Result<Name, String> {
    let name = Name::from_text(text).map_err(|why| format!("{text:?} is no name: {why}"))?;
    if name.is_wildcard() {
        return Err("a wildcard cannot be delegated: write the name above it".to_owned());
    }
    if text.contains('/') || text.contains(|c: char| c.is_ascii_whitespace()) {
        return Err(format!("{text:?} cannot be a file's name, which a zone's name must be"));
    }
    Ok(name)
}

impl Draft {
    /// Nothing but a name.
    pub(super) fn of(apex: Name) -> Self {
        Self { apex: Some(apex), ..Self::default() }
    }

    /// What is not known yet.
    pub(super) fn missing(&self) -> Vec<Part> {
        let missing = [
            (Part::Apex, self.apex.is_none()),
            (Part::NameServers, self.name_servers.is_empty() && !self.has_start),
            (Part::Nodes, self.nodes.is_empty()),
            (Part::Check, self.check.is_none()),
        ];
        missing.into_iter().filter(|(_, missing)| *missing).map(|(part, _)| part).collect()
    }

    /// The text of `<apex>.toml`.
    pub(super) fn toml(&self) -> String {
        let apex = self.apex.as_ref().map(bare).unwrap_or_default();
        let mut text = format!(
            "# {apex}, which the parent zone delegates to Rota: `rota check` prints the records\n\
             # for it, and what every setting comes to. Every key: `rota schema keys`.\n"
        );
        for line in &self.origin {
            let _ = writeln!(text, "# {line}");
        }
        if !self.has_start {
            text += "\n[zone]\n";
            text += "# The machines that run Rota: each one's name and public addresses.\n";
            text += &list("ns", &self.name_servers);
        }
        let _ = writeln!(text, "\n# {apex} itself; [service.www] would be www.{apex}.");
        text += "[service.\"@\"]\n";
        match &self.check {
            Some(Check::Ask(kind, what)) => {
                let _ = writeln!(
                    text,
                    "# What every address is asked. After 3 bad verdicts in a row it leaves the \
                     answers,\n# after 2 good ones it returns.\n\
                     check = {{ {kind} = {}, every = \"5s\", fails = 3, passes = 2 }}",
                    quoted(what)
                );
            }
            Some(Check::None) | None => {
                text += "# Without a check every node always counts as healthy. One would be:\n";
                text += "# check = { http = \":8080/ready\", every = \"5s\", fails = 3 }\n";
            }
        }
        text += "# The machines that serve; \"192.0.2.11 x2\" gets twice a single share.\n";
        text + &list("nodes", &self.nodes)
    }

    /// The text of `<apex>.zone`; none where there is nothing to write in it.
    pub(super) fn master_file(&self) -> Option<String> {
        let apex = self.apex.as_ref().filter(|_| !self.records.is_empty())?;
        let mut text = format!("; The records of {} beside its service.\n", bare(apex));
        for line in &self.records {
            let _ = writeln!(text, "{line}");
        }
        Some(text)
    }

    /// What the reader of configurations would refuse, as it tells it; none where it takes all.
    pub(super) fn complaints(&self) -> Option<String> {
        let told = self.read();
        has_errors(&told).then(|| render(&told, false))
    }

    /// The same in one line, without places in a file that nobody has seen yet.
    pub(super) fn complaint(&self) -> Option<String> {
        let told = self.read();
        let first = told.into_iter().find(|one| has_errors(std::slice::from_ref(one)))?;
        Some(match first.help {
            Some(help) => format!("{}: {help}", first.message),
            None => first.message,
        })
    }

    fn read(&self) -> Vec<Diagnostic> {
        let Some(apex) = self.apex.clone() else { return Vec::new() };
        let source = |end: &str, text: String| {
            Arc::new(Source { path: format!("{}.{end}", bare(&apex)), text })
        };
        let files = ZoneFiles {
            toml: Some(source("toml", self.toml())),
            master: self.master_file().map(|text| source("zone", text)),
            apex: apex.clone(),
            serial: 1,
        };
        let mut told = Vec::new();
        read_zone(&files, &mut told);
        told
    }
}

/// A key with a list of texts: in one line where that is short.
fn list(key: &str, all: &[String]) -> String {
    let items: Vec<String> = all.iter().map(|one| quoted(one)).collect();
    match items.as_slice() {
        [] | [_] => format!("{key} = [{}]\n", items.concat()),
        _ => format!("{key} = [\n  {},\n]\n", items.join(",\n  ")),
    }
}

/// A text as TOML has it: what JSON writes for one, TOML reads.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

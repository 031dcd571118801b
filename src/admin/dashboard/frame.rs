//! What every page has around it.

use std::fmt::Write;

use super::super::docs::StatusDoc;
use super::super::guard::Way;
use super::words;

/// What stands around a page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Only the part that changes is asked for: the page is there already.
    pub(super) part: bool,
    /// What changes need: `open`, `token`, or `never` where none can be made from here.
    pub(super) changes: &'static str,
    pub(super) version: String,
    pub(super) generation: u64,
    pub(super) uptime: String,
    pub(super) clock: String,
}

impl Frame {
    pub(super) fn new(status: &StatusDoc, way: &Way, part: bool) -> Self {
        let changes = match way {
            Way::Unix { .. } | Way::Tcp { loopback: true, token: None, .. } => "open",
            Way::Tcp { token: Some(_), .. } => "token",
            Way::Tcp { loopback: false, token: None, .. } => "never",
        };
        Self {
            part,
            changes,
            version: status.version.clone(),
            generation: status.generation,
            uptime: words::age(status.now.saturating_sub(status.started)),
            clock: words::clock(status.now),
        }
    }

    /// Changes can be made from here.
    pub(super) fn can_change(&self) -> bool {
        self.changes != "never"
    }
}

/// A text inside a URL. RFC 3986 §2.3: what is not unreserved is written by its octets.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            out.push(char::from(octet));
        } else {
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

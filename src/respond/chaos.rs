//! Class CH: what a server says of itself, if its operator lets it. RFC 4892.
//!
//! ```text
//!   version.bind.  version.server.     TXT   settings: version
//!   hostname.bind. id.server.          TXT   settings: nsid
//! ```
//!
//! Everything else of the class is refused, as NSD and Knot do: there is no zone in it, and so no
//! name that does not exist, nothing to be authoritative for and nothing to keep (TTL 0).

use crate::snapshot::Settings;
use crate::wire::header::HEADER_LEN;
use crate::wire::{Class, Full, Owner, Query, RecordType, Section, Writer};

use super::tally::Outcome;
use super::why;

/// Answers a query of class CH.
pub(super) fn tell(query: &Query<'_>, settings: &Settings, response: &mut Writer<'_>) -> Outcome {
    let asks_text = matches!(query.qtype, RecordType::TXT | RecordType::ANY);
    let text = match text_at(query.qname, settings) {
        Some(text) if asks_text => text,
        Some(_) | None => {
            response.explain(why::NOT_SUPPORTED);
            return Outcome::Refused;
        }
    };
    response.class(Class::CH);
    let mark = response.mark();
    if write(text, response).is_err() {
        response.rewind(mark);
        response.truncated();
    }
    Outcome::Told
}

fn text_at<'s>(name: &[u8], settings: &'s Settings) -> Option<&'s [u8]> {
    let is = |wire: &[u8]| name.eq_ignore_ascii_case(wire);
    if is(b"\x07version\x04bind\0") || is(b"\x07version\x06server\0") {
        settings.version.as_ref().map(|version| version.as_bytes())
    } else if is(b"\x08hostname\x04bind\0") || is(b"\x02id\x06server\0") {
        settings.nsid.as_ref().map(|nsid| nsid.as_bytes())
    } else {
        None
    }
}

fn write(text: &[u8], response: &mut Writer<'_>) -> Result<(), Full> {
    let owner = Owner::At(HEADER_LEN);
    let start = response.begin_record(Section::Answer, owner, RecordType::TXT, 0)?;
    // Settings keep both texts within the 255 octets of one character-string.
    response.bytes(&[text.len() as u8])?;
    response.bytes(text)?;
    response.end_record(start);
    Ok(())
}

//! Master files: the text form of a zone. RFC 1035 §5, RFC 2308 §4, RFC 3597 §5.
//!
//! ```text
//!   text --entries--> tokens --here--> owner, TTL, class, type --fields--> RDATA --> Records
//!                        |                                        |
//!                        directives: $ORIGIN $TTL                 domain's record types,
//!                        $INCLUDE $GENERATE                       presentation's for the others
//! ```
//!
//! The first mistake ends one entry, never the reading: everything that is wrong comes out of one
//! run, each with its place and, where one is known, its remedy.
//!
//! Where the RFCs leave a choice, this does as BIND does, because most files were written for it:
//!
//! * `$ORIGIN` starts as the apex. Class IN goes without saying, and no other is taken.
//! * A record without a TTL takes that of `$TTL`; without one, the last TTL that was written
//!   (RFC 1035 §5.1); an SOA without either takes its own MINIMUM, which then is as `$TTL`. The
//!   latter two get a warning. If there is nothing at all it is an hour, as in NSD; BIND would
//!   refuse the file.
//! * TTLs and the times of an SOA may have units: `1h30m`.
//! * A file that is included starts with the origin and owner of where it is included, and leaves
//!   both as they were; its `$TTL` stays.
//!
//! Stricter than BIND: an owner outside the zone is an error, not a record that quietly is not
//! there.

mod directives;
mod entries;
mod fields;
mod generate;
mod historic;
mod location;
mod places;
mod presentation;
mod record;
mod remedy;
mod scanner;
#[cfg(test)]
mod tests;
mod ttl;

use std::ops::Range;
use std::sync::Arc;

use super::RecordsBuilder;
use super::diagnostic::{Diagnostic, Place, Severity, Source};
use crate::wire::Name;
use entries::{Entries, Entry};
pub use generate::GENERATED_MAX;
pub use places::Places;

/// How deep files may include one another.
pub const INCLUDE_DEPTH_MAX: usize = 16;
/// How many files one zone may be made of: files that include two others each would double.
pub const INCLUDES_MAX: usize = 1000;
/// How many mistakes of one zone are reported; the reading stops there.
pub const DIAGNOSTICS_MAX: usize = 200;
/// How many records an RRset may have: more fit into no message, even without data.
pub const RRSET_RECORDS_MAX: usize = 65_535 / 12;
/// The TTL of records that nobody gave one, in seconds.
pub const TTL_WITHOUT_DEFAULT: u32 = 3600;

/// Gives the text of an included file by the path that was written, or says why it cannot.
///
/// Whoever provides it reads the file, and decides which files may be read: a zone has no business
/// outside the folder of zones.
pub type Includes<'a> = dyn FnMut(&str) -> Result<Arc<Source>, String> + 'a;

/// What a master file holds.
#[derive(Debug)]
pub struct MasterFile {
    /// The records that could be read.
    pub records: RecordsBuilder,
    /// Where each was written.
    pub places: Places,
}

/// Reads a zone from its master file; what is wrong with it is pushed onto `out`.
pub fn parse(
    source: &Arc<Source>,
    apex: &Name,
    includes: &mut Includes<'_>,
    out: &mut Vec<Diagnostic>,
) -> MasterFile {
    let mut reader = Reader {
        file: MasterFile {
            records: RecordsBuilder::with_room_for(apex.clone(), &source.text),
            places: Places::default(),
        },
        rdata: Vec::new(),
        includes,
        included: 0,
        generated: 0,
        default_ttl: None,
        last_ttl: None,
        warned_of_ttl: false,
        making: None,
        muted: false,
        found: 0,
        out,
    };
    reader.read(source, apex.clone(), Owner::None, 0);
    reader.file
}

/// What lasts over the files of a zone.
struct Reader<'r, 'i> {
    file: MasterFile,
    /// Where each record's RDATA is made.
    rdata: Vec<u8>,
    includes: &'r mut Includes<'i>,
    included: usize,
    generated: u64,
    /// `$TTL`, or the MINIMUM of an SOA that stands in for it.
    default_ttl: Option<u32>,
    /// The last TTL that a record stated.
    last_ttl: Option<u32>,
    /// An absent `$TTL` is told once.
    warned_of_ttl: bool,
    /// The line that a `$GENERATE` has made, while it is read.
    making: Option<String>,
    /// Of the lines that one `$GENERATE` makes, one warning is enough.
    muted: bool,
    found: usize,
    out: &'r mut Vec<Diagnostic>,
}

/// What lasts over the entries of a file.
struct Context<'c> {
    source: &'c Arc<Source>,
    depth: usize,
    origin: Name,
    owner: Owner,
    /// How the owner was written, if there was nothing to say of it: most lines repeat the one
    /// before.
    owner_text: String,
}

/// Whose records lines without an owner are.
#[derive(Clone)]
enum Owner {
    /// There was no owner yet.
    None,
    Good(Name),
    /// The owner was refused; its further records go with it, without a word about each.
    Refused,
}

/// The entry was wrong, and that has been said.
struct Reported;

impl<'c> Context<'c> {
    fn new(source: &'c Arc<Source>, depth: usize, origin: Name, owner: Owner) -> Self {
        Self { source, depth, origin, owner, owner_text: String::new() }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self.source), span }
    }
}

impl Reader<'_, '_> {
    fn read(&mut self, source: &Arc<Source>, origin: Name, owner: Owner, depth: usize) {
        let mut context = Context::new(source, depth, origin, owner);
        let mut entries = Entries::new(&source.text);
        while let Some(entry) = entries.advance() {
            if self.found > DIAGNOSTICS_MAX {
                return;
            }
            match entry {
                // Whether the entry was right is told by what was reported.
                Ok(entry) => drop(self.entry(&mut context, entry)),
                Err(garble) => {
                    let place = context.place(garble.span);
                    self.report(Diagnostic::error(place, garble.what).help(garble.help));
                }
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        if self.muted && diagnostic.severity == Severity::Warning {
            return Reported;
        }
        let diagnostic = match &self.making {
            Some(line) => diagnostic.labelled(format!("this makes `{line}`")),
            None => diagnostic,
        };
        if self.found < DIAGNOSTICS_MAX {
            self.out.push(diagnostic);
        } else if self.found == DIAGNOSTICS_MAX {
            self.out.push(Diagnostic::unplaced(format!(
                "zone {}: more than {DIAGNOSTICS_MAX} problems; the rest of its file is not read",
                self.file.records.apex
            )));
        }
        self.found += 1;
        Reported
    }

    fn entry(&mut self, context: &mut Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let first = &entry.tokens[0];
        if !entry.indented && !first.quoted && first.text.starts_with('$') {
            self.directive(context, entry)
        } else {
            self.record(context, entry)
        }
    }
}

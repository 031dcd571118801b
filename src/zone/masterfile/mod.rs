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
//! * After `$INCLUDE`, origin and owner are what they were before it; `$TTL` stays.
//!
//! Stricter than BIND: an owner outside the zone is an error, not a record that quietly is not
//! there.

mod entries;
mod fields;
mod presentation;
#[cfg(test)]
mod tests;
mod ttl;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Place, Source};
use super::{Records, rdata};
use crate::wire::{Name, RecordType};
use entries::{Entries, Entry, Token};
use fields::Fields;

/// How deep files may include one another.
pub const INCLUDE_DEPTH_MAX: usize = 16;
/// How many files one zone may be made of: files that include two others each would double.
pub const INCLUDES_MAX: usize = 1000;
/// How many mistakes of one zone are reported; the reading stops there.
pub const DIAGNOSTICS_MAX: usize = 200;
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
    pub records: Records,
    /// Where each was written.
    pub places: Places,
}

/// Where records were written: beside [`Records`], so that these stay comparable.
#[derive(Debug, Default)]
pub struct Places(HashMap<(Name, RecordType), Vec<Place>>);

impl Places {
    /// The place of one record, by its index in its RRset; of the set's first if there is none.
    pub fn of(&self, owner: &Name, rtype: RecordType, index: usize) -> Option<&Place> {
        let places = self.0.get(&(owner.clone(), rtype))?;
        places.get(index).or(places.first())
    }
}

/// Reads a zone from its master file; what is wrong with it is pushed onto `out`.
pub fn parse(
    source: &Arc<Source>,
    apex: &Name,
    includes: &mut Includes<'_>,
    out: &mut Vec<Diagnostic>,
) -> MasterFile {
    let mut reader = Reader {
        file: MasterFile { records: Records::new(apex.clone()), places: Places::default() },
        includes,
        included: 0,
        default_ttl: None,
        last_ttl: None,
        warned_of_ttl: false,
        found: 0,
        out,
    };
    reader.read(source, apex.clone(), 0);
    reader.file
}

/// What lasts over the files of a zone.
struct Reader<'r, 'i> {
    file: MasterFile,
    includes: &'r mut Includes<'i>,
    included: usize,
    /// `$TTL`, or the MINIMUM of an SOA that stands in for it.
    default_ttl: Option<u32>,
    /// The last TTL that a record stated.
    last_ttl: Option<u32>,
    /// An absent `$TTL` is told once.
    warned_of_ttl: bool,
    found: usize,
    out: &'r mut Vec<Diagnostic>,
}

/// What lasts over the entries of a file.
struct Context<'c> {
    source: &'c Arc<Source>,
    depth: usize,
    origin: Name,
    owner: Owner,
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

/// An entry's fields before the RDATA.
struct Head {
    owner: Name,
    ttl: Option<u32>,
    rtype: RecordType,
    /// The first token of the RDATA.
    rdata_at: usize,
}

/// The entry was wrong, and that has been said.
struct Reported;

impl Context<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self.source), span }
    }
}

impl Reader<'_, '_> {
    fn read(&mut self, source: &Arc<Source>, origin: Name, depth: usize) {
        let mut context = Context { source, depth, origin, owner: Owner::None };
        for entry in Entries::new(&source.text) {
            if self.found >= DIAGNOSTICS_MAX {
                return;
            }
            match entry {
                // Whether the entry was right is told by what was reported.
                Ok(entry) => drop(self.entry(&mut context, &entry)),
                Err(garble) => {
                    let place = context.place(garble.span);
                    self.report(Diagnostic::error(place, garble.what).help(garble.help));
                }
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.found += 1;
        if self.found == DIAGNOSTICS_MAX {
            self.out.push(diagnostic);
            self.out.push(Diagnostic::unplaced(format!(
                "zone {}: more than {DIAGNOSTICS_MAX} problems; the rest of its file is not read",
                self.file.records.apex
            )));
        } else if self.found < DIAGNOSTICS_MAX {
            self.out.push(diagnostic);
        }
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

    fn directive(&mut self, context: &mut Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let (name, arguments) = (&entry.tokens[0], &entry.tokens[1..]);
        match name.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                self.arguments(context, entry, 1..=1, "$ORIGIN example.org.")?;
                context.origin = self.name(context, &arguments[0])?;
                Ok(())
            }
            "$TTL" => {
                self.arguments(context, entry, 1..=1, "$TTL 3600")?;
                self.default_ttl = Some(self.ttl(context, &arguments[0])?);
                Ok(())
            }
            "$INCLUDE" => {
                self.arguments(context, entry, 1..=2, "$INCLUDE file [origin]")?;
                self.include(context, entry)
            }
            _ => {
                let place = context.place(name.span.clone());
                let message = format!("unknown directive `{}`", name.text);
                let help = "there are $ORIGIN, $TTL and $INCLUDE";
                Err(self.report(Diagnostic::error(place, message).help(help)))
            }
        }
    }

    fn arguments(
        &mut self,
        context: &Context<'_>,
        entry: &Entry<'_>,
        expected: std::ops::RangeInclusive<usize>,
        form: &str,
    ) -> Result<(), Reported> {
        if expected.contains(&(entry.tokens.len() - 1)) {
            return Ok(());
        }
        let message = format!("wrong number of values after {}", entry.tokens[0].text);
        let diagnostic = Diagnostic::error(context.place(entry.span()), message);
        Err(self.report(diagnostic.help(format!("write `{form}`"))))
    }

    /// RFC 1035 §5.1; the file's own origin and owners end with it.
    fn include(&mut self, context: &Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let path = &entry.tokens[1];
        let origin = match entry.tokens.get(2) {
            Some(token) => self.name(context, token)?,
            None => context.origin.clone(),
        };
        self.included += 1;
        let refused = if context.depth + 1 > INCLUDE_DEPTH_MAX {
            Err(format!("files include one another more than {INCLUDE_DEPTH_MAX} deep"))
        } else if self.included > INCLUDES_MAX {
            Err(format!("more than {INCLUDES_MAX} files are included"))
        } else {
            (self.includes)(path.text)
        };
        match refused {
            Ok(source) => {
                self.read(&source, origin, context.depth + 1);
                Ok(())
            }
            Err(why) => {
                let place = context.place(path.span.clone());
                let message = format!("`{}` is not included: {why}", path.text);
                Err(self.report(Diagnostic::error(place, message)))
            }
        }
    }

    fn record(&mut self, context: &mut Context<'_>, entry: &Entry<'_>) -> Result<(), Reported> {
        let head = self.head(context, entry)?;
        let mut fields = Fields::new(&entry.tokens, head.rdata_at, &context.origin);
        let read = fields.rdata(head.rtype);
        for token in fields.repeats_origin() {
            self.warn_of_missing_dot(context, token);
        }
        let octets = read.map_err(|fault| {
            let span = match fields.last() {
                Some(last) if !fault.is_at_end() => last.span.clone(),
                Some(_) | None => entry.span(),
            };
            let message = format!("bad {} record: {fault}", head.rtype);
            let diagnostic = Diagnostic::error(context.place(span.clone()), message);
            self.report(match remedy(head.rtype, &context.source.text[span]) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            })
        })?;
        let place = context.place(entry.span());
        let ttl = self.settle_ttl(&head, &octets, &place);
        self.add(head.owner, head.rtype, ttl, octets, place);
        Ok(())
    }

    fn add(&mut self, owner: Name, rtype: RecordType, ttl: u32, octets: Box<[u8]>, place: Place) {
        let added = self.file.records.add(owner.clone(), rtype, ttl, octets);
        // RFC 2181 §5.2; signatures go by what they cover instead (RFC 4034 §3).
        if let Some(other) = added.other_ttl.filter(|_| rtype != RecordType::RRSIG) {
            let message = format!("{owner} {rtype} has records with TTL {other} and {ttl}");
            let help = format!("one RRset has one TTL; {} is used for all", ttl.min(other));
            self.report(Diagnostic::warning(place.clone(), message).help(help));
        }
        if !added.duplicate {
            self.file.places.0.entry((owner, rtype)).or_default().push(place);
        }
    }

    /// Owner, TTL and class in either order, and type. RFC 1035 §5.1.
    fn head(&mut self, context: &mut Context<'_>, entry: &Entry<'_>) -> Result<Head, Reported> {
        let mut at = 0;
        if !entry.indented {
            // Until the new owner is known to be good, its further lines must not fall to the
            // one before it.
            context.owner = Owner::Refused;
            context.owner = Owner::Good(self.owner(context, &entry.tokens[0])?);
            at = 1;
        }
        let owner = match &context.owner {
            Owner::Good(owner) => owner.clone(),
            Owner::Refused => return Err(Reported),
            Owner::None => {
                let place = context.place(entry.span());
                let help = "a line that starts with a blank belongs to the owner before it; \
                            write the owner in the first column, or `@` for the zone itself";
                let message = "the first record has no owner";
                return Err(self.report(Diagnostic::error(place, message).help(help)));
            }
        };
        let mut ttl = None;
        let mut class_seen = false;
        while let Some(token) = entry.tokens.get(at) {
            at += 1;
            if ttl.is_none() && looks_like_ttl(token.text) {
                ttl = Some(self.ttl(context, token)?);
            } else if let Some(class) = class(token.text).filter(|_| !class_seen) {
                self.require_internet(context, token, class)?;
                class_seen = true;
            } else {
                let rtype = self.rtype(context, token)?;
                return Ok(Head { owner, ttl, rtype, rdata_at: at });
            }
        }
        let message = "this is no record: it has no type";
        let help = "write `owner [TTL] type data`";
        Err(self.report(Diagnostic::error(context.place(entry.span()), message).help(help)))
    }

    fn owner(&mut self, context: &Context<'_>, token: &Token<'_>) -> Result<Name, Reported> {
        let owner = self.name(context, token)?;
        if owner.is_at_or_under(&self.file.records.apex) {
            return Ok(owner);
        }
        let apex = &self.file.records.apex;
        let message = format!("{owner} is outside the zone {apex}");
        let help = if token.text.ends_with('.') {
            format!("owners end in {apex} or, without a final dot, are under the origin")
        } else {
            format!("the origin here is {}; see the last $ORIGIN", context.origin)
        };
        let place = context.place(token.span.clone());
        Err(self.report(Diagnostic::error(place, message).help(help)))
    }

    fn name(&mut self, context: &Context<'_>, token: &Token<'_>) -> Result<Name, Reported> {
        let mut fields = Fields::new(std::slice::from_ref(token), 0, &context.origin);
        let read = fields.name();
        for token in fields.repeats_origin() {
            self.warn_of_missing_dot(context, token);
        }
        read.map_err(|fault| {
            let message = format!("bad name `{}`: {fault}", token.text);
            self.report(Diagnostic::error(context.place(token.span.clone()), message))
        })
    }

    fn warn_of_missing_dot(&mut self, context: &Context<'_>, token: &Token<'_>) {
        let place = context.place(token.span.clone());
        let message = format!("`{}` means {0}.{}", token.text, context.origin);
        let help = format!("if that is not meant, end it with a dot: `{}.`", token.text);
        self.report(Diagnostic::warning(place, message).help(help));
    }

    fn ttl(&mut self, context: &Context<'_>, token: &Token<'_>) -> Result<u32, Reported> {
        if let Some(ttl) = ttl::seconds(token.text).filter(|&ttl| ttl <= ttl::TTL_MAX) {
            return Ok(ttl);
        }
        let message = format!("`{}` is no TTL", token.text);
        let help = "write seconds up to 2147483647, or with units as in 1h30m";
        let place = context.place(token.span.clone());
        Err(self.report(Diagnostic::error(place, message).help(help)))
    }

    fn require_internet(
        &mut self,
        context: &Context<'_>,
        token: &Token<'_>,
        class: u16,
    ) -> Result<(), Reported> {
        if class == 1 {
            return Ok(());
        }
        let message = format!("class {} is not served", token.text);
        let place = context.place(token.span.clone());
        Err(self.report(Diagnostic::error(place, message).help("write IN, or leave it out")))
    }

    fn rtype(&mut self, context: &Context<'_>, token: &Token<'_>) -> Result<RecordType, Reported> {
        let found = fields::record_type(token.text).filter(|_| !token.quoted);
        // RFC 6895 §3.1: 0 and OPT are not for records of a zone, nor are types of questions.
        let refused = |rtype: &RecordType| matches!(rtype.0, 0 | 41 | 128..=255);
        let (message, help) = match found {
            Some(rtype) if !refused(&rtype) => return Ok(rtype),
            Some(rtype) => (format!("{rtype} is no type of records in a zone"), None),
            None => {
                let close = similar_type(token.text).map(|name| format!("did you mean {name}?"));
                let help = "after the owner come TTL, class and type; \
                            a line that continues an owner's records starts with a blank";
                let help = close.unwrap_or_else(|| help.to_owned());
                (format!("`{}` is no record type", token.text), Some(help))
            }
        };
        let diagnostic = Diagnostic::error(context.place(token.span.clone()), message);
        Err(self.report(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }))
    }

    /// The TTL that a record has, by the order given at the top of this file.
    fn settle_ttl(&mut self, head: &Head, octets: &[u8], place: &Place) -> u32 {
        if let Some(ttl) = head.ttl {
            self.last_ttl = Some(ttl);
            return ttl;
        }
        if let Some(ttl) = self.default_ttl {
            return ttl;
        }
        let minimum = (head.rtype == RecordType::SOA).then(|| rdata::soa_minimum(octets)).flatten();
        let (ttl, from) = match (self.last_ttl, minimum) {
            (Some(last), _) => (last, "that of the record before"),
            (None, Some(minimum)) => {
                let minimum = minimum.min(ttl::TTL_MAX);
                self.default_ttl = Some(minimum);
                (minimum, "the minimum of the SOA")
            }
            (None, None) => {
                self.default_ttl = Some(TTL_WITHOUT_DEFAULT);
                (TTL_WITHOUT_DEFAULT, "the default")
            }
        };
        if !self.warned_of_ttl {
            self.warned_of_ttl = true;
            let message = format!("no TTL is given; {from}, {ttl}, is taken");
            let help = format!("begin the file with `$TTL {ttl}`");
            self.report(Diagnostic::warning(place.clone(), message).help(help));
        }
        ttl
    }
}

/// A count, perhaps with units; an address in the place of a type is not taken for a bad TTL.
fn looks_like_ttl(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

/// The number of a class by its mnemonic or `CLASS` and a number. RFC 3597 §5.
fn class(text: &str) -> Option<u16> {
    const MNEMONICS: [(&str, u16); 4] = [("IN", 1), ("CS", 2), ("CH", 3), ("HS", 4)];
    let known = MNEMONICS.iter().find(|(mnemonic, _)| text.eq_ignore_ascii_case(mnemonic));
    known.map(|&(_, number)| number).or_else(|| {
        let (prefix, number) = text.split_at_checked("CLASS".len())?;
        prefix.eq_ignore_ascii_case("CLASS").then(|| number.parse().ok())?
    })
}

/// How the types that people write by hand are written.
const FORMS: [(&str, &str); 16] = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("CAA", "0 issue \"ca.example.org\""),
    ("CNAME", "host.example.org."),
    ("DNAME", "example.org."),
    ("DS", "60485 8 2 (digest in hex)"),
    ("HTTPS", "1 . alpn=h2"),
    ("MX", "10 mail.example.org."),
    ("NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.org!\" ."),
    ("NS", "ns1.example.org."),
    ("PTR", "host.example.org."),
    ("SOA", "ns1.example.org. hostmaster.example.org. 1 1h 15m 1w 1m"),
    ("SRV", "0 5 443 host.example.org."),
    ("SVCB", "1 . alpn=h2"),
    ("TLSA", "3 1 1 (digest in hex)"),
    ("TXT", "\"text of up to 255 octets\" \"and more\""),
];

fn similar_type(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_uppercase();
    let close =
        |(name, _): &(&'static str, &str)| (strsim::damerau_levenshtein(&text, name), *name);
    let (distance, name) = FORMS.iter().map(close).min()?;
    // A one-letter type is one letter away from everything short.
    (distance == 1 && text.len() > 1 && name.len() > 1).then_some(name)
}

/// What to write instead of RDATA that could not be read.
fn remedy(rtype: RecordType, wrong: &str) -> Option<String> {
    if rtype == RecordType::A && wrong.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some("an IPv6 address is for AAAA".into());
    }
    if rtype == RecordType::AAAA && wrong.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("an IPv4 address is for A".into());
    }
    let rtype = rtype.to_string();
    match FORMS.iter().find(|(name, _)| *name == rtype) {
        Some((name, form)) => Some(format!("it is written like `{name} {form}`")),
        None => Some(format!("octets can be written as `{rtype} \\# length hex`")),
    }
}

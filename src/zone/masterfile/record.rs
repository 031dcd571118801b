//! One record: owner, TTL, class and type, then the data. RFC 1035 §5.1.

use super::entries::{Entry, Token};
use super::fields::Fields;
use super::remedy::{remedy, similar_type};
use super::{
    Context, Diagnostic, Owner, Place, RRSET_RECORDS_MAX, Reader, Reported, TTL_WITHOUT_DEFAULT,
    ttl,
};
use crate::wire::{Name, RecordType};
use crate::zone::rdata;

/// An entry's fields before the RDATA.
struct Head {
    ttl: Option<u32>,
    rtype: RecordType,
    /// The first token of the RDATA.
    rdata_at: usize,
}

impl Reader<'_, '_> {
    /// Reads an entry as a record and keeps it.
    pub(super) fn record(
        &mut self,
        context: &mut Context<'_>,
        entry: &Entry<'_>,
    ) -> Result<(), Reported> {
        let head = self.head(context, entry)?;
        let mut fields = Fields::new(&entry.tokens, head.rdata_at, &context.origin);
        let mut octets = std::mem::take(&mut self.rdata);
        octets.clear();
        let read = fields.rdata(head.rtype, &mut octets);
        for token in fields.repeats_origin() {
            self.warn_of_missing_dot(context, token);
        }
        let read = read.map_err(|fault| {
            let span = match fields.last() {
                Some(last) if !fault.is_at_end() => last.span.clone(),
                Some(_) | None => entry.span(),
            };
            let message = format!("bad {} record: {fault}", head.rtype);
            let diagnostic = Diagnostic::error(context.place(span.clone()), message);
            self.report(diagnostic.help(remedy(head.rtype, &context.source.text[span])))
        });
        let added = read.and_then(|()| self.add(context, entry, &head, &octets));
        self.rdata = octets;
        added
    }

    fn add(
        &mut self,
        context: &Context<'_>,
        entry: &Entry<'_>,
        head: &Head,
        octets: &[u8],
    ) -> Result<(), Reported> {
        // A head without an owner is no head.
        let Owner::Good(owner) = &context.owner else { return Err(Reported) };
        let rtype = head.rtype;
        let place = || context.place(entry.span());
        let ttl = self.settle_ttl(head, octets, place);
        let added = self.file.records.add(owner, rtype, ttl, octets);
        // RFC 2181 §5.2; signatures go by what they cover instead (RFC 4034 §3).
        if let Some(other) = added.other_ttl.filter(|_| rtype != RecordType::RRSIG) {
            let message = format!("{owner} {rtype} has records with TTL {other} and {ttl}");
            let help = format!("one RRset has one TTL; {} is used for all", ttl.min(other));
            self.report(Diagnostic::warning(place(), message).help(help));
        }
        if added.records > RRSET_RECORDS_MAX {
            let message = format!("{owner} {rtype} has more than {RRSET_RECORDS_MAX} records");
            let help = "no message can carry them; spread them over several names";
            return Err(self.report(Diagnostic::error(place(), message).help(help)));
        }
        if !added.duplicate {
            let written = (context.source, entry.span());
            self.file.places.note(added.rrset, (owner, rtype), written);
        }
        Ok(())
    }

    /// Owner, TTL and class in either order, and type. RFC 1035 §5.1.
    fn head(&mut self, context: &mut Context<'_>, entry: &Entry<'_>) -> Result<Head, Reported> {
        let mut at = 0;
        if !entry.indented {
            self.new_owner(context, &entry.tokens[0])?;
            at = 1;
        }
        match &context.owner {
            Owner::Good(_) => {}
            Owner::Refused => return Err(Reported),
            Owner::None => {
                context.owner = Owner::Refused;
                let place = context.place(entry.span());
                let help = "a line that starts with a blank belongs to the owner before it; \
                            write the owner in the first column, or `@` for the zone itself";
                let message = "the first record has no owner";
                return Err(self.report(Diagnostic::error(place, message).help(help)));
            }
        }
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
                return Ok(Head { ttl, rtype, rdata_at: at });
            }
        }
        let message = "this is no record: it has no type";
        let help = "write `owner [TTL] type data`";
        Err(self.report(Diagnostic::error(context.place(entry.span()), message).help(help)))
    }

    /// From this line on, records are this owner's.
    fn new_owner(&mut self, context: &mut Context<'_>, token: &Token<'_>) -> Result<(), Reported> {
        if context.owner_text == token.text && !token.text.is_empty() {
            return Ok(());
        }
        // Until the new owner is known to be good, its further lines must not fall to the one
        // before it.
        context.owner = Owner::Refused;
        context.owner_text.clear();
        let found = self.found;
        context.owner = Owner::Good(self.owner(context, token)?);
        // What there is to say of it is said of each line.
        if self.found == found {
            context.owner_text.push_str(token.text);
        }
        Ok(())
    }

    fn owner(&mut self, context: &Context<'_>, token: &Token<'_>) -> Result<Name, Reported> {
        let owner = self.name(context, token)?;
        if !token.text.is_ascii() {
            let place = context.place(token.span.clone());
            let message = format!("`{}` has letters outside of ASCII", token.text);
            let help = "clients ask for the `xn--` form of such a name (IDNA); write that";
            self.report(Diagnostic::warning(place, message).help(help));
        }
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

    pub(super) fn name(
        &mut self,
        context: &Context<'_>,
        token: &Token<'_>,
    ) -> Result<Name, Reported> {
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

    pub(super) fn ttl(
        &mut self,
        context: &Context<'_>,
        token: &Token<'_>,
    ) -> Result<u32, Reported> {
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
        let found = token.text.parse::<RecordType>().ok().filter(|_| !token.quoted);
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
    fn settle_ttl(&mut self, head: &Head, octets: &[u8], place: impl Fn() -> Place) -> u32 {
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
            (None, None) => (TTL_WITHOUT_DEFAULT, "the default"),
        };
        if !self.warned_of_ttl {
            self.warned_of_ttl = true;
            let message = format!("no TTL is given; {from}, {ttl}, is taken");
            let help = format!("begin the file with `$TTL {ttl}`");
            self.report(Diagnostic::warning(place(), message).help(help));
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

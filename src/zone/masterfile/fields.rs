//! Tokens to RDATA: the inner grammar of a record.
//!
//! The record types of `domain` read themselves from anything that implements its `Scanner`, so
//! this is one, over the tokens of an entry. `domain`'s own scanner (`zonefile::inplace`) is not
//! used, because it reads whole files and gives up at the first mistake; takes `@` inside RDATA
//! for a label; reads `""` as the number 0; refuses `1h` and UTF-8 in strings; and knows only a
//! line and column where this knows the token. What `domain` cannot read is read by
//! [`super::presentation`] through the same cursor.
//!
//! Types of `domain` do not leave this file: what comes out is RDATA in wire form, names
//! uncompressed and with their case kept.

use std::borrow::Cow;
use std::fmt;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData;
use domain::base::scan::{Scan, Scanner, ScannerError, Symbol, Symbols};
use domain::base::{Name as DomainName, ParsedName};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use domain::utils::{base16, base64};

use super::entries::Token;
use super::presentation;
use crate::wire::{Name, RecordType};
use crate::zone::rdata;

/// Most octets of one record's RDATA: its length has 16 bits. RFC 1035 §3.2.1.
const RDATA_LEN_MAX: usize = u16::MAX as usize;

/// Why tokens are not the RDATA of a type.
#[derive(Debug)]
pub(super) struct Fault {
    what: Cow<'static, str>,
    /// The entry ended where more was expected.
    at_end: bool,
}

impl Fault {
    pub(super) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), at_end: false }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

impl ScannerError for Fault {
    fn custom(message: &'static str) -> Self {
        Self::new(match message {
            "unknown record type with concrete data" => "the text form of this type is not known",
            other => other,
        })
    }

    fn end_of_entry() -> Self {
        Self { what: "something is missing at the end".into(), at_end: true }
    }

    fn short_buf() -> Self {
        Self::new("too long for one record")
    }

    fn trailing_tokens() -> Self {
        Self::new("the record should end before this")
    }
}

/// The tokens of an entry that are not yet read.
pub(super) struct Fields<'t, 'a> {
    tokens: &'t [Token<'a>],
    /// The next token to read.
    at: usize,
    origin: &'t Name,
    /// Tokens that are relative names although they repeat the origin.
    repeats_origin: Vec<usize>,
}

impl<'t, 'a> Fields<'t, 'a> {
    /// `at` is the first token to read; the ones before it are only counted.
    pub(super) fn new(tokens: &'t [Token<'a>], at: usize, origin: &'t Name) -> Self {
        Self { tokens, at, origin, repeats_origin: Vec::new() }
    }

    /// Appends all that is left to `wire`, which is empty, as the RDATA of a type.
    pub(super) fn rdata(&mut self, rtype: RecordType, wire: &mut Vec<u8>) -> Result<(), Fault> {
        let generic = self.is_generic();
        if generic || !presentation::read(rtype, self, wire)? {
            let data: ZoneRecordData<Vec<u8>, DomainName<Vec<u8>>> =
                ZoneRecordData::scan(text_form(rtype), self)?;
            data.compose_rdata(wire).map_err(|_| Fault::short_buf())?;
        }
        if self.peek().is_some() {
            self.at += 1;
            return Err(Fault::trailing_tokens());
        }
        if wire.len() > RDATA_LEN_MAX {
            return Err(Fault::short_buf());
        }
        if generic && !is_well_formed(rtype, wire) {
            return Err(Fault::new(format!("these octets are not those of {rtype}")));
        }
        Ok(())
    }

    /// The last token that was read.
    pub(super) fn last(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at.checked_sub(1)?)
    }

    /// The names read so far that look as if their final dot were forgotten.
    pub(super) fn repeats_origin(&self) -> impl Iterator<Item = &'t Token<'a>> {
        self.repeats_origin.iter().map(|&index| &self.tokens[index])
    }

    /// True where what comes is `\#`, a length, and octets in hexadecimal. RFC 3597 §5.
    pub(super) fn is_generic(&self) -> bool {
        self.peek().is_some_and(|token| !token.quoted && token.text == r"\#")
    }

    pub(super) fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    pub(super) fn token(&mut self) -> Result<&'t Token<'a>, Fault> {
        let token = self.tokens.get(self.at).ok_or_else(Fault::end_of_entry)?;
        self.at += 1;
        Ok(token)
    }

    /// A token as it is; for what has no escapes: numbers, addresses, mnemonics.
    pub(super) fn word(&mut self) -> Result<&'a str, Fault> {
        Ok(self.token()?.text)
    }

    /// A token with its escapes resolved.
    pub(super) fn octets(&mut self) -> Result<Vec<u8>, Fault> {
        unescape(self.token()?.text)
    }

    /// A domain name; relative ones are under the origin, which `@` stands for. RFC 1035 §5.1.
    pub(super) fn name(&mut self) -> Result<Name, Fault> {
        let index = self.at;
        let token = self.token()?;
        if token.text.is_empty() {
            return Err(Fault::new("an empty name"));
        }
        let found = Name::from_text_under(token.text, self.origin)
            .map_err(|error| Fault::new(error.to_string()))?;
        // A single label cannot tell: `mail` under `mail.` may well be meant.
        if token.text.contains('.')
            && self.origin.label_count() > 1
            && !token.text.ends_with('.')
            && Name::from_text(token.text).is_ok_and(|it| it.is_at_or_under(self.origin))
        {
            self.repeats_origin.push(index);
        }
        Ok(found)
    }

    /// A number of the type's own size.
    pub(super) fn number<T: Scan<Self>>(&mut self) -> Result<T, Fault> {
        T::scan(self)
    }

    /// Base 64 in any number of tokens up to the end.
    pub(super) fn base64_to_end(&mut self) -> Result<Vec<u8>, Fault> {
        self.convert_entry(base64::SymbolConverter::new())
    }

    /// Base 64 in one token.
    pub(super) fn base64(&mut self) -> Result<Vec<u8>, Fault> {
        self.convert_token(base64::SymbolConverter::new())
    }

    /// Hexadecimal digits in any number of tokens up to the end.
    pub(super) fn hex_to_end(&mut self) -> Result<Vec<u8>, Fault> {
        self.convert_entry(base16::SymbolConverter::new())
    }

    /// Hexadecimal digits in one token.
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, Fault> {
        self.convert_token(base16::SymbolConverter::new())
    }

    /// A list of types up to the end, as a bitmap. RFC 4034 §4.1.2.
    pub(super) fn type_bitmap(&mut self) -> Result<Vec<u8>, Fault> {
        let bitmap = domain::rdata::dnssec::RtypeBitmap::<Vec<u8>>::scan(self)?;
        Ok(bitmap.as_slice().to_vec())
    }
}

/// The type whose text a type has: SIG's is RRSIG's. RFC 4034 §3.2.
fn text_form(rtype: RecordType) -> Rtype {
    match rtype {
        RecordType::SIG => Rtype::RRSIG,
        other => Rtype::from_int(other.0),
    }
}

pub(super) fn each_symbol(
    text: &str,
    op: &mut impl FnMut(Symbol) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut symbols = Symbols::new(text.chars());
    for symbol in &mut symbols {
        op(symbol)?;
    }
    symbols.ok().map_err(|_| bad_escape())
}

fn bad_escape() -> Fault {
    Fault::new("a backslash must be followed by a character or three digits up to 255")
}

/// The octets that a token means; what is not ASCII stands for its octets in UTF-8.
fn unescape(text: &str) -> Result<Vec<u8>, Fault> {
    let mut octets = Vec::with_capacity(text.len());
    each_symbol(text, &mut |symbol| {
        match symbol {
            Symbol::Char(letter) => {
                octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Symbol::SimpleEscape(octet) | Symbol::DecimalEscape(octet) => octets.push(octet),
        }
        Ok(())
    })?;
    Ok(octets)
}

/// Octets given in the generic form must be what their type says, if it is a known one: a resolver
/// would throw the whole answer away. RFC 3597 §5.
fn is_well_formed(rtype: RecordType, octets: &[u8]) -> bool {
    if !rdata::fits_layout(rtype, octets) {
        return false;
    }
    let mut parser = Parser::from_ref(octets);
    let parsed: Result<ZoneRecordData<&[u8], ParsedName<&[u8]>>, _> =
        domain::base::rdata::ParseRecordData::parse_rdata(Rtype::from_int(rtype.0), &mut parser)
            .map(|data| data.expect("every type is known or unknown record data"));
    let mut again = Vec::new();
    // What reads a compressed name writes it uncompressed, which shows here.
    parsed.is_ok_and(|data| data.compose_rdata(&mut again).is_ok())
        && parser.remaining() == 0
        && again == octets
}

//! What lets the record types of `domain` read themselves from our tokens.
//!
//! Each method takes one token, or with `entry` in its name all that are left.

use domain::base::Name as DomainName;
use domain::base::charstr::CharStr;
use domain::base::scan::{ConvertSymbols, EntrySymbol, Scanner, Symbol};
use domain::dep::octseq::str::Str;

use super::fields::{Fault, Fields, each_symbol};

impl Scanner for Fields<'_, '_> {
    type Octets = Vec<u8>;
    type OctetsBuilder = Vec<u8>;
    type Name = DomainName<Vec<u8>>;
    type Error = Fault;

    fn has_space(&self) -> bool {
        self.peek().is_some_and(|token| !token.glued)
    }

    fn continues(&mut self) -> bool {
        self.peek().is_some()
    }

    fn scan_symbols<F>(&mut self, mut op: F) -> Result<(), Fault>
    where
        F: FnMut(Symbol) -> Result<(), Fault>,
    {
        let token = self.token()?;
        if token.text.is_empty() {
            return Err(Fault::new("an empty string where a value is expected"));
        }
        each_symbol(token.text, &mut op)
    }

    fn scan_entry_symbols<F>(&mut self, mut op: F) -> Result<(), Fault>
    where
        F: FnMut(EntrySymbol) -> Result<(), Fault>,
    {
        while self.continues() {
            each_symbol(self.token()?.text, &mut |symbol| op(symbol.into()))?;
            op(EntrySymbol::EndOfToken)?;
        }
        Ok(())
    }

    fn convert_token<C: ConvertSymbols<Symbol, Fault>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::new();
        each_symbol(self.token()?.text, &mut |symbol| {
            octets.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or_default());
            Ok(())
        })?;
        octets.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(octets)
    }

    fn convert_entry<C: ConvertSymbols<EntrySymbol, Fault>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::new();
        self.scan_entry_symbols(|symbol| {
            octets.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or_default());
            Ok(())
        })?;
        octets.extend_from_slice(convert.process_tail()?.unwrap_or_default());
        Ok(octets)
    }

    fn scan_octets(&mut self) -> Result<Vec<u8>, Fault> {
        self.octets()
    }

    fn scan_svcb_octets(&mut self) -> Result<Vec<u8>, Fault> {
        let mut octets = self.octets()?;
        while self.peek().is_some_and(|token| token.glued) {
            octets.extend(self.octets()?);
        }
        Ok(octets)
    }

    fn scan_ascii_str<F, T>(&mut self, op: F) -> Result<T, Fault>
    where
        F: FnOnce(&str) -> Result<T, Fault>,
    {
        let octets = self.octets()?;
        match str::from_utf8(&octets) {
            Ok(text) if text.is_ascii() => op(text),
            Ok(_) | Err(_) => Err(Fault::new("a letter outside of ASCII")),
        }
    }

    fn scan_name(&mut self) -> Result<Self::Name, Fault> {
        let found = self.name()?;
        DomainName::from_octets(found.as_wire().to_vec())
            .map_err(|_| Fault::new("not a domain name"))
    }

    fn scan_charstr(&mut self) -> Result<CharStr<Vec<u8>>, Fault> {
        CharStr::from_octets(self.octets()?)
            .map_err(|_| Fault::new("a string of more than 255 octets"))
    }

    fn scan_string(&mut self) -> Result<Str<Vec<u8>>, Fault> {
        Str::from_utf8(self.octets()?).map_err(|_| Fault::new("not UTF-8"))
    }

    fn scan_charstr_entry(&mut self) -> Result<Vec<u8>, Fault> {
        let mut octets = Vec::new();
        loop {
            let string = self.scan_charstr()?;
            octets.push(string.len() as u8);
            octets.extend_from_slice(string.as_slice());
            if !self.continues() {
                return Ok(octets);
            }
        }
    }

    fn scan_opt_unknown_marker(&mut self) -> Result<bool, Fault> {
        let marked = self.is_generic();
        if marked {
            self.token()?;
        }
        Ok(marked)
    }

    fn octets_builder(&mut self) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }
}

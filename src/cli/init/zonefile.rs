//! The nodes of a name in a master file, and the records beside and below it.
//!
//! The parent zone's file is what people have. Whatever stands at or below the name moves with it:
//! what was answered there before is answered there after the delegation.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::base::rdata::ParseRecordData;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::base::{ParsedName, Rtype};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;

use super::super::delegation::address;
use super::super::report::bare;
use super::draft::Draft;
use crate::config::render;
use crate::wire::{Name, RecordType};
use crate::zone::diagnostic::has_errors;
use crate::zone::{Records, Source, masterfile};

/// A draft with a name's addresses and the other records at and below it.
pub(super) fn draft(
    path: &Path,
    name: Option<&Name>,
    origin: Option<&Name>,
) -> anyhow::Result<Draft> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let origin = match origin {
        Some(origin) => origin.clone(),
        None => origin_of(&text, path)
            .with_context(|| format!("{} does not say its zone: add --origin", path.display()))?,
    };
    let name = name.unwrap_or(&origin);
    if !name.is_at_or_under(&origin) {
        bail!("{} is not in {}, the zone of {}", bare(name), bare(&origin), path.display());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut includes = |included: &str| {
        let path = folder.join(included);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(Arc::new(Source { path: path.display().to_string(), text }))
    };
    let source = Arc::new(Source { path: path.display().to_string(), text });
    let mut told = Vec::new();
    let records = masterfile::parse(&source, &origin, &mut includes, &mut told).records.finish();
    if has_errors(&told) {
        bail!("the file has errors:\n{}", render(&told, false));
    }
    let mut draft = of_records(name, &records)?;
    draft.origin.push(format!("Its nodes are the addresses that {} has.", path.display()));
    Ok(draft)
}

fn of_records(name: &Name, records: &Records) -> anyhow::Result<Draft> {
    let shown = bare(name);
    if let Some(alias) = records.get(name, RecordType::CNAME) {
        let target = Name::from_wire(alias.first()).context("a CNAME's target is a name")?;
        bail!("{shown} is an alias of {}: take that name, or --from dig", bare(&target));
    }
    let whole = *name == records.apex;
    if !whole && records.get(name, RecordType::NS).is_some() {
        bail!("{shown} is delegated there already, so its addresses are in another file");
    }
    let mut draft = Draft { has_start: whole, ..Draft::of(name.clone()) };
    for rrset in records.rrsets() {
        let (owner, rtype) = (rrset.name(), rrset.rtype);
        if !owner.is_at_or_under(name) {
            continue;
        }
        let steered = owner == *name && matches!(rtype, RecordType::A | RecordType::AAAA);
        for rdata in rrset.rdata() {
            if steered {
                draft.nodes.extend(address(rdata).map(|address| address.to_string()));
            } else {
                let data = presentation(rtype, rdata, name);
                draft.records.push(format!("{owner}\t{}\tIN\t{rtype}\t{data}", rrset.ttl));
            }
        }
    }
    if draft.nodes.is_empty() {
        bail!("{shown} has neither A nor AAAA there; --name takes another name of the file");
    }
    Ok(draft)
}

/// RDATA as a master file has it; in the form of unknown types where the usual one is not known to
/// say the same again. RFC 3597 §5.
fn presentation(rtype: RecordType, rdata: &[u8], apex: &Name) -> String {
    let mut parser = Parser::from_ref(rdata);
    let parsed = ZoneRecordData::<&[u8], ParsedName<&[u8]>>::parse_rdata(
        Rtype::from_int(rtype.0),
        &mut parser,
    );
    if let Ok(Some(data)) = parsed {
        let text = data.display_zonefile(DisplayKind::Simple).to_string();
        if reads_as(rtype, &text, apex, rdata) {
            return text;
        }
    }
    let digits: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("\\# {} {digits}", rdata.len())
}

/// Whether our own reader takes the text for this RDATA, in a file of this zone.
fn reads_as(rtype: RecordType, text: &str, apex: &Name, rdata: &[u8]) -> bool {
    let line = Source { path: String::new(), text: format!("@ 0 IN {rtype} {text}\n") };
    let mut none = |_: &str| Err(String::new());
    let read = masterfile::parse(&Arc::new(line), apex, &mut none, &mut Vec::new());
    read.records.get(apex, rtype) == [rdata]
}

/// The zone that a file speaks of: as its first absolute `$ORIGIN` or SOA says, or else its name.
fn origin_of(text: &str, path: &Path) -> Option<Name> {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        let found = if first.eq_ignore_ascii_case("$ORIGIN") {
            words.next()
        } else if words.any(|word| word.eq_ignore_ascii_case("SOA")) {
            Some(first)
        } else {
            continue;
        };
        if let Some(found) = found.filter(|found| found.ends_with('.')) {
            return Name::from_text(found).ok();
        }
    }
    let file = path.file_name()?.to_str()?;
    let file = file.strip_prefix("db.").unwrap_or(file);
    let stem = [".zone", ".db", ".txt"].iter().find_map(|end| file.strip_suffix(end));
    let stem = stem.unwrap_or(file);
    stem.contains('.').then(|| Name::from_text(stem).ok()).flatten()
}

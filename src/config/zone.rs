//! One zone: what its files say together.
//!
//! ```text
//!   <apex>.zone  ->  records ─┐
//!   <apex>.toml  ->  [zone]  ─┴> records with SOA, NS, glue ─┐
//!                    [check.*] ─> recipes ─> [service.*]  ────┴─> ZoneModel
//! ```
//!
//! A zone with any error is not served at all: half of what an operator meant is not what the
//! operator meant. It stays known as broken, so that its names get SERVFAIL and not REFUSED.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::check::Checks;
use super::grants::Grants;
use super::needs;
use super::reader::Reader;
use super::service::{self, Around, Heading};
use super::tables::{ZONE, ZONE_FILE};
use super::value::in_order;
use super::{delegation, published, records, sort_by_place, syntax};
use crate::geo::Atlas;
use crate::snapshot::{Authored, ZoneModel};
use crate::wire::{Name, RecordType};
use crate::zone::masterfile::{Includes, MasterFile};
use crate::zone::{Diagnostic, Place, RecordsBuilder, Source, diagnostic::has_errors};

/// The files of one apex, as they were read; at least one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneFiles {
    /// The zone's name, from the files' name.
    pub apex: Name,
    /// `<apex>.toml`.
    pub toml: Option<Arc<Source>>,
    /// `<apex>.zone`.
    pub master: Option<Arc<Source>>,
    /// The newest time of both files, in seconds: the serial of an SOA made from `[zone]`.
    pub serial: u32,
}

/// Reads one zone from texts alone and reports every problem; they cannot name other files,
/// programs are taken to be there, and places are not compared with what is known of clients.
pub fn read_zone(files: &ZoneFiles, out: &mut Vec<Diagnostic>) -> Authored {
    let mut none = |_: &str| Err(String::from("there are no files beside this one"));
    let grants = Grants { program: &|name| Ok(name.into()), states: Path::new("") };
    read_zone_with(files, &mut none, &grants, None, out)
}

/// Reads one zone and reports every problem in its files; `includes` reads what a master file
/// includes and what a check names, `grants` is what it may do with the machine, and `atlas` is
/// what is known of clients, unless that cannot be told.
pub fn read_zone_with(
    files: &ZoneFiles,
    includes: &mut Includes<'_>,
    grants: &Grants<'_>,
    atlas: Option<&Atlas>,
    out: &mut Vec<Diagnostic>,
) -> Authored {
    let before = out.len();
    let MasterFile { records, places } = records::read(files, includes, out);
    // Where the master file has errors, what seems to be missing from it may stand in them.
    let complete = !has_errors(&out[before..]);
    let model = read_with_records(files, records, complete, includes, grants, atlas, out);
    if let Some(model) = &model
        && files.master.is_some()
        && !has_errors(&out[before..])
    {
        records::judge(&model.records, &places, &model.services, out);
    }
    sort_by_place(&mut out[before..]);
    match model {
        Some(model) if !has_errors(&out[before..]) => Authored::Good(Arc::new(model)),
        Some(_) | None => Authored::Broken(files.apex.clone()),
    }
}

/// Reads the TOML file beside records that are already there; `includes` reads what it names.
pub(super) fn read_with_records(
    files: &ZoneFiles,
    mut records: RecordsBuilder,
    complete: bool,
    includes: &mut Includes<'_>,
    grants: &Grants<'_>,
    atlas: Option<&Atlas>,
    out: &mut Vec<Diagnostic>,
) -> Option<ZoneModel> {
    let mut services = Vec::new();
    if let Some(source) = &files.toml {
        let tree = syntax::parse(source, out)?;
        let mut reader = Reader::new(source, out);
        let file = reader.fields(&ZONE_FILE, tree.get_ref(), 0..0);
        if let Some((table, span)) = file.table("zone") {
            let zone = reader.fields(&ZONE, table, span.clone());
            let held = [RecordType::SOA, RecordType::NS];
            if let Some(rtype) = held.iter().find(|it| records.has(&files.apex, **it)) {
                let message = format!("[zone] stands beside the master file's {rtype} record");
                let help = "keep one of the two: both say which name servers the zone has";
                reader.refuse(span, message, help);
            }
            delegation::add(&zone, files.serial, &mut records, &mut reader);
        }
        let mut checks = Checks::read(&file, includes, grants, &mut reader);
        let mut seen: BTreeMap<Name, String> = BTreeMap::new();
        let (mut extras, mut read_services) = (Vec::new(), Vec::new());
        let around = Around { records: &records, atlas };
        for (name, value) in file.table("service").into_iter().flat_map(|(it, _)| in_order(it)) {
            let written = name.get_ref().to_string();
            let heading = Heading::read(&written, name.span(), &files.apex, &mut reader);
            let Some(heading) = heading else { continue };
            if let Some(first) = seen.insert(heading.owner.clone(), written.clone()) {
                let message = format!("\"{written}\" is the same name as \"{first}\" above");
                reader.refuse(name.span(), message, "keep one of the two");
            }
            let read = service::read(&heading, value, &around, &mut checks, &mut reader);
            let Some((service, names)) = read else { continue };
            read_services.push((value, service));
            extras.extend(names);
        }
        services = needs::resolve(read_services, &files.apex, &mut reader);
        let owners: Vec<Name> = seen.into_keys().collect();
        published::add(extras, &owners, &mut records, &mut reader);
        checks.warn_unused(&mut reader);
        if !file.written("zone") && complete {
            judge_authority(files, &records, out);
        }
    } else if complete {
        judge_authority(files, &records, out);
    }
    Some(ZoneModel { records: records.finish(), services })
}

/// Every zone has an SOA. RFC 1034 §4.2.1.
fn judge_authority(files: &ZoneFiles, records: &RecordsBuilder, out: &mut Vec<Diagnostic>) {
    if records.has(&files.apex, RecordType::SOA) {
        return;
    }
    let (what, help) = if files.master.is_some() {
        ("SOA record", "add one, or write [zone] in the zone's .toml file in place of NS records")
    } else {
        let help =
            "write [zone] with ns = [\"ns1 192.0.2.53\"]: each server's name and public address";
        ("name servers", help)
    };
    let message = format!("the zone {} has no {what}", files.apex);
    // The master file is where an SOA would be; without one, the start of the TOML file.
    let source = files.master.as_ref().or(files.toml.as_ref());
    let place = source.map(|source| Place { source: Arc::clone(source), span: 0..0 });
    out.push(Diagnostic { place, ..Diagnostic::unplaced(message).help(help) });
}

//! Master files beside the TOML: read, and checked against the services of the same zone.

use std::sync::Arc;

use super::zone::ZoneFiles;
use crate::steer::Service;
use crate::zone::masterfile::{Includes, MasterFile, Places, parse};
use crate::zone::{Diagnostic, Records, RecordsBuilder, check};

/// Reads a zone's master file, if it has one, reporting every problem in it.
pub(super) fn read(
    files: &ZoneFiles,
    includes: &mut Includes<'_>,
    out: &mut Vec<Diagnostic>,
) -> MasterFile {
    match &files.master {
        Some(source) => parse(source, &files.apex, includes, out),
        None => MasterFile {
            records: RecordsBuilder::new(files.apex.clone()),
            places: Places::default(),
        },
    }
}

/// Checks a zone's records against one another. Services have addresses without having records.
pub(super) fn judge(
    records: &Records,
    places: &Places,
    services: &[Arc<Service>],
    out: &mut Vec<Diagnostic>,
) {
    let steered = |name: &_| services.iter().any(|service| service.owner == *name);
    check::check(records, places, &steered, out);
}

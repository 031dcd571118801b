//! What the owner of the parent zone must add.

use super::bare;
use super::page::Page;
use crate::cli::delegation::Delegation;
use crate::cli::doctor::records;
use crate::snapshot::ZoneModel;

impl Page {
    /// NS and glue, as the parent zone's file has them.
    pub(super) fn parent(&mut self, zone: &ZoneModel) {
        let Some(parent) = zone.records.apex.parent() else { return };
        self.line(1, format_args!("for the parent zone, {}", bare(&parent)));
        for line in records::bind(&Delegation::of(zone)).lines() {
            self.line(2, line);
        }
        self.line(2, "DS: none, the zone is not signed");
    }
}

//! How the pace of a check changes with what it finds: `fast`, `idle` and `hold_down`.

use std::time::Duration;

use super::fields::Fields;
use super::reader::Reader;
use super::tables::HOLD_DOWN;
use crate::health::{Check, HoldDown};

/// The keys of a check that say when it asks sooner, later or longer.
#[derive(Clone, Debug)]
pub(super) struct Pacing {
    fast: Option<Duration>,
    idle: Option<Duration>,
    hold_down: Option<HoldDown>,
}

impl Pacing {
    /// Reads the keys; `every` is that of the same table.
    pub(super) fn read(fields: &Fields<'_>, every: Duration, reader: &mut Reader<'_>) -> Self {
        let written = |key: &str| fields.written(key).then(|| fields.duration(key));
        let (fast, idle) = (written("fast"), written("idle"));
        let shown = humantime::format_duration;
        if let Some(fast) = fast.filter(|&fast| fast > every)
            && fields.sound(&["every", "fast"])
        {
            let message =
                format!("`fast` is {}, longer than `every`, {}", shown(fast), shown(every));
            let help = "it is the pace while verdicts are being counted: lower it, or leave it out";
            reader.refuse(fields.value_span("fast"), message, help);
        }
        if let Some(idle) = idle.filter(|&idle| idle < every)
            && fields.sound(&["every", "idle"])
        {
            let message =
                format!("`idle` is {}, shorter than `every`, {}", shown(idle), shown(every));
            let help = "it is the pace of what has been up for long: raise it, or leave it out";
            reader.refuse(fields.value_span("idle"), message, help);
        }
        Self { fast, idle, hold_down: read_hold_down(fields, reader) }
    }

    /// The check at this pace.
    pub(super) fn applied(self, check: Check) -> Check {
        let Self { fast, idle, hold_down } = self;
        Check { fast, idle, hold_down, ..check }
    }
}

/// A table, or whether there is one at all.
fn read_hold_down(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<HoldDown> {
    let Some((table, span)) = fields.table("hold_down") else {
        let written = fields.value("hold_down").and_then(|value| value.get_ref().as_bool());
        return written.unwrap_or(true).then_some(HoldDown::DEFAULT);
    };
    let table = reader.fields(&HOLD_DOWN, table, span);
    let hold_down = HoldDown {
        // The key's bounds lie within 32 bits.
        after: u32::try_from(table.number("after")).unwrap_or(u32::MAX),
        within: table.duration("within"),
        max: table.duration("max"),
    };
    if hold_down.max > hold_down.within && table.sound(&["within", "max"]) {
        let within = humantime::format_duration(hold_down.within);
        let message = format!("`max` can never be reached: falls are forgotten after {within}");
        reader.refuse(table.value_span("max"), message, "lower `max`, or raise `within`");
    }
    Some(hold_down)
}

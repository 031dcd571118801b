//! What keeps the checks of a service from doing harm: `panic`, `max_withdraw`, `slow_start`,
//! `quorum`.

use std::num::NonZeroU8;

use super::check::Demand;
use super::fields::Fields;
use super::reader::Reader;
use super::tables::MAX_WITHDRAW;
use crate::health::{Ask, Check, Quorum, Share};
use crate::steer::{Guard, MaxWithdraw, Policy};

/// Reads the guards of a service with this policy.
pub(super) fn read(fields: &Fields<'_>, policy: Policy, reader: &mut Reader<'_>) -> Guard {
    let slow_start = Some(fields.duration("slow_start")).filter(|lasts| !lasts.is_zero());
    if slow_start.is_some() && !policy.heeds_weights() {
        let message = format!("`policy = \"{}\"` takes no notice of weights", policy.word());
        let help = "write policy = \"weighted\": a node that returns has but a part of its weight";
        reader.warn(fields.value_span("slow_start"), message, help);
    }
    let panic = Some(fields.share("panic")).filter(|panic| *panic > Share::thousandths(0));
    Guard { panic, max_withdraw: read_max_withdraw(fields, reader), slow_start }
}

/// How many of those who look at an address must find it down.
pub(super) fn read_quorum(fields: &Fields<'_>) -> Quorum {
    let count = u8::try_from(fields.number("quorum")).ok().and_then(NonZeroU8::new);
    match fields.value("quorum").and_then(|value| value.get_ref().as_str()) {
        Some("majority") => Quorum::Majority,
        Some(_) => Quorum::All,
        // The key's bounds lie within 8 bits, without zero.
        None => count.map_or(Quorum::ANY, Quorum::Count),
    }
}

/// Weights cannot follow what nobody says.
pub(super) fn judge_load(
    fields: &Fields<'_>,
    policy: Policy,
    checks: &[Demand],
    reader: &mut Reader<'_>,
) {
    let tells = |check: &Check| match &check.ask {
        Ask::Http(ask) => ask.load.is_some(),
        Ask::Agent(_) => true,
        Ask::Tcp(_)
        | Ask::Tls(_)
        | Ask::Grpc(_)
        | Ask::Dns(_)
        | Ask::Exec(_)
        | Ask::File(_)
        | Ask::WebSocket(_) => false,
    };
    if policy == Policy::LeastLoaded && !checks.iter().flat_map(Demand::checks).any(tells) {
        let message = "no check of the service says where nodes tell their load";
        let help =
            "write load = \"header\" (or json, or metric) in its check, or add an agent check";
        reader.warn(fields.value_span("policy"), message, help);
    }
}

/// A table, or whether there is a limit at all.
fn read_max_withdraw(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<MaxWithdraw> {
    let Some((table, span)) = fields.table("max_withdraw") else {
        return fields.flag("max_withdraw").then_some(MaxWithdraw::DEFAULT);
    };
    let table = reader.fields(&MAX_WITHDRAW, table, span);
    Some(MaxWithdraw { share: table.share("share"), within: table.duration("within") })
}

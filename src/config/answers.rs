//! What the answers of a service look like: `policy`, `answers`, `spread`, `ttl`, `when_all_down`.

use std::num::NonZeroU16;
use std::time::Duration;

use super::fields::Fields;
use super::nodes::Draft;
use super::pools::PoolDraft;
use super::reader::Reader;
use super::suggest::nearest;
use super::tables::TTL;
use super::value::{as_duration, number};
use crate::steer::{Answers, Policy, SPREAD_MAX, Ttl, WhenAllDown};

/// How addresses are picked: what is written, or else by whether weights differ.
pub(super) fn read_policy(
    fields: &Fields<'_>,
    pools: &[PoolDraft<'_>],
    reader: &mut Reader<'_>,
) -> Policy {
    let differ = |pair: &[Draft<'_>]| pair[0].weight != pair[1].weight;
    let weighted = pools.iter().any(|pool| pool.nodes.windows(2).any(differ));
    let written = fields.word("policy");
    let policy = Policy::ALL.into_iter().find(|policy| policy.word() == written);
    // Not written, or refused.
    let ramped = !fields.duration("slow_start").is_zero();
    let policy =
        policy.unwrap_or(if weighted || ramped { Policy::Weighted } else { Policy::Rotate });
    if weighted && !policy.heeds_weights() {
        let help = "write policy = \"weighted\", or leave the key out";
        let message = format!("`policy = \"{written}\"` takes no notice of weights");
        reader.warn(fields.value_span("policy"), message, help);
    }
    policy
}

/// How many addresses an answer holds.
pub(super) fn read_answers(fields: &Fields<'_>, policy: Policy) -> Answers {
    let Some(value) = fields.value("answers") else { return Answers::default_of(policy) };
    match number(value.get_ref()) {
        // The key's bounds lie within 16 bits, without zero.
        Some(count) => u16::try_from(count)
            .ok()
            .and_then(NonZeroU16::new)
            .map_or(Answers::DEFAULT, Answers::UpTo),
        None => Answers::All,
    }
}

/// The labels that addresses of one answer should not share.
pub(super) fn read_spread(
    fields: &Fields<'_>,
    pools: &[PoolDraft<'_>],
    answers: Answers,
    reader: &mut Reader<'_>,
) -> Vec<String> {
    let nodes = || pools.iter().flat_map(|pool| &pool.nodes);
    let mut spread: Vec<String> = Vec::new();
    for label in fields.texts("spread", reader) {
        if spread.contains(&label.text) {
            reader.refuse(label.span, format!("{} stands twice", label.text), "remove one");
            continue;
        }
        if !nodes().any(|node| node.labels.contains_key(&label.text)) {
            let known = nodes().flat_map(|node| node.labels.keys()).map(String::as_str);
            let help = match nearest(&label.text, known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write it: {{ …, labels = {{ {} = \"a\" }} }}", label.text),
            };
            reader.warn(label.span, format!("no node has the label {}", label.text), help);
        }
        spread.push(label.text);
    }
    let span = || fields.value_span("spread");
    if spread.len() > SPREAD_MAX {
        let message = format!("{} labels are more than {SPREAD_MAX}", spread.len());
        reader.refuse(span(), message, "keep those that fail together");
    }
    if answers == Answers::UpTo(NonZeroU16::MIN) && !spread.is_empty() {
        let help = "raise `answers`, or leave `spread` out";
        reader.warn(span(), "`spread` has no effect: an answer holds one address", help);
    }
    spread
}

/// What is answered when no pool serves: a word of its own, or a pool's name.
pub(super) fn read_when_all_down(
    fields: &Fields<'_>,
    pools: &[PoolDraft<'_>],
    reader: &mut Reader<'_>,
) -> WhenAllDown {
    let written = fields.word("when_all_down");
    let pool = pools.iter().position(|pool| !written.is_empty() && pool.name.text == written);
    let rule = match written.as_str() {
        "open" => Some(WhenAllDown::Open),
        "closed" => Some(WhenAllDown::Closed),
        "last-known" => Some(WhenAllDown::LastKnown),
        _ => None,
    };
    match (rule, pool) {
        (Some(_), Some(_)) if fields.value("when_all_down").is_some() => {
            let message = format!("\"{written}\" is a rule and a pool's name too");
            let help = "give the pool another name";
            reader.refuse(fields.value_span("when_all_down"), message, help);
        }
        (None, None) if fields.sound(&["when_all_down", "pool"]) => {
            let names = pools.iter().map(|pool| pool.name.text.as_str());
            let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
            let words = ["open", "closed", "last-known"];
            let help = match nearest(&written, words.into_iter().chain(names.iter().copied())) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => {
                    let or = if names.is_empty() { "" } else { ", or a pool: " };
                    format!("it takes \"open\", \"closed\", \"last-known\"{or}{}", names.join(", "))
                }
            };
            let message = format!("there is no pool \"{written}\"");
            reader.refuse(fields.value_span("when_all_down"), message, help);
        }
        (_, _) => {}
    }
    rule.or(pool.map(WhenAllDown::Pool)).unwrap_or(WhenAllDown::Open)
}

/// One duration for both, or a table of two.
pub(super) fn read_ttl(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Ttl {
    let Some((table, span)) = fields.table("ttl") else {
        let both = fields.value("ttl").and_then(|value| as_duration(value.get_ref()));
        let both = seconds(both.unwrap_or(TTL_DEFAULT));
        return Ttl { calm: both, alert: both };
    };
    let ttl = reader.fields(&TTL, table, span);
    let calm = ttl.duration("calm");
    let alert = if ttl.written("alert") { ttl.duration("alert") } else { TTL_DEFAULT.min(calm) };
    if alert > calm && ttl.sound(&["calm", "alert"]) {
        let message = "`alert` is longer than `calm`, but answers must age faster in trouble";
        reader.refuse(ttl.value_span("alert"), message, "lower `alert`, or raise `calm`");
    }
    Ttl { calm: seconds(calm), alert: seconds(alert) }
}

/// Short enough that a dead node is soon forgotten, long enough to be kept at all.
const TTL_DEFAULT: Duration = Duration::from_secs(5);

fn seconds(duration: Duration) -> u32 {
    // The key's bound is a day.
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

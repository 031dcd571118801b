//! A service's answer to whoever asks, in plain words: TXT at `_rota` before the service's name.
//!
//! ```text
//!   "service lb.customer.com/app: steer geo, policy weighted"
//!   "client 198.51.100.0/24, told by 192.0.2.53"
//!   "A: 2 of 3 addresses of pool eu, 2 an answer: pools serve"
//!   "AAAA: none: the service has no address of this family"
//!   "ttl 5"
//!   "scope 24"
//! ```
//!
//! It tells what a `dig` through the same resolver would get, and so how the service is built: only
//! those are told whom the operator lists, by where their query came from. What a query says of its
//! client opens nothing. It is written anew for each question (TTL 0), into a line of the stack's.

use std::fmt::{self, Write};

use crate::snapshot::{InForce, ServiceEntry};
use crate::steer::{Family, Plan, Service};
use crate::wire::{Full, Owner, RecordType, Section, Writer};

use super::chosen::Chosen;
use super::explain::row;
use super::tally::Outcome;
use super::trace::Trace;
use super::why;
use super::worker::Worker;

/// Longest character-string, in octets. RFC 1035 §3.3.
const LINE_LEN_MAX: usize = 255;

/// Tells those who may know.
pub(super) fn explain(
    zone: InForce<'_>,
    entry: &ServiceEntry,
    owner: usize,
    worker: &Worker,
    trace: &mut impl Trace,
    response: &mut Writer<'_>,
) -> Outcome {
    let to = entry.service.explain.iter().flat_map(|explain| &explain.to);
    if !to.into_iter().any(|network| network.contains(worker.source)) {
        // The aliases that led here, too, are nothing without it.
        response.clear();
        response.explain(why::PROHIBITED);
        return Outcome::Refused;
    }
    let plan = zone.plan(entry);
    let chosen = Chosen::find(entry, plan, &Family::ALL, worker.asker, trace, response);
    let mark = response.mark();
    if write(&entry.service, plan, &chosen, owner, worker, response).is_err() {
        response.rewind(mark);
        response.truncated();
    }
    Outcome::Told
}

fn write(
    service: &Service,
    plan: &Plan,
    chosen: &Chosen<'_>,
    owner: usize,
    worker: &Worker,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let start = response.begin_record(Section::Answer, Owner::At(owner), RecordType::TXT, 0)?;
    let mut say = |line: fmt::Arguments<'_>| response.bytes(Line::of(line).as_string());
    let (steer, policy) = (service.steer.word(), service.policy.word());
    say(format_args!("service {}: steer {steer}, policy {policy}", service.id))?;
    let asker = &worker.asker;
    match asker.is_told() {
        true => say(format_args!("client {asker}, told by {}", worker.source))?,
        false => say(format_args!("client {asker}"))?,
    }
    for family in Family::ALL {
        let (tier, _) = plan.tier(family);
        let (rtype, row) = (family.record_type(), row(tier));
        let Some((_, set)) = chosen.set(family) else {
            say(format_args!("{rtype}: none: {row}"))?;
            continue;
        };
        let pool = &service.pools[usize::from(set.pool)];
        let addresses = pool.nodes.iter().flat_map(|node| &node.addresses);
        let all = addresses.filter(|address| Family::of_address(address.ip) == family).count();
        let (count, answers) = (set.count(), set.answers);
        let (of_pool, name) =
            if pool.name.is_empty() { ("", "") } else { (" of pool ", &*pool.name) };
        say(format_args!(
            "{rtype}: {count} of {all} addresses{of_pool}{name}, {answers} an answer: {row}"
        ))?;
    }
    say(format_args!("ttl {}", plan.ttl))?;
    say(format_args!("scope {}", plan.scope(asker)))?;
    response.end_record(start);
    Ok(())
}

/// A character-string being written: its length and its text, of which what is too long is cut.
struct Line([u8; 1 + LINE_LEN_MAX]);

impl Line {
    fn of(text: fmt::Arguments<'_>) -> Self {
        let mut line = Self([0; 1 + LINE_LEN_MAX]);
        // Writing into a line cannot fail, and neither can showing names and numbers.
        let _ = line.write_fmt(text);
        line
    }

    fn as_string(&self) -> &[u8] {
        &self.0[..=usize::from(self.0[0])]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let [length, room @ ..] = &mut self.0;
        let room = &mut room[usize::from(*length)..];
        let fits = room.len().min(text.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        *length += fits as u8;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_character_string_of_at_most_255_octets() {
        for (text, length) in
            [("", 0), ("text", 4), (&"t".repeat(255), 255), (&"t".repeat(300), 255)]
        {
            let line = Line::of(format_args!("{text}{}", ""));
            let (first, rest) = line.as_string().split_first().unwrap();
            assert_eq!((usize::from(*first), rest.len()), (length, length));
            assert_eq!(rest, &text.as_bytes()[..length]);
        }
    }
}

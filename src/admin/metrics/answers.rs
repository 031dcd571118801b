//! Queries and answers: what the workers and the transports counted.

use std::fmt;
use std::time::Duration;

use crate::respond::tally::SIZES;
use crate::respond::{Asked, Outcome, Tally, Transport};
use crate::steer::{Family, Tier};
use crate::wire::Rcode;

use super::page::{Distribution, Page, Value};
use super::{Connections, Facts, Requests, Traffic, families, family_word};

/// The smallest size of a response that is told apart, as a power of two: 32 octets.
const SIZE_MIN: usize = 5;

impl Facts {
    pub(super) fn write_answers(&self, page: &mut Page<'_>) -> fmt::Result {
        page.rows(&families::BUILD, [([env!("CARGO_PKG_VERSION")], Value::Level(1.0))])?;
        page.rows(&families::QUERIES, self.queries())?;
        page.rows(&families::ZONE_QUERIES, self.zone_queries())?;
        let outcomes = Outcome::ALL.map(|it| ([it.word()], self.count(|t| t.outcome(it))));
        page.rows(&families::OUTCOMES, outcomes)?;
        page.rows(&families::RESPONSES, self.responses())?;
        page.rows(
            &families::DROPPED_PACKETS,
            [("rate_limit", Outcome::Limited), ("ignored", Outcome::Dropped)]
                .map(|(why, outcome)| ([why], self.count(|t| t.outcome(outcome)))),
        )?;
        page.row(&families::TRUNCATED, self.count(Tally::truncated))?;
        page.row(&families::RESPONSE_SIZE, Value::Spread(self.sizes()))?;
        let times = self.transports.iter().map(|it| ([it.word()], Value::Spread(it.spread())));
        page.rows(&families::RESPONSE_TIME, times)?;
        page.rows(&families::SUBNETS, self.subnets())?;
        page.rows(
            &families::COOKIES,
            [
                (["valid"], self.count(Tally::cookies_valid)),
                (["wrong"], self.count(Tally::cookies_wrong)),
            ],
        )?;
        let tiers = Tier::ALL.into_iter().filter(|tier| *tier != Tier::Serving);
        let tiers = tiers.map(|tier| ([tier.word()], self.count(|t| t.tier(tier))));
        page.rows(&families::FALLBACK_QUERIES, tiers)?;
        page.rows(
            &families::SAMPLES,
            [
                (["noted"], self.count(|tally| tally.samples().handed_over())),
                (["lost"], self.count(|tally| tally.samples().lost())),
            ],
        )?;
        self.write_transports(page)
    }

    fn write_transports(&self, page: &mut Page<'_>) -> fmt::Result {
        let each = |number: fn(&Traffic) -> u64| {
            self.transports.iter().map(move |it| ([it.word()], Value::Count(number(it))))
        };
        page.rows(&families::SEND_ERRORS, each(|it| it.send_errors))?;
        page.rows(&families::RECEIVE_ERRORS, each(|it| it.receive_errors))?;
        let lost = self.transports.iter().filter_map(|it| it.frames_lost).flat_map(|lost| {
            let reasons = ["full", "invalid"].into_iter().zip(lost);
            reasons.map(|(reason, count)| ([reason], Value::Count(count)))
        });
        page.rows(&families::FRAMES_LOST, lost)?;
        let streams = || {
            let all = self.transports.iter();
            all.filter_map(|it| it.connections.map(|connections| (it.word(), connections)))
        };
        let open = |it: Connections| Value::Level(it.accepted.saturating_sub(it.closed) as f64);
        page.rows(&families::CONNECTIONS, streams().map(|(name, it)| ([name], open(it))))?;
        let accepted = streams().map(|(name, it)| ([name], Value::Count(it.accepted)));
        page.rows(&families::ACCEPTED, accepted)?;
        let refused = streams().flat_map(|(name, it)| {
            [("client", it.refused_client), ("all", it.refused_all)]
                .map(|(limit, count)| ([name, limit], Value::Count(count)))
        });
        page.rows(&families::REFUSED, refused)?;
        let evicted = streams().map(|(name, it)| ([name], Value::Count(it.evicted)));
        page.rows(&families::EVICTED, evicted)?;
        let cut = streams().flat_map(|(name, it)| {
            [
                ("handshake", it.cut_handshake),
                ("idle", it.cut_idle),
                ("request", it.cut_request),
                ("reader", it.cut_reader),
            ]
            .map(|(limit, count)| ([name, limit], Value::Count(count)))
        });
        page.rows(&families::CUT, cut)?;
        let failed = streams().filter(|(name, _)| *name != Transport::Tcp.word());
        let failed = failed.map(|(name, it)| ([name], Value::Count(it.failed_handshakes)));
        page.rows(&families::FAILED_HANDSHAKES, failed)?;
        let refused = self.transports.iter().filter_map(|it| it.refused_requests);
        let refused = refused.map(|count| ([""; 0], Value::Count(count)));
        page.rows(&families::REFUSED_REQUESTS, refused)?;
        let requests = || self.transports.iter().filter_map(|it| Some((it.word(), it.requests?)));
        let open = |it: Requests| Value::Level(it.opened.saturating_sub(it.over) as f64);
        page.rows(&families::IN_FLIGHT, requests().map(|(name, it)| ([name], open(it))))?;
        let filled = requests().map(|(name, it)| ([name], Value::Count(it.filled)));
        page.rows(&families::FILLED, filled)
    }

    /// A sum over the workers.
    fn sum(&self, number: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies.iter().map(|tally| number(tally)).sum()
    }

    fn count(&self, number: impl Fn(&Tally) -> u64) -> Value {
        Value::Count(self.sum(number))
    }

    fn queries(&self) -> Vec<([String; 3], Value)> {
        let mut rows = Vec::new();
        for transport in self.transports.iter().map(|it| it.transport) {
            for family in Family::ALL {
                for asked in Asked::all() {
                    let count = self.sum(|tally| tally.queries(transport, family, asked));
                    let (way, client) = (transport.word(), family_word(family));
                    let labels = [way.to_owned(), client.to_owned(), asked.word()];
                    rows.push((labels, Value::Count(count)));
                }
            }
        }
        rows
    }

    fn responses(&self) -> Vec<([&'static str; 1], Value)> {
        let of = |rcode| {
            let sent = Outcome::ALL.into_iter().filter(|outcome| !outcome.is_silent());
            let such = sent.filter(|outcome| outcome.rcode() == rcode);
            Value::Count(such.map(|outcome| self.sum(|tally| tally.outcome(outcome))).sum())
        };
        Rcode::ALL.map(|rcode| ([rcode.word()], of(rcode))).into()
    }

    fn sizes(&self) -> Distribution {
        let mut counts = [0; SIZES];
        for tally in &self.tallies {
            for (sum, count) in counts.iter_mut().zip(tally.sizes()) {
                *sum += count;
            }
        }
        let small: u64 = counts[..SIZE_MIN].iter().sum();
        counts[SIZE_MIN] += small;
        let bounded = counts.into_iter().enumerate().skip(SIZE_MIN);
        let bounded = bounded.map(|(power, count)| ((1_u64 << power) as f64, count));
        Distribution {
            buckets: bounded.chain([(f64::INFINITY, 0)]).collect(),
            sum: self.sum(Tally::octets) as f64,
        }
    }

    fn subnets(&self) -> [([&'static str; 1], Value); 2] {
        let followed = self.sum(Tally::subnets_followed);
        // The part is read before the whole, so that what is left of it is never below zero.
        let all = self.sum(Tally::subnets);
        [(["yes"], Value::Count(followed)), (["no"], Value::Count(all.saturating_sub(followed)))]
    }
}

impl Traffic {
    fn word(&self) -> &'static str {
        self.transport.word()
    }

    fn spread(&self) -> Distribution {
        let seconds =
            |bound: &Option<Duration>| bound.as_ref().map_or(f64::INFINITY, Duration::as_secs_f64);
        Distribution {
            buckets: self.times.iter().map(|(bound, count)| (seconds(bound), *count)).collect(),
            sum: self.time_sum.as_secs_f64(),
        }
    }
}

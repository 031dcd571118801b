//! `--wait`: an order that returns when it is safe to go on.
//!
//! A node that leaves the answers is used on by those whose resolvers hold an answer with it. The
//! server knows how many those are and when the last of them has forgotten; here it is asked until
//! the chosen share has. What no name server sees is said with the outcome, each time: somebody is
//! about to switch a machine off.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::admin::docs::{ChangedDoc, LeavingDoc};

use super::Exit;
use super::client::Client;
use super::page::age;

/// The share that is waited for: of fewer than a hundred resolvers that is all of them, and of more
/// the last hundredth is less than what stretches its TTLs anyway.
const SHARE: &str = "99";
/// Longest that is waited, where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Between two looks. Times are told in whole seconds.
const EVERY: Duration = Duration::from_millis(500);
/// What nobody should take for granted.
const UNSEEN: &str = "not seen: resolvers that stretch TTLs, clients that keep addresses or \
                      connections, what the zone's other servers answer";

/// Whether to wait, and for what.
#[derive(clap::Args, Debug)]
pub struct WaitArgs {
    /// Return when so many percent of the resolvers that held the nodes have forgotten them, by the
    /// TTLs that they were told [default: 99]
    #[arg(
        long,
        value_name = "SHARE",
        num_args = 0..=1,
        default_missing_value = SHARE,
        require_equals = true,
        value_parser = percent,
    )]
    pub wait: Option<f64>,

    /// Wait for so long at most; exit code 1 where that was not enough [default: 10m]
    #[arg(long, value_name = "TIME", requires = "wait")]
    pub timeout: Option<humantime::Duration>,
}

/// What came of an order that was waited for.
#[derive(Debug, Serialize)]
struct WaitedDoc {
    #[serde(flatten)]
    changed: ChangedDoc,
    /// The share has forgotten every node.
    drained: bool,
    /// The nodes that left the answers.
    nodes: Vec<LeavingDoc>,
}

/// Waits for what an order has taken out.
pub(super) async fn wait(
    changed: ChangedDoc,
    share: f64,
    args: &WaitArgs,
    client: &Client,
    json: bool,
) -> anyhow::Result<Exit> {
    let limit = args.timeout.map_or(TIMEOUT, Into::into);
    let begun = Instant::now();
    let tell = |line: String| {
        if !json {
            super::print(&line);
        }
    };
    let mut told: HashMap<String, Reason> = HashMap::new();
    let mut nodes: Vec<LeavingDoc> = Vec::new();
    let drained = loop {
        nodes.clear();
        for one in &changed.given {
            let path = format!("/api/v1/overrides/{}/cached", one.id);
            nodes.extend(client.get::<Vec<LeavingDoc>>(&path).await?);
        }
        if nodes.iter().all(|node| is_drained(node, share)) {
            break true;
        }
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break false;
        }
        // Numbers fall with each look; a node's reason to be waited for is told once.
        let open = nodes.iter().filter(|node| !is_drained(node, share));
        for node in open {
            if told.insert(node.node.clone(), reason(node)) != Some(reason(node)) {
                tell(format!("waiting: {}: {}", node.node, why(node)));
            }
        }
        sleep(EVERY.min(left)).await;
    };
    let none = nodes.is_empty();
    if none && drained {
        tell("no node leaves the answers by this: there is nothing to wait for".to_owned());
    }
    for node in &nodes {
        tell(outcome(node, share, begun.elapsed()));
    }
    if !none {
        tell(UNSEEN.to_owned());
    }
    if json {
        super::print(&serde_json::to_string_pretty(&WaitedDoc { changed, drained, nodes })?);
    }
    Ok(if drained && !none { Exit::Good } else { Exit::Found })
}

/// True where so large a part of those who held a node do so no more.
fn is_drained(node: &LeavingDoc, share: f64) -> bool {
    let LeavingDoc { answering, resolvers_then, cached, .. } = node;
    let may_stay = *resolvers_then as f64 * (100.0 - share) / 100.0;
    // Of more than can be counted nobody knows what a part of them is.
    let few = !cached.at_least && cached.resolvers as f64 <= may_stay;
    !answering && cached.unknown_seconds == 0 && (cached.gone_in_seconds == 0 || few)
}

/// Why a node is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It is in the answers all the same.
    Answered,
    /// The process before may have answered with it.
    Before,
    /// Resolvers hold it.
    Held,
}

fn reason(node: &LeavingDoc) -> Reason {
    match &node.cached {
        _ if node.answering => Reason::Answered,
        cached if cached.unknown_seconds > cached.gone_in_seconds => Reason::Before,
        _ => Reason::Held,
    }
}

fn why(node: &LeavingDoc) -> String {
    let cached = &node.cached;
    let left = |seconds: u32| age(Duration::from_secs(seconds.into()));
    match reason(node) {
        Reason::Answered => "it is answered still, because nothing else stands".to_owned(),
        Reason::Before => format!(
            "the process before may have answered with it; that is over in {}",
            left(cached.unknown_seconds)
        ),
        Reason::Held => format!(
            "held by {}, the last of them for {}",
            resolvers(cached.resolvers, cached.at_least),
            left(cached.gone_in_seconds)
        ),
    }
}

fn outcome(node: &LeavingDoc, share: f64, took: Duration) -> String {
    let (name, then) = (&node.node, resolvers(node.resolvers_then, false));
    if is_drained(node, share) {
        let left = match node.cached.resolvers {
            0 => String::new(),
            left => format!(", {left} do still"),
        };
        return format!("{name}: drained after {}; {then} held it{left}", age(took));
    }
    format!("{name}: not drained after {}; {}", age(took), why(node))
}

fn resolvers(count: u64, at_least: bool) -> String {
    match (count, at_least) {
        (0, _) => "no resolver".to_owned(),
        (1, _) => "1 resolver".to_owned(),
        (_, true) => format!("at least {count} resolvers"),
        (_, false) => format!("about {count} resolvers"),
    }
}

/// `99`, `99.5%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok();
    let share = number.filter(|share| *share > 0.0 && *share <= 100.0);
    share.ok_or_else(|| "write a part in percent, such as 99 or 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::docs::CachedDoc;

    fn node(answering: bool, then: u64, now: u64, gone: u32, unknown: u32) -> LeavingDoc {
        LeavingDoc {
            node: "lb.test/app/n1".to_owned(),
            answering,
            resolvers_then: then,
            cached: CachedDoc {
                resolvers: now,
                at_least: now > 7000,
                gone_in_seconds: gone,
                unknown_seconds: unknown,
            },
            curve: Vec::new(),
        }
    }

    #[test]
    fn a_node_is_drained_when_the_share_has_forgotten_it() {
        for (node, share, expected, said) in [
            (node(false, 0, 0, 0, 0), 99.0, true, ": drained after 7s; no resolver held it"),
            (
                node(false, 200, 2, 3, 0),
                99.0,
                true,
                ": drained after 7s; about 200 resolvers held it, 2 do still",
            ),
            (
                node(false, 200, 3, 3, 0),
                99.0,
                false,
                ": not drained after 7s; held by about 3 resolvers, the last of them for 3s",
            ),
            (
                node(false, 10, 1, 90, 0),
                99.0,
                false,
                ": not drained after 7s; held by 1 resolver, the last of them for 1m30",
            ),
            (
                node(false, 10, 1, 1, 0),
                90.0,
                true,
                ": drained after 7s; about 10 resolvers held it, 1 do still",
            ),
            (
                node(false, 7688, 7688, 30, 0),
                1.0,
                false,
                ": not drained after 7s; held by at least 7688 resolvers, the last of them for 30s",
            ),
            (
                node(true, 1, 0, 0, 0),
                99.0,
                false,
                ": not drained after 7s; it is answered still, because nothing else stands",
            ),
            (
                node(false, 1, 0, 0, 4),
                99.0,
                false,
                ": not drained after 7s; the process before may have answered with it; that is \
                 over in 4s",
            ),
        ] {
            assert_eq!(is_drained(&node, share), expected, "{node:?}");
            let outcome = outcome(&node, share, Duration::from_secs(7));
            assert_eq!(outcome.strip_prefix("lb.test/app/n1"), Some(said));
        }
    }

    #[test]
    fn shares_are_read() {
        assert_eq!(
            [percent("99"), percent("99.5%"), percent("100")],
            [Ok(99.0), Ok(99.5), Ok(100.0)]
        );
        for wrong in ["", "0", "101", "-1", "all", "nan"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}

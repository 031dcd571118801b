//! Every packet is counted once by each partition, and the partitions add up.

use rota::respond::tally::SIZES;
use rota::respond::{Asked, Outcome, Tally, Transport};
use rota::steer::{Family, Tier};

use super::engine::{Engine, NAMES, everything, query, query_with_options};

/// What a round of packets came to: how many there were, and the octets that went out.
struct Round {
    packets: u64,
    responses: u64,
    octets: u64,
    with_subnet: u64,
}

/// Asks for every name and some types of it over each transport and from each family, and sends
/// what is no query.
fn play(engine: &mut Engine) -> Round {
    let types = [1, 28, 2, 5, 6, 15, 16, 33, 43, 65, 252, 255, 257, 4711];
    let whole = NAMES.iter().flat_map(|name| types.map(|qtype| query(1, name, qtype, Some(1232))));
    let subnet = b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02";
    let told = NAMES.iter().map(|name| query_with_options(name, 1, subnet));
    let cookies = b"\x00\x0a\x00\x18ABCDEFGH\x01\0\0\0\0\0\0\x01ABCDEFGH";
    let bitten = NAMES.iter().map(|name| query_with_options(name, 28, cookies));
    let broken = [b"runt".to_vec(), vec![255; 100], vec![0; 12], query(1, "x.test", 1, None)];
    let messages: Vec<_> = whole.chain(told).chain(bitten).chain(broken).collect();
    let mut round = Round { packets: 0, responses: 0, octets: 0, with_subnet: 0 };
    let mut out = vec![0; 65_535];
    for client in ["192.0.2.99:4000", "[2001:db8::99]:4000", "[::ffff:192.0.2.98]:4000"] {
        engine.client = client.parse().unwrap();
        for transport in Transport::ALL {
            round.with_subnet += NAMES.len() as u64;
            for message in &messages {
                round.packets += 1;
                if let Some(len) = engine.respond(message, transport, &mut out) {
                    round.responses += 1;
                    round.octets += len as u64;
                }
            }
        }
    }
    round
}

fn queries(tally: &Tally, pick: impl Fn(Transport, Family, Asked) -> bool) -> u64 {
    let mut sum = 0;
    for transport in Transport::ALL {
        for family in Family::ALL {
            let asked = Asked::all().filter(|&asked| pick(transport, family, asked));
            sum += asked.map(|asked| tally.queries(transport, family, asked)).sum::<u64>();
        }
    }
    sum
}

fn check(engine: &mut Engine) {
    let round = play(engine);
    let tally = engine.worker.tally();
    assert_eq!(tally.packets(), round.packets);
    assert_eq!(queries(tally, |_, _, _| true), round.packets);
    for wanted in Transport::ALL {
        assert_eq!(
            queries(tally, |transport, _, _| transport == wanted),
            round.packets / Transport::ALL.len() as u64
        );
    }
    // IPv4 in IPv6 is IPv4.
    assert_eq!(queries(tally, |_, family, _| family == Family::V4), round.packets / 3 * 2);
    let read = queries(tally, |_, _, asked| asked != Asked::NOTHING);
    assert!(read < round.packets && read > round.packets / 2);

    let silent: u64 =
        Outcome::ALL.into_iter().filter(|it| it.is_silent()).map(|it| tally.outcome(it)).sum();
    assert_eq!(round.packets - silent, round.responses);
    assert_eq!(tally.sizes().iter().sum::<u64>(), round.responses);
    assert_eq!(tally.sizes().len(), SIZES);
    assert_eq!(tally.octets(), round.octets);
    assert!(tally.truncated() <= round.responses);
    assert!(tally.cookies_valid() + tally.cookies_wrong() <= round.packets);
    assert_eq!(tally.subnets(), round.with_subnet);

    let (mut firsts, mut zones) = (Vec::new(), Vec::new());
    tally.add_firsts(&mut firsts);
    tally.add_zones(&mut zones);
    assert!(firsts.iter().sum::<u64>() <= tally.outcome(Outcome::Answered));
    assert!(firsts.iter().sum::<u64>() > 0);
    assert_eq!(zones.len(), 1);
    let elsewhere = [
        Outcome::Failed,
        Outcome::Malformed,
        Outcome::NotImplemented,
        Outcome::BadVersion,
        Outcome::CookieGiven,
        Outcome::Dropped,
    ];
    let outside: u64 = elsewhere.map(|outcome| tally.outcome(outcome)).iter().sum();
    assert!(zones[0] <= round.packets - outside, "{zones:?} of {}", round.packets);
    assert!(zones[0] > round.packets / 2);
    // Nothing is checked, so nothing is down.
    for tier in Tier::ALL.into_iter().filter(|&tier| tier != Tier::NoAddress) {
        assert_eq!(tally.tier(tier), 0, "{tier:?}");
    }
}

#[test]
fn partitions_add_up() {
    let mut engine = Engine::new(7);
    check(&mut engine);
    let tally = engine.worker.tally();
    // Everything but the broken packets asks for a name that exists in some zone or in none.
    for outcome in
        [Outcome::Answered, Outcome::NoData, Outcome::NxDomain, Outcome::Referred, Outcome::Refused]
    {
        assert!(tally.outcome(outcome) > 0, "{outcome:?}");
    }
    assert_eq!(tally.subnets_followed(), tally.subnets());
}

#[test]
fn partitions_add_up_beyond_the_rate_limit() {
    let mut engine = Engine::with_settings(7, everything(1));
    check(&mut engine);
    let tally = engine.worker.tally();
    for outcome in [Outcome::Slipped, Outcome::Limited] {
        assert!(tally.outcome(outcome) > 0, "{outcome:?}");
    }
    assert!(tally.cookies_wrong() > 0);
}

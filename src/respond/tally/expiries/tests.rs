//! Random worlds beside a model that forgets nothing: every resolver with the end of every answer.

use std::collections::HashMap;

use super::super::Count;
use super::*;

const POINTS: u32 = 12;

/// One worker's two sides.
struct Side {
    shared: Expiries,
    writer: ExpiryWriter,
}

impl Side {
    fn new() -> Self {
        let shared = Expiries::default();
        let writer = shared.writer();
        Self { shared, writer }
    }
}

/// A start; any will do.
#[expect(clippy::disallowed_methods, reason = "an Instant to count from")]
fn start() -> Instant {
    Instant::now()
}

fn holders(sides: &[Side], addresses: &[AddressSlot], at: Instant) -> Holders {
    let mut holders = Holders::default();
    sides.iter().for_each(|side| side.shared.add_to(&mut holders, addresses, at));
    holders
}

/// What is exact, and what chance may do to the rest: five times the standard error, as long as
/// there are fewer resolvers than rows; beyond, errors are not evenly distributed any more.
fn compare(found: Count, least: usize, most: usize, rows: usize, what: &str) {
    assert_eq!(found.resolvers == 0, found == Count::default(), "{what}");
    if least > 0 {
        assert!(found.resolvers > 0, "{what}: {least} hold it, and none is found");
    }
    if most == 0 {
        assert_eq!(found, Count::default(), "{what}");
    }
    let error = |count: usize| {
        let load = count as f64 / rows as f64;
        5.0 * (rows as f64 * (load.exp() - load - 1.0)).sqrt() + 2.0
    };
    let (least, most, resolvers) = (least as f64, most as f64, found.resolvers as f64);
    if most <= rows as f64 {
        assert!(resolvers >= least - error(least as usize), "{what}: {found:?}, at least {least}");
        assert!(resolvers <= most + error(most as usize), "{what}: {found:?}, at most {most}");
    }
}

/// A world: workers of different age, resolvers that ask at random, TTLs that change, addresses
/// that come.
fn play(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut now = start();
    let sides_count = rng.usize(1..4);
    let mut sides: Vec<Side> = (0..sides_count).map(|_| Side::new()).collect();
    let resolvers: Vec<u64> = (0..rng.usize(1..2500)).map(|_| rng.u64(..)).collect();
    let mut columns = rng.usize(1..300);
    let mut until: HashMap<(u32, u64), Instant> = HashMap::new();
    let mut ttl = 5;
    for round in 0..rng.usize(1..60) {
        now += Duration::from_millis(rng.u64(0..3000));
        match rng.u32(0..8) {
            0 => ttl = rng.u32(0..90),
            1 if rng.u32(0..4) == 0 => columns += rng.usize(0..2000),
            _ => {}
        }
        for side in &mut sides {
            if rng.bool() {
                side.writer.begin(columns, now, &side.shared);
                for _ in 0..rng.usize(0..200) {
                    let resolver = resolvers[rng.usize(0..resolvers.len())];
                    let first = rng.u32(0..4);
                    let named: Vec<_> = (first..4.min(columns as u32)).map(AddressSlot).collect();
                    side.writer.mark(&named, resolver, ttl);
                    for slot in named {
                        let end = now + Duration::from_secs(ttl.into());
                        let known = until.entry((slot.0, resolver)).or_insert(end);
                        *known = end.max(*known);
                    }
                }
            }
        }
        let node = [AddressSlot(rng.u32(0..4)), AddressSlot(rng.u32(0..4))];
        // Mostly now, and at times as it was a little earlier.
        let at = now - Duration::from_millis(if rng.u32(0..4) == 0 { 700 } else { 0 });
        let mut ends: HashMap<u64, Instant> = HashMap::new();
        for (&(slot, resolver), &end) in &until {
            if node.contains(&AddressSlot(slot)) {
                let known = ends.entry(resolver).or_insert(end);
                *known = end.max(*known);
            }
        }
        let found = holders(&sides, &node, at);
        let what = format!("seed {seed}, round {round}");
        let living = |from: Instant| ends.values().filter(|&&end| end > from).count();
        let rows = sides.iter().map(|side| side.writer.grid.rows).filter(|&rows| rows > 0).min();
        let Some(rows) = rows else { continue };
        // A second is begun, a second is on the way, and what is left is told in whole ones.
        let late = Duration::from_secs(3);
        let last =
            ends.values().max().map_or(Duration::ZERO, |end| end.saturating_duration_since(at));
        let gone = Duration::from_secs(found.gone_after().into());
        assert!(
            gone >= last && gone <= last + late,
            "{what}: gone after {gone:?}, and not {last:?}"
        );
        let mut before = Count { resolvers: u64::MAX, at_least: true };
        for (after, count) in found.curve(POINTS) {
            let then = at + Duration::from_secs(after.into());
            compare(count, living(then), living(then.checked_sub(late).unwrap()), rows, &what);
            assert!(count.resolvers <= before.resolvers, "{what}: more than before");
            before = count;
        }
        assert_eq!(before, Count::default(), "{what}: the curve ends where nobody is left");
    }
}

#[test]
fn holders_are_those_of_a_model_that_forgets_nothing() {
    for seed in 0..60 {
        play(seed);
    }
}

#[test]
fn a_resolver_counts_once_and_its_newest_answer_counts() {
    let (now, mut side) = (start(), Side::new());
    let at = |seconds: u64| now + Duration::from_secs(seconds);
    let slots = [AddressSlot(0), AddressSlot(1)];
    for second in 0..10 {
        side.writer.begin(2, at(second), &side.shared);
        side.writer.mark(&slots, 7, 30);
        // A shorter TTL takes nothing back of what was given before.
        side.writer.mark(&slots[..1], 7, 1);
    }
    let sides = [side];
    for (seconds, resolvers, gone) in [(9, 1, 32), (39, 1, 2), (40, 1, 1), (41, 0, 0)] {
        let found = holders(&sides, &slots, at(seconds));
        assert_eq!((found.count(0).resolvers, found.gone_after()), (resolvers, gone), "{seconds}");
    }
    assert_eq!(holders(&sides, &[AddressSlot(2)], now), Holders::default());
}

#[test]
fn an_exact_few_and_at_least_so_many() {
    for (resolvers, rows, expected, at_least) in
        [(1, 1, 1, false), (10, 1, 10, false), (40_000, 1, 7688, true), (5000, 20_000, 53, true)]
    {
        let (now, mut side) = (start(), Side::new());
        side.writer.begin(rows, now, &side.shared);
        let mut rng = fastrand::Rng::with_seed(1);
        (0..resolvers).for_each(|_| side.writer.mark(&[AddressSlot(0)], rng.u64(..), 60));
        let found = holders(&[side], &[AddressSlot(0)], now).count(0);
        assert_eq!(found, Count { resolvers: expected, at_least }, "{resolvers}");
    }
}

#[test]
fn memory_is_bounded_and_nothing_is_lost_when_addresses_come() {
    let (now, mut side) = (start(), Side::new());
    let mut rng = fastrand::Rng::with_seed(2);
    for (columns, rows) in
        [(1, 1024), (256, 1024), (257, 512), (10_000, 16), (16_385, 16), (16_386, 16)]
    {
        side.writer.begin(columns, now, &side.shared);
        side.writer.mark(&[AddressSlot(columns as u32 - 1)], rng.u64(..), 60);
        let grid = &side.writer.grid;
        assert_eq!((grid.columns, grid.rows, grid.cells.len()), (columns, rows, columns * rows));
        for named in [0, 255, 256].into_iter().filter(|named| columns > *named) {
            let found = holders(std::slice::from_ref(&side), &[AddressSlot(named as u32)], now);
            assert_eq!(found.count(0).resolvers, 1, "address {named} with {columns}");
            assert_eq!(found.gone_after(), 62);
        }
    }
}

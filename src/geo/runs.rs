//! One family's whole address space as runs of equal values, and the look-up in it.
//!
//! ```text
//!   by the first bits                     starts, sorted       values
//!   ┌───────┐                             ┌───────────┐       ┌───────┐
//!   │ 1.0   │ run in which 1.0.0.0 lies ─►│ 0.0.0.0   │       │ 0     │
//!   │ 1.1   │ ─────────────────────┐      │ 1.0.4.0   │       │ 7     │
//!   │  …    │                      └─────►│ 1.0.6.0   │       │ 0     │
//!   └───────┘                             └───────────┘       └───────┘
//! ```
//!
//! The table is about as long as there are runs, up to 2^16: few networks cost little memory.
//! Two neighbours in it bound a search in `starts`; neighbouring runs differ in value, so the run's
//! ends say at once how far around an address nothing changes. Where many runs share their first
//! bits (a few registries' blocks hold most of IPv6), the bucket has a table of its own over the
//! bits that follow, about as long as it has runs, and so on: a look-up goes two or three tables
//! deep.

use std::fmt;
use std::ops::RangeInclusive;

/// No table is longer than 2^16 entries.
const TABLE_BITS_MAX: u32 = 16;
/// A bucket with more runs than this is worth a table of its own; up to here a search costs less
/// than the look into another table (measured: 8, 16 and 32 differ little, and 32 is smallest).
const SEARCH_MAX: usize = 32;

/// Values over one family's address space, from address 0 on: where each begins. Neighbours differ.
pub(super) type Spans<A> = Vec<(A, u32)>;

/// An address as an unsigned number.
pub(super) trait Bits: Copy + Ord + fmt::Debug {
    const ZERO: Self;
    const MAX: Self;
    const WIDTH: u32;
    /// `count` bits (at most 16) behind the first `skip`.
    fn slice(self, skip: u32, count: u32) -> usize;
    /// How many first bits two addresses share.
    fn shared(self, other: Self) -> u32;
    /// The next address; 0 after the last.
    fn next(self) -> Self;
    /// The address before; the last before 0.
    fn before(self) -> Self;
    /// The last address of its network of `length` bits.
    fn last_of(self, length: u32) -> Self;
    /// Itself with `bits` as the last of its first `length`, which are zero.
    fn with(self, bits: usize, length: u32) -> Self;
}

macro_rules! bits {
    ($type:ty) => {
        impl Bits for $type {
            const ZERO: Self = 0;
            const MAX: Self = <$type>::MAX;
            const WIDTH: u32 = <$type>::BITS;
            fn slice(self, skip: u32, count: u32) -> usize {
                let right = self.unbounded_shr(Self::WIDTH - skip - count);
                right as usize & ((1 << count) - 1)
            }
            fn shared(self, other: Self) -> u32 {
                (self ^ other).leading_zeros()
            }
            fn next(self) -> Self {
                self.wrapping_add(1)
            }
            fn before(self) -> Self {
                self.wrapping_sub(1)
            }
            fn last_of(self, length: u32) -> Self {
                self | <$type>::MAX.unbounded_shr(length)
            }
            fn with(self, bits: usize, length: u32) -> Self {
                self | (bits as Self).unbounded_shl(Self::WIDTH - length)
            }
        }
    };
}
bits!(u32);
bits!(u64);
bits!(u128);

/// What a look-up finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) value: u32,
    /// The length of the shortest prefix around the address in which all have this value.
    pub(super) length: u8,
}

/// A family's address space, ready for look-ups.
#[derive(Debug)]
pub(super) struct Runs<A> {
    starts: Box<[A]>,
    values: Box<[u32]>,
    /// The bits of the first table.
    bits: u32,
    /// All tables: the first, then those of crowded buckets.
    buckets: Box<[Bucket]>,
}

/// The addresses that share their first bits.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The run that its first address lies in.
    run: u32,
    /// Where its own table begins, times 32, and the bits of that table; 0: it has none.
    table: u32,
}

/// How far into the tables a bucket can point.
const BUCKETS_MAX: usize = 1 << 27;

impl<A: Bits> Runs<A> {
    /// From spans that begin at address 0, in order; neighbours of one value become one run.
    pub(super) fn new(mut spans: Spans<A>) -> Self {
        spans.dedup_by_key(|(_, value)| *value);
        let starts: Box<[A]> = spans.iter().map(|&(start, _)| start).collect();
        let values = spans.iter().map(|&(_, value)| value).collect();
        drop(spans);
        let bits = bits_for(starts.len()).min(A::WIDTH);
        let mut buckets = Vec::new();
        tables(&mut buckets, &starts, 0..=starts.len() - 1, A::ZERO, (0, bits));
        Self { starts, values, bits, buckets: buckets.into() }
    }

    /// The value at an address, and how far around it nothing changes.
    pub(super) fn find(&self, address: A) -> Hit {
        let run = self.run(address);
        // A prefix may not reach the last address of the run before, nor the first of the next:
        // it is longer than what the address shares with them.
        let below = match run {
            0 => 0,
            _ => address.shared(self.starts[run].before()) + 1,
        };
        let above = self.starts.get(run + 1).map_or(0, |next| address.shared(*next) + 1);
        Hit { value: self.values[run], length: below.max(above) as u8 }
    }

    fn run(&self, address: A) -> usize {
        let (mut table, mut skip, mut bits) = (0, 0, self.bits);
        // Every table takes bits of the address, so there are few.
        let (low, high) = loop {
            let at = table + address.slice(skip, bits);
            let bucket = self.buckets[at];
            if bucket.table == 0 {
                break (bucket.run as usize, self.buckets[at + 1].run as usize);
            }
            (table, skip) = (bucket.table as usize / 32, skip + bits);
            bits = bucket.table % 32;
        };
        // The run in which the bucket begins starts at or before it, so before the address.
        low + self.starts[low + 1..=high].partition_point(|start| *start <= address)
    }

    /// Where each run begins, and its value.
    pub(super) fn starts(&self) -> impl Iterator<Item = (A, u32)> {
        self.starts.iter().copied().zip(self.values.iter().copied())
    }

    /// How many runs there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.values) + size_of_val(&*self.buckets)
    }
}

/// The whole of IPv6. Nearly every file and configuration divides it at networks of 64 bits or
/// fewer; then the second halves of addresses are neither kept nor looked at.
#[derive(Debug)]
pub(super) enum Runs6 {
    /// Every run begins at a /64.
    Halves(Runs<u64>),
    /// Some run does not.
    Whole(Runs<u128>),
}

impl Runs6 {
    /// As [`Runs::new`].
    pub(super) fn new(spans: Spans<u128>) -> Self {
        if spans.iter().any(|(start, _)| *start as u64 != 0) {
            return Self::Whole(Runs::new(spans));
        }
        Self::Halves(Runs::new(spans.iter().map(|&(at, value)| (half(at), value)).collect()))
    }

    /// As [`Runs::find`].
    pub(super) fn find(&self, address: u128) -> Hit {
        match self {
            Self::Halves(runs) => runs.find(half(address)),
            Self::Whole(runs) => runs.find(address),
        }
    }

    /// As [`Runs::starts`].
    pub(super) fn starts(&self) -> Box<dyn Iterator<Item = (u128, u32)> + '_> {
        match self {
            Self::Halves(runs) => {
                Box::new(runs.starts().map(|(start, value)| (u128::from(start) << 64, value)))
            }
            Self::Whole(runs) => Box::new(runs.starts()),
        }
    }

    /// How many runs there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Halves(runs) => runs.len(),
            Self::Whole(runs) => runs.len(),
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Halves(runs) => runs.bytes(),
            Self::Whole(runs) => runs.bytes(),
        }
    }
}

fn half(address: u128) -> u64 {
    (address >> 64) as u64
}

/// Appends the table over the `bits` bits behind the first `skip` of the addresses that share those
/// with `base`, and those of its crowded buckets. `runs` are all that meet these addresses.
fn tables<A: Bits>(
    buckets: &mut Vec<Bucket>,
    starts: &[A],
    runs: RangeInclusive<usize>,
    base: A,
    (skip, bits): (u32, u32),
) {
    let table = buckets.len();
    let (mut run, last) = runs.into_inner();
    for at in 0..1 << bits {
        let address = base.with(at, skip + bits);
        while run < last && starts[run + 1] <= address {
            run += 1;
        }
        buckets.push(Bucket { run: run as u32, table: 0 });
    }
    // One more ends the last bucket.
    buckets.push(Bucket { run: last as u32, table: 0 });
    for at in 0..1 << bits {
        let runs = buckets[table + at].run as usize..=buckets[table + at + 1].run as usize;
        let crowd = runs.end() - runs.start();
        let skip = skip + bits;
        if crowd <= SEARCH_MAX || skip == A::WIDTH || buckets.len() >= BUCKETS_MAX {
            continue;
        }
        let bits = bits_for(crowd).min(A::WIDTH - skip);
        buckets[table + at].table = (buckets.len() as u32) << 5 | bits;
        tables(buckets, starts, runs, base.with(at, skip), (skip, bits));
    }
}

/// How many bits index a table over so many runs.
fn bits_for(runs: usize) -> u32 {
    runs.next_power_of_two().ilog2().min(TABLE_BITS_MAX)
}

/// Lays two divisions of one address space over each other; `both` gives the value where a value
/// of the one meets one of the other.
pub(super) fn overlay<A: Bits>(
    one: impl Iterator<Item = (A, u32)>,
    other: impl Iterator<Item = (A, u32)>,
    mut both: impl FnMut(u32, u32) -> u32,
) -> Spans<A> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    let (mut value, mut other_value) = (0, 0);
    let mut spans: Spans<A> = Vec::new();
    loop {
        let start = match (one.peek(), other.peek()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((a, _)), None) => *a,
            (None, Some((b, _))) => *b,
            (None, None) => return spans,
        };
        value = one.next_if(|(at, _)| *at == start).map_or(value, |(_, value)| value);
        other_value = other.next_if(|(at, _)| *at == start).map_or(other_value, |(_, v)| v);
        let value = both(value, other_value);
        push(&mut spans, start, value);
    }
}

/// Says that from an address on, behind all others, there is this value.
pub(super) fn push<A: Bits>(spans: &mut Spans<A>, start: A, value: u32) {
    if spans.last().is_none_or(|(_, last)| *last != value) {
        spans.push((start, value));
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Not;

    use fastrand::Rng;

    use super::*;

    /// The value at an address by walking all spans.
    fn walk<A: Bits>(spans: &Spans<A>, address: A) -> u32 {
        spans.iter().take_while(|(start, _)| *start <= address).last().map_or(0, |(_, v)| *v)
    }

    /// True where a whole network has one value, by walking all spans.
    fn uniform<A: Bits + Not<Output = A>>(spans: &Spans<A>, address: A, length: u32) -> bool {
        let first = !(!address).last_of(length);
        let last = address.last_of(length);
        let value = walk(spans, first);
        spans.iter().filter(|(start, _)| first < *start && *start <= last).all(|s| s.1 == value)
    }

    /// Every look-up has the right value and the shortest length.
    fn check<A: Bits + Not<Output = A>>(spans: &Spans<A>, addresses: impl Iterator<Item = A>) {
        let runs = Runs::new(spans.clone());
        for address in addresses {
            let hit = runs.find(address);
            let length = u32::from(hit.length);
            assert_eq!(hit.value, walk(spans, address), "{address:x?} in {spans:x?}");
            assert!(uniform(spans, address, length), "{address:x?}/{length} in {spans:x?}");
            let wider = length > 0 && uniform(spans, address, length - 1);
            assert!(!wider, "{address:x?}/{length} is too long in {spans:x?}");
        }
    }

    fn check_random<A: Bits + Not<Output = A>>(seed: u64, random: fn(&mut Rng) -> A) {
        let mut rng = Rng::with_seed(seed);
        for round in 0..60 {
            let count = [0, 1, 2, 7, 40, 300][round % 6];
            let mut spans = vec![(A::ZERO, rng.u32(..3))];
            spans.extend((0..count).map(|_| (random(&mut rng), rng.u32(..3))));
            spans.sort_unstable_by_key(|(start, _)| *start);
            spans.dedup_by_key(|(start, _)| *start);
            let edges: Vec<A> = spans.iter().map(|(start, _)| *start).collect();
            let near = edges.iter().flat_map(|&edge| [edge, edge.before(), edge.next()]);
            let ends = [A::ZERO, A::MAX];
            let any: Vec<A> = (0..50).map(|_| random(&mut rng)).collect();
            check(&spans, near.chain(ends).chain(any));
        }
    }

    #[test]
    fn finds_values_and_the_shortest_lengths() {
        check_random(1, |rng| rng.u32(..));
        check_random(2, |rng| rng.u128(..));
        // Crowds in few networks, as in IPv6, and short prefixes.
        check_random(3, |rng| 0x2001_0db8 << 96 | rng.u128(..1 << 20) << 70);
        check_random(4, |rng| u128::from(rng.u8(..)) << 120 | u128::from(rng.u8(..)));
        check_random(5, |rng| 0xc000_0200 | rng.u32(..512));
        check_random(6, |rng| rng.u32(..) << 20);
    }

    #[test]
    fn ipv6_is_kept_in_halves_where_it_is_divided_at_halves() {
        let at = 0x2001_0db8_u128 << 96;
        for (division, halves) in [(at | 1 << 64, true), (at | 1 << 63, false)] {
            let spans = vec![(0, 1), (at, 2), (division, 3), (at | 1 << 80, 1)];
            let (six, whole) = (Runs6::new(spans.clone()), Runs::new(spans.clone()));
            assert_eq!(matches!(six, Runs6::Halves(_)), halves);
            assert_eq!(six.starts().collect::<Spans<u128>>(), spans);
            for (start, _) in spans {
                for address in [start, start.before(), start.next(), start | 1 << 63] {
                    assert_eq!(six.find(address), whole.find(address), "{address:x}");
                }
            }
        }
    }

    #[test]
    fn one_value_everywhere_has_length_0() {
        let runs = Runs::<u32>::new(vec![(0, 5), (7, 5), (1 << 31, 5)]);
        assert_eq!((runs.len(), runs.find(9)), (1, Hit { value: 5, length: 0 }));
        assert!(runs.bytes() < 64, "{}", runs.bytes());
    }

    #[test]
    fn an_overlay_has_the_value_of_both_everywhere() {
        let mut rng = Rng::with_seed(7);
        for _ in 0..200 {
            let [one, other] = [(); 2].map(|()| {
                let mut spans = vec![(0_u32, 0)];
                spans.extend((0..rng.usize(..8)).map(|_| (rng.u32(..20), rng.u32(..3))));
                spans.sort_unstable_by_key(|(start, _)| *start);
                spans.dedup_by_key(|(start, _)| *start);
                spans
            });
            let laid = overlay(one.iter().copied(), other.iter().copied(), |a, b| 3 * a + b);
            assert!(laid.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1));
            for address in 0..24 {
                let expected = 3 * walk(&one, address) + walk(&other, address);
                assert_eq!(walk(&laid, address), expected, "{one:?} {other:?} {address}");
            }
        }
    }
}

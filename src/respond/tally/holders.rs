//! How many resolvers may still hold an answer, now and later: what is read from the cells of
//! `expiries.rs`.
//!
//! Each resolver belongs to one row, by a hash, and a row runs as long as any of its resolvers may
//! hold an answer. Where `live` of `rows` run, about `rows × ln(rows / (rows - live))` resolvers do
//! ("linear counting": Whang, Vander-Zanden and Taylor, "A linear-time probabilistic counting
//! algorithm for database applications", 1990). A few are counted one by one; where every row runs
//! there are at least so many as it takes to have all of them run, and nobody knows how many more.
//!
//! What does not depend on chance: none are left only when none are left, the number never rises
//! while nothing is answered, and where it is not known it is too low at the beginning rather than
//! later, so that a part of it seems to be gone too late rather than too early.

/// Euler's constant: `rows × (ln rows + γ)` resolvers are needed on average until all rows run.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// Those who may hold an answer that names an address, or one of several, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// By row: for how many seconds at most somebody of the row may hold it.
    seconds: Vec<u32>,
}

/// How many resolvers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// About so many.
    pub resolvers: u64,
    /// There may be any number more.
    pub at_least: bool,
}

impl Holders {
    /// Adds one column of so many rows, a power of two.
    pub(super) fn add(&mut self, rows: usize, column: impl Iterator<Item = u32>) {
        if self.seconds.is_empty() {
            self.seconds = vec![0; rows];
        } else if rows < self.seconds.len() {
            let beyond = self.seconds.split_off(rows);
            beyond.into_iter().enumerate().for_each(|(at, left)| self.raise(at, left));
        }
        column.enumerate().for_each(|(at, left)| self.raise(at, left));
    }

    fn raise(&mut self, row: usize, left: u32) {
        let at = row % self.seconds.len();
        self.seconds[at] = self.seconds[at].max(left);
    }

    /// How many will hold an answer still after so many seconds.
    pub fn count(&self, after: u32) -> Count {
        let rows = self.seconds.len();
        let live = self.seconds.iter().filter(|&&left| left > after).count();
        let (all, idle) = (rows as f64, (rows - live) as f64);
        match live {
            0 => Count::default(),
            _ if live == rows => {
                Count { resolvers: (all * (all.ln() + GAMMA)) as u64, at_least: true }
            }
            _ => {
                let about = (all * (all / idle).ln()).round() as u64;
                Count { resolvers: about.max(live as u64), at_least: false }
            }
        }
    }

    /// After how many seconds nobody holds one.
    pub fn gone_after(&self) -> u32 {
        self.seconds.iter().copied().max().unwrap_or(0)
    }

    /// How many hold one now and later, until nobody does: at most so many points and one.
    pub fn curve(&self, points: u32) -> impl Iterator<Item = (u32, Count)> {
        let end = self.gone_after();
        let step = end.div_ceil(points.max(1)).max(1);
        (0..=end.div_ceil(step)).map(move |at| {
            let after = at.saturating_mul(step).min(end);
            (after, self.count(after))
        })
    }
}

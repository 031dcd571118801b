//! Work on many things, shared out over the processor's cores.
//!
//! A hundred thousand zones are read by whoever is free: each helper takes a portion of what is
//! left until nothing is. What comes of a thing is put beside it, so that it does not depend on who
//! was where when; whatever has an order is put in order afterwards, by one.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::serve;

/// Helpers beyond these would wait for the disk and for one another.
const HELPERS_MAX: usize = 16;
/// How often everybody comes for more: the last ones to work should not work for long alone.
const PORTIONS_EACH: usize = 16;
/// The most that is taken at once.
const PORTION_MAX: usize = 64;

/// Who does the work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew(NonZero<usize>);

impl Crew {
    /// One for each core that this process may use, up to [`HELPERS_MAX`].
    pub(super) fn of_all_cores() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::of(cores.min(HELPERS_MAX))
    }

    /// So many, but at least one.
    pub(super) fn of(count: usize) -> Self {
        Self(NonZero::new(count).unwrap_or(NonZero::<usize>::MIN))
    }

    /// Does the work on each of these, once; in no order.
    pub(super) fn each<T: Send>(self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        let portion = (items.len() / (self.0.get() * PORTIONS_EACH)).clamp(1, PORTION_MAX);
        let portions = items.len().div_ceil(portion);
        let left = Mutex::new(items.chunks_mut(portion));
        let help = || {
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(portion) = next else { return };
                portion.iter_mut().for_each(&work);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0.get().min(portions) {
                let work = || {
                    // Those who answer on these cores come first.
                    serve::stand_back();
                    help();
                };
                // Where there can be no more threads, those that there are do it.
                let helper = thread::Builder::new().name("rota-read".into());
                if helper.spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            help();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_by_any_number() {
        for crew in [0, 1, 2, 3, 16] {
            for len in [0, 1, 2, 31, 100, 5000] {
                let mut items: Vec<(usize, usize)> = (0..len).map(|at| (at, 0)).collect();
                Crew::of(crew).each(&mut items, |(at, done)| *done += *at + 1);
                let expected: Vec<_> = (0..len).map(|at| (at, at + 1)).collect();
                assert_eq!(items, expected, "{len} by {crew}");
            }
        }
    }
}

//! Octets that nobody can foresee: keys, masks, message ids.

use ring::rand::{SecureRandom, SystemRandom};

use crate::health::{Outcome, Reason};

/// So many octets by chance; a system without randomness is the prober's own trouble.
pub(super) fn octets<const N: usize>() -> Result<[u8; N], Outcome> {
    let mut octets = [0; N];
    match SystemRandom::new().fill(&mut octets) {
        Ok(()) => Ok(octets),
        Err(_) => Err(Outcome::NoVerdict(Reason::Local("the system has no randomness".into()))),
    }
}

//! Where things stand in a list, by their names.
//!
//! Where there are few they are looked at one by one, and there is no table: that is less than
//! finding one by its hash, and of a hundred thousand zones most have a handful of names.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// So many have no table.
pub(super) const FEW: usize = 8;

/// The hash is fixed: what is in the table is the operator's, and a query inserts nothing.
const HASH: FixedState = FixedState::with_seed(0x726f_7461);

/// The places of a list that does not change; empty where that has few.
#[derive(Debug)]
pub(super) struct Index(HashTable<u32>);

impl Index {
    /// Of a list, each hashed by its key with [`hash`]; no two keys are the same.
    pub(super) fn of<T>(list: &[T], hash_of: impl Fn(&T) -> u64) -> Self {
        let mut table = HashTable::new();
        if list.len() > FEW {
            let hash_at = |&at: &u32| hash_of(&list[at as usize]);
            table.reserve(list.len(), hash_at);
            for at in 0..list.len() as u32 {
                table.insert_unique(hash_at(&at), at, hash_at);
            }
        }
        Self(table)
    }

    /// Where in the same list this key is, which `has` tells.
    #[inline]
    pub(super) fn find<T>(
        &self,
        list: &[T],
        key: &[u8],
        has: impl Fn(&T) -> bool,
    ) -> Option<usize> {
        if list.len() <= FEW {
            return list.iter().position(has);
        }
        let found = self.0.find(hash(key), |&at| has(&list[at as usize]));
        found.map(|&at| at as usize)
    }
}

/// The hash of a name, complete or not, in lower case. Where it ends is a part of every key, so the
/// length need not be.
#[inline]
pub(super) fn hash(key: &[u8]) -> u64 {
    let mut hasher = HASH.build_hasher();
    hasher.write(key);
    hasher.finish()
}

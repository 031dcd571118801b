//! Values that are kept once, and named by small numbers in the order of their coming.

use std::collections::HashMap;
use std::hash::Hash;

/// Values without duplicates.
#[derive(Debug)]
pub(super) struct Interner<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// With one value, whose number is 0.
    pub(super) fn starting_with(value: T) -> Self {
        let mut made = Self { values: Vec::new(), numbers: HashMap::new() };
        made.add(value);
        made
    }

    /// The number of a value.
    pub(super) fn add(&mut self, value: T) -> u32 {
        if let Some(&number) = self.numbers.get(&value) {
            return number;
        }
        // Each value comes from a network of its own, of which files have fewer than 2^32.
        let number = self.values.len() as u32;
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    /// The value of a number.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    /// The values by their numbers.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// The values by their numbers.
    pub(super) fn into_values(self) -> Vec<T> {
        self.values
    }
}

//! Numbers for values: the first of each kind gets the next one. An open hash table that is asked once a value.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

/// A table from keys to numbers. Keys that differ may have one hash; whoever asks says what is equal.
#[derive(Debug)]
pub(super) struct Numbers {
    slots: Vec<Slot>,
    /// Slots of other generations are free: so a table is used again without clearing it.
    generation: u32,
    used: usize,
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u64,
    number: u32,
    generation: u32,
}

const FREE: Slot = Slot { hash: 0, number: 0, generation: 0 };
const FIRST: usize = 256;
/// How many tables a thread keeps for later, and of how many slots each: a megabyte.
const KEPT: usize = 16;
const KEPT_SLOTS: usize = 1 << 16;

thread_local! {
    /// Tables that are not used any more, with their last generation. New ones would be new memory each time.
    static LEFT: RefCell<Vec<(Vec<Slot>, u32)>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Numbers {
    fn drop(&mut self) {
        let (slots, generation) = (std::mem::take(&mut self.slots), self.generation);
        // A thread that ends has nowhere to keep it.
        let _ = LEFT.try_with(|left| {
            let mut left = left.borrow_mut();
            if left.len() < KEPT && slots.len() <= KEPT_SLOTS && generation < u32::MAX {
                left.push((slots, generation));
            }
        });
    }
}

impl Numbers {
    pub(super) fn new() -> Self {
        let left = LEFT.with_borrow_mut(Vec::pop);
        let (slots, generation) = left.unwrap_or_else(|| (vec![FREE; FIRST], 0));
        // Nobody can know which keys collide.
        let seed = RandomState::new().hash_one(0) | 1;
        Self { slots, generation: generation + 1, used: 0, seed }
    }

    /// The key's hash, which no other key has.
    #[inline]
    pub(super) fn exact_hash(&self, key: u64) -> u64 {
        let key = key ^ self.seed;
        // Bits only carry upwards, and of fractions it is the upper ones that differ: they are brought down, twice.
        let hash = (key ^ (key >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 32)
    }

    /// The hash of sixteen bytes.
    #[inline]
    pub(super) fn hash_wide(&self, key: u128) -> u64 {
        folded(key as u64 ^ self.seed, (key >> 64) as u64 ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The hash of bytes.
    pub(super) fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let mut hash = self.exact_hash(bytes.len() as u64);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            hash = folded(hash ^ word, 0xd6e8_feb8_6659_fd93);
        }
        let mut last = [0; 8];
        last.iter_mut().zip(words.remainder()).for_each(|(to, from)| *to = *from);
        folded(hash ^ u64::from_le_bytes(last), 0xa076_1d64_78bd_642f)
    }

    /// The number of the key with this hash, or the next one, and whether it is new.
    #[inline]
    pub(super) fn number(&mut self, hash: u64, is_equal: impl Fn(u32) -> bool) -> (u32, bool) {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let (mut at, generation) = (hash as usize & mask, self.generation);
        loop {
            let Some(slot) = self.slots.get_mut(at) else { return (0, false) };
            if slot.generation != generation {
                let number = self.used as u32;
                *slot = Slot { hash, number, generation };
                self.used += 1;
                return (number, true);
            }
            if slot.hash == hash && is_equal(slot.number) {
                return (slot.number, false);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let (larger, generation) = (vec![FREE; self.slots.len() * 4], self.generation);
        let mask = larger.len() - 1;
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot.generation != generation {
                continue;
            }
            let mut at = slot.hash as usize & mask;
            while self.slots.get(at).is_some_and(|taken| taken.generation == generation) {
                at = (at + 1) & mask;
            }
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }

    /// How many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_have_one_number() {
        let mut numbers = Numbers::new();
        let mut keys: Vec<u64> = Vec::new();
        for key in (0..5000_u64).chain(0..5000) {
            // One hash for several keys.
            let (number, is_new) = numbers.number(key / 4, |n| keys[n as usize] == key);
            assert_eq!(is_new, keys.len() as u64 == key && number as u64 == key && !keys.contains(&key));
            if is_new {
                keys.push(key);
            }
            assert_eq!(keys[number as usize], key);
        }
        assert_ne!(numbers.hash_bytes(b"a"), numbers.hash_bytes(b"a\0"));
    }
}

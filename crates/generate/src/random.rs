//! Random numbers that stay the same for ever: xoshiro256++ seeded by splitmix64. Written here, in forty lines, because
//! a seed in a task file must give the same bytes in every later release, whatever its dependencies change.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of one named thing. Streams of different names are independent of each other, so adding a metric or a
    /// component leaves the values of the others as they were, and each may be made by its own thread.
    pub(crate) fn stream(seed: u64, names: &[&str]) -> Self {
        let mut mixed = splitmix(seed);
        for name in names {
            for byte in name.bytes() {
                mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            // Ends a name: ("ab", "c") is another stream than ("a", "bc").
            mixed = splitmix(mixed ^ 0xff);
        }
        let mut state = [0; 4];
        for (index, word) in (1u64..).zip(&mut state) {
            *word = splitmix(mixed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        state[0] |= 1; // the all-zero state is the only one that must not be
        Self { state }
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        let state = &mut self.state;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// A number of `from..=to`; `from` when the range is empty.
    #[inline]
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        if to <= from {
            return from;
        }
        let width = u128::from(to.abs_diff(from)) + 1;
        // The high half of the product is uniform up to 2^-64 of the width: nobody can see that bias.
        let offset = (u128::from(self.next()) * width) >> 64;
        from.wrapping_add(offset as i64)
    }

    /// True for about this share of all calls; always for 1, never for 0.
    #[inline]
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        ((self.next() >> 32) as f64) < share * 4_294_967_296.0
    }
}

/// A well-mixed function of its argument.
#[inline]
pub(crate) fn splitmix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_algorithm() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| random.next()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn a_range_is_hit_evenly_and_never_left() {
        let mut random = Random::stream(1, &["x"]);
        let mut hits = [0u32; 7];
        for _ in 0..70_000 {
            hits[usize::try_from(random.between(-3, 3) + 3).unwrap()] += 1;
        }
        assert!(hits.iter().all(|count| (9_500..10_500).contains(count)), "{hits:?}");
        assert_eq!(random.between(5, 5), 5);
        assert!(random.between(i64::MIN, i64::MAX) != random.between(i64::MIN, i64::MAX));
    }

    #[test]
    fn names_part_the_streams() {
        let first = |names: &[&str]| Random::stream(9, names).next();
        assert_ne!(first(&["ab", "c"]), first(&["a", "bc"]));
        assert_ne!(first(&["a"]), first(&["b"]));
        assert_eq!(first(&["a", "b"]), first(&["a", "b"]));
    }
}

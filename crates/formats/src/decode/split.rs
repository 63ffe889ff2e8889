//! Cutting a file into ranges that several readers decode at the same time.

use std::ops::Range;

/// Ranges of about equal size, at most `parts` of them, none smaller than `min_bytes` (but for a smaller file). Lines
/// that go over a border belong to the range they begin in; see [`super::DecodeOptions::range`].
pub fn split(size: u64, parts: usize, min_bytes: u64) -> Vec<Range<u64>> {
    let most = size / min_bytes.max(1);
    let parts = most.clamp(1, parts.max(1) as u64);
    let border = |i: u64| {
        let product = u128::from(size) * u128::from(i) / u128::from(parts);
        u64::try_from(product).unwrap_or(size)
    };
    (0..parts).map(|i| border(i)..border(i + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_file_once() {
        for (size, parts, min) in [(0, 4, 10), (5, 4, 10), (100, 4, 10), (101, 3, 1), (u64::MAX, 7, 1)] {
            let ranges = split(size, parts, min);
            assert!(ranges.len() <= parts);
            assert_eq!(ranges.first().unwrap().start, 0);
            assert_eq!(ranges.last().unwrap().end, size);
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}

//! Numbers in as few bits as they need: Parquet's runs (RLE and bit-packed mixed) and DELTA_BINARY_PACKED.

/// How many values of a run are looked at together. Bit-packed runs are multiples of it.
const GROUP: usize = 8;
/// Differences a block and a miniblock of DELTA_BINARY_PACKED.
const BLOCK: usize = 128;
const MINI: usize = 32;

/// How many bits the number needs.
pub(super) fn width_of(most: u64) -> u8 {
    (u64::BITS - most.leading_zeros()) as u8
}

/// An unsigned number, seven bits a byte.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed number, small ones of either sign in few bytes.
pub(super) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Levels of one bit that are all the same.
pub(super) fn same_levels(count: usize, level: u8, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.push(level);
}

/// Levels of one bit, as they stand in a bitmap of whole bytes.
pub(super) fn bit_levels(bitmap: &[u8], out: &mut Vec<u8>) {
    varint((bitmap.len() as u64) << 1 | 1, out);
    out.extend_from_slice(bitmap);
}

/// Runs of equal numbers as such, the others packed.
pub(super) fn hybrid(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let (mut literal, mut at) = (0, 0);
    while let Some(group) = values.get(at..at + GROUP) {
        let first = group.first().copied().unwrap_or_default();
        if group.iter().any(|value| *value != first) {
            at += GROUP;
            continue;
        }
        let rest = values.get(at + GROUP..).unwrap_or_default();
        let more = rest.iter().take_while(|value| **value == first).count();
        packed_run(values.get(literal..at).unwrap_or_default(), width, out);
        varint(((GROUP + more) as u64) << 1, out);
        out.extend_from_slice(first.to_le_bytes().get(..usize::from(width).div_ceil(8)).unwrap_or_default());
        at += GROUP + more;
        literal = at;
    }
    packed_run(values.get(literal..).unwrap_or_default(), width, out);
}

fn packed_run(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint((values.len().div_ceil(GROUP) as u64) << 1 | 1, out);
    pack(values, width, out);
}

/// Packs numbers, filled up with zeros to whole groups.
fn pack(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let bytes = usize::from(width);
    if bytes == 0 {
        return;
    }
    let start = out.len();
    out.resize(start + values.len().div_ceil(GROUP) * bytes, 0);
    let (_, target) = out.split_at_mut(start);
    let groups = values.chunks_exact(GROUP);
    let mut last = [0_u32; GROUP];
    let rest = groups.remainder();
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let last = (!rest.is_empty()).then_some(&last[..]);
    for (group, target) in groups.chain(last).zip(target.chunks_exact_mut(bytes)) {
        if bytes <= 16 {
            let packed =
                group.iter().rev().fold(0_u128, |packed, value| packed << bytes | u128::from(*value));
            target.copy_from_slice(packed.to_le_bytes().get(..bytes).unwrap_or_default());
        } else {
            let halves = [group.get(..4).unwrap_or_default(), group.get(4..).unwrap_or_default()];
            let [low, high] = halves.map(|half| {
                half.iter().rev().fold(0_u128, |packed, value| packed << bytes | u128::from(*value))
            });
            // Four numbers have an even number of half bytes: the second half may begin in the middle of a byte.
            let (whole, bits) = (bytes / 2, bytes % 2 * 4);
            target.iter_mut().zip(low.to_le_bytes()).for_each(|(to, from)| *to = from);
            let high = (high << bits).to_le_bytes();
            target.iter_mut().skip(whole).zip(high).for_each(|(to, from)| *to |= from);
        }
    }
}

/// Whole numbers by their differences. `narrow` are numbers of 32 bits: their differences wrap around there.
pub(super) fn deltas(values: &[i64], narrow: bool, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINI) as u64, out);
    varint(values.len() as u64, out);
    zigzag(values.first().copied().unwrap_or_default(), out);
    let mut last = values.first().copied().unwrap_or_default();
    let wrapped = |value: i64| if narrow { i64::from(value as i32) } else { value };
    for block in values.get(1..).unwrap_or_default().chunks(BLOCK) {
        let mut differences = [0_i64; BLOCK];
        for (to, value) in differences.iter_mut().zip(block) {
            *to = wrapped(value.wrapping_sub(last));
            last = *value;
        }
        let used = differences.get(..block.len()).unwrap_or_default();
        let least = used.iter().copied().min().unwrap_or_default();
        zigzag(least, out);
        let mut above = [0_u64; BLOCK];
        for (to, difference) in above.iter_mut().zip(used) {
            let more = difference.wrapping_sub(least);
            *to = if narrow { u64::from(more as u32) } else { more as u64 };
        }
        let widths: Vec<u8> =
            above.chunks(MINI).map(|mini| width_of(mini.iter().fold(0, |all, one| all | one))).collect();
        out.extend_from_slice(&widths);
        let minis = block.len().div_ceil(MINI);
        for (mini, width) in above.chunks(MINI).zip(&widths).take(minis) {
            pack_wide(mini, *width, out);
        }
    }
}

/// Packs numbers of up to 64 bits; there are as many as fill whole bytes.
fn pack_wide(values: &[u64], width: u8, out: &mut Vec<u8>) {
    let (mut held, mut bits) = (0_u128, 0_u32);
    for value in values {
        held |= u128::from(*value) << bits;
        bits += u32::from(width);
        while bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            bits -= 32;
        }
    }
    out.extend_from_slice(held.to_le_bytes().get(..(bits as usize).div_ceil(8)).unwrap_or_default());
}

/// About how many bytes [`deltas`] makes of them.
pub(super) fn deltas_size(values: &[i64]) -> usize {
    let (mut bytes, mut last) = (16, values.first().copied().unwrap_or_default());
    for block in values.chunks(BLOCK) {
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for value in block {
            let difference = value.wrapping_sub(last);
            (least, most, last) = (least.min(difference), most.max(difference), *value);
        }
        bytes += 8 + block.len() * usize::from(width_of(most.wrapping_sub(least) as u64)) / 8;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads runs back, by the format's words alone.
    fn read_hybrid(bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let (mut at, mut values) = (0, Vec::new());
        while values.len() < count {
            let (mut header, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[at];
                at += 1;
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let width = usize::from(width);
            if header & 1 == 0 {
                let mut value = [0; 4];
                value[..width.div_ceil(8)].copy_from_slice(&bytes[at..at + width.div_ceil(8)]);
                at += width.div_ceil(8);
                values.extend(std::iter::repeat_n(u32::from_le_bytes(value), (header >> 1) as usize));
            } else {
                let groups = (header >> 1) as usize;
                let bit = |n: usize| u32::from(bytes[at + n / 8] >> (n % 8) & 1);
                for value in 0..groups * 8 {
                    values.push((0..width).map(|b| bit(value * width + b) << b).sum());
                }
                at += groups * width;
            }
        }
        assert_eq!(at, bytes.len());
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn runs_come_back(
            runs in prop::collection::vec((0_u32..u32::MAX, 1_usize..40), 0..60),
            width in 0_u8..=32,
        ) {
            let mask = ((1_u64 << width) - 1) as u32;
            let values: Vec<u32> =
                runs.iter().flat_map(|(value, times)| std::iter::repeat_n(value & mask, *times)).collect();
            let mut bytes = Vec::new();
            hybrid(&values, width, &mut bytes);
            prop_assert_eq!(read_hybrid(&bytes, width, values.len()), values);
        }
    }

    #[test]
    fn widths_are_those_of_the_largest_number() {
        assert_eq!([0, 1, 2, 255, 256, u64::MAX].map(width_of), [0, 1, 2, 8, 9, 64]);
    }
}

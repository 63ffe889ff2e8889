//! Where the few bytes that matter stand in a text: 64 bytes are compared at once and become a mask, whose bits are
//! then walked. The compiler turns the comparison into vector instructions; nothing here depends on a processor.

/// Multiplied with eight bytes of 0 or 1, the top byte has them as bits.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// Adds the positions of the needles in the bytes to `out`, counted from `base`.
pub(super) fn positions<const N: usize>(bytes: &[u8], base: u32, needles: [u8; N], out: &mut Vec<u32>) {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut at = base;
    for block in blocks {
        let mut mask = mask_of(block, needles);
        out.reserve(64);
        while mask != 0 {
            out.push(at + mask.trailing_zeros());
            mask &= mask - 1;
        }
        at += 64;
    }
    for byte in rest {
        if needles.contains(byte) {
            out.push(at);
        }
        at += 1;
    }
}

#[inline]
fn mask_of<const N: usize>(block: &[u8; 64], needles: [u8; N]) -> u64 {
    let mut hits = [0u8; 64];
    for (hit, byte) in hits.iter_mut().zip(block) {
        let mut any = false;
        for needle in needles {
            any |= *byte == needle;
        }
        *hit = u8::from(any);
    }
    let (eights, _) = hits.as_chunks::<8>();
    let mut mask = 0u64;
    for (i, eight) in eights.iter().enumerate() {
        mask |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (i * 8);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn as_a_plain_search(bytes in proptest::collection::vec(0u8..6, 0..400)) {
            let mut found = Vec::new();
            positions(&bytes, 7, [1, 3], &mut found);
            let plain: Vec<u32> =
                (0u32..).zip(&bytes).filter(|(_, b)| matches!(b, 1 | 3)).map(|(i, _)| i + 7).collect();
            prop_assert_eq!(found, plain);
        }
    }
}

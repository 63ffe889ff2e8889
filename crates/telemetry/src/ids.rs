//! The ids of spans that are no runs; those of runs are made from theirs (`state::trace`).

use xxhash_rust::xxh64::xxh64;

/// The span of a part of another one: the same whenever it is told of.
pub(crate) fn part_id(whole: &[u8; 8], part: &str) -> [u8; 8] {
    xxh64(part.as_bytes(), u64::from_be_bytes(*whole)).max(1).to_be_bytes()
}

/// A new id that is not all zeros; none where this machine gives no random bytes.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut id = [0; N];
    getrandom::fill(&mut id).ok()?;
    if id == [0; N] {
        id[N - 1] = 1;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_ids_of_their_own() {
        let (wait, plan) = (part_id(&[1; 8], "wait"), part_id(&[1; 8], "plan"));
        assert_ne!(wait, plan);
        assert_eq!(wait, part_id(&[1; 8], "wait"));
        assert_ne!(wait, part_id(&[2; 8], "wait"));
        assert_ne!(random::<16>(), random::<16>());
    }
}

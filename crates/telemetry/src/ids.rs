//! The ids of traces and spans, made from the ids of runs: who knows one knows the other, and a run that is told of twice
//! is the same span.

use model::RunId;
use xxhash_rust::xxh64::xxh64;

/// The digits of run ids.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The trace of a run: the same number as the run's id, which is written to another base there.
pub(crate) fn trace_id(run: &RunId) -> [u8; 16] {
    let number = run.as_str().bytes().fold(0_u128, |number, digit| {
        let value = BASE32.iter().position(|known| *known == digit).unwrap_or(0);
        (number << 5) | value as u128
    });
    // A trace of zeros is none.
    number.max(1).to_be_bytes()
}

/// The run's own span: the end of that number, which is its random part.
pub(crate) fn span_id(run: &RunId) -> [u8; 8] {
    let [_, _, _, _, _, _, _, _, end @ ..] = trace_id(run);
    u64::from_be_bytes(end).max(1).to_be_bytes()
}

/// The span of a part of a run.
pub(crate) fn part_id(run: &RunId, part: &str) -> [u8; 8] {
    xxh64(part.as_bytes(), u64::from_be_bytes(span_id(run))).max(1).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_the_number_of_its_run() {
        let run = RunId::from_parts(0x0192_3456_789a, 0xfedc_ba98_7654_3210_0042);
        assert_eq!(hex::encode(trace_id(&run)), "01923456789afedcba98765432100042");
        assert_eq!(hex::encode(span_id(&run)), "ba98765432100042");
        let (wait, plan) = (part_id(&run, "wait"), part_id(&run, "plan"));
        assert_ne!(wait, plan);
        assert_eq!(wait, part_id(&run, "wait"));
        assert_ne!(wait, part_id(&RunId::from_parts(0x0192_3456_789a, 1), "wait"));
    }

    #[test]
    fn no_id_is_nothing_but_zeros() {
        let run = RunId::from_parts(0, 0);
        assert_ne!(trace_id(&run), [0; 16]);
        assert_ne!(span_id(&run), [0; 8]);
        // The random part of an id may end with zeros.
        assert_ne!(span_id(&RunId::from_parts(7, 1 << 70)), [0; 8]);
    }
}

//! Which traces are told of.

use state::TraceContext;
use xxhash_rust::xxh64::xxh64;

/// How it is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampling {
    /// Which part of the traces is told of.
    pub(crate) ratio: f64,
    /// Whether others are followed where they have decided it.
    pub(crate) asks_parent: bool,
}

impl Sampling {
    /// Whether the trace of that span is told of: for all spans of a trace the same.
    pub(crate) fn chooses(&self, context: &TraceContext) -> bool {
        match context.sampled {
            Some(decided) if self.asks_parent => decided,
            _ => self.ratio >= 1.0 || place(&context.trace) < self.ratio,
        }
    }
}

/// Where a trace stands among all, from 0 to 1. By a hash: the ids of runs of one moment are too much alike.
fn place(trace: &[u8; 16]) -> f64 {
    xxh64(trace, 0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(number: u128, sampled: Option<bool>) -> TraceContext {
        TraceContext { trace: number.to_be_bytes(), span: [1; 8], sampled }
    }

    #[test]
    fn a_part_of_the_traces_is_about_that_part() {
        let chosen = |ratio: f64| {
            let sampling = Sampling { ratio, asks_parent: true };
            let moment = 0x0192_3456_789a_u128 << 80;
            (1..=10_000).filter(|n| sampling.chooses(&context(moment | *n, None))).count()
        };
        assert_eq!((chosen(0.0), chosen(1.0)), (0, 10_000));
        let some = chosen(0.25);
        assert!((2300..2700).contains(&some), "{some}");
    }

    #[test]
    fn what_others_have_decided_is_followed_by_who_asks() {
        for (ratio, asks_parent, sampled, chosen) in [
            (1.0, true, Some(false), false),
            (0.0, true, Some(true), true),
            (1.0, false, Some(false), true),
            (0.0, false, Some(true), false),
        ] {
            assert_eq!(Sampling { ratio, asks_parent }.chooses(&context(7, sampled)), chosen, "{sampled:?}");
        }
    }
}

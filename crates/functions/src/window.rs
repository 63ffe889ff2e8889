//! Trino's window functions: what they take and return, and which of DataFusion's computes them.
//!
//! The planner plans DataFusion's function and casts its answer to what Trino returns. Every aggregate is a window
//! function too; `Aggregate::sliding` makes its accumulators for frames.

/// A window function.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it takes and returns, in the notation of `Signature`.
    pub signatures: &'static [&'static str],
    /// DataFusion's function.
    pub native: &'static str,
    /// Whether it looks at the frame; the others look at the whole partition and take no notice of a frame.
    pub framed: bool,
    /// Whether `IGNORE NULLS` may stand behind it.
    pub ignores_nulls: bool,
    /// Whether Trino demands `ORDER BY` in its window and forbids a frame.
    pub ordered: bool,
    /// One sentence for the documentation.
    pub summary: &'static str,
}

/// All of them. Where DataFusion differs:
///
/// * `row_number`, `rank`, `dense_rank`, `ntile` return `UInt64` there: cast to `bigint`.
/// * `ntile(n)`: NULL or n below 1 is an error in Trino; DataFusion takes a constant only.
/// * `lag`, `lead`: DataFusion takes the offset (`bigint`, from 0) and the default as constants; Trino takes any
///   expression, and an offset that is NULL or negative is an error. The default needs the type of the first argument.
/// * `nth_value(x, n)`: n from 1; DataFusion counts from the end for negative n, Trino refuses them.
/// * `first_value`, `last_value` are aggregates in DataFusion as well: take the window functions.
pub const WINDOWS: &[Window] = &[
    Window::ranking("row_number", &["() -> bigint"], "The row's number in its partition, from 1."),
    Window::ranking(
        "rank",
        &["() -> bigint"],
        "One more than the number of rows before it that are not its peers.",
    ),
    Window::ranking("dense_rank", &["() -> bigint"], "Like rank, without gaps after peers."),
    Window::ranking("percent_rank", &["() -> double"], "(rank - 1) / (rows - 1), or 0 for a single row."),
    Window::ranking(
        "cume_dist",
        &["() -> double"],
        "The part of the partition's rows up to it and its peers.",
    ),
    Window::ranking(
        "ntile",
        &["(bigint) -> bigint"],
        "The number of the row's bucket, when the rows are dealt into n.",
    ),
    Window {
        ordered: true,
        framed: false,
        ..Window::value(
            "lag",
            &["(T) -> T", "(T, bigint) -> T", "(T, bigint, T) -> T"],
            "The value so many rows before.",
        )
    },
    Window {
        ordered: true,
        framed: false,
        ..Window::value(
            "lead",
            &["(T) -> T", "(T, bigint) -> T", "(T, bigint, T) -> T"],
            "The value so many rows after.",
        )
    },
    Window::value("first_value", &["(T) -> T"], "The frame's first value."),
    Window::value("last_value", &["(T) -> T"], "The frame's last value."),
    Window::value("nth_value", &["(T, bigint) -> T"], "The frame's n-th value, from 1."),
];

impl Window {
    const fn ranking(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> Self {
        Self { name, signatures, native: name, framed: false, ignores_nulls: false, ordered: false, summary }
    }

    const fn value(name: &'static str, signatures: &'static [&'static str], summary: &'static str) -> Self {
        Self { name, signatures, native: name, framed: true, ignores_nulls: true, ordered: false, summary }
    }
}

/// The window function of this name (lower case).
pub fn find_window(name: &str) -> Option<&'static Window> {
    WINDOWS.iter().find(|w| w.name == name)
}

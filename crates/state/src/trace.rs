//! Which trace work belongs to, by W3C's Trace Context: what a request brings in its `traceparent`, what a run is, and
//! how it comes along from a request to the runs that it starts, and from a run to those that it starts.
//!
//! Nothing is told of anybody here: rooms only start runs, and a run notes under what it was started. It comes along
//! with a task's work ([`within`]); work that is put into another task has to take it there ([`carried`]).

use crate::runs::Run;
use model::{Error, Result, RunId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::str::FromStr;

tokio::task_local! {
    static CURRENT: Option<TraceContext>;
}

/// A span of a trace, as what belongs under it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceContext {
    /// The trace's id; never all zeros.
    pub trace: [u8; 16],
    /// The span's id; never all zeros.
    pub span: [u8; 8],
    /// Whether the trace is told of, where somebody else has decided that.
    pub sampled: Option<bool>,
}

impl TraceContext {
    /// The span that a run is: under what it was started, or else of a trace of its own. Both ids are made from the run's:
    /// who knows one knows the other, and a run that is told of twice is the same span.
    pub fn of_run(run: &Run) -> Self {
        let span = span_id(&run.id);
        match run.trace {
            Some(parent) => Self { span, ..parent },
            None => Self { trace: trace_id(&run.id), span, sampled: None },
        }
    }

    /// Reads a `traceparent`. None for what has to be taken for none by W3C's document: other than lower-case digits,
    /// ids of zeros, the version `ff`, more than the version `00` has. Later versions are read as far as they are known.
    pub fn read(header: &str) -> Option<Self> {
        let version = header.get(..2).filter(|version| is_hex(version) && *version != "ff")?;
        let rest = header.get(2..)?;
        let known = rest.get(..53)?;
        match rest.get(53..) {
            Some("") => {}
            Some(more) if version != "00" && more.starts_with('-') => {}
            _ => return None,
        }
        let mut parts = known.split('-');
        let (Some(""), Some(trace), Some(span), Some(flags), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let flags = (flags.len() == 2 && is_hex(flags)).then(|| u8::from_str_radix(flags, 16).ok())??;
        Self::of_digits(trace, span, Some(flags & 1 == 1))
    }

    fn of_digits(trace: &str, span: &str, sampled: Option<bool>) -> Option<Self> {
        let fits = trace.len() == 32 && span.len() == 16 && is_hex(trace) && is_hex(span);
        let (trace, span) = fits
            .then(|| Some((u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?)))??;
        let is_one = trace != 0 && span != 0;
        is_one.then(|| Self { trace: trace.to_be_bytes(), span: span.to_be_bytes(), sampled })
    }

    /// The same as a `traceparent` for others. Where nobody has decided whether the trace is told of, it says yes.
    pub fn header(&self) -> String {
        let flags = u8::from(self.sampled != Some(false));
        format!("00-{}-{flags:02x}", self.ids())
    }

    fn ids(&self) -> String {
        format!("{:032x}-{:016x}", u128::from_be_bytes(self.trace), u64::from_be_bytes(self.span))
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// As it is kept: the ids, and the flag where it is decided.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = match self.sampled {
            None => "",
            Some(true) => "-01",
            Some(false) => "-00",
        };
        write!(f, "{}{flag}", self.ids())
    }
}

impl FromStr for TraceContext {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '-');
        let (trace, span) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let read = match parts.next() {
            None => Self::of_digits(trace, span, None),
            Some("01") => Self::of_digits(trace, span, Some(true)),
            Some("00") => Self::of_digits(trace, span, Some(false)),
            Some(_) => None,
        };
        read.ok_or_else(|| Error::invalid(format!("`{text}` names no span of a trace")))
    }
}

impl TryFrom<String> for TraceContext {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<TraceContext> for String {
    fn from(context: TraceContext) -> Self {
        context.to_string()
    }
}

/// What the work at hand belongs to, if that is known.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok().flatten()
}

/// Does work that belongs to that.
pub fn within<F: Future>(context: Option<TraceContext>, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(context, work)
}

/// The same work for another task: it belongs there to what it belongs to here.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    within(current(), work)
}

/// The digits of run ids.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The trace of a run that was started under nothing: the same number as the run's id, which is written to another base
/// there.
fn trace_id(run: &RunId) -> [u8; 16] {
    let number = run.as_str().bytes().fold(0_u128, |number, digit| {
        let value = BASE32.iter().position(|known| *known == digit).unwrap_or(0);
        (number << 5) | value as u128
    });
    // A trace of zeros is none.
    number.max(1).to_be_bytes()
}

/// The run's own span: the end of that number, which is its random part.
fn span_id(run: &RunId) -> [u8; 8] {
    let [_, _, _, _, _, _, _, _, end @ ..] = trace_id(run);
    u64::from_be_bytes(end).max(1).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn headers_are_read_as_the_document_says() {
        let given = |text: &str| text.replace('T', TRACE).replace('S', SPAN);
        for (header, sampled) in [
            ("00-T-S-01", Some(true)),
            ("00-T-S-00", Some(false)),
            ("00-T-S-03", Some(true)),
            ("00-T-S-fe", Some(false)),
            // Of a version that is not known yet, what is known of it.
            ("cc-T-S-01", Some(true)),
            ("cc-T-S-01-what-the-future-brings", Some(true)),
            ("cc-T-S-01.", None),
            ("00-T-S-01-", None),
            ("00-T-S-01-more", None),
            ("ff-T-S-01", None),
            ("0-T-S-01", None),
            ("00-T-S-0", None),
            ("00-T-S-1x", None),
            ("00-T-S", None),
            ("00_T-S-01", None),
            ("00-S-T-01", None),
            (" 00-T-S-01", None),
            ("00-00000000000000000000000000000000-S-01", None),
            ("00-T-0000000000000000-01", None),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-S-01", None),
            ("00-+bf92f3577b34da6a3ce929d0e0e4736-S-01", None),
            ("00-T-S-+1", None),
            ("00-äbf92f3577b34da6a3ce929d0e0e47-S-01", None),
            ("", None),
        ] {
            let read = TraceContext::read(&given(header));
            assert_eq!(read.map(|context| context.sampled), sampled.map(Some), "{header}");
        }
        let context = TraceContext::read(&given("00-T-S-01")).unwrap();
        assert_eq!(context.header(), given("00-T-S-01"));
        let unsampled = TraceContext { sampled: Some(false), ..context };
        assert_eq!(unsampled.header(), given("00-T-S-00"));
        assert_eq!(TraceContext { sampled: None, ..context }.header(), given("00-T-S-01"));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let context = TraceContext::read(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        for sampled in [None, Some(true), Some(false)] {
            let context = TraceContext { sampled, ..context };
            assert_eq!(context.to_string().parse::<TraceContext>().unwrap(), context);
            let json = serde_json::to_string(&context).unwrap();
            assert_eq!(serde_json::from_str::<TraceContext>(&json).unwrap(), context);
        }
        for text in ["", "-", "x", &format!("{TRACE}-{SPAN}-02"), &format!("{TRACE}-{SPAN}-")] {
            assert!(text.parse::<TraceContext>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_trace_is_the_number_of_its_run() {
        let digits = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let run = RunId::from_parts(0x0192_3456_789a, 0xfedc_ba98_7654_3210_0042);
        assert_eq!(digits(&trace_id(&run)), "01923456789afedcba98765432100042");
        assert_eq!(digits(&span_id(&run)), "ba98765432100042");
    }

    #[test]
    fn no_id_is_nothing_but_zeros() {
        let run = RunId::from_parts(0, 0);
        assert_ne!(trace_id(&run), [0; 16]);
        assert_ne!(span_id(&run), [0; 8]);
        // The random part of an id may end with zeros.
        assert_ne!(span_id(&RunId::from_parts(7, 1 << 70)), [0; 8]);
    }

    #[tokio::test]
    async fn it_comes_along_with_work() {
        let context = TraceContext::read(&format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(current(), None);
        within(context, async {
            tokio::task::yield_now().await;
            assert_eq!(current(), context);
            assert_eq!(tokio::spawn(async { current() }).await.unwrap(), None);
            assert_eq!(tokio::spawn(carried(async { current() })).await.unwrap(), context);
            within(None, async { assert_eq!(current(), None) }).await;
            assert_eq!(current(), context);
        })
        .await;
        assert_eq!(current(), None);
    }
}

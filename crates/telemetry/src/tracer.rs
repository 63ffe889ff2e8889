//! Spans of what is no run: requests to the doors, and queries that they answer themselves.

use crate::figures::Figures;
use crate::ids::random;
use crate::queue::Queue;
use crate::sampling::Sampling;
use crate::span::{Attributes, Failure, Span, SpanKind, Value};
use state::{Clock, TraceContext};
use std::fmt;
use std::sync::Arc;

/// Makes spans, where traces are sent anywhere; else nothing, at the price of a look whether they are. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tracer {
    house: Option<Arc<House>>,
}

/// What spans are handed on with.
pub(crate) struct House {
    pub(crate) queue: Arc<Queue>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) sampling: Sampling,
    pub(crate) clock: Clock,
}

impl House {
    /// Hands spans on that belong together, all or none of them. Waits for nobody.
    pub(crate) fn tell(&self, spans: Vec<Span>) {
        let dropped = self.queue.push(spans);
        self.figures.ledger.note_spans("dropped", dropped);
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("is_on", &self.is_on()).finish()
    }
}

impl Tracer {
    pub(crate) fn new(house: Arc<House>) -> Self {
        Self { house: Some(house) }
    }

    /// Whether spans go anywhere.
    pub fn is_on(&self) -> bool {
        self.house.is_some()
    }

    /// A span that begins now, under another one or as the first of its trace.
    pub(crate) fn begin(
        &self,
        name: String,
        kind: SpanKind,
        under: Option<TraceContext>,
    ) -> Option<OpenSpan> {
        let house = self.house.as_ref()?;
        let context = match under {
            Some(under) => TraceContext { span: random()?, ..under },
            None => TraceContext { trace: random()?, span: random()?, sampled: None },
        };
        let now = house.clock.now();
        let span = Span {
            trace: context.trace,
            id: context.span,
            parent: under.map(|under| under.span),
            name,
            kind,
            start: now,
            end: now,
            attributes: Attributes::new(),
            failure: None,
        };
        Some(OpenSpan {
            is_told: house.sampling.chooses(&context),
            house: Arc::clone(house),
            context,
            span,
            state: None,
        })
    }
}

/// A span that has not ended. It ends, and is told of, when it is dropped; that waits for nobody.
pub struct OpenSpan {
    house: Arc<House>,
    context: TraceContext,
    is_told: bool,
    span: Span,
    /// An attribute that says how it ended, and its value so far.
    pub(crate) state: Option<(&'static str, &'static str)>,
}

impl OpenSpan {
    /// What belongs under it is told this.
    pub fn context(&self) -> TraceContext {
        self.context
    }

    /// Says something of it. Each name is said once.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if self.is_told {
            self.span.attributes.push((name.to_owned(), value.into()));
        }
    }

    pub(crate) fn rename(&mut self, name: String) {
        self.span.name = name;
    }

    /// What it did has failed.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.set("error.type", failure.kind.as_str());
        self.span.failure = Some(failure);
        self.ends("failed");
    }

    /// How it ends, where that is told.
    pub(crate) fn ends(&mut self, state: &'static str) {
        if let Some((_, so_far)) = &mut self.state {
            *so_far = state;
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if !self.is_told {
            return;
        }
        if let Some((name, state)) = self.state.take() {
            self.set(name, state);
        }
        let end = self.house.clock.now().max(self.span.start);
        let span = Span {
            name: std::mem::take(&mut self.span.name),
            attributes: std::mem::take(&mut self.span.attributes),
            failure: self.span.failure.take(),
            end,
            ..self.span
        };
        self.house.tell(vec![span]);
    }
}

//! Tells what one object is: its format, compression and schema, and the table facts that Glue's crawlers would write.
//!
//! Bytes come in through a random-access [`Source`]; a [`Classification`] goes out, or an error whose diagnosis names
//! the object and says why it is no table. Only a head (or a footer) is read, never the whole object, and nothing here
//! knows the lake or the catalog.

mod compression;
mod custom;
mod formats;
mod grok;
mod infer;
mod names;
pub mod partition;
mod result;
mod sample;
mod shape;
mod source;

pub use compression::Compression;
pub use custom::{
    ContainsHeader, CsvClassifier, CsvSerde, CustomClassifier, GrokClassifier, JsonClassifier, XmlClassifier,
};
pub use infer::MISSING_MARKERS;
pub use result::{Classification, CsvTraits, merge, similarity};
pub use source::{BytesSource, Limits, Source};

use formats::Verdict;
use model::{Error, Place, Result};
use sample::Sample;

/// The classifiers of a crawler: custom ones in their order, then the built-in ones; the first that fits wins.
#[derive(Debug, Clone, Default)]
pub struct Classifiers {
    custom: Vec<CustomClassifier>,
}

impl Classifiers {
    /// Those custom classifiers, checked, before the built-in ones.
    pub fn new(custom: Vec<CustomClassifier>) -> Result<Self> {
        for classifier in &custom {
            classifier.validate()?;
        }
        Ok(Self { custom })
    }

    /// The built-in ones alone.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// The custom ones, in their order.
    pub fn custom(&self) -> &[CustomClassifier] {
        &self.custom
    }

    /// What the object is. Every error is placed at the object, or at a row of it.
    pub async fn classify(&self, source: &dyn Source, limits: &Limits) -> Result<Classification> {
        self.look(source, limits).await.map_err(|error| error.at_if_unknown(|| Place::object(source.name())))
    }

    async fn look(&self, source: &dyn Source, limits: &Limits) -> Result<Classification> {
        limits.check()?;
        if source.size() == 0 {
            return Err(Error::invalid("the object is empty")
                .why("it holds 0 bytes, so there is no schema to infer")
                .hint("delete it, or write it again if the upload was cut short"));
        }
        let start = source::read_head(source, compression::FIRST_READ.min(limits.sample_bytes)).await?;
        if let Some(format) = formats::binary_format(&start) {
            return format.classify(source, &start, limits).await;
        }
        let sample = Sample::read(source, start, limits).await?;
        for custom in &self.custom {
            if let Some(found) = custom.classify(&sample, limits)? {
                return Ok(found);
            }
        }
        for format in formats::TEXT {
            match format(&sample, limits)? {
                Verdict::Fits(found) => return Ok(*found),
                Verdict::Broken(error) => return Err(error),
                Verdict::Other => {}
            }
        }
        Err(nothing_fits(&sample))
    }
}

fn nothing_fits(sample: &Sample<'_>) -> Error {
    let first = sample.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let shown: String = first.chars().take(60).collect();
    let dots = if first.chars().count() > 60 { "…" } else { "" };
    Error::invalid("no classifier recognises the object's text")
        .why(format!("it is neither JSON, XML, a known log nor delimited columns; it begins `{shown}{dots}`"))
        .hint("describe its lines with a grok or CSV classifier, or exclude it from the crawl")
}

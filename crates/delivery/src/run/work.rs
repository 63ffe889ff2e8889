//! The work on a batch's records that needs no waiting: they are taken apart, sent to their objects, converted, compressed.

use super::partitions::Registrar;
use crate::convert::{Converter, MALFORMED};
use crate::failed::{Failed, FailedStep};
use crate::names::{Seed, name};
use crate::pack::Packer;
use crate::prefix::{Facts, Prefix};
use crate::query::{Evaluator, with_stack};
use crate::settings::{Compiled, CompressionFormat};
use crate::split::split;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use formats::Encoder;
use model::{BucketName, Error, LakeUri, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use streams::Record;

/// So many objects by keys may be in a batch; records with further keys fail, as with Firehose.
const MOST_PARTITIONS: usize = 500;
const EXTRACTION_FAILED: &str = "DynamicPartitioning.MetadataExtractionFailed";
const TOO_MANY_PARTITIONS: &str = "DynamicPartitioning.ActivePartitionsLimitExceeded";

/// What a batch is called.
pub(crate) struct Naming {
    pub(crate) stream: String,
    pub(crate) version: u64,
    pub(crate) seed: Seed,
    /// When its oldest record arrived.
    pub(crate) oldest: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) failed: u64,
}

/// Bytes for an object, by its number among the batch's.
pub(crate) type Output = (usize, Bytes);

/// A batch's objects while they are written.
pub(crate) struct Work {
    compiled: Arc<Compiled>,
    converter: Option<Converter>,
    registrar: Option<Registrar>,
    naming: Naming,
    objects: Vec<Object>,
    /// By what they hold.
    by_kind: BTreeMap<Kind, usize>,
    partitions: usize,
    pub(crate) counted: Counted,
    /// Why the first record failed.
    pub(crate) first_failure: Option<String>,
    /// Why no rows are written: the format has refused them.
    pub(crate) refused: Option<String>,
}

struct Object {
    uri: LakeUri,
    body: Body,
    /// Whether anything was sent to it.
    used: bool,
}

enum Body {
    Bytes(Box<Packer>),
    Rows(Box<dyn Encoder>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Backup,
    Failed(FailedStep),
    /// Records, by the keys of dynamic partitioning.
    Records(Vec<String>),
}

/// A part of a record on its way.
struct Piece<'a> {
    record: &'a Record,
    data: Bytes,
}

impl Work {
    pub(crate) fn new(
        compiled: Arc<Compiled>,
        converter: Option<Converter>,
        registrar: Option<Registrar>,
        naming: Naming,
    ) -> Self {
        Self {
            compiled,
            converter,
            registrar,
            naming,
            objects: Vec::new(),
            by_kind: BTreeMap::new(),
            partitions: 0,
            counted: Counted::default(),
            first_failure: None,
            refused: None,
        }
    }

    /// The addresses of the objects so far, by their numbers.
    pub(crate) fn uris(&self) -> Vec<LakeUri> {
        self.objects.iter().map(|object| object.uri.clone()).collect()
    }

    /// The partitions that the catalog is to learn of.
    pub(crate) fn registrar(&mut self) -> Option<Registrar> {
        self.registrar.take()
    }

    /// Takes records; gives what is finished of the objects.
    pub(crate) fn take(&mut self, records: &[Record]) -> Result<Vec<Output>> {
        match self.compiled.dynamic {
            Some(_) => with_stack(|| self.take_all(records)),
            None => self.take_all(records),
        }
    }

    fn take_all(&mut self, records: &[Record]) -> Result<Vec<Output>> {
        let compiled = Arc::clone(&self.compiled);
        let evaluator = compiled.dynamic.as_ref().map(|dynamic| dynamic.query.evaluator()).transpose()?;
        let mut groups: BTreeMap<usize, Vec<Piece<'_>>> = BTreeMap::new();
        for record in records {
            self.counted.records += 1;
            self.counted.bytes += record.data().len() as u64;
            self.back_up(record)?;
            for data in split(&record.shared_data(), compiled.splitting.as_ref()) {
                let piece = Piece { record, data };
                match self.object_of(&piece, evaluator.as_ref())? {
                    Ok(object) => groups.entry(object).or_default().push(piece),
                    Err((code, why)) => self.fail(&piece, FailedStep::Extraction, code, why)?,
                }
            }
        }
        for (object, pieces) in groups {
            match self.converter.is_some() {
                true => self.convert(object, &pieces)?,
                false => {
                    for piece in &pieces {
                        self.append(object, &piece.data)?;
                        self.append(object, &compiled.delimiter)?;
                    }
                }
            }
        }
        let outputs = self.objects.iter_mut().enumerate().map(|(at, object)| (at, object.take()));
        Ok(outputs.filter(|(_, bytes)| !bytes.is_empty()).collect())
    }

    /// Ends the objects: their last bytes, or nothing for those that no record came to.
    pub(crate) fn finish(self) -> Result<Vec<Option<Bytes>>> {
        let end = |object: Object| if object.used { object.finish().map(Some) } else { Ok(None) };
        self.objects.into_iter().map(end).collect()
    }

    fn back_up(&mut self, record: &Record) -> Result<()> {
        let Some(backup) = self.compiled.backup.clone() else { return Ok(()) };
        let object = match self.by_kind.get(&Kind::Backup) {
            Some(object) => *object,
            None => {
                let ending = crate::pack::extension(backup.compression);
                let uri =
                    self.uri(&backup.bucket, &backup.prefix, "", &BTreeMap::new(), "backup", ending, None)?;
                self.open(Kind::Backup, uri, Body::Bytes(Box::new(Packer::new(backup.compression)?)))
            }
        };
        self.append(object, record.data())
    }

    /// The object that a piece belongs to; or why it has none.
    fn object_of(
        &mut self,
        piece: &Piece<'_>,
        evaluator: Option<&Evaluator>,
    ) -> Result<std::result::Result<usize, (&'static str, String)>> {
        let compiled = Arc::clone(&self.compiled);
        let (mut keys, mut values) = (BTreeMap::new(), Vec::new());
        if let (Some(dynamic), Some(evaluator)) = (&compiled.dynamic, evaluator) {
            keys = match evaluator.keys(&piece.data) {
                Ok(keys) => keys,
                Err(why) => return Ok(Err((EXTRACTION_FAILED, why))),
            };
            for name in &dynamic.names {
                match keys.get(name) {
                    Some(value) => values.push(value.clone()),
                    None => {
                        let why = format!("partitionKeys values must not be null or empty: `{name}`");
                        return Ok(Err((EXTRACTION_FAILED, why)));
                    }
                }
            }
        }
        let kind = Kind::Records(values);
        if let Some(object) = self.by_kind.get(&kind) {
            return Ok(Ok(*object));
        }
        if compiled.dynamic.is_some() && self.partitions >= MOST_PARTITIONS {
            let why = format!("The limit of {MOST_PARTITIONS} active partitions is exceeded");
            return Ok(Err((TOO_MANY_PARTITIONS, why)));
        }
        let what = format!("{kind:?}");
        let arrived = compiled.dynamic.as_ref().map(|_| piece.record.arrived);
        let (bucket, prefix) = (&compiled.bucket, &compiled.prefix);
        let uri = match self.uri(bucket, prefix, "", &keys, &what, &compiled.extension, arrived) {
            Ok(uri) => uri,
            // What the record's own values make impossible is its fault; else it is the settings'.
            Err(error) if compiled.dynamic.is_some() => {
                return Ok(Err((EXTRACTION_FAILED, error.to_string())));
            }
            Err(error) => return Err(error),
        };
        if let Some(registrar) = &mut self.registrar {
            registrar.see(&uri);
        }
        let body = match &self.converter {
            Some(converter) => Body::Rows(converter.encoder()?),
            None => Body::Bytes(Box::new(Packer::new(compiled.compression)?)),
        };
        self.partitions += 1;
        Ok(Ok(self.open(kind, uri, body)))
    }

    fn convert(&mut self, object: usize, pieces: &[Piece<'_>]) -> Result<()> {
        if let Some(why) = self.refused.clone() {
            let mut fail = |piece| self.fail(piece, FailedStep::Conversion, MALFORMED, why.clone());
            return pieces.iter().try_for_each(&mut fail);
        }
        let Some(converter) = &self.converter else { return Ok(()) };
        let texts: Vec<&[u8]> = pieces.iter().map(|piece| &piece.data[..]).collect();
        let converted = converter.convert(&texts)?;
        if let Some(Object { body: Body::Rows(encoder), used, .. }) = self.objects.get_mut(object) {
            for rows in &converted.rows {
                encoder.write(rows)?;
            }
            *used |= !converted.rows.is_empty();
        }
        for (at, why) in converted.failed {
            if let Some(piece) = pieces.get(at) {
                self.fail(piece, FailedStep::Conversion, MALFORMED, why)?;
            }
        }
        Ok(())
    }

    fn fail(
        &mut self,
        piece: &Piece<'_>,
        step: FailedStep,
        code: &'static str,
        message: String,
    ) -> Result<()> {
        self.counted.failed += 1;
        self.first_failure.get_or_insert_with(|| format!("{code}: {message}"));
        let object = match self.by_kind.get(&Kind::Failed(step)) {
            Some(object) => *object,
            None => {
                let compiled = Arc::clone(&self.compiled);
                let (what, no_keys) = (step.error_type(), BTreeMap::new());
                let uri =
                    self.uri(&compiled.bucket, &compiled.error_prefix, what, &no_keys, what, "", None)?;
                self.open(
                    Kind::Failed(step),
                    uri,
                    Body::Bytes(Box::new(Packer::new(CompressionFormat::Uncompressed)?)),
                )
            }
        };
        let failed = Failed {
            step,
            code,
            message,
            arrived: piece.record.arrived,
            sequence_number: piece.record.sequence_number.to_string(),
            data: &piece.data,
        };
        let line =
            failed.line(self.naming.now, self.converter.as_ref().map(|converter| &converter.described));
        self.append(object, line.as_bytes())
    }

    fn append(&mut self, object: usize, bytes: &[u8]) -> Result<()> {
        match self.objects.get_mut(object) {
            Some(Object { body: Body::Bytes(packer), used, .. }) => {
                *used = true;
                packer.write(bytes)
            }
            _ => Err(Error::internal("a record was sent to an object of rows")),
        }
    }

    fn open(&mut self, kind: Kind, uri: LakeUri, body: Body) -> usize {
        let number = self.objects.len();
        self.objects.push(Object { uri, body, used: false });
        self.by_kind.insert(kind, number);
        number
    }

    #[allow(clippy::too_many_arguments, reason = "all that an address is made of")]
    fn uri(
        &self,
        bucket: &BucketName,
        prefix: &Prefix,
        error_type: &str,
        keys: &BTreeMap<String, String>,
        what: &str,
        ending: &str,
        arrived: Option<DateTime<Utc>>,
    ) -> Result<LakeUri> {
        let Naming { stream, version, seed, oldest, .. } = &self.naming;
        let (seed, time, zone) = (seed.part(what), arrived.unwrap_or(*oldest), self.compiled.zone);
        let random = |n: usize| seed.letters(n);
        let key = prefix.evaluate(&Facts { time, zone, error_type, keys, random: &random });
        LakeUri::new(bucket.clone(), format!("{key}{}{ending}", name(stream, *version, time, zone, &seed)))
    }
}

impl Object {
    fn take(&mut self) -> Bytes {
        match &mut self.body {
            Body::Bytes(packer) => packer.take(),
            Body::Rows(encoder) => encoder.take(),
        }
    }

    fn finish(self) -> Result<Bytes> {
        match self.body {
            Body::Bytes(packer) => packer.finish(),
            Body::Rows(encoder) => Ok(encoder.finish()?.bytes),
        }
    }
}

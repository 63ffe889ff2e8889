//! A commit: objects written, replaced and removed together. Staged first, then decided by one journal file, then
//! published; a kill before the journal leaves nothing, a kill after it is made good at the next start.

use crate::Lake;
use crate::gate::{Before, to_its_end};
use crate::journal::{Journal, StagedDelete, StagedPut};
use crate::local::{blocking, check_mode};
use crate::object::{ObjectInfo, PutMode, PutOptions, PutResult};
use crate::store::{Bound, Listed, ScanRequest};
use crate::writer::ObjectWriter;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use model::{BucketName, Error, ErrorKind, LakeUri, Result, RunId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many objects are published at the same time.
const AT_ONCE: usize = 8;

/// For whom a commit is.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// The run whose output it is; it is noted in the journal.
    pub run: Option<RunId>,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Objects written.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects removed.
    pub removed: u64,
}

/// Objects that will appear together. Its methods take `&self`, so that many tasks can write at once. Dropping it
/// unpublished leaves nothing.
#[derive(Debug)]
pub struct Commit {
    staging: Arc<Staging>,
}

/// What a commit has gathered.
pub(crate) struct Staging {
    lake: Lake,
    id: String,
    run: Option<RunId>,
    gathered: Mutex<Gathered>,
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staging").field("id", &self.id).field("run", &self.run).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Gathered {
    puts: BTreeMap<LakeUri, StagedPut>,
    deletes: BTreeSet<LakeUri>,
    prefixes: BTreeSet<LakeUri>,
    kept: BTreeSet<LakeUri>,
    closed: bool,
}

impl Commit {
    pub(crate) fn new(lake: Lake, options: CommitOptions) -> Self {
        let id = lake.inner.private.fresh_name();
        let gathered = Mutex::default();
        Self { staging: Arc::new(Staging { lake, id, run: options.run, gathered }) }
    }

    /// Writes one of the commit's objects piece by piece.
    pub async fn writer(&self, uri: &LakeUri, options: PutOptions) -> Result<ObjectWriter> {
        options.check(uri)?;
        let lake = &self.staging.lake;
        let sink = lake.store(uri.bucket()).sink(uri, &options, Some(&self.staging.id)).await?;
        let staging = Some(Arc::clone(&self.staging));
        Ok(ObjectWriter::new(lake.clone(), uri.clone(), options, sink, staging))
    }

    /// Stages one of the commit's objects.
    pub async fn put(&self, uri: &LakeUri, bytes: Bytes) -> Result<PutResult> {
        self.put_opts(uri, bytes, PutOptions::default()).await
    }

    /// Stages an object with options; its mode is checked when the commit is published.
    pub async fn put_opts(&self, uri: &LakeUri, bytes: Bytes, options: PutOptions) -> Result<PutResult> {
        let mut writer = self.writer(uri, options).await?;
        writer.write(bytes).await?;
        writer.finish().await
    }

    /// Removes an object with the publish.
    pub fn delete(&self, uri: &LakeUri) {
        self.staging.gathered().deletes.insert(uri.clone());
    }

    /// Whatever stands under this prefix at the publish, and is not part of this commit, is removed with it.
    pub fn replace_prefix(&self, prefix: &LakeUri) {
        self.staging.gathered().prefixes.insert(prefix.clone());
    }

    /// What stands under this prefix is not removed, even where it lies below one that is replaced.
    pub fn keep_prefix(&self, prefix: &LakeUri) {
        self.staging.gathered().kept.insert(prefix.clone());
    }

    /// Lets everything appear, and what it replaces vanish, at once for readers of this lake. When this fails with any
    /// kind but `Unavailable`, nothing has happened.
    pub async fn publish(self) -> Result<Published> {
        let staging = Arc::clone(&self.staging);
        to_its_end(async move { staging.publish().await }).await
    }

    /// Gives everything up.
    pub async fn abort(self) -> Result<()> {
        let puts = self.staging.close();
        self.staging.discard(puts).await
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        let puts = self.staging.close();
        if !puts.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let staging = Arc::clone(&self.staging);
            runtime.spawn(async move { staging.discard(puts).await });
        }
    }
}

impl Staging {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No more objects are taken. Returns those not published yet.
    fn close(&self) -> Vec<StagedPut> {
        let mut gathered = self.gathered();
        gathered.closed = true;
        std::mem::take(&mut gathered.puts).into_values().collect()
    }

    /// Takes an object; of two under one address the later one counts.
    pub(crate) async fn add(&self, put: StagedPut) -> Result<()> {
        let refused = {
            let mut gathered = self.gathered();
            match gathered.closed {
                true => Some(put),
                false => gathered.puts.insert(put.uri.clone(), put),
            }
        };
        let closed = self.gathered().closed;
        if let Some(put) = refused {
            self.lake.store(put.uri.bucket()).discard(&put).await?;
        }
        match closed {
            true => {
                Err(Error::conflict("the commit was published or given up before this object was finished"))
            }
            false => Ok(()),
        }
    }

    async fn discard(&self, puts: Vec<StagedPut>) -> Result<()> {
        let mut result = Ok(());
        for put in puts {
            result = result.and(self.lake.store(put.uri.bucket()).discard(&put).await);
        }
        let (private, id) = (Arc::clone(&self.lake.inner.private), self.id.clone());
        let cleaned = blocking(move || {
            crate::local::fsys::remove_all(&private.staging, &id)
                .map_err(|errno| crate::private::failed("remove", format!("lake/staging/{id}"), errno))
        });
        result.and(cleaned.await)
    }

    async fn publish(&self) -> Result<Published> {
        let (deletes, prefixes, kept) = {
            let mut gathered = self.gathered();
            let gathered = &mut *gathered;
            let take = std::mem::take::<BTreeSet<LakeUri>>;
            (take(&mut gathered.deletes), take(&mut gathered.prefixes), take(&mut gathered.kept))
        };
        let puts = self.close();
        let uris = puts.iter().map(|put| &put.uri).chain(&deletes).chain(&prefixes);
        let buckets: BTreeSet<BucketName> = uris.map(|uri| uri.bucket().clone()).collect();
        let closed = match self.lake.close(&buckets).await {
            Ok(closed) => closed,
            Err(error) => {
                let _ = self.discard(puts).await;
                return Err(error);
            }
        };
        let journal = match self.prepare(&puts, deletes, prefixes, &kept).await {
            Ok(journal) => journal,
            Err(error) => {
                drop(closed);
                let _ = self.discard(puts).await;
                return Err(error);
            }
        };
        if journal.puts.is_empty() && journal.deletes.is_empty() {
            return Ok(Published::default());
        }
        self.decide(&journal).await?;
        let done = Published {
            objects: journal.puts.len() as u64,
            bytes: journal.puts.iter().map(|put| put.size).sum(),
            removed: journal.deletes.len() as u64,
        };
        if let Err(error) = self.lake.carry_out(&journal).await {
            // Before the gates open: whoever comes next completes the commit first, or hears of it.
            self.lake.inner.pending.add(journal);
            drop(closed);
            let text = "the commit is decided, but could not be published wholly";
            return Err(Error::unavailable(text)
                .hint("it is completed by the next access to its buckets, or at the next start")
                .source_is(error));
        }
        Ok(done)
    }

    /// Checks every condition and finds out what is removed. Nothing is changed yet.
    async fn prepare(
        &self,
        puts: &[StagedPut],
        deletes: BTreeSet<LakeUri>,
        prefixes: BTreeSet<LakeUri>,
        kept: &BTreeSet<LakeUri>,
    ) -> Result<Journal> {
        let lake = &self.lake;
        for put in puts.iter().filter(|put| put.mode != PutMode::Overwrite) {
            check_mode(&put.mode, &put.uri, lake.present(&put.uri).await?.as_ref())?;
        }
        let written: BTreeSet<&LakeUri> = puts.iter().map(|put| &put.uri).collect();
        let mut doomed: BTreeMap<LakeUri, ObjectInfo> = BTreeMap::new();
        for uri in deletes {
            if !written.contains(&uri)
                && let Some(info) = lake.present(&uri).await?
            {
                doomed.insert(uri, info);
            }
        }
        for prefix in prefixes {
            lake.collect(&prefix, |info| {
                let is_kept =
                    |k: &LakeUri| k.bucket() == info.uri.bucket() && info.uri.key().starts_with(k.key());
                if !written.contains(&info.uri) && !kept.iter().any(is_kept) {
                    doomed.insert(info.uri.clone(), info);
                }
            })
            .await?;
        }
        let stamps = doomed.into_values().map(|info| async move {
            let stamp = lake.store(info.uri.bucket()).stamp(&info).await?;
            Ok::<_, Error>(StagedDelete { uri: info.uri, stamp })
        });
        let deletes: Vec<StagedDelete> =
            futures::stream::iter(stamps).buffered(AT_ONCE).try_collect().await?;
        lake.remember(puts, &deletes).await?;
        Ok(Journal { id: self.id.clone(), run: self.run.clone(), puts: puts.to_vec(), deletes })
    }

    /// Writes the journal: the moment at which the commit happens.
    async fn decide(&self, journal: &Journal) -> Result<()> {
        let (private, copy) = (Arc::clone(&self.lake.inner.private), journal.clone());
        let written = blocking(move || copy.write(&private)).await;
        if let Err(error) = written {
            let (private, copy) = (Arc::clone(&self.lake.inner.private), journal.clone());
            // Whether the journal reached the disk is unknown: only when it is surely gone may its files go too.
            if blocking(move || copy.retract(&private)).await.is_ok() {
                let _ = self.discard(journal.puts.clone()).await;
            }
            return Err(error.context("the commit was not made"));
        }
        Ok(())
    }
}

impl Lake {
    /// Publishes what a journal lists and removes the journal. May be repeated. The caller has closed the gates.
    pub(crate) async fn carry_out(&self, journal: &Journal) -> Result<()> {
        futures::stream::iter(journal.puts.clone().into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |put| {
                let store = self.store(put.uri.bucket());
                async move { store.publish_put(&put).await }
            })
            .await?;
        // The new objects are on disk before an old one goes.
        self.settle(journal.puts.iter().map(|put| &put.uri)).await?;
        crashpoint::hit("lake.commit.published");
        futures::stream::iter(journal.deletes.clone().into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |delete| {
                let store = self.store(delete.uri.bucket());
                async move { store.publish_delete(&delete).await }
            })
            .await?;
        self.settle(journal.deletes.iter().map(|delete| &delete.uri)).await?;
        let (private, copy) = (Arc::clone(&self.inner.private), journal.clone());
        blocking(move || copy.remove(&private)).await
    }

    async fn settle(&self, uris: impl Iterator<Item = &LakeUri>) -> Result<()> {
        let mut by_bucket: BTreeMap<BucketName, Vec<LakeUri>> = BTreeMap::new();
        for uri in uris {
            by_bucket.entry(uri.bucket().clone()).or_default().push(uri.clone());
        }
        for (bucket, uris) in by_bucket {
            self.store(&bucket).settle(uris).await?;
        }
        Ok(())
    }

    /// An object's facts, or none. The caller holds the gate.
    async fn present(&self, uri: &LakeUri) -> Result<Option<ObjectInfo>> {
        match self.store(uri.bucket()).head(uri).await {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything under a prefix. The caller holds the gate.
    async fn collect(&self, prefix: &LakeUri, mut each: impl FnMut(ObjectInfo)) -> Result<()> {
        let store = self.store(prefix.bucket());
        let mut bound = Some(Bound::From(prefix.key().to_owned()));
        while let Some(from) = bound.take() {
            let (bucket, prefix) = (prefix.bucket().clone(), prefix.key().to_owned());
            let scan =
                store.scan(ScanRequest { bucket, prefix, bound: from, delimiter: None, limit: 1000 }).await?;
            for item in scan.items {
                if let Listed::Object(info) = item {
                    bound = scan.more.then(|| Bound::After(info.uri.key().to_owned()));
                    each(*info);
                }
            }
        }
        Ok(())
    }

    /// Keeps what is about to change for listings that are under way.
    async fn remember(&self, puts: &[StagedPut], deletes: &[StagedDelete]) -> Result<()> {
        let mut before: BTreeMap<BucketName, Before> = BTreeMap::new();
        for uri in puts.iter().map(|put| &put.uri).chain(deletes.iter().map(|delete| &delete.uri)) {
            if self.gate(uri.bucket()).is_watched() {
                let present = self.present(uri).await?;
                before.entry(uri.bucket().clone()).or_default().insert(uri.key().to_owned(), present);
            }
        }
        for (bucket, before) in before {
            self.gate(&bucket).remember(before);
        }
        Ok(())
    }
}

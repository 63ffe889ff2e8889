//! What a start does about a process that was killed: decided commits are completed, undecided ones are removed.

use crate::Lake;
use crate::gate::to_its_end;
use crate::journal::Journal;
use crate::local::{blocking, fsys};
use crate::object::SweepReport;
use crate::private::{Private, failed};
use crate::store::Store;
use chrono::{DateTime, Utc};
use model::{BucketName, Error, Result};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// Commits that are decided but not wholly published, because a server or disk failed.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    journals: Mutex<Vec<Journal>>,
}

impl Pending {
    fn journals(&self) -> MutexGuard<'_, Vec<Journal>> {
        self.journals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, journal: Journal) {
        self.journals().push(journal);
    }

    fn remove(&self, id: &str) {
        self.journals().retain(|journal| journal.id != id);
    }

    fn ids(&self) -> HashSet<String> {
        self.journals().iter().map(|journal| journal.id.clone()).collect()
    }

    fn of(&self, bucket: &BucketName) -> Option<Journal> {
        self.journals().iter().find(|journal| journal.buckets().contains(bucket)).cloned()
    }

    fn touches(&self, bucket: &BucketName) -> bool {
        self.journals().iter().any(|journal| journal.buckets().contains(bucket))
    }
}

impl Lake {
    /// Runs at every opening, before anybody reads.
    pub(crate) async fn recover(&self) -> Result<()> {
        let private = Arc::clone(&self.inner.private);
        let (_lock, living, journals) = blocking(move || {
            let wrong = |errno| failed("recover", "lake", errno);
            let lock = private.lock_recovery().map_err(wrong)?;
            let living = private.living().map_err(wrong)?;
            let journals = Journal::unfinished(&private, |owner| living.contains(owner))?;
            Ok((lock, living, journals))
        })
        .await?;
        for journal in journals {
            tracing::info!(
                commit = journal.id,
                objects = journal.puts.len(),
                "completing a commit that was broken off"
            );
            crashpoint::hit("lake.recover");
            if let Err(error) = self.carry_out(&journal).await {
                tracing::warn!(commit = journal.id, %error, "a decided commit cannot be completed yet");
                self.inner.pending.add(journal);
            }
        }
        self.drop_undecided(&living, &mut SweepReport::default()).await?;
        let disk = Arc::clone(&self.inner.disk);
        blocking(move || disk.sweep_tmp(None, &mut SweepReport::default())).await
    }

    /// Removes staged commits without a journal whose owners are gone.
    async fn drop_undecided(&self, living: &HashSet<String>, report: &mut SweepReport) -> Result<()> {
        let decided = self.inner.pending.ids();
        let wrong = |errno| failed("sweep", "lake/staging", errno);
        let private = &self.inner.private;
        for commit in fsys::names(&private.staging).map_err(wrong)? {
            if living.contains(Private::owner_of(&commit)) || decided.contains(&commit) {
                continue;
            }
            if let Err(error) = self.drop_uploads_of(&commit).await {
                tracing::warn!(commit, %error, "uploads of a broken-off commit cannot be removed yet");
                continue;
            }
            let (disk, name) = (Arc::clone(&self.inner.disk), commit.clone());
            report.bytes += blocking(move || disk.drop_staging(&name)).await?;
            report.commits += 1;
        }
        Ok(())
    }

    /// Remote uploads that a commit had begun.
    async fn drop_uploads_of(&self, commit: &str) -> Result<()> {
        for (uri, id) in crate::s3::noted_uploads(&self.inner.private, commit)? {
            match self.store(uri.bucket()).abort_multipart(&uri, &id).await {
                Err(error) if error.kind() != model::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Passes a bucket's gate with its backend in hand. Decided commits to it are completed first.
    pub(crate) async fn enter(
        &self,
        bucket: &BucketName,
    ) -> Result<(Arc<dyn Store>, OwnedRwLockReadGuard<()>)> {
        loop {
            self.finish_pending(bucket).await?;
            let pass = self.gate(bucket).pass().await;
            if !self.inner.pending.touches(bucket) {
                return Ok((self.store(bucket), pass));
            }
        }
    }

    /// Closes the gates of these buckets, always in the same order, so that two commits never wait for each other.
    pub(crate) async fn close(
        &self,
        buckets: &BTreeSet<BucketName>,
    ) -> Result<Vec<OwnedRwLockWriteGuard<()>>> {
        loop {
            for bucket in buckets {
                self.finish_pending(bucket).await?;
            }
            let mut closed = Vec::new();
            for bucket in buckets {
                closed.push(self.gate(bucket).close().await);
            }
            if !buckets.iter().any(|bucket| self.inner.pending.touches(bucket)) {
                return Ok(closed);
            }
        }
    }

    /// Completes the decided commits that touch a bucket; until that is done, nobody may look into it.
    async fn finish_pending(&self, bucket: &BucketName) -> Result<()> {
        while let Some(journal) = self.inner.pending.of(bucket) {
            let mut closed = Vec::new();
            for bucket in &journal.buckets() {
                closed.push(self.gate(bucket).close().await);
            }
            // Another caller may have done it meanwhile.
            if !self.inner.pending.ids().contains(&journal.id) {
                continue;
            }
            let (lake, journal) = (self.clone(), journal);
            let done = to_its_end(async move {
                let result = lake.carry_out(&journal).await;
                if result.is_ok() {
                    lake.inner.pending.remove(&journal.id);
                }
                drop(closed);
                result
            });
            done.await.map_err(|error| {
                Error::unavailable(format!("a commit to bucket `{bucket}` is published only in part"))
                    .why(format!("completing it failed: {error}"))
                    .hint("it is completed as soon as the disk or server works again")
                    .source_is(error)
            })?;
        }
        Ok(())
    }

    /// Removes what killed writers left and uploads that nobody completed, as far as older than that time.
    pub async fn sweep(&self, older_than: DateTime<Utc>) -> Result<SweepReport> {
        let mut report = SweepReport::default();
        let private = Arc::clone(&self.inner.private);
        let living =
            blocking(move || private.living().map_err(|errno| failed("sweep", "lake", errno))).await?;
        self.drop_undecided(&living, &mut report).await?;
        for store in self.stores() {
            let swept = store.sweep(older_than).await?;
            report.temporary_files += swept.temporary_files;
            report.uploads += swept.uploads;
            report.metadata += swept.metadata;
            report.bytes += swept.bytes;
        }
        Ok(report)
    }
}

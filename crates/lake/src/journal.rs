//! The journal of a commit: the list of what it publishes and removes. Its file appearing under `lake/commits` is the
//! commit; before that nothing has happened, after it everything will.

use crate::local::{SMALL, fsys};
use crate::object::{CompletedPart, PutMode};
use crate::private::{Private, create_in, failed};
use model::{BucketName, Error, LakeUri, Result, RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};

/// Where a staged object waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Waiting {
    /// As a file below `lake/staging`.
    File {
        /// The commit's folder.
        commit: String,
        /// The file in it.
        name: String,
    },
    /// As an upload that is not completed.
    Upload {
        /// The upload's id.
        id: String,
        /// Its parts.
        parts: Vec<CompletedPart>,
    },
}

/// An object that a commit publishes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedPut {
    pub(crate) uri: LakeUri,
    pub(crate) mode: PutMode,
    pub(crate) size: u64,
    pub(crate) waiting: Waiting,
}

/// An object that a commit removes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedDelete {
    pub(crate) uri: LakeUri,
    /// Which content is meant: whatever came later stays.
    pub(crate) stamp: String,
}

/// Everything a commit does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunId>,
    pub(crate) puts: Vec<StagedPut>,
    pub(crate) deletes: Vec<StagedDelete>,
}

impl Journal {
    /// The buckets it touches.
    pub(crate) fn buckets(&self) -> BTreeSet<BucketName> {
        let deleted = self.deletes.iter().map(|delete| &delete.uri);
        self.puts.iter().map(|put| &put.uri).chain(deleted).map(|uri| uri.bucket().clone()).collect()
    }

    fn file(&self) -> String {
        format!("{}.json", self.id)
    }

    /// Writes the journal. When this returns the commit has happened.
    pub(crate) fn write(&self, private: &Private) -> Result<()> {
        let name = private.fresh_name();
        let wrong = |errno| failed("write", format!("lake/commits/{}", self.file()), errno);
        let file = create_in(&private.tmp, &name).map_err(wrong)?;
        let written = self.write_to(&file);
        if let Err(error) = written {
            let _ = fsys::unlink(&private.tmp, &name);
            return Err(error);
        }
        // The staged files and their names must be on disk before the journal that counts on them.
        self.sync_staged(private)?;
        rustix::fs::fsync(&private.staging).map_err(wrong)?;
        crashpoint::hit("lake.commit.staged");
        rustix::fs::renameat(&private.tmp, &name, &private.commits, self.file()).map_err(wrong)?;
        rustix::fs::fsync(&private.commits).map_err(wrong)?;
        crashpoint::hit("lake.commit.journal");
        Ok(())
    }

    fn sync_staged(&self, private: &Private) -> Result<()> {
        let mut folders = BTreeMap::new();
        for put in &self.puts {
            let Waiting::File { commit, name } = &put.waiting else { continue };
            let is_synced = put.size >= SMALL;
            let wrong = |errno| failed("write", &put.uri, errno);
            let dir = match folders.entry(commit) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(fsys::open_dir(&private.staging, &[commit]).map_err(wrong)?),
            };
            if !is_synced {
                let file = fsys::open_file(&*dir, &[name]).map_err(wrong)?;
                rustix::fs::fsync(file).map_err(wrong)?;
            }
        }
        folders.values().try_for_each(|dir| {
            rustix::fs::fsync(dir).map_err(|errno| failed("write", "lake/staging", errno))
        })
    }

    /// Makes sure that a journal which could not be written is not found at the next start either.
    pub(crate) fn retract(&self, private: &Private) -> Result<()> {
        let wrong = |errno| failed("remove", format!("lake/commits/{}", self.file()), errno);
        fsys::unlink(&private.commits, &self.file()).map_err(wrong)?;
        rustix::fs::fsync(&private.commits).map_err(wrong)
    }

    fn write_to(&self, file: &File) -> Result<()> {
        let wrong = |e: std::io::Error| Error::unavailable("cannot write a commit's journal").source_is(e);
        let mut out = BufWriter::new(file);
        serde_json::to_writer(&mut out, self).map_err(|e| wrong(e.into()))?;
        out.flush().map_err(wrong)?;
        file.sync_all().map_err(wrong)
    }

    /// The commit is published: it must never be repeated, so its end is on disk before anybody hears of it.
    pub(crate) fn remove(&self, private: &Private) -> Result<()> {
        crashpoint::hit("lake.commit.cleanup");
        let wrong = |errno| failed("remove", format!("lake/commits/{}", self.file()), errno);
        fsys::unlink(&private.commits, &self.file()).map_err(wrong)?;
        rustix::fs::fsync(&private.commits).map_err(wrong)?;
        crashpoint::hit("lake.commit.done");
        let _ = fsys::remove_all(&private.staging, &self.id);
        Ok(())
    }

    /// The journals whose writers are gone.
    pub(crate) fn unfinished(private: &Private, is_living: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        let wrong = |errno| failed("read", "lake/commits", errno);
        let mut journals = Vec::new();
        let mut names = fsys::names(&private.commits).map_err(wrong)?;
        names.sort();
        for name in names {
            if is_living(Private::owner_of(&name)) {
                continue;
            }
            let file = fsys::open_file(&private.commits, &[&name]).map_err(wrong)?;
            let journal: Self = serde_json::from_reader(BufReader::new(File::from(file))).map_err(|e| {
                Error::corrupt(format!("the commit journal `lake/commits/{name}` cannot be read"))
                    .why("it is written whole or not at all, so the disk or a person changed it")
                    .hint("restore the file, or move it away to give that commit up")
                    .source_is(e)
            })?;
            journals.push(journal);
        }
        Ok(journals)
    }
}

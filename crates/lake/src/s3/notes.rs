//! Which uploads a process has begun on a server, noted on the local disk, so that those of a killed process are found
//! and given up. Each note is a line in the folder of the commit (or single write) that the upload is for.

use crate::local::fsys;
use crate::private::{Private, failed};
use model::{LakeUri, Result};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};

const NOTES: &str = "uploads.jsonl";

#[derive(Serialize, Deserialize)]
struct Note {
    uri: LakeUri,
    id: String,
}

/// Notes an upload that was just begun.
pub(super) fn note_upload(private: &Private, commit: &str, uri: &LakeUri, id: &str) -> Result<()> {
    let wrong = |errno| failed("write", format!("lake/staging/{commit}/{NOTES}"), errno);
    let dir = fsys::ensure_dir(&private.staging, &[commit]).map_err(wrong)?;
    let flags = OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&dir, NOTES, flags, Mode::from_raw_mode(0o644)).map_err(wrong)?;
    let note = Note { uri: uri.clone(), id: id.to_owned() };
    let mut line = serde_json::to_vec(&note).unwrap_or_default();
    line.push(b'\n');
    // One write call with O_APPEND: lines of parallel writers do not mix.
    File::from(file.try_clone().map_err(|e| wrong(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?)
        .write_all(&line)
        .map_err(|e| wrong(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    rustix::fs::fsync(&file).and_then(|()| rustix::fs::fsync(&dir)).map_err(wrong)
}

/// The uploads that were noted for a commit.
pub(crate) fn noted_uploads(private: &Private, commit: &str) -> Result<Vec<(LakeUri, String)>> {
    let wrong = |errno| failed("read", format!("lake/staging/{commit}/{NOTES}"), errno);
    let file = match fsys::open_file(&private.staging, &[commit, NOTES]) {
        Ok(file) => File::from(file),
        Err(errno) if fsys::is_absent(errno) => return Ok(Vec::new()),
        Err(errno) => return Err(wrong(errno)),
    };
    let mut uploads = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|e| wrong(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
        // A torn last line is one whose writer was killed before it went on.
        if let Ok(note) = serde_json::from_str::<Note>(&line) {
            uploads.push((note.uri, note.id));
        }
    }
    Ok(uploads)
}

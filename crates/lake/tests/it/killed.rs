//! A process that is really killed, at each point where it matters, and the lake that the next one finds.

use crate::{bucket, keys, local_lake, remote, run, uri};
use bytes::Bytes;
use lake::{Backend, CommitOptions, CompletedPart, Lake, LakeConfig, PutMode, PutOptions, S3Endpoint};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "LAKE_TEST_KILL_FOLDER";
const WORK: &str = "LAKE_TEST_KILL_WORK";
const REMOTE: &str = "LAKE_TEST_KILL_BUCKET";
const ENDPOINT: &str = "LAKE_TEST_KILL_ENDPOINT";

fn config(folder: &Path, remote_bucket: Option<&str>) -> LakeConfig {
    // The server belongs to the test run; the process that is killed must not start one of its own.
    let endpoint = || match std::env::var(ENDPOINT) {
        Ok(text) => S3Endpoint { endpoint: Some(text), ..remote::credentials() },
        Err(_) => remote::endpoint(),
    };
    let buckets: BTreeMap<_, _> =
        remote_bucket.map(|name| (bucket(name), Backend::S3(endpoint()))).into_iter().collect();
    LakeConfig { root: folder.into(), default: Backend::Local, buckets }
}

/// Not a test by itself: what the process that is killed does.
#[test]
fn killed_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let there = std::env::var(REMOTE).ok();
    run(async {
        let lake = Lake::open(config(Path::new(&folder), there.as_deref())).await.unwrap();
        let data = bucket(there.as_deref().unwrap_or("data"));
        match std::env::var(WORK).unwrap().as_str() {
            "put" => {
                for key in ["plain", "odd/", "deep/er"] {
                    lake.put(&uri(&data, key), Bytes::from_static(b"new"), PutOptions::default())
                        .await
                        .unwrap();
                }
            }
            "commit" => commit(&lake, &data).await,
            "delete" => lake.delete(&uri(&data, "t/old-1")).await.unwrap(),
            "undelete" => {
                let at = uri(&data, "t/old-1");
                let newest = lake.version(&at, None).await.unwrap();
                lake.delete_version(&at, &newest.id).await.unwrap();
            }
            "overwrite" => {
                let at = uri(&data, "t/old-1");
                lake.put(&at, Bytes::from_static(b"new"), PutOptions::default()).await.unwrap();
            }
            "multipart" => upload(&lake, &data, vec![Bytes::from_static(b"x")]).await,
            "slots" => upload(&lake, &data, slots()).await,
            "open" => {}
            other => panic!("unknown work {other}"),
        }
    });
}

/// Parts of one size, and a shorter last one.
fn slots() -> Vec<Bytes> {
    vec![Bytes::from(vec![b'a'; 5 << 20]), Bytes::from(vec![b'b'; 5 << 20]), Bytes::from_static(b"c")]
}

async fn upload(lake: &Lake, data: &model::BucketName, all: Vec<Bytes>) {
    let key = uri(data, "parts");
    let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
    let mut parts = Vec::new();
    for (number, bytes) in (1..).zip(all) {
        let part = lake.put_part(&key, &id, number, bytes, PutOptions::default()).await.unwrap();
        parts.push(CompletedPart { number, etag: part.etag });
    }
    lake.complete_multipart(&key, &id, parts, PutMode::Overwrite).await.unwrap();
}

async fn commit(lake: &Lake, data: &model::BucketName) {
    let commit = lake.begin_commit(CommitOptions::default());
    for n in 0..6 {
        commit.put(&uri(data, &format!("t/new-{n}")), Bytes::from_static(b"new")).await.unwrap();
    }
    commit.put(&uri(data, "t/both"), Bytes::from_static(b"new")).await.unwrap();
    commit.replace_prefix(&uri(data, "t/"));
    commit.publish().await.unwrap();
}

/// Runs that work in a process that dies at that point.
fn kill_at(point: &str, work: &str, folder: &Path, there: Option<&str>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "killed::killed_process", "--nocapture"])
        .env(FOLDER, folder)
        .env(WORK, work)
        .env(crashpoint::VARIABLE, point);
    if let Some(there) = there {
        command.env(REMOTE, there).env(ENDPOINT, testkit::seaweed().endpoint);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(9), "{work} was not killed at {point}: {text}");
}

fn old_keys() -> Vec<String> {
    ["t/both", "t/old-0", "t/old-1", "t/old-2"].map(str::to_owned).to_vec()
}

fn new_keys() -> Vec<String> {
    ["t/both", "t/new-0", "t/new-1", "t/new-2", "t/new-3", "t/new-4", "t/new-5"].map(str::to_owned).to_vec()
}

async fn prepare(lake: &Lake, data: &model::BucketName) {
    for key in old_keys() {
        lake.put(&uri(data, &key), Bytes::from_static(b"old"), PutOptions::default()).await.unwrap();
    }
}

/// Whether the commit happened; anything between fails.
async fn whole_or_nothing(lake: &Lake, data: &model::BucketName, point: &str) -> bool {
    let now = keys(lake, &uri(data, "t/")).await;
    let is_new = now == new_keys();
    assert!(is_new || now == old_keys(), "killed at {point}: {now:?}");
    for key in now {
        let expected: &[u8] = if is_new { b"new" } else { b"old" };
        assert_eq!(&lake.read(&uri(data, &key)).await.unwrap()[..], expected, "{key} after {point}");
    }
    is_new
}

const COMMIT_POINTS: [(&str, bool); 10] = [
    ("lake.commit.staged", false),
    ("lake.commit.journal", true),
    ("lake.commit.rename", true),
    ("lake.commit.rename:4", true),
    ("lake.commit.rename:7", true),
    ("lake.commit.published", true),
    ("lake.commit.delete", true),
    ("lake.commit.delete:3", true),
    ("lake.commit.cleanup", true),
    ("lake.commit.done", true),
];

#[test]
fn a_killed_commit_is_whole_or_nothing() {
    for (point, happened) in COMMIT_POINTS {
        let (dir, lake, data) = run(local_lake());
        run(prepare(&lake, &data));
        drop(lake);
        kill_at(point, "commit", dir.path(), None);
        run(async {
            let lake = Lake::open(config(dir.path(), None)).await.unwrap();
            assert_eq!(whole_or_nothing(&lake, &data, point).await, happened, "{point}");
            drop(lake);
        });
        crate::local::wait_for_no_leftovers(dir.path());
    }
}

#[test]
fn a_recovery_that_is_killed_is_recovered() {
    let (dir, lake, data) = run(local_lake());
    run(prepare(&lake, &data));
    drop(lake);
    kill_at("lake.commit.journal", "commit", dir.path(), None);
    for point in ["lake.recover", "lake.commit.rename:3", "lake.commit.delete:2", "lake.commit.cleanup"] {
        kill_at(point, "open", dir.path(), None);
    }
    run(async {
        let lake = Lake::open(config(dir.path(), None)).await.unwrap();
        assert!(whole_or_nothing(&lake, &data, "several points").await);
    });
}

#[test]
fn nobody_sees_a_commit_that_cannot_be_completed_yet() {
    let (dir, lake, data) = run(local_lake());
    run(prepare(&lake, &data));
    drop(lake);
    kill_at("lake.commit.rename:3", "commit", dir.path(), None);
    let (folder, away) = (dir.path().join("buckets/data"), dir.path().join("away"));
    std::fs::rename(&folder, &away).unwrap();
    run(async {
        let lake = Lake::open(config(dir.path(), None)).await.unwrap();
        lake.create_bucket(&bucket("other")).await.unwrap();
        assert!(keys(&lake, &uri(&bucket("other"), "")).await.is_empty());
        let error = lake.read(&uri(&data, "t/both")).await.unwrap_err();
        assert_eq!(error.kind(), model::ErrorKind::Unavailable);
        assert!(error.message().contains("only in part"), "{error}");
        std::fs::rename(&away, &folder).unwrap();
        assert!(whole_or_nothing(&lake, &data, "lake.commit.rename:3").await);
    });
}

#[test]
fn what_came_after_a_commit_is_not_undone_by_its_recovery() {
    let (dir, lake, data) = run(local_lake());
    run(prepare(&lake, &data));
    drop(lake);
    kill_at("lake.commit.published", "commit", dir.path(), None);
    // Somebody replaces a file by hand that the commit was about to remove.
    let path = dir.path().join("buckets/data/t/old-0");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "by hand").unwrap();
    run(async {
        let lake = Lake::open(config(dir.path(), None)).await.unwrap();
        assert_eq!(lake.read(&uri(&data, "t/old-0")).await.unwrap(), "by hand");
        assert_eq!(keys(&lake, &uri(&data, "t/")).await.len(), new_keys().len() + 1);
    });
}

#[test]
fn a_killed_put_is_whole_or_nothing() {
    for (point, done) in
        [("lake.put.before_rename", 0), ("lake.put.before_rename:2", 1), ("lake.put.done:3", 3)]
    {
        let (dir, lake, data) = run(local_lake());
        drop(lake);
        kill_at(point, "put", dir.path(), None);
        run(async {
            let lake = Lake::open(config(dir.path(), None)).await.unwrap();
            let mut expected = ["plain", "odd/", "deep/er"][..done].to_vec();
            expected.sort_unstable();
            assert_eq!(keys(&lake, &uri(&data, "")).await, expected, "{point}");
            drop(lake);
        });
        crate::local::wait_for_no_leftovers(dir.path());
    }
}

#[test]
fn a_killed_delete_or_upload_leaves_the_lake_sound() {
    for (point, work) in [
        ("lake.delete", "delete"),
        ("lake.delete.done", "delete"),
        ("lake.multipart.part", "multipart"),
        ("lake.multipart.complete", "multipart"),
        ("lake.multipart.part:2", "slots"),
        ("lake.multipart.complete", "slots"),
        ("lake.multipart.placed", "slots"),
    ] {
        let (dir, lake, data) = run(local_lake());
        run(prepare(&lake, &data));
        drop(lake);
        kill_at(point, work, dir.path(), None);
        run(async {
            let lake = Lake::open(config(dir.path(), None)).await.unwrap();
            let there = keys(&lake, &uri(&data, "")).await;
            let expected = match point {
                "lake.delete.done" => 3,
                "lake.multipart.placed" => 5,
                _ => 4,
            };
            assert_eq!(there.len(), expected, "{point}: {there:?}");
            let uploads = lake.list_multiparts(&uri(&data, "")).await.unwrap();
            assert_eq!(uploads.len(), usize::from(matches!(work, "multipart" | "slots")));
            if let Some(upload) = uploads.first() {
                let parts = lake.list_parts(&upload.uri, &upload.upload_id).await.unwrap();
                let parts =
                    parts.into_iter().map(|part| CompletedPart { number: part.number, etag: part.etag });
                let (uri, id) = (&upload.uri, &upload.upload_id);
                let mut parts: Vec<_> = parts.collect();
                if work == "multipart" {
                    lake.complete_multipart(uri, id, parts, PutMode::Create).await.unwrap();
                    assert_eq!(lake.read(uri).await.unwrap(), "x");
                    return;
                }
                // What was acknowledged is there; a part that is sent anew does not change what was published.
                let all = slots();
                assert_eq!(parts.len(), if point == "lake.multipart.part:2" { 2 } else { 3 });
                let third = lake.put_part(uri, id, 3, all[2].clone(), PutOptions::default()).await.unwrap();
                parts.truncate(2);
                parts.push(CompletedPart { number: 3, etag: third.etag });
                if point == "lake.multipart.placed" {
                    assert!(lake.read(uri).await.unwrap() == all.concat());
                }
                lake.complete_multipart(uri, id, parts, PutMode::Overwrite).await.unwrap();
                assert!(lake.read(uri).await.unwrap() == all.concat());
            }
        });
    }
}

#[test]
fn a_killed_commit_to_a_server_is_whole_or_nothing() {
    for (point, happened) in [
        ("lake.commit.staged", false),
        ("lake.commit.journal", true),
        ("lake.commit.complete:4", true),
        ("lake.commit.delete:2", true),
    ] {
        let there = testkit::seaweed().fresh_bucket();
        let data = bucket(&there);
        let dir = tempfile::tempdir().unwrap();
        run(async {
            let lake = Lake::open(config(dir.path(), Some(&there))).await.unwrap();
            prepare(&lake, &data).await;
        });
        kill_at(point, "commit", dir.path(), Some(&there));
        run(async {
            let lake = Lake::open(config(dir.path(), Some(&there))).await.unwrap();
            assert_eq!(whole_or_nothing(&lake, &data, point).await, happened, "{point}");
            assert!(lake.list_multiparts(&uri(&data, "")).await.unwrap().is_empty(), "{point}");
            drop(lake);
        });
        crate::local::wait_for_no_leftovers(dir.path());
    }
}

/// What is done again after the kill, as its client would.
async fn again(lake: &Lake, data: &model::BucketName, work: &str) {
    let at = uri(data, "t/old-1");
    match work {
        "overwrite" => {
            drop(lake.put(&at, Bytes::from_static(b"new"), PutOptions::default()).await.unwrap());
        }
        "delete" => lake.delete(&at).await.unwrap(),
        "undelete" => {
            let markers = lake.history(&at).await.unwrap().into_iter().filter(|one| one.is_marker);
            for marker in markers.collect::<Vec<_>>() {
                lake.delete_version(&at, &marker.id).await.unwrap();
            }
        }
        other => panic!("unknown work {other}"),
    }
}

#[test]
fn a_killed_writer_loses_no_version_and_leaves_none_twice() {
    use crate::versions::history;
    // Where the writer dies, what is there then, and what is there once it was done again.
    for (point, work, then, after) in [
        ("lake.version.keep", "overwrite", &["old"][..], &["new", "old"][..]),
        ("lake.version.kept", "overwrite", &["old"], &["new", "old"]),
        ("lake.put.before_rename", "overwrite", &["old"], &["new", "old"]),
        ("lake.put.done", "overwrite", &["new", "old"], &["new", "new", "old"]),
        ("lake.version.kept", "delete", &["old"], &["-", "old"]),
        ("lake.delete.done", "delete", &["-", "old"], &["-", "old"]),
        ("lake.version.mark", "delete", &["-", "old"], &["-", "old"]),
        ("lake.put.before_rename", "undelete", &["-", "old"], &["old"]),
        ("lake.version.restored", "undelete", &["old", "-"], &["old"]),
    ] {
        for suspended in [false, true] {
            let (dir, lake, data) = run(crate::versions::versioned_lake());
            run(async {
                prepare(&lake, &data).await;
                if work == "undelete" {
                    lake.delete(&uri(&data, "t/old-1")).await.unwrap();
                }
                if suspended {
                    lake.set_versioning(&data, lake::Versioning::Suspended).await.unwrap();
                }
            });
            drop(lake);
            kill_at(point, work, dir.path(), None);
            run(async {
                let lake = Lake::open(config(dir.path(), None)).await.unwrap();
                assert_eq!(history(&lake, &data, "t/old-1").await, then, "{work} {point} {suspended}");
                again(&lake, &data, work).await;
                // The version `null` is there but once.
                let after = if suspended && after.len() == 3 { &after[1..] } else { after };
                assert_eq!(history(&lake, &data, "t/old-1").await, after, "{work} {point} {suspended}");
            });
            crate::local::wait_for_no_leftovers(dir.path());
        }
    }
}

#[test]
fn a_killed_commit_keeps_versions_once() {
    for point in [
        "lake.commit.staged",
        "lake.commit.journal",
        "lake.version.kept:3",
        "lake.commit.rename:4",
        "lake.commit.published",
        "lake.version.kept:8",
        "lake.version.mark:2",
        "lake.commit.delete:2",
        "lake.commit.cleanup",
    ] {
        let (dir, lake, data) = run(crate::versions::versioned_lake());
        run(prepare(&lake, &data));
        drop(lake);
        kill_at(point, "commit", dir.path(), None);
        run(async {
            let lake = Lake::open(config(dir.path(), None)).await.unwrap();
            let happened = whole_or_nothing(&lake, &data, point).await;
            assert_eq!(happened, point != "lake.commit.staged", "{point}");
            for key in old_keys() {
                let expected: &[&str] = match (happened, key.as_str()) {
                    (false, _) => &["old"],
                    (true, "t/both") => &["new", "old"],
                    (true, _) => &["-", "old"],
                };
                assert_eq!(crate::versions::history(&lake, &data, &key).await, expected, "{key} {point}");
            }
            for n in 0..6 * usize::from(happened) {
                let key = format!("t/new-{n}");
                assert_eq!(crate::versions::history(&lake, &data, &key).await, ["new"], "{key} {point}");
            }
        });
        crate::local::wait_for_no_leftovers(dir.path());
    }
}

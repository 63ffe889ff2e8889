//! Buckets that keep versions: what is there, what was there, and what people do with the files by hand.

use crate::{bucket, keys, local_lake, run, uri};
use bytes::Bytes;
use lake::{
    CommitOptions, CompletedPart, Deleted, GetOptions, Lake, LakeConfig, PutMode, PutOptions, VersionOptions,
    Versioning,
};
use model::{BucketName, ErrorKind};
use std::collections::BTreeSet;
use std::path::Path;

/// A fresh local lake with one bucket that keeps versions.
pub(crate) async fn versioned_lake() -> (tempfile::TempDir, Lake, BucketName) {
    let (dir, lake, data) = local_lake().await;
    lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
    (dir, lake, data)
}

async fn put(lake: &Lake, data: &BucketName, key: &str, text: &str) -> String {
    let options = PutOptions { content_type: Some(format!("text/{text}")), ..PutOptions::default() };
    let put = lake.put(&uri(data, key), Bytes::from(text.to_owned()), options).await.unwrap();
    put.version.unwrap()
}

async fn read(lake: &Lake, data: &BucketName, key: &str, version: &str) -> Result<String, ErrorKind> {
    let options = GetOptions { version: Some(version.to_owned()), ..GetOptions::default() };
    let read = lake.get(&uri(data, key), options).await.map_err(|error| error.kind())?;
    assert_eq!(read.info.version.as_deref(), Some(version));
    let bytes = read.bytes().await.unwrap();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// The versions of a key as texts: what each holds, `-` for a delete marker.
pub(crate) async fn history(lake: &Lake, data: &BucketName, key: &str) -> Vec<String> {
    let all = lake.history(&uri(data, key)).await.unwrap();
    let ids: BTreeSet<_> = all.iter().map(|one| one.id.clone()).collect();
    assert_eq!(ids.len(), all.len(), "an id is there twice: {all:?}");
    assert!(all.iter().enumerate().all(|(at, one)| one.is_latest == (at == 0)));
    let mut texts = Vec::new();
    for one in all {
        texts.push(match one.is_marker {
            true => "-".to_owned(),
            false => read(lake, data, key, &one.id).await.unwrap(),
        });
    }
    texts
}

fn names(folder: &Path) -> usize {
    walkdir(folder).len()
}

/// All files below a folder.
fn walkdir(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walkdir(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn every_write_is_a_version_and_a_delete_hides_them() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        for key in ["deep/er/key", "odd//key/", "../odd"] {
            let key_uri = uri(&data, key);
            lake.put(&key_uri, Bytes::from_static(b"before"), PutOptions::default()).await.unwrap();
        }
        assert_eq!(lake.versioning(&data).await.unwrap(), None);
        assert!(!dir.path().join("lake/versions/data").exists(), "unversioned buckets leave nothing");
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        assert_eq!(lake.versioning(&data).await.unwrap(), Some(Versioning::Enabled));
        for key in ["deep/er/key", "odd//key/", "../odd"] {
            let at = uri(&data, key);
            assert_eq!(lake.head(&at).await.unwrap().version.as_deref(), Some("null"));
            let one = put(&lake, &data, key, "one").await;
            let two = put(&lake, &data, key, "two").await;
            assert_eq!(lake.head(&at).await.unwrap().version.as_ref(), Some(&two));
            assert_eq!(history(&lake, &data, key).await, ["two", "one", "before"]);
            assert_eq!(read(&lake, &data, key, "null").await.unwrap(), "before");
            let info = lake.version(&at, Some(&one)).await.unwrap().info;
            assert_eq!((info.content_type.as_deref(), info.size), (Some("text/one"), 3));
            let deleted = lake.delete_if(&at, None).await.unwrap();
            assert!(deleted.is_marker && !deleted.restored, "{deleted:?}");
            let marker = deleted.version.unwrap();
            assert_eq!(lake.head(&at).await.unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(history(&lake, &data, key).await, ["-", "two", "one", "before"]);
            assert_eq!(read(&lake, &data, key, &marker).await, Err(ErrorKind::NotFound));
            // A marker counts as nothing there.
            let stale = lake.put(&at, Bytes::new(), PutOptions::replacing("x")).await.unwrap_err();
            assert_eq!(stale.kind(), ErrorKind::NotFound);
            lake.put(&at, Bytes::from_static(b"three"), PutOptions::create()).await.unwrap();
            let taken = lake.put(&at, Bytes::new(), PutOptions::create()).await.unwrap_err();
            assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
            assert_eq!(history(&lake, &data, key).await, ["three", "-", "two", "one", "before"]);
        }
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["../odd", "deep/er/key", "odd//key/"]);
        let outside = walkdir(&dir.path().join("buckets"));
        assert_eq!(outside, [dir.path().join("buckets/data/deep/er/key")], "only the newest is a file");
    });
}

#[test]
fn versions_go_for_good_and_bring_back_what_was_before() {
    run(async {
        let (dir, lake, data) = versioned_lake().await;
        for key in ["plain", "a/b//c"] {
            let at = uri(&data, key);
            let one = put(&lake, &data, key, "one").await;
            let two = put(&lake, &data, key, "two").await;
            let three = put(&lake, &data, key, "three").await;
            let done = lake.delete_version(&at, &three).await.unwrap();
            let gone = |version: &str, restored| Deleted {
                version: Some(version.to_owned()),
                is_marker: false,
                restored,
            };
            assert_eq!(done, gone(&three, true));
            assert_eq!(lake.read(&at).await.unwrap(), "two");
            let back = lake.head(&at).await.unwrap();
            assert_eq!((back.version.as_ref(), back.content_type.as_deref()), (Some(&two), Some("text/two")));
            assert_eq!(lake.delete_version(&at, &three).await.unwrap(), gone(&three, false));
            assert_eq!(read(&lake, &data, key, &three).await, Err(ErrorKind::NotFound));
            // A former one goes without a trace in the object.
            assert_eq!(lake.delete_version(&at, &one).await.unwrap(), gone(&one, false));
            assert_eq!(history(&lake, &data, key).await, ["two"]);
            let marker = lake.delete_if(&at, None).await.unwrap().version.unwrap();
            let second = lake.delete_if(&at, None).await.unwrap().version.unwrap();
            assert_eq!(history(&lake, &data, key).await, ["-", "-", "two"]);
            let done = lake.delete_version(&at, &second).await.unwrap();
            assert_eq!((done.is_marker, done.restored), (true, false));
            assert_eq!(lake.head(&at).await.unwrap_err().kind(), ErrorKind::NotFound);
            let done = lake.delete_version(&at, &marker).await.unwrap();
            assert_eq!((done.is_marker, done.restored), (true, true));
            assert_eq!(lake.read(&at).await.unwrap(), "two");
            let busy = lake.delete_bucket(&data).await.unwrap_err();
            assert_eq!(busy.kind(), ErrorKind::Conflict);
            lake.delete(&at).await.unwrap();
            let busy = lake.delete_bucket(&data).await.unwrap_err();
            assert_eq!(busy.kind(), ErrorKind::Conflict, "versions remain");
            for one in lake.history(&at).await.unwrap() {
                lake.delete_version(&at, &one.id).await.unwrap();
            }
            assert!(lake.history(&at).await.unwrap().is_empty());
        }
        for wrong in ["", "abc!", "../../x"] {
            let refused = lake.delete_version(&uri(&data, "plain"), wrong).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
        lake.delete_bucket(&data).await.unwrap();
        assert_eq!(names(&dir.path().join("lake/versions")), 0);
        lake.create_bucket(&data).await.unwrap();
        assert_eq!(lake.versioning(&data).await.unwrap(), None);
    });
}

#[test]
fn a_suspended_bucket_replaces_the_version_null() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let at = uri(&data, "k");
        lake.put(&at, Bytes::from_static(b"zero"), PutOptions::default()).await.unwrap();
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        put(&lake, &data, "k", "one").await;
        assert_eq!(history(&lake, &data, "k").await, ["one", "zero"]);
        lake.set_versioning(&data, Versioning::Suspended).await.unwrap();
        assert_eq!(put(&lake, &data, "k", "two").await, "null");
        assert_eq!(history(&lake, &data, "k").await, ["two", "one"], "`zero` was the version null");
        assert_eq!(put(&lake, &data, "k", "three").await, "null");
        assert_eq!(history(&lake, &data, "k").await, ["three", "one"]);
        let deleted = lake.delete_if(&at, None).await.unwrap();
        assert_eq!((deleted.version.as_deref(), deleted.is_marker), (Some("null"), true));
        assert_eq!(history(&lake, &data, "k").await, ["-", "one"]);
        let again = lake.delete_if(&at, None).await.unwrap();
        assert_eq!(again.version.as_deref(), Some("null"));
        assert_eq!(history(&lake, &data, "k").await, ["-", "one"]);
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        put(&lake, &data, "k", "four").await;
        assert_eq!(history(&lake, &data, "k").await, ["four", "-", "one"]);
        let done = lake.delete_version(&at, "null").await.unwrap();
        assert_eq!((done.is_marker, done.restored), (true, false));
        assert_eq!(history(&lake, &data, "k").await, ["four", "one"]);
        // An older null that is kept gives way to a newer one.
        lake.set_versioning(&data, Versioning::Suspended).await.unwrap();
        put(&lake, &data, "k", "five").await;
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        put(&lake, &data, "k", "six").await;
        lake.set_versioning(&data, Versioning::Suspended).await.unwrap();
        put(&lake, &data, "k", "seven").await;
        assert_eq!(history(&lake, &data, "k").await, ["seven", "six", "four", "one"]);
    });
}

#[test]
fn uploads_copies_and_commits_make_versions() {
    run(async {
        let (dir, lake, data) = versioned_lake().await;
        let at = uri(&data, "t/a");
        let first = put(&lake, &data, "t/a", "first").await;
        let id = lake.create_multipart(&at, PutOptions::default()).await.unwrap();
        let part =
            lake.put_part(&at, &id, 1, Bytes::from_static(b"parts"), PutOptions::default()).await.unwrap();
        let parts = vec![CompletedPart { number: 1, etag: part.etag }];
        let put_together = lake.complete_multipart(&at, &id, parts, PutMode::Overwrite).await.unwrap();
        assert_eq!(lake.head(&at).await.unwrap().version, put_together.version);
        let copied = lake.copy_version(&at, Some(&first), &at, PutOptions::default()).await.unwrap();
        assert_eq!(lake.head(&at).await.unwrap().version, copied.version);
        assert_eq!(history(&lake, &data, "t/a").await, ["first", "parts", "first"]);
        let mut writer = lake.writer(&at, PutOptions::default()).await.unwrap();
        writer.write("written").await.unwrap();
        assert!(writer.finish().await.unwrap().version.is_some());
        put(&lake, &data, "t/gone", "gone").await;
        put(&lake, &data, "t/deleted", "deleted").await;

        let given_up = lake.begin_commit(CommitOptions::default());
        given_up.put(&at, Bytes::from_static(b"never")).await.unwrap();
        given_up.replace_prefix(&uri(&data, "t/"));
        given_up.abort().await.unwrap();
        assert_eq!(history(&lake, &data, "t/a").await, ["written", "first", "parts", "first"]);
        assert_eq!(history(&lake, &data, "t/gone").await, ["gone"]);

        let commit = lake.begin_commit(CommitOptions::default());
        commit.put(&at, Bytes::from_static(b"committed")).await.unwrap();
        commit.put(&uri(&data, "t/new"), Bytes::from_static(b"new")).await.unwrap();
        commit.delete(&uri(&data, "t/deleted"));
        commit.replace_prefix(&uri(&data, "t/"));
        // Staged before, published after: what is there at the publish is what it replaces.
        put(&lake, &data, "t/a", "meanwhile").await;
        commit.publish().await.unwrap();
        assert_eq!(
            history(&lake, &data, "t/a").await,
            ["committed", "meanwhile", "written", "first", "parts", "first"]
        );
        assert_eq!(history(&lake, &data, "t/new").await, ["new"]);
        for key in ["t/gone", "t/deleted"] {
            assert_eq!(history(&lake, &data, key).await, ["-", &key[2..]]);
        }
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["t/a", "t/new"]);
        drop(lake);
        crate::local::wait_for_no_leftovers(dir.path());
    });
}

#[test]
fn a_commit_that_was_staged_before_versioning_makes_versions_too() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let at = uri(&data, "k");
        lake.put(&at, Bytes::from_static(b"old"), PutOptions::default()).await.unwrap();
        let commit = lake.begin_commit(CommitOptions::default());
        commit.put(&at, Bytes::from_static(b"new")).await.unwrap();
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        commit.publish().await.unwrap();
        assert_eq!(history(&lake, &data, "k").await, ["new", "old"]);
        assert_ne!(lake.head(&at).await.unwrap().version.as_deref(), Some("null"));
    });
}

#[test]
fn files_by_hand_are_versions_too() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let folder = dir.path().join("buckets/data");
        std::fs::write(folder.join("early"), "early").unwrap();
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        assert_eq!(lake.head(&uri(&data, "early")).await.unwrap().version.as_deref(), Some("null"));
        put(&lake, &data, "early", "later").await;
        assert_eq!(history(&lake, &data, "early").await, ["later", "early"]);
        assert_eq!(read(&lake, &data, "early", "null").await.unwrap(), "early");

        std::fs::write(folder.join("late"), "late").unwrap();
        let late = lake.head(&uri(&data, "late")).await.unwrap().version.unwrap();
        assert_ne!(late, "null");
        put(&lake, &data, "late", "over").await;
        assert_eq!(read(&lake, &data, "late", &late).await.unwrap(), "late", "it keeps its id");

        // Changed in place: what it was is lost, what it is has an id of its own.
        let over = lake.head(&uri(&data, "late")).await.unwrap().version.unwrap();
        std::fs::write(folder.join("late"), "edited").unwrap();
        let edited = lake.head(&uri(&data, "late")).await.unwrap().version.unwrap();
        assert_ne!(edited, over);
        assert_eq!(history(&lake, &data, "late").await, ["edited", "late"]);
        assert_eq!(read(&lake, &data, "late", &over).await, Err(ErrorKind::NotFound));

        // Removed by hand: that counts as deleted, and taking the deletion back brings what was before.
        std::fs::remove_file(folder.join("late")).unwrap();
        assert_eq!(history(&lake, &data, "late").await, ["-", "late"]);
        let marker = lake.version(&uri(&data, "late"), None).await.unwrap();
        assert!(marker.is_marker && marker.is_latest);
        let done = lake.delete_version(&uri(&data, "late"), &marker.id).await.unwrap();
        assert!(done.is_marker && done.restored);
        assert_eq!(std::fs::read_to_string(folder.join("late")).unwrap(), "late");
        assert_eq!(history(&lake, &data, "late").await, ["late"]);
    });
}

#[test]
fn listings_show_all_versions_page_by_page() {
    run(async {
        let (_dir, lake, data) = versioned_lake().await;
        for (key, count) in [("a", 3), ("b/1", 1), ("b/2", 2), ("c//", 2), ("d", 1)] {
            for n in 0..count {
                put(&lake, &data, key, &n.to_string()).await;
            }
        }
        lake.delete(&uri(&data, "d")).await.unwrap();
        let all: Vec<(&str, bool)> = [
            ("a", 3, false),
            ("b/1", 1, false),
            ("b/2", 2, false),
            ("c//", 2, false),
            ("d", 1, true),
            ("d", 1, false),
        ]
        .iter()
        .flat_map(|(key, count, marker)| vec![(*key, *marker); *count])
        .collect();
        for max_keys in [1, 2, 3, 1000] {
            for remove in [false, true] {
                if remove && max_keys != 2 {
                    continue;
                }
                let (mut seen, mut next) = (Vec::new(), None);
                loop {
                    let (after_key, after_version) = next.unwrap_or_default();
                    let options =
                        VersionOptions { max_keys, after_key, after_version, ..VersionOptions::default() };
                    let page = lake.list_versions(&uri(&data, ""), options).await.unwrap();
                    assert!(page.versions.len() <= max_keys);
                    for one in &page.versions {
                        seen.push((one.info.uri.key().to_owned(), one.is_marker));
                        // Who empties a bucket removes what a page has shown before asking for the next.
                        if remove {
                            lake.delete_version(&one.info.uri, &one.id).await.unwrap();
                        }
                    }
                    let Some((key, version)) = page.next else { break };
                    next = Some((Some(key), version));
                }
                let seen: Vec<_> = seen.iter().map(|(key, marker)| (key.as_str(), *marker)).collect();
                assert_eq!(seen, all, "{max_keys} {remove}");
            }
            if max_keys == 2 {
                assert!(keys(&lake, &uri(&data, "")).await.is_empty());
                lake.delete_bucket(&data).await.unwrap();
                lake.create_bucket(&data).await.unwrap();
                lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
                for (key, count) in [("a", 3), ("b/1", 1), ("b/2", 2), ("c//", 2), ("d", 1)] {
                    for n in 0..count {
                        put(&lake, &data, key, &n.to_string()).await;
                    }
                }
                lake.delete(&uri(&data, "d")).await.unwrap();
            }
        }
        let folders = |after_key: Option<&str>, max_keys| VersionOptions {
            delimiter: Some("/".to_owned()),
            after_key: after_key.map(str::to_owned),
            max_keys,
            ..VersionOptions::default()
        };
        let page = lake.list_versions(&uri(&data, ""), folders(Some("a"), 1)).await.unwrap();
        assert_eq!((page.versions.len(), &page.common_prefixes[..]), (0, &["b/".to_owned()][..]));
        assert_eq!(page.next, Some(("b/".to_owned(), None)));
        let page = lake.list_versions(&uri(&data, ""), folders(Some("b/"), 0)).await.unwrap();
        assert_eq!((page.versions.len(), &page.common_prefixes[..]), (2, &["c/".to_owned()][..]));
        let page = lake.list_versions(&uri(&data, "b/"), VersionOptions::default()).await.unwrap();
        assert_eq!(page.versions.len(), 3);
    });
}

#[test]
fn writers_of_one_key_lose_no_version() {
    run(async {
        let (dir, lake, data) = versioned_lake().await;
        // A second process would open the lake for itself.
        let other = Lake::open(LakeConfig::local(dir.path())).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let (lake, data) = (if n % 2 == 0 { lake.clone() } else { other.clone() }, data.clone());
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    for round in 0..5 {
                        ids.push(put(&lake, &data, "k", &format!("{n}-{round}")).await);
                        if n == 0 {
                            ids.extend(lake.delete_if(&uri(&data, "k"), None).await.unwrap().version);
                        }
                    }
                    ids
                })
            })
            .collect();
        let mut written = BTreeSet::new();
        for task in tasks {
            written.extend(task.await.unwrap());
        }
        let there: BTreeSet<_> =
            lake.history(&uri(&data, "k")).await.unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!((written.len(), &there), (45, &written));
        let texts = history(&lake, &data, "k").await;
        let distinct: BTreeSet<_> = texts.iter().filter(|text| *text != "-").collect();
        assert_eq!(distinct.len(), 40);
    });
}

#[test]
fn metadata_beside_the_files_stays_with_versions() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open_with(LakeConfig::local(dir.path()), true).await.unwrap();
        let data = bucket("data");
        lake.create_bucket(&data).await.unwrap();
        lake.set_versioning(&data, Versioning::Enabled).await.unwrap();
        let one = put(&lake, &data, "k", "one").await;
        let two = put(&lake, &data, "k", "two").await;
        lake.delete(&uri(&data, "k")).await.unwrap();
        let later = chrono::DateTime::from_timestamp(1 << 33, 0).unwrap();
        lake.sweep(later).await.unwrap();
        for (id, kind) in [(&one, "text/one"), (&two, "text/two")] {
            let info = lake.version(&uri(&data, "k"), Some(id)).await.unwrap().info;
            assert_eq!(info.content_type.as_deref(), Some(kind));
        }
        let marker = lake.version(&uri(&data, "k"), None).await.unwrap();
        lake.delete_version(&uri(&data, "k"), &marker.id).await.unwrap();
        let back = lake.head(&uri(&data, "k")).await.unwrap();
        assert_eq!((back.version.as_ref(), back.content_type.as_deref()), (Some(&two), Some("text/two")));
        lake.delete_version(&uri(&data, "k"), &two).await.unwrap();
        lake.delete_version(&uri(&data, "k"), &one).await.unwrap();
        lake.sweep(later).await.unwrap();
        assert_eq!(names(&dir.path().join("lake/meta")), 0);
    });
}

//! The local backend: the common suite with both ways of keeping metadata, and what only plain files have.

use crate::{bucket, conformance, keys, local_lake, run, uri};
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use lake::{CommitOptions, CompletedPart, Lake, LakeConfig, PutMode, PutOptions};
use md5::{Digest, Md5};
use model::ErrorKind;
use std::fs;
use std::path::Path;

macro_rules! suite {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            run(async {
                for sidecars in [false, true] {
                    let dir = tempfile::tempdir().unwrap();
                    let lake = Lake::open_with(LakeConfig::local(dir.path()), sidecars).await.unwrap();
                    let data = bucket("data");
                    lake.create_bucket(&data).await.unwrap();
                    conformance::$name(&lake, &data).await;
                    drop(lake);
                    wait_for_no_leftovers(dir.path());
                }
            });
        }
    )*};
}

suite!(
    objects_come_back,
    ranges_are_cut_and_checked,
    conditions_decide,
    wrong_checksums_store_nothing,
    writers_stream,
    copies_keep_what_they_are,
    listings_follow_s3,
    other_delimiters_count_too,
    parts_become_an_object,
    commits_appear_whole,
    one_writer_wins,
);

/// What must be empty when nobody writes.
pub(crate) fn leftovers(root: &Path) -> Vec<String> {
    let mut left = Vec::new();
    for folder in ["tmp", "staging", "commits", "owners"] {
        for entry in fs::read_dir(root.join("lake").join(folder)).unwrap() {
            left.push(format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()));
        }
    }
    left
}

/// A dropped writer gives its upload up in the background.
pub(crate) fn wait_for_no_leftovers(root: &Path) {
    let gone = || leftovers(root).is_empty().then_some(());
    testkit::await_until("the lake's own folder to be empty", std::time::Duration::from_secs(20), gone);
}

#[test]
fn buckets_are_made_and_removed() {
    run(async {
        let (_dir, lake, _) = local_lake().await;
        conformance::buckets_are_made_and_removed(&lake, &bucket("other")).await;
    });
}

#[test]
fn a_missing_bucket_is_named_with_the_nearest_one() {
    run(async {
        let (_dir, lake, _) = local_lake().await;
        lake.create_bucket(&bucket("metrics-raw")).await.unwrap();
        let error = lake.head(&uri(&bucket("metrics-rw"), "x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.diagnosis().hints.iter().any(|hint| hint.contains("metrics-raw")), "{error:?}");
    });
}

#[test]
fn a_file_dropped_in_is_an_object_and_an_edit_is_a_new_one() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let folder = dir.path().join("buckets/data/in");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(".hidden.csv"), "a,b\n").unwrap();
        let key = uri(&data, "in/.hidden.csv");
        let first = lake.head(&key).await.unwrap();
        assert!(first.etag.contains('-') && first.size == 4);
        assert_eq!(lake.head(&key).await.unwrap().etag, first.etag);
        let listed: Vec<_> = lake.list(&uri(&data, "")).try_collect().await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&first));
        fs::write(folder.join(".hidden.csv"), "a,b\n1,2\n").unwrap();
        let second = lake.head(&key).await.unwrap();
        assert_ne!(second.etag, first.etag);
        // What the lake wrote keeps its MD5 only as long as nobody edits it.
        let put =
            lake.put(&key, Bytes::from_static(b"hello"), PutOptions::replacing(second.etag)).await.unwrap();
        assert_eq!(lake.head(&key).await.unwrap().etag, put.etag);
        fs::write(folder.join(".hidden.csv"), "HELLO, edited").unwrap();
        let edited = lake.head(&key).await.unwrap();
        assert!(edited.etag.contains('-') && edited.checksums.crc64nvme.is_none());
        assert_eq!(lake.read(&key).await.unwrap(), "HELLO, edited");
    });
}

#[test]
fn a_bucket_made_by_hand_is_a_bucket() {
    run(async {
        let (dir, lake, _) = local_lake().await;
        fs::create_dir(dir.path().join("buckets/by-hand")).unwrap();
        fs::create_dir(dir.path().join("buckets/Not A Bucket")).unwrap();
        let names: Vec<_> =
            lake.list_buckets().await.unwrap().into_iter().map(|info| info.name.to_string()).collect();
        assert_eq!(names, ["by-hand", "data"]);
    });
}

#[test]
fn links_are_no_objects_and_lead_nowhere() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let secret = dir.path().join("secret");
        fs::create_dir(&secret).unwrap();
        fs::write(secret.join("file"), "secret").unwrap();
        let folder = dir.path().join("buckets/data");
        std::os::unix::fs::symlink(&secret, folder.join("link")).unwrap();
        std::os::unix::fs::symlink(secret.join("file"), folder.join("file")).unwrap();
        std::os::unix::fs::symlink(&secret, dir.path().join("buckets/linked-bucket")).unwrap();
        assert!(keys(&lake, &uri(&data, "")).await.is_empty());
        for key in ["link/file", "file"] {
            assert_eq!(lake.read(&uri(&data, key)).await.unwrap_err().kind(), ErrorKind::NotFound, "{key}");
            // The name is taken, so the object stands elsewhere; the link and its target stay as they are.
            lake.put(&uri(&data, key), Bytes::from_static(b"mine"), PutOptions::create()).await.unwrap();
            assert_eq!(lake.read(&uri(&data, key)).await.unwrap(), "mine");
        }
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["file", "link/file"]);
        assert_eq!(fs::read_to_string(secret.join("file")).unwrap(), "secret");
        assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
        assert!(!lake.bucket_exists(&bucket("linked-bucket")).await.unwrap());
        assert!(folder.join("link").is_symlink() && folder.join("file").is_symlink());
    });
}

#[test]
fn empty_folders_neither_show_nor_block() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        fs::create_dir_all(dir.path().join("buckets/data/a/b/c")).unwrap();
        let options = lake::ListOptions { delimiter: Some("/".into()), ..lake::ListOptions::default() };
        assert!(lake.list_page(&uri(&data, ""), options).await.unwrap().common_prefixes.is_empty());
        lake.put(&uri(&data, "a"), Bytes::from_static(b"x"), PutOptions::create()).await.unwrap();
        assert!(dir.path().join("buckets/data/a").is_file());
        lake.delete(&uri(&data, "a")).await.unwrap();
        lake.put(&uri(&data, "a/b/c"), Bytes::from_static(b"x"), PutOptions::create()).await.unwrap();
        lake.delete(&uri(&data, "a/b/c")).await.unwrap();
        assert_eq!(fs::read_dir(dir.path().join("buckets/data")).unwrap().count(), 0);
    });
}

#[test]
fn rotten_bytes_are_noticed() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let key = uri(&data, "rots");
        lake.put(&key, Bytes::from_static(b"good bytes"), PutOptions::default()).await.unwrap();
        let path = dir.path().join("buckets/data/rots");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "evil bytes").unwrap();
        // The same size and time: as if the disk had changed them.
        fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        let error = lake.read(&key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("s3://data/rots"), "{error}");
    });
}

#[test]
fn metadata_of_every_size_is_kept_or_refused() {
    run(async {
        for sidecars in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let lake = Lake::open_with(LakeConfig::local(dir.path()), sidecars).await.unwrap();
            let data = bucket("data");
            lake.create_bucket(&data).await.unwrap();
            for size in [10, 200, 1000, 2040] {
                let metadata = [("words".to_owned(), "w".repeat(size))].into();
                let options = PutOptions { metadata, ..PutOptions::default() };
                lake.put(&uri(&data, "big"), Bytes::from_static(b"x"), options.clone()).await.unwrap();
                assert_eq!(lake.head(&uri(&data, "big")).await.unwrap().metadata, options.metadata);
            }
            let metadata = [("words".to_owned(), "w".repeat(2100))].into();
            let options = PutOptions { metadata, ..PutOptions::default() };
            let error = lake.put(&uri(&data, "big"), Bytes::new(), options).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        }
    });
}

#[test]
fn sidecars_go_with_their_objects() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open_with(LakeConfig::local(dir.path()), true).await.unwrap();
        let data = bucket("data");
        lake.create_bucket(&data).await.unwrap();
        let count = || {
            let shards = fs::read_dir(dir.path().join("lake/meta")).unwrap();
            shards.map(|shard| fs::read_dir(shard.unwrap().path()).unwrap().count()).sum::<usize>()
        };
        for n in 0..3 {
            lake.put(&uri(&data, "a"), Bytes::from(format!("{n}")), PutOptions::default()).await.unwrap();
            lake.put(&uri(&data, "b/"), Bytes::from(format!("{n}")), PutOptions::default()).await.unwrap();
        }
        assert_eq!(count(), 2);
        lake.delete(&uri(&data, "b/")).await.unwrap();
        assert_eq!(count(), 1);
        fs::remove_file(dir.path().join("buckets/data/a")).unwrap();
        let swept = lake.sweep("2999-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((swept.metadata, count()), (1, 0));
    });
}

#[test]
fn small_parts_are_refused_and_old_uploads_are_swept() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let key = uri(&data, "upload");
        let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
        let mut parts = Vec::new();
        for number in [1, 2] {
            let part = lake
                .put_part(&key, &id, number, Bytes::from_static(b"small"), PutOptions::default())
                .await
                .unwrap();
            parts.push(CompletedPart { number, etag: part.etag });
        }
        let error = lake.complete_multipart(&key, &id, parts, PutMode::Overwrite).await.unwrap_err();
        assert!(error.message().contains("part 1 is too small"), "{error}");
        let kept = lake.sweep("2000-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((kept.uploads, lake.list_multiparts(&key).await.unwrap().len()), (0, 1));
        let swept = lake.sweep("2999-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((swept.uploads, swept.bytes > 0), (1, true));
        assert!(lake.list_multiparts(&key).await.unwrap().is_empty());
    });
}

#[test]
fn a_listing_shows_the_bucket_as_it_was_when_it_began() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let folder = dir.path().join("buckets/data/old");
        fs::create_dir(&folder).unwrap();
        for n in 0..1500 {
            fs::write(folder.join(format!("{n:05}")), "x").unwrap();
        }
        let before = keys(&lake, &uri(&data, "")).await;
        let mut listing = lake.list(&uri(&data, ""));
        let mut seen = vec![listing.try_next().await.unwrap().unwrap().uri.key().to_owned()];
        let commit = lake.begin_commit(CommitOptions::default());
        commit.put(&uri(&data, "new/1"), Bytes::from_static(b"x")).await.unwrap();
        commit.put(&uri(&data, "old/01499"), Bytes::from_static(b"changed")).await.unwrap();
        commit.put(&uri(&data, "zzz"), Bytes::from_static(b"x")).await.unwrap();
        commit.replace_prefix(&uri(&data, "old/"));
        commit.publish().await.unwrap();
        while let Some(info) = listing.try_next().await.unwrap() {
            assert_eq!(info.size, 1);
            seen.push(info.uri.key().to_owned());
        }
        assert_eq!(seen, before);
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["new/1", "old/01499", "zzz"]);
    });
}

/// Hashed and written side by side, made durable on the way: what was promised of it holds all the same.
#[test]
fn a_large_object_is_what_came_in() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let large = uri(&data, "large");
        let mut md5 = Md5::new();
        let mut writer = lake.writer(&large, PutOptions::default()).await.unwrap();
        for n in 0..50_u32 {
            let piece: Vec<u8> =
                (0..3_000_000_u32).map(|at| (at ^ n).to_le_bytes()[(n % 3) as usize]).collect();
            md5.update(&piece);
            writer.write(piece).await.unwrap();
        }
        assert_eq!(writer.written(), 150_000_000);
        let etag = hex::encode(md5.finalize());
        assert_eq!(writer.finish().await.unwrap().etag, etag);
        let on_disk = lake.read(&large).await.unwrap();
        assert_eq!((on_disk.len(), hex::encode(Md5::digest(&on_disk))), (150_000_000, etag));

        // Given up in the middle of a write, nothing can follow: some of it may have been taken, some not.
        let mut writer = lake.writer(&uri(&data, "given-up"), PutOptions::default()).await.unwrap();
        let piece = Bytes::from(vec![7; 64 << 20]);
        for _ in 0..2 {
            writer.write(piece.clone()).await.unwrap();
        }
        let is_given_up = writer.write(piece.clone()).now_or_never().is_none();
        let after = writer.write(piece).await;
        assert_eq!(after.is_err(), is_given_up);
        writer.abort().await.unwrap();
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["large"]);
        drop(lake);
        wait_for_no_leftovers(dir.path());
    });
}

/// Five MiB and a bit of bytes that no other part has.
fn part_of(letter: u8) -> Bytes {
    Bytes::from(vec![letter; (5 << 20) + 17])
}

/// The inode of the file with an upload's slots.
fn inode_of_slots(root: &Path, id: &str) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(root.join("lake/uploads/data").join(id).join("whole")).ok()?.ino())
}

fn inode_of_object(root: &Path, key: &str) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(root.join("buckets/data").join(key)).unwrap().ino()
}

#[test]
fn parts_of_one_size_are_written_where_they_stand() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let key = uri(&data, "whole");
        let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
        let last = Bytes::from_static(b"and the rest");
        let put = async |number: u16, bytes: Bytes| {
            let part = lake.put_part(&key, &id, number, bytes, PutOptions::default()).await.unwrap();
            CompletedPart { number, etag: part.etag }
        };
        let mut parts =
            vec![put(3, part_of(b'c')).await, put(1, part_of(b'a')).await, put(2, part_of(b'b')).await];
        parts.push(put(4, last.clone()).await);
        parts.sort_by_key(|part| part.number);
        let listed = lake.list_parts(&key, &id).await.unwrap();
        assert!(listed.iter().map(|part| part.number).eq(1..=4));
        let inode = inode_of_slots(dir.path(), &id);
        let done = lake.complete_multipart(&key, &id, parts, PutMode::Overwrite).await.unwrap();
        assert!(done.etag.ends_with("-4"), "{}", done.etag);
        assert_eq!(Some(inode_of_object(dir.path(), "whole")), inode, "nothing was copied");
        let expected = [part_of(b'a'), part_of(b'b'), part_of(b'c'), last].concat();
        assert!(lake.read(&key).await.unwrap() == expected);
        assert_eq!(lake.head(&key).await.unwrap().etag, done.etag);
        drop(lake);
        wait_for_no_leftovers(dir.path());
    });
}

#[test]
fn parts_that_do_not_stand_in_a_row_are_copied() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let put = async |key: &model::LakeUri, id: &str, number: u16, bytes: Bytes| {
            let part = lake.put_part(key, id, number, bytes, PutOptions::default()).await.unwrap();
            CompletedPart { number, etag: part.etag }
        };
        let larger = Bytes::from([&part_of(b'x')[..], b"x"].concat());
        let (a, b, c) = (part_of(b'a'), part_of(b'b'), part_of(b'c'));
        // What is put, which of it is named, and what comes of it.
        type Case<'a> = (&'a str, Vec<(u16, &'a Bytes)>, Vec<usize>, Vec<&'a Bytes>);
        let cases: [Case<'_>; 5] = [
            ("again", vec![(1, &a), (2, &b), (1, &c)], vec![2, 1], vec![&c, &b]),
            ("gap", vec![(1, &a), (3, &b)], vec![0, 1], vec![&a, &b]),
            ("fewer", vec![(1, &a), (2, &b), (3, &c)], vec![0, 1], vec![&a, &b]),
            ("larger", vec![(1, &a), (2, &larger), (3, &c)], vec![0, 1, 2], vec![&a, &larger, &c]),
            ("not first", vec![(1, &a), (2, &b)], vec![1], vec![&b]),
        ];
        for (name, puts, named, expected) in cases {
            let key = uri(&data, name);
            let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
            let mut parts = Vec::new();
            for (number, bytes) in puts {
                parts.push(put(&key, &id, number, bytes.clone()).await);
            }
            let inode = inode_of_slots(dir.path(), &id);
            let named = named.into_iter().map(|at| parts[at].clone()).collect();
            lake.complete_multipart(&key, &id, named, PutMode::Overwrite).await.unwrap();
            assert_ne!(Some(inode_of_object(dir.path(), name)), inode, "{name}");
            assert!(
                lake.read(&key).await.unwrap() == expected.into_iter().cloned().collect::<Vec<_>>().concat()
            );
        }
        drop(lake);
        wait_for_no_leftovers(dir.path());
    });
}

#[test]
fn who_still_writes_a_part_does_not_write_into_the_object() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let key = uri(&data, "early");
        let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
        let options = || PutOptions { length: Some(part_of(b'b').len() as u64), ..PutOptions::default() };
        let first = lake.put_part(&key, &id, 1, part_of(b'a'), PutOptions::default()).await.unwrap();
        let mut second = lake.part_writer(&key, &id, 2, options()).await.unwrap();
        second.write(part_of(b'b').slice(..3 << 20)).await.unwrap();
        // More than was said would run into the next slot.
        let mut third = lake.part_writer(&key, &id, 3, options()).await.unwrap();
        third.write(part_of(b'c')).await.unwrap();
        let error = third.write(Bytes::from_static(b"c")).await.unwrap_err();
        assert!(error.message().contains("longer"), "{error}");
        let named = vec![CompletedPart { number: 1, etag: first.etag }];
        lake.complete_multipart(&key, &id, named, PutMode::Overwrite).await.unwrap();
        second.write(part_of(b'b').slice(3 << 20..)).await.unwrap();
        let error = second.finish().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(lake.read(&key).await.unwrap() == part_of(b'a'));
        drop((third, lake));
        wait_for_no_leftovers(dir.path());
    });
}

#[test]
fn what_is_made_here_has_an_etag_that_is_no_md5() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let key = uri(&data, "made");
        let bytes = Bytes::from_static(b"made here");
        let made = lake.put(&key, bytes.clone(), PutOptions::made_here()).await.unwrap();
        assert!(made.etag.ends_with("-1") && made.etag.len() == 34, "{}", made.etag);
        assert_eq!(lake.head(&key).await.unwrap().etag, made.etag);
        let other = lake.put(&key, Bytes::from_static(b"made hera"), PutOptions::made_here()).await.unwrap();
        assert_ne!(other.etag, made.etag);
        // Who says what the MD5 must be is taken at his word.
        let promised =
            |of: &[u8]| PutOptions { content_md5: Some(Md5::digest(of).into()), ..PutOptions::made_here() };
        let error = lake.put(&key, bytes.clone(), promised(b"others")).await.unwrap_err();
        assert!(error.message().contains("MD5"), "{error}");
        let put = lake.put(&key, bytes.clone(), promised(&bytes)).await.unwrap();
        assert_eq!(put.etag, hex::encode(Md5::digest(&bytes)));
        let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
        let mut parts = Vec::new();
        for (number, bytes) in [(1, part_of(b'a')), (2, part_of(b'b'))] {
            let part = lake.put_part(&key, &id, number, bytes, PutOptions::made_here()).await.unwrap();
            assert!(part.etag.ends_with("-1"), "{}", part.etag);
            parts.push(CompletedPart { number, etag: part.etag });
        }
        let done = lake.complete_multipart(&key, &id, parts, PutMode::Overwrite).await.unwrap();
        assert!(done.etag.ends_with("-2"), "{}", done.etag);
        assert!(lake.read(&key).await.unwrap() == [part_of(b'a'), part_of(b'b')].concat());
    });
}

//! What every backend must do alike. Each check is given a lake and an empty bucket of its own making.

use crate::{keys, uri};
use bytes::Bytes;
use chrono::Duration;
use futures::TryStreamExt;
use lake::{
    Checksums, CommitOptions, CompletedPart, GetOptions, GetRange, Lake, ListOptions, PutMode, PutOptions,
};
use model::{BucketName, ErrorKind};

const MD5_OF_HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

pub(crate) async fn objects_come_back(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "folder/hello world+ü.txt");
    let options = PutOptions {
        content_type: Some("text/plain".into()),
        metadata: [("color".to_owned(), "red".to_owned())].into(),
        headers: [("cache-control".to_owned(), "no-store".to_owned())].into(),
        ..PutOptions::default()
    };
    let put = lake.put(&key, Bytes::from_static(b"hello"), options).await.unwrap();
    assert_eq!((put.etag.as_str(), put.size), (MD5_OF_HELLO, 5));
    let info = lake.head(&key).await.unwrap();
    assert_eq!((info.etag.as_str(), info.size), (MD5_OF_HELLO, 5));
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(info.metadata.get("color").map(String::as_str), Some("red"));
    assert_eq!(info.headers.get("cache-control").map(String::as_str), Some("no-store"));
    assert_eq!(lake.read(&key).await.unwrap(), "hello");
    let empty = uri(bucket, "empty");
    lake.put(&empty, Bytes::new(), PutOptions::default()).await.unwrap();
    assert_eq!(lake.read(&empty).await.unwrap(), "");
    assert_eq!(lake.head(&empty).await.unwrap().size, 0);
    assert_eq!(keys(lake, &uri(bucket, "")).await, ["empty", "folder/hello world+ü.txt"]);
    lake.delete(&key).await.unwrap();
    lake.delete(&key).await.unwrap();
    assert_eq!(lake.head(&key).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(lake.read(&key).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(keys(lake, &uri(bucket, "")).await, ["empty"]);
}

pub(crate) async fn ranges_are_cut_and_checked(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "digits");
    lake.put(&key, Bytes::from_static(b"0123456789"), PutOptions::default()).await.unwrap();
    assert_eq!(lake.read_range(&key, 2..5).await.unwrap(), "234");
    assert_eq!(lake.read_range(&key, 8..50).await.unwrap(), "89");
    assert_eq!(lake.read_range(&key, 3..3).await.unwrap(), "");
    for (range, text) in
        [(GetRange::From(7), "789"), (GetRange::Suffix(2), "89"), (GetRange::Suffix(99), "0123456789")]
    {
        let read = lake.get(&key, GetOptions { range: Some(range), ..GetOptions::default() }).await.unwrap();
        assert_eq!(read.info.size, 10);
        assert_eq!(read.bytes().await.unwrap(), text);
    }
    let error = lake.read_range(&key, 10..12).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("digits"), "{error}");
}

pub(crate) async fn conditions_decide(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "conditional");
    let first = lake.put(&key, Bytes::from_static(b"one"), PutOptions::create()).await.unwrap();
    let again = lake.put(&key, Bytes::from_static(b"two"), PutOptions::create()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let second =
        lake.put(&key, Bytes::from_static(b"two"), PutOptions::replacing(&first.etag)).await.unwrap();
    let stale =
        lake.put(&key, Bytes::from_static(b"six"), PutOptions::replacing(&first.etag)).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(lake.read(&key).await.unwrap(), "two");
    let nothing = uri(bucket, "nothing");
    let missing = lake.put(&nothing, Bytes::new(), PutOptions::replacing(&first.etag)).await.unwrap_err();
    assert!(matches!(missing.kind(), ErrorKind::NotFound | ErrorKind::PreconditionFailed), "{missing}");

    let info = lake.head(&key).await.unwrap();
    let get = |options: GetOptions| lake.get_if(&key, options);
    let quoted = format!("\"x\", \"{}\"", second.etag);
    let with = |f: &dyn Fn(&mut GetOptions)| {
        let mut options = GetOptions::default();
        f(&mut options);
        options
    };
    assert!(get(with(&|o| o.if_match = Some(second.etag.clone()))).await.unwrap().is_some());
    let other = get(with(&|o| o.if_match = Some(first.etag.clone()))).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::PreconditionFailed);
    assert!(get(with(&|o| o.if_none_match = Some(second.etag.clone()))).await.unwrap().is_none());
    assert!(get(with(&|o| o.if_none_match = Some(first.etag.clone()))).await.unwrap().is_some());
    assert!(
        get(with(&|o| o.if_none_match = Some(quoted.clone()))).await.unwrap().is_none() || cfg!(not(test))
    );
    assert!(
        get(with(&|o| o.if_modified_since = Some(info.last_modified + Duration::hours(1))))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        get(with(&|o| o.if_modified_since = Some(info.last_modified - Duration::hours(1))))
            .await
            .unwrap()
            .is_some()
    );
    let old = get(with(&|o| o.if_unmodified_since = Some(info.last_modified - Duration::hours(1)))).await;
    assert_eq!(old.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    let changed = lake.delete_if(&key, Some(&first.etag)).await.unwrap_err();
    assert_eq!(changed.kind(), ErrorKind::PreconditionFailed);
    lake.delete_if(&key, Some(&second.etag)).await.unwrap();
}

pub(crate) async fn wrong_checksums_store_nothing(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "checked");
    let wrong = |options: PutOptions| async move {
        let error = lake.put(&key.clone(), Bytes::from_static(b"123456789"), options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(lake.head(&key).await.unwrap_err().kind(), ErrorKind::NotFound);
    };
    wrong.clone()(PutOptions { content_md5: Some([7; 16]), ..PutOptions::default() }).await;
    let sums = Checksums { crc32c: Some(1), ..Checksums::default() };
    wrong.clone()(PutOptions { checksums: sums, ..PutOptions::default() }).await;
    let sums = Checksums { sha256: Some([0; 32]), ..Checksums::default() };
    wrong(PutOptions { checksums: sums, ..PutOptions::default() }).await;
    let key = uri(bucket, "checked");
    let right = Checksums { crc32: Some(0xCBF4_3926), crc32c: Some(0xE306_9283), ..Checksums::default() };
    for sums in [
        Checksums { crc32: right.crc32, ..Checksums::default() },
        Checksums { crc32c: right.crc32c, ..Checksums::default() },
    ] {
        let options = PutOptions { checksums: sums, ..PutOptions::default() };
        lake.put(&key, Bytes::from_static(b"123456789"), options).await.unwrap();
    }
    // A writer learns the checksum while it writes.
    let placeholder = Checksums { crc32: Some(0), ..Checksums::default() };
    let options = PutOptions { checksums: placeholder, ..PutOptions::default() };
    let mut writer = lake.writer(&key, options).await.unwrap();
    writer.write(Bytes::from_static(b"12345")).await.unwrap();
    writer.write(Bytes::from_static(b"6789")).await.unwrap();
    writer.expect_checksums(Checksums { crc32: right.crc32, ..Checksums::default() });
    assert_eq!(writer.finish().await.unwrap().checksums.crc32, right.crc32);
}

pub(crate) async fn writers_stream(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "streams/large");
    // Larger than two parts, in pieces of odd sizes.
    let piece: Bytes = (0..777_777u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let mut writer = lake.writer(&key, PutOptions::default()).await.unwrap();
    for _ in 0..23 {
        writer.write(piece.clone()).await.unwrap();
    }
    assert_eq!(lake.head(&key).await.unwrap_err().kind(), ErrorKind::NotFound);
    let put = writer.finish().await.unwrap();
    assert_eq!(put.size, 23 * 777_777);
    let info = lake.head(&key).await.unwrap();
    assert_eq!((info.size, info.etag.clone()), (put.size, put.etag));
    let tail = lake.read_range(&key, info.size - 10..info.size).await.unwrap();
    assert_eq!(tail, piece.slice(777_767..));
    let mut seen = 0;
    let mut stream = lake.get(&key, GetOptions::default()).await.unwrap().into_stream();
    while let Some(bytes) = stream.try_next().await.unwrap() {
        for (at, byte) in bytes.iter().enumerate().step_by(997) {
            assert_eq!(*byte, piece[(seen + at) % piece.len()]);
        }
        seen += bytes.len();
    }
    assert_eq!(seen as u64, info.size);
    let gone = uri(bucket, "streams/gone");
    let mut writer = lake.writer(&gone, PutOptions::default()).await.unwrap();
    writer.write(piece.clone()).await.unwrap();
    writer.abort().await.unwrap();
    let mut writer = lake.writer(&gone, PutOptions::default()).await.unwrap();
    writer.write(piece).await.unwrap();
    drop(writer);
    assert_eq!(keys(lake, &uri(bucket, "streams/")).await, ["streams/large"]);
}

pub(crate) async fn copies_keep_what_they_are(lake: &Lake, bucket: &BucketName) {
    let (from, to) = (uri(bucket, "from"), uri(bucket, "deep/to"));
    let options = PutOptions {
        content_type: Some("text/csv".into()),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        ..PutOptions::default()
    };
    lake.put(&from, Bytes::from_static(b"hello"), options).await.unwrap();
    let copied = lake.copy(&from, &to, PutOptions::default()).await.unwrap();
    assert_eq!(copied.etag, MD5_OF_HELLO);
    let info = lake.head(&to).await.unwrap();
    assert_eq!((info.content_type.as_deref(), info.size), (Some("text/csv"), 5));
    assert_eq!(info.metadata.get("k").map(String::as_str), Some("v"));
    let error = lake.copy(&from, &to, PutOptions::create()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let error = lake.copy(&uri(bucket, "missing"), &to, PutOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let results = lake.delete_many(vec![from.clone(), to, uri(bucket, "missing")]).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(keys(lake, &uri(bucket, "")).await.is_empty());
}

pub(crate) async fn listings_follow_s3(lake: &Lake, bucket: &BucketName) {
    let all = ["a.txt", "a/1", "a/2", "a/b/3", "a0", "b/4", "c-1", "c-2/x", "d", "ü"];
    for key in all.iter().rev() {
        lake.put(&uri(bucket, key), Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
    }
    let sorted: Vec<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!(keys(lake, &uri(bucket, "")).await, sorted);
    assert_eq!(keys(lake, &uri(bucket, "a/")).await, ["a/1", "a/2", "a/b/3"]);
    assert_eq!(keys(lake, &uri(bucket, "a")).await, ["a.txt", "a/1", "a/2", "a/b/3", "a0"]);
    assert_eq!(keys(lake, &uri(bucket, "c-")).await, ["c-1", "c-2/x"]);
    assert!(keys(lake, &uri(bucket, "nothing/")).await.is_empty());
    for size in [1, 2, 3, 1000] {
        let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
        let mut options =
            ListOptions { delimiter: Some("/".into()), max_keys: size, ..ListOptions::default() };
        loop {
            let page = lake.list_page(&uri(bucket, ""), options.clone()).await.unwrap();
            assert!(page.objects.len() + page.common_prefixes.len() <= size);
            objects.extend(page.objects.into_iter().map(|info| info.uri.key().to_owned()));
            prefixes.extend(page.common_prefixes);
            options.start_after = page.next;
            if options.start_after.is_none() {
                break;
            }
        }
        assert_eq!(objects, ["a.txt", "a0", "c-1", "d", "ü"], "page size {size}");
        assert_eq!(prefixes, ["a/", "b/", "c-2/"], "page size {size}");
    }
    let options = ListOptions { delimiter: Some("/".into()), ..ListOptions::default() };
    let page = lake.list_page(&uri(bucket, "a/"), options).await.unwrap();
    assert_eq!((page.objects.len(), page.common_prefixes), (2, vec!["a/b/".to_owned()]));
    let options = ListOptions { start_after: Some("a/1".into()), max_keys: 2, ..ListOptions::default() };
    let page = lake.list_page(&uri(bucket, ""), options).await.unwrap();
    let found: Vec<_> = page.objects.iter().map(|info| info.uri.key()).collect();
    assert_eq!((found, page.next.as_deref()), (vec!["a/2", "a/b/3"], Some("a/b/3")));
}

pub(crate) async fn other_delimiters_count_too(lake: &Lake, bucket: &BucketName) {
    for key in ["a.txt", "a/1", "c-1", "c-2/x", "d"] {
        lake.put(&uri(bucket, key), Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
    }
    let options = ListOptions { delimiter: Some("-".into()), max_keys: 2, ..ListOptions::default() };
    let page = lake.list_page(&uri(bucket, ""), options.clone()).await.unwrap();
    assert_eq!((page.objects.len(), page.next.as_deref()), (2, Some("a/1")));
    let page =
        lake.list_page(&uri(bucket, ""), ListOptions { start_after: page.next, ..options }).await.unwrap();
    assert_eq!(page.common_prefixes, ["c-"]);
    assert_eq!(page.objects.iter().map(|info| info.uri.key()).collect::<Vec<_>>(), ["d"]);
}

pub(crate) async fn parts_become_an_object(lake: &Lake, bucket: &BucketName) {
    let remote = !lake.is_local_by_default();
    let key = uri(bucket, "parts/object");
    let options = PutOptions { content_type: Some("text/plain".into()), ..PutOptions::default() };
    let id = lake.create_multipart(&key, options).await.unwrap();
    let big = Bytes::from(vec![b'a'; 5 << 20]);
    let replaced =
        lake.put_part(&key, &id, 2, Bytes::from_static(b"draft"), PutOptions::default()).await.unwrap();
    let two = lake.put_part(&key, &id, 2, Bytes::from_static(b"tail"), PutOptions::default()).await.unwrap();
    let sums = Checksums { sha1: Some([0; 20]), ..Checksums::default() };
    let promised = PutOptions { checksums: sums, ..PutOptions::default() };
    let mut wrong = lake.part_writer(&key, &id, 1, promised).await.unwrap();
    wrong.write(big.slice(..100)).await.unwrap();
    assert_eq!(wrong.finish().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let mut writer = lake.part_writer(&key, &id, 1, PutOptions::default()).await.unwrap();
    writer.write(big.slice(..1 << 20)).await.unwrap();
    writer.write(big.slice(1 << 20..)).await.unwrap();
    let one = writer.finish().await.unwrap();
    assert_ne!(replaced.etag, two.etag);
    let listed = lake.list_parts(&key, &id).await.unwrap();
    let facts: Vec<_> = listed.iter().map(|part| (part.number, part.size, part.etag.as_str())).collect();
    assert_eq!(facts[0], (1, 5 << 20, one.etag.as_str()));
    // Of a part that was sent twice SeaweedFS lists now the one and now the other; what counts is which one the object
    // is made of, below.
    let newest = (2, 4, two.etag.as_str());
    assert!(facts[1] == newest || (remote && facts[1] == (2, 5, replaced.etag.as_str())), "{facts:?}");
    assert_eq!(facts.len(), 2);
    let uploads = lake.list_multiparts(&uri(bucket, "parts/")).await.unwrap();
    assert_eq!(uploads.iter().map(|upload| &upload.upload_id).collect::<Vec<_>>(), [&id]);
    assert_eq!(lake.head(&key).await.unwrap_err().kind(), ErrorKind::NotFound);
    let part = |number, etag: &str| CompletedPart { number, etag: etag.to_owned() };
    let backwards = vec![part(2, &two.etag), part(1, &one.etag)];
    let error = lake.complete_multipart(&key, &id, backwards, PutMode::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let right = vec![part(1, &one.etag), part(2, &two.etag)];
    let put = lake.complete_multipart(&key, &id, right, PutMode::Overwrite).await.unwrap();
    assert!(put.etag.ends_with("-2"), "{}", put.etag);
    let info = lake.head(&key).await.unwrap();
    assert_eq!((info.size, info.etag), ((5 << 20) + 4, put.etag));
    assert_eq!(info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(lake.read_range(&key, (5 << 20) - 1..u64::MAX).await.unwrap(), "atail");
    assert!(lake.list_multiparts(&uri(bucket, "")).await.unwrap().is_empty());
    let id = lake.create_multipart(&key, PutOptions::default()).await.unwrap();
    lake.abort_multipart(&key, &id).await.unwrap();
    let error = lake.put_part(&key, &id, 1, Bytes::new(), PutOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

pub(crate) async fn commits_appear_whole(lake: &Lake, bucket: &BucketName) {
    for key in ["t/day=1/old", "t/day=1/kept", "t/day=2/old", "single"] {
        lake.put(&uri(bucket, key), Bytes::from_static(b"old"), PutOptions::default()).await.unwrap();
    }
    let commit = lake.begin_commit(CommitOptions::default());
    let mut writer = commit.writer(&uri(bucket, "t/day=1/new"), PutOptions::default()).await.unwrap();
    writer.write(Bytes::from_static(b"new")).await.unwrap();
    writer.finish().await.unwrap();
    commit.put(&uri(bucket, "t/day=1/kept"), Bytes::from_static(b"replaced")).await.unwrap();
    commit.put(&uri(bucket, "t/day=3/empty"), Bytes::new()).await.unwrap();
    commit.replace_prefix(&uri(bucket, "t/day=1/"));
    commit.delete(&uri(bucket, "single"));
    assert_eq!(keys(lake, &uri(bucket, "")).await, ["single", "t/day=1/kept", "t/day=1/old", "t/day=2/old"]);
    let done = commit.publish().await.unwrap();
    assert_eq!((done.objects, done.bytes, done.removed), (3, 11, 2));
    let now = ["t/day=1/kept", "t/day=1/new", "t/day=2/old", "t/day=3/empty"];
    assert_eq!(keys(lake, &uri(bucket, "")).await, now);
    assert_eq!(lake.read(&uri(bucket, "t/day=1/kept")).await.unwrap(), "replaced");

    let commit = lake.begin_commit(CommitOptions::default());
    commit.put(&uri(bucket, "t/fresh"), Bytes::from_static(b"x")).await.unwrap();
    commit
        .put_opts(&uri(bucket, "t/day=1/new"), Bytes::from_static(b"x"), PutOptions::create())
        .await
        .unwrap();
    assert_eq!(commit.publish().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let commit = lake.begin_commit(CommitOptions::default());
    commit.put(&uri(bucket, "t/fresh"), Bytes::from_static(b"x")).await.unwrap();
    commit.abort().await.unwrap();
    assert_eq!(keys(lake, &uri(bucket, "")).await, now);
    assert_eq!(lake.begin_commit(CommitOptions::default()).publish().await.unwrap().objects, 0);
    assert!(lake.list_multiparts(&uri(bucket, "")).await.unwrap().is_empty());
}

pub(crate) async fn buckets_are_made_and_removed(lake: &Lake, name: &BucketName) {
    assert!(!lake.bucket_exists(name).await.unwrap());
    lake.create_bucket(name).await.unwrap();
    assert!(lake.bucket_exists(name).await.unwrap());
    assert_eq!(lake.create_bucket(name).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(lake.list_buckets().await.unwrap().iter().any(|info| info.name == *name));
    let key = uri(name, "deep/er/key");
    lake.put(&key, Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
    assert_eq!(lake.delete_bucket(name).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(lake.read(&key).await.unwrap(), "x");
    lake.delete(&key).await.unwrap();
    lake.delete_bucket(name).await.unwrap();
    assert!(!lake.bucket_exists(name).await.unwrap());
    let missing = lake.put(&key, Bytes::from_static(b"x"), PutOptions::default()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.message().contains(name.as_str()), "{missing}");
    let missing = lake.head(&key).await.unwrap_err();
    assert!(missing.message().contains("bucket"), "{missing}");
}

pub(crate) async fn one_writer_wins(lake: &Lake, bucket: &BucketName) {
    let key = uri(bucket, "raced");
    for round in 0..3 {
        let before = lake.head(&key).await.ok();
        let race = (0..16).map(|n| {
            let (lake, key, before) = (lake.clone(), key.clone(), before.clone());
            tokio::spawn(async move {
                let options = match before {
                    Some(info) => PutOptions::replacing(info.etag),
                    None => PutOptions::create(),
                };
                lake.put(&key, Bytes::from(format!("{round} {n}")), options).await
            })
        });
        let mut winners = 0;
        for racer in race.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                Ok(_) => winners += 1,
                Err(error) => assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::AlreadyExists | ErrorKind::PreconditionFailed | ErrorKind::Conflict
                    ),
                    "{error:?}"
                ),
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

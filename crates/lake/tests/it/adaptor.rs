//! The lake through `object_store`'s interface.

use crate::{local_lake, run, uri};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use lake::PutOptions;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, UpdateVersion,
};

#[test]
fn engines_read_and_write_through_it() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let store = lake.object_store(&data);
        let path = Path::from("t/p=1/a.parquet");
        let put = store.put(&path, "hello".into()).await.unwrap();
        let got = store.get(&path).await.unwrap();
        assert_eq!((got.meta.size, got.meta.e_tag.clone()), (5, put.e_tag.clone()));
        assert_eq!(got.bytes().await.unwrap(), "hello");
        assert_eq!(store.get_range(&path, 1..3).await.unwrap(), "el");
        assert_eq!(
            store.get_ranges(&path, &[0..1, 4..5]).await.unwrap(),
            [Bytes::from("h"), Bytes::from("o")]
        );
        assert_eq!(store.head(&path).await.unwrap().size, 5);
        let exists = store.put_opts(&path, "x".into(), PutMode::Create.into()).await.unwrap_err();
        assert!(matches!(exists, Error::AlreadyExists { .. }), "{exists}");
        let version = |e_tag| PutMode::Update(UpdateVersion { e_tag, version: None });
        let stale =
            store.put_opts(&path, "x".into(), version(Some("stale".into())).into()).await.unwrap_err();
        assert!(matches!(stale, Error::Precondition { .. }), "{stale}");
        store.put_opts(&path, "world".into(), version(put.e_tag.clone()).into()).await.unwrap();
        let missing =
            store.put_opts(&Path::from("none"), "x".into(), version(put.e_tag).into()).await.unwrap_err();
        assert!(matches!(missing, Error::Precondition { .. }), "{missing}");
        let etag = store.head(&path).await.unwrap().e_tag;
        let same = GetOptions { if_none_match: etag, ..GetOptions::default() };
        assert!(matches!(store.get_opts(&path, same).await, Err(Error::NotModified { .. })));
        store.copy(&path, &Path::from("t/p=2/b.parquet")).await.unwrap();
        assert!(matches!(
            store.copy_if_not_exists(&path, &Path::from("t/p=2/b.parquet")).await,
            Err(Error::AlreadyExists { .. })
        ));
        let listed: Vec<_> = store
            .list(Some(&Path::from("t")))
            .map_ok(|meta| meta.location.to_string())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(listed, ["t/p=1/a.parquet", "t/p=2/b.parquet"]);
        let folders = store.list_with_delimiter(Some(&Path::from("t"))).await.unwrap();
        assert_eq!(folders.common_prefixes, [Path::from("t/p=1"), Path::from("t/p=2")]);
        assert!(folders.objects.is_empty());
        store.delete(&path).await.unwrap();
        assert!(matches!(store.head(&path).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn parts_keep_the_order_in_which_they_were_given() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let store = lake.object_store(&data);
        let path = Path::from("parts");
        let mut upload = store.put_multipart_opts(&path, PutMultipartOptions::default()).await.unwrap();
        let (one, two, three) =
            (upload.put_part("one ".into()), upload.put_part("two ".into()), upload.put_part("three".into()));
        let (three, two, one) = futures::join!(three, two, one);
        one.and(two).and(three).unwrap();
        upload.complete().await.unwrap();
        assert_eq!(lake.read(&uri(&data, "parts")).await.unwrap(), "one two three");
        let mut upload =
            store.put_multipart_opts(&Path::from("gone"), PutMultipartOptions::default()).await.unwrap();
        drop(upload.put_part("never polled".into()));
        assert!(upload.put_part("after it".into()).await.is_err());
        upload.abort().await.unwrap();
        assert!(matches!(store.head(&Path::from("gone")).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn keys_that_its_paths_cannot_say_are_refused_by_name() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let store = lake.object_store(&data);
        lake.put(&uri(&data, "t/"), Bytes::new(), PutOptions::default()).await.unwrap();
        lake.put(&uri(&data, "t/a"), Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        assert_eq!(listed.len(), 1, "a folder marker is not listed");
        lake.put(&uri(&data, "t//b"), Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
        let refused = store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        assert!(refused.to_string().contains("s3://data/t//b"), "{refused}");
    });
}

#[test]
fn pieces_are_read_together_and_streams_end_for_good() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let store = lake.object_store(&data);
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let path = Path::from("a/b");
        store.put(&path, bytes.clone().into()).await.unwrap();
        let ranges = [300_000..300_010, 0..4, 4..100, 399_990..500_000, 7..7];
        let pieces = store.get_ranges(&path, &ranges).await.unwrap();
        for (range, piece) in ranges.iter().zip(pieces) {
            let end = (range.end as usize).min(bytes.len());
            assert_eq!(piece, bytes[range.start as usize..end], "{range:?}");
        }
        let mut listed = store.list(None);
        while listed.next().await.is_some() {}
        assert!(listed.next().await.is_none(), "asking once more is no mistake");
        let mut read = store.get(&path).await.unwrap().into_stream();
        while read.next().await.is_some() {}
        assert!(read.next().await.is_none());

        let uri = uri(&data, "a/b");
        let known = lake.head(&uri).await.unwrap();
        assert_eq!(lake.reader_of(&known).await.unwrap().range(4..8).await.unwrap(), bytes[4..8]);
        lake.put(&uri, Bytes::from_static(b"other"), PutOptions::default()).await.unwrap();
        let error = lake.reader_of(&known).await.unwrap_err();
        assert_eq!(error.kind(), model::ErrorKind::Conflict);
        let behind = lake.reader(&uri).await.unwrap().range(3..9).await.unwrap_err();
        assert_eq!(behind.kind(), model::ErrorKind::InvalidInput);
    });
}

//! A lake whose buckets lie behind the door of another: our own client for S3 against our own server.

use crate::house::House;
use bytes::Bytes;
use futures::TryStreamExt;
use lake::{Backend, CommitOptions, Lake, LakeConfig, ListOptions, PutOptions, S3Endpoint};
use model::{BucketName, ErrorKind, LakeUri};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_works_through_the_door() {
    let house = House::today().await;
    let own = tempfile::tempdir().unwrap();
    let endpoint = S3Endpoint {
        endpoint: Some(format!("http://{}", house.address)),
        region: "eu-central-1".into(),
        access_key_id: "admin".into(),
        secret_access_key: "secret".into(),
        path_style: true,
        allow_http: true,
        ..S3Endpoint::default()
    };
    let config =
        LakeConfig { root: own.path().into(), default: Backend::S3(endpoint), buckets: BTreeMap::new() };
    let lake = Lake::open(config).await.unwrap();
    let bucket = BucketName::new("remote").unwrap();
    let uri = |key: &str| LakeUri::new(bucket.clone(), key).unwrap();
    assert!(!lake.bucket_exists(&bucket).await.unwrap());
    lake.create_bucket(&bucket).await.unwrap();
    assert_eq!(lake.create_bucket(&bucket).await.unwrap_err().kind(), ErrorKind::AlreadyExists);

    let odd = uri("a//b/ä +%&=?#~'.csv");
    let options = PutOptions { content_type: Some("text/csv".into()), ..PutOptions::create() };
    lake.put(&odd, Bytes::from_static(b"rows"), options.clone()).await.unwrap();
    let again = lake.put(&odd, Bytes::from_static(b"rows"), options).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let info = lake.head(&odd).await.unwrap();
    assert_eq!((info.size, info.content_type.as_deref()), (4, Some("text/csv")));
    assert_eq!(lake.read_range(&odd, 1..3).await.unwrap(), "ow");
    assert_eq!(lake.read(&uri("absent")).await.unwrap_err().kind(), ErrorKind::NotFound);

    let big = Bytes::from((0..20_000_000u32).map(|n| n.to_le_bytes()[1]).collect::<Vec<u8>>());
    let mut writer = lake.writer(&uri("big"), PutOptions::default()).await.unwrap();
    for piece in big.chunks(3_000_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.finish().await.unwrap();
    assert!(lake.read(&uri("big")).await.unwrap() == big);
    lake.copy(&uri("big"), &uri("copy"), PutOptions::default()).await.unwrap();
    assert_eq!(lake.head(&uri("copy")).await.unwrap().size, big.len() as u64);

    let commit = lake.begin_commit(CommitOptions::default());
    for n in 0..20 {
        let key = uri(&format!("table/part-{n:02}"));
        let mut writer = commit.writer(&key, PutOptions::default()).await.unwrap();
        writer.write(Bytes::from(format!("part {n}"))).await.unwrap();
        writer.finish().await.unwrap();
    }
    assert_eq!(lake.list(&uri("table/")).try_collect::<Vec<_>>().await.unwrap().len(), 0);
    commit.publish().await.unwrap();
    assert_eq!(lake.list(&uri("table/")).try_collect::<Vec<_>>().await.unwrap().len(), 20);
    let options = ListOptions { delimiter: Some("/".into()), ..ListOptions::default() };
    let page = lake.list_page(&uri(""), options).await.unwrap();
    assert_eq!(page.common_prefixes, ["a/", "table/"]);
    assert_eq!(page.objects.len(), 2);
    assert_eq!(lake.delete_bucket(&bucket).await.unwrap_err().kind(), ErrorKind::Conflict);
    for info in lake.list(&uri("")).try_collect::<Vec<_>>().await.unwrap() {
        lake.delete(&info.uri).await.unwrap();
    }
    lake.delete_bucket(&bucket).await.unwrap();
}

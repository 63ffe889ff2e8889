//! The remote backend: the common suite against a real S3 server, and what only a server has.

use crate::{bucket, conformance, keys, run, uri};
use bytes::Bytes;
use lake::{Backend, CommitOptions, Lake, LakeConfig, PutOptions, S3Endpoint};
use model::{BucketName, ErrorKind};
use std::collections::BTreeMap;

pub(crate) fn endpoint() -> S3Endpoint {
    let server = testkit::seaweed();
    assert_eq!((server.access_key.as_str(), server.secret_key.as_str()), ("testkit", "testkit-secret"));
    S3Endpoint { endpoint: Some(server.endpoint), region: server.region, ..credentials() }
}

/// The test server's key, for a process that is told its address.
pub(crate) fn credentials() -> S3Endpoint {
    S3Endpoint {
        region: "us-east-1".into(),
        access_key_id: "testkit".into(),
        secret_access_key: "testkit-secret".into(),
        path_style: true,
        allow_http: true,
        ..S3Endpoint::default()
    }
}

async fn remote_lake(endpoint: S3Endpoint) -> (tempfile::TempDir, Lake) {
    let dir = tempfile::tempdir().unwrap();
    let config =
        LakeConfig { root: dir.path().into(), default: Backend::S3(endpoint), buckets: BTreeMap::new() };
    (dir, Lake::open(config).await.unwrap())
}

fn fresh_bucket() -> BucketName {
    bucket(&testkit::seaweed().fresh_bucket())
}

macro_rules! suite {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            run(async {
                let (dir, lake) = remote_lake(endpoint()).await;
                conformance::$name(&lake, &fresh_bucket()).await;
                drop(lake);
                crate::local::wait_for_no_leftovers(dir.path());
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

#[test]
fn buckets_are_made_and_removed() {
    run(async {
        let (_dir, lake) = remote_lake(endpoint()).await;
        let name = bucket(&format!("made-{}", std::process::id()));
        conformance::buckets_are_made_and_removed(&lake, &name).await;
    });
}

#[test]
fn one_bucket_may_be_remote_under_another_name() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let there = testkit::seaweed().fresh_bucket();
        let named = S3Endpoint { remote_bucket: Some(there), ..endpoint() };
        let here = bucket("archive");
        let config = LakeConfig {
            root: dir.path().into(),
            default: Backend::Local,
            buckets: [(here.clone(), Backend::S3(named))].into(),
        };
        let lake = Lake::open(config).await.unwrap();
        let local = bucket("local");
        lake.create_bucket(&local).await.unwrap();
        lake.put(&uri(&local, "a"), Bytes::from_static(b"across"), PutOptions::default()).await.unwrap();
        lake.copy(&uri(&local, "a"), &uri(&here, "b/c"), PutOptions::default()).await.unwrap();
        assert_eq!(lake.read(&uri(&here, "b/c")).await.unwrap(), "across");
        assert_eq!(keys(&lake, &uri(&here, "")).await, ["b/c"]);
        // One commit over both.
        let commit = lake.begin_commit(CommitOptions::default());
        commit.put(&uri(&local, "both"), Bytes::from_static(b"1")).await.unwrap();
        commit.put(&uri(&here, "both"), Bytes::from_static(b"2")).await.unwrap();
        commit.publish().await.unwrap();
        assert_eq!(lake.read(&uri(&local, "both")).await.unwrap(), "1");
        assert_eq!(lake.read(&uri(&here, "both")).await.unwrap(), "2");
        let names: Vec<_> = lake.list_buckets().await.unwrap().into_iter().map(|info| info.name).collect();
        assert_eq!(names, [here, local]);
    });
}

#[test]
fn keys_that_a_url_cannot_say_are_refused() {
    run(async {
        let (_dir, lake) = remote_lake(endpoint()).await;
        let data = fresh_bucket();
        for key in ["../x", "a/../b", ".", "a/./b"] {
            let error = lake.put(&uri(&data, key), Bytes::new(), PutOptions::default()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{key}");
            assert_eq!(lake.head(&uri(&data, key)).await.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        assert!(keys(&lake, &uri(&data, "")).await.is_empty());
    });
}

#[test]
fn wrong_keys_are_denied_and_secrets_stay_secret() {
    run(async {
        let wrong = S3Endpoint { secret_access_key: "not-the-secret".into(), ..endpoint() };
        assert!(!format!("{wrong:?}").contains("not-the-secret"));
        let (_dir, lake) = remote_lake(wrong).await;
        let error = lake.read(&uri(&bucket("some-bucket"), "x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
        assert!(!format!("{error:?}").contains("not-the-secret"));
    });
}

#[test]
fn a_dead_server_is_named() {
    run(async {
        let port = testkit::free_port();
        let dead = S3Endpoint { endpoint: Some(format!("http://127.0.0.1:{port}")), ..endpoint() };
        let (_dir, lake) = remote_lake(dead).await;
        let error = lake.read(&uri(&bucket("some-bucket"), "x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(&format!("127.0.0.1:{port}")), "{error}");
    });
}

#[test]
fn an_unencrypted_or_broken_endpoint_is_refused() {
    run(async {
        for bad in [
            S3Endpoint { allow_http: false, ..endpoint() },
            S3Endpoint { endpoint: Some("localhost:9000".into()), ..endpoint() },
            S3Endpoint { region: String::new(), ..endpoint() },
        ] {
            let dir = tempfile::tempdir().unwrap();
            let config =
                LakeConfig { root: dir.path().into(), default: Backend::S3(bad), buckets: BTreeMap::new() };
            assert_eq!(Lake::open(config).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn versions_are_not_kept_on_another_server() {
    run(async {
        let (_dir, lake) = remote_lake(endpoint()).await;
        let data = fresh_bucket();
        let at = uri(&data, "k");
        lake.put(&at, Bytes::from_static(b"x"), PutOptions::default()).await.unwrap();
        assert_eq!(lake.versioning(&data).await.unwrap(), None);
        let refused = lake.set_versioning(&data, lake::Versioning::Enabled).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        let page = lake.list_versions(&uri(&data, ""), lake::VersionOptions::default()).await.unwrap();
        assert_eq!((page.versions.len(), page.versions[0].id.as_str()), (1, lake::NULL_VERSION));
        let version = |id: &str| lake::GetOptions { version: Some(id.to_owned()), ..Default::default() };
        assert_eq!(lake.get(&at, version("null")).await.unwrap().bytes().await.unwrap(), "x");
        let other = lake.get(&at, version(&"0".repeat(32))).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Unsupported);
        let other = lake.delete_version(&at, &"0".repeat(32)).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Unsupported);
        lake.delete_version(&at, "null").await.unwrap();
        assert_eq!(lake.head(&at).await.unwrap_err().kind(), ErrorKind::NotFound);
    });
}

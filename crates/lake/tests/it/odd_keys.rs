//! Keys that no file system can hold as they are: stored, read and listed exactly, and never outside of the bucket.

use crate::{keys, local_lake, run, uri};
use bytes::Bytes;
use lake::{ListOptions, PutOptions};
use model::ErrorKind;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Every path below the data directory's parent that is not the lake's.
fn outside(root: &Path) -> usize {
    std::fs::read_dir(root)
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name != "buckets" && name != "lake"
        })
        .count()
}

#[test]
fn odd_keys_are_objects_like_others() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let long = "long".repeat(256);
        let wide = format!("wide/{}", "ü".repeat(400));
        let mut all = vec![
            "a",
            "a/b",
            "a/",
            "a//",
            "a//b",
            "/",
            "//",
            "/a",
            ".",
            "..",
            "../..",
            "../../escape",
            "./a",
            "b/../c",
            "A",
            "Ä",
            "nul\0byte",
            "new\nline",
            "%2e%2e",
            "tab\t",
            "space ",
            "c/d/e",
            "c/d",
            "c",
            "+",
            "dir+/x",
            long.as_str(),
            wide.as_str(),
        ];
        for key in &all {
            let put = lake.put(&uri(&data, key), Bytes::from(key.to_string()), PutOptions::create()).await;
            put.unwrap_or_else(|e| panic!("{key:?}: {e:?}"));
        }
        all.sort_unstable();
        assert_eq!(keys(&lake, &uri(&data, "")).await, all);
        for key in &all {
            assert_eq!(lake.read(&uri(&data, key)).await.unwrap(), key.as_bytes(), "{key:?}");
            let again = lake.put(&uri(&data, key), Bytes::new(), PutOptions::create()).await.unwrap_err();
            assert_eq!(again.kind(), ErrorKind::AlreadyExists, "{key:?}");
            let from = all.iter().filter(|other| other.starts_with(*key)).map(ToString::to_string);
            assert_eq!(keys(&lake, &uri(&data, key)).await, from.collect::<Vec<_>>(), "{key:?}");
        }
        let options = ListOptions { delimiter: Some("/".into()), ..ListOptions::default() };
        let page = lake.list_page(&uri(&data, ""), options).await.unwrap();
        let prefixes: BTreeSet<_> =
            all.iter().filter_map(|key| key.find('/').map(|at| key[..=at].to_owned())).collect();
        assert_eq!(page.common_prefixes, prefixes.into_iter().collect::<Vec<_>>());
        assert_eq!(page.objects.len(), all.iter().filter(|key| !key.contains('/')).count());
        assert_eq!(outside(dir.path()), 0);
        for key in &all {
            lake.delete(&uri(&data, key)).await.unwrap();
        }
        assert!(keys(&lake, &uri(&data, "")).await.is_empty());
        lake.delete_bucket(&data).await.unwrap();
    });
}

#[test]
fn a_key_never_stands_in_two_places() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let put = async |key: &str, text: &'static str| {
            lake.put(&uri(&data, key), Bytes::from_static(text.as_bytes()), PutOptions::default())
                .await
                .unwrap();
        };
        put("a/b", "1").await;
        put("a", "odd, as the folder is in its way").await;
        lake.delete(&uri(&data, "a/b")).await.unwrap();
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["a"]);
        put("a", "2").await;
        assert!(dir.path().join("buckets/data/a").is_file());
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["a"]);
        lake.delete(&uri(&data, "a")).await.unwrap();
        assert_eq!(lake.read(&uri(&data, "a")).await.unwrap_err().kind(), ErrorKind::NotFound);
        // Somebody drops in a file whose key stands in the odd place: what a person sees is what counts.
        put("a/b", "1").await;
        put("a", "odd").await;
        std::fs::remove_dir_all(dir.path().join("buckets/data/a")).unwrap();
        std::fs::write(dir.path().join("buckets/data/a"), "by hand").unwrap();
        assert_eq!(lake.read(&uri(&data, "a")).await.unwrap(), "by hand");
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["a"]);
        lake.delete(&uri(&data, "a")).await.unwrap();
        assert!(keys(&lake, &uri(&data, "")).await.is_empty());
    });
}

/// Keys that meet each other: few letters, many slashes and dots.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[aAb./+%-]{1,6}",
        1 => "(a|b|\\.\\.|\\.|é|/){1,40}",
        1 => any::<String>(),
        1 => "[a-c/]{200,700}",
    ]
    .prop_filter("a key has 1 to 1024 bytes", |key| (1..=1024).contains(&key.len()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_live_together(wanted in prop::collection::btree_set(key(), 1..25), doomed in any::<prop::sample::Index>()) {
        run(async {
            let (dir, lake, data) = local_lake().await;
            for key in &wanted {
                lake.put(&uri(&data, key), Bytes::from(key.clone()), PutOptions::create()).await.unwrap();
            }
            let sorted: Vec<String> = wanted.iter().cloned().collect();
            assert_eq!(keys(&lake, &uri(&data, "")).await, sorted);
            for key in &wanted {
                assert_eq!(lake.read(&uri(&data, key)).await.unwrap(), key.as_bytes());
            }
            // Pages of any size end where the next begins, and common prefixes are those of the keys.
            let mut options = ListOptions { delimiter: Some("/".into()), max_keys: 3, ..ListOptions::default() };
            let mut shown = Vec::new();
            loop {
                let page = lake.list_page(&uri(&data, ""), options.clone()).await.unwrap();
                let mut items: Vec<String> = page.objects.into_iter().map(|info| info.uri.key().to_owned()).collect();
                items.extend(page.common_prefixes);
                items.sort();
                shown.extend(items);
                options.start_after = page.next;
                if options.start_after.is_none() {
                    break;
                }
            }
            let cut = |key: &String| key.find('/').map_or_else(|| key.clone(), |at| key[..=at].to_owned());
            let expected: BTreeSet<String> = sorted.iter().map(cut).collect();
            assert_eq!(shown, expected.into_iter().collect::<Vec<_>>());
            let doomed = doomed.get(&sorted).clone();
            lake.delete(&uri(&data, &doomed)).await.unwrap();
            let left: Vec<_> = sorted.into_iter().filter(|key| *key != doomed).collect();
            assert_eq!(keys(&lake, &uri(&data, "")).await, left);
            assert_eq!(outside(dir.path()), 0);
        });
    }
}

//! Large folders and many folders.

use crate::{keys, local_lake, run, uri};
use futures::TryStreamExt;
use lake::ListOptions;
use std::fs;

const MANY: usize = 100_000;

#[test]
fn a_folder_of_a_hundred_thousand_files_is_listed_and_paged() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let folder = dir.path().join("buckets/data/big");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("000000"), "x").unwrap();
        // Links to a few inodes: a hundred thousand names in little time.
        for n in 1..MANY {
            let path = folder.join(format!("{n:06}"));
            match n % 50_000 {
                0 => fs::write(path, "x").unwrap(),
                _ => fs::hard_link(folder.join(format!("{:06}", n - n % 50_000)), path).unwrap(),
            }
        }
        let mut expected = 0;
        let mut listing = lake.list(&uri(&data, ""));
        while let Some(info) = listing.try_next().await.unwrap() {
            assert_eq!(info.uri.key(), format!("big/{expected:06}"));
            expected += 1;
        }
        assert_eq!(expected, MANY);
        let mut options = ListOptions { delimiter: Some("/".into()), ..ListOptions::default() };
        let mut pages = 0;
        let mut count = 0;
        loop {
            let page = lake.list_page(&uri(&data, "big/09"), options.clone()).await.unwrap();
            pages += 1;
            count += page.objects.len();
            options.start_after = page.next;
            if options.start_after.is_none() {
                break;
            }
        }
        assert_eq!((pages, count), (10, MANY / 10));
        // A change is seen at once, though the folder's listing was kept.
        fs::write(folder.join("0000000"), "x").unwrap();
        let options =
            ListOptions { start_after: Some("big/000000".into()), max_keys: 1, ..ListOptions::default() };
        let page = lake.list_page(&uri(&data, ""), options).await.unwrap();
        assert_eq!(page.objects[0].uri.key(), "big/0000000");
    });
}

#[test]
fn many_folders_are_walked_in_order_and_not_below_a_common_prefix() {
    run(async {
        let (dir, lake, data) = local_lake().await;
        let mut expected = Vec::new();
        for n in 0..2000 {
            let folder = dir.path().join(format!("buckets/data/t/p={n}"));
            fs::create_dir_all(&folder).unwrap();
            for file in ["a", "b"] {
                fs::write(folder.join(file), "x").unwrap();
                expected.push(format!("t/p={n}/{file}"));
            }
        }
        expected.sort();
        assert_eq!(keys(&lake, &uri(&data, "")).await, expected);
        let mut options =
            ListOptions { delimiter: Some("/".into()), max_keys: 700, ..ListOptions::default() };
        let mut prefixes = Vec::new();
        loop {
            let page = lake.list_page(&uri(&data, "t/"), options.clone()).await.unwrap();
            assert!(page.objects.is_empty());
            prefixes.extend(page.common_prefixes);
            options.start_after = page.next;
            if options.start_after.is_none() {
                break;
            }
        }
        assert_eq!(prefixes.len(), 2000);
        assert!(prefixes.is_sorted());
    });
}

//! A crawl that is killed with SIGKILL at each of its points leaves nothing that the next crawl does not complete.

use crate::crawler_lake::{ORDERS, PEOPLE, World};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

const PARTITIONS: usize = 250;
const PLACE: &str = "CRAWL_KILL_TEST_ROOT";

/// The process that is killed: this test binary, started again by the test below. Without a place it has nothing to do.
#[tokio::test]
async fn victim() {
    let Some(root) = std::env::var_os(PLACE) else { return };
    let world = World::at(std::path::Path::new(&root)).await;
    world.crawl().await;
}

#[tokio::test]
async fn killed_anywhere_the_next_crawl_completes() {
    for point in [
        "crawl.listed",
        "crawl.read",
        "crawl.before_table",
        "crawl.before_table:2",
        "crawl.after_table",
        "crawl.after_table:2",
        "catalog.partitions.mid",
        "catalog.partitions.mid:2",
        "catalog.create_table.before_commit",
        "crawl.mid_partitions",
        "crawl.mid_partitions:2",
        "crawl.applied",
    ] {
        let folder = tempfile::tempdir().unwrap();
        {
            let world = World::at(folder.path()).await;
            // Files that people drop into a bucket's folder are objects.
            let drop = |n: usize| {
                let folder = folder.path().join(format!("buckets/raw/data/orders/n={n}"));
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join("a.csv"), ORDERS).unwrap();
            };
            world.put("data/people/a.csv", PEOPLE).await;
            world.crawler("s3://raw/data/", |_| {}).await;
            if point.starts_with("crawl.mid_partitions") {
                // Only a table that is there already gets its partitions in batches.
                (0..5).for_each(drop);
                world.crawl().await;
            }
            (0..PARTITIONS).for_each(drop);
            world.runs.shutdown(std::time::Duration::from_secs(5)).await;
        }
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crawler_kill::victim"])
            .env(PLACE, folder.path())
            .env(crashpoint::VARIABLE, point)
            .output()
            .unwrap()
            .status;
        assert_eq!(status.signal(), Some(9), "not killed at {point}: {status}");
        let world = World::at(folder.path()).await;
        if world.tables().await.contains(&"orders".to_owned()) && !point.starts_with("crawl.mid_partitions") {
            assert_eq!(world.partitions("orders").await.len(), PARTITIONS, "half a table after {point}");
        }
        let report = world.crawl().await;
        assert_eq!(world.tables().await, ["orders", "people"], "after {point}: {report}");
        assert_eq!(world.partitions("orders").await.len(), PARTITIONS, "after {point}: {report}");
        assert!(world.crawl().await.nothing_changed(), "after {point}");
    }
}

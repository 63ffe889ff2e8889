//! Many writers at once: threads of one process, several processes, readers beside commits.

use crate::{bucket, keys, local_lake, run, uri};
use bytes::Bytes;
use lake::{CommitOptions, Lake, LakeConfig, PutOptions};
use model::ErrorKind;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const FOLDER: &str = "LAKE_TEST_RACE_FOLDER";
const KEYS: [&str; 5] = ["plain", "deep/er/key", "odd/", "../odd", "dir"];

/// Not a test by itself: what one of the racing processes does.
#[test]
fn racing_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    run(async {
        let lake = Lake::open(LakeConfig::local(folder)).await.unwrap();
        let mut won = Vec::new();
        for round in 0..20 {
            for key in KEYS {
                let key = format!("{round}-{key}");
                let put = lake
                    .put(&uri(&bucket("data"), &key), Bytes::from_static(b"x"), PutOptions::create())
                    .await;
                match put {
                    Ok(_) => won.push(key),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}"),
                }
            }
        }
        println!("\nwon={}", won.join("|"));
    });
}

#[test]
fn of_racing_processes_one_wins_each_key() {
    let (dir, _lake, _) = run(local_lake());
    // A folder where a key's file would be: this key is an odd one, too.
    for round in 0..20 {
        let folder = dir.path().join(format!("buckets/data/{round}-dir"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("in the way"), "x").unwrap();
    }
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "races::racing_process", "--nocapture"])
                .env(FOLDER, dir.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut won = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let line = text.lines().find_map(|line| line.strip_prefix("won=")).unwrap();
        won.extend(line.split('|').filter(|key| !key.is_empty()).map(str::to_owned));
    }
    let distinct: BTreeSet<_> = won.iter().collect();
    assert_eq!((won.len(), distinct.len()), (20 * KEYS.len(), 20 * KEYS.len()));
}

#[test]
fn threads_race_for_odd_keys_and_changing_folders() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        // `x` and `x/y` take turns being a file and a folder while others come and go.
        let tasks: Vec<_> = (0..16u32)
            .map(|n| {
                let (lake, data) = (lake.clone(), data.clone());
                tokio::spawn(async move {
                    for round in 0..15u32 {
                        let key = uri(&data, ["x", "x/y", "x/y/z", "x/"][((n + round) % 4) as usize]);
                        match (n / 4 + round) % 3 {
                            0 => lake.delete(&key).await.unwrap(),
                            _ => drop(
                                lake.put(&key, Bytes::from(key.key().to_owned()), PutOptions::default())
                                    .await
                                    .unwrap(),
                            ),
                        }
                        match lake.read(&key).await {
                            Ok(bytes) => assert_eq!(bytes, key.key()),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}"),
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        for key in ["x", "x/y", "x/y/z", "x/"] {
            lake.put(&uri(&data, key), Bytes::from(key.to_owned()), PutOptions::default()).await.unwrap();
        }
        assert_eq!(keys(&lake, &uri(&data, "")).await, ["x", "x/", "x/y", "x/y/z"]);
        for key in ["x", "x/y", "x/y/z", "x/"] {
            lake.delete(&uri(&data, key)).await.unwrap();
        }
        assert!(keys(&lake, &uri(&data, "")).await.is_empty());
    });
}

#[test]
fn readers_see_a_commit_whole_or_not_at_all() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let prefix = uri(&data, "t/");
        let commit = async |generation: u32| {
            let commit = lake.begin_commit(CommitOptions::default());
            for n in 0..20 {
                let key = uri(&data, &format!("t/{generation:03}-{n:02}"));
                commit.put(&key, Bytes::from(generation.to_string())).await.unwrap();
            }
            commit.replace_prefix(&prefix);
            commit.publish().await.unwrap();
        };
        commit(0).await;
        let stop = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (lake, prefix, stop) = (lake.clone(), prefix.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut seen = 0u32;
                    while !stop.load(Ordering::Relaxed) {
                        let keys = keys(&lake, &prefix).await;
                        let generations: BTreeSet<_> = keys.iter().map(|key| key[2..5].to_owned()).collect();
                        assert_eq!((keys.len(), generations.len()), (20, 1), "{keys:?}");
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for generation in 1..10 {
            commit(generation).await;
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.await.unwrap() > 0);
        }
    });
}

#[test]
fn two_commits_to_the_same_keys_follow_each_other() {
    run(async {
        let (_dir, lake, data) = local_lake().await;
        let commits: Vec<_> = (0..8)
            .map(|n| {
                let (lake, data) = (lake.clone(), data.clone());
                tokio::spawn(async move {
                    let commit = lake.begin_commit(CommitOptions::default());
                    for key in ["a", "b", "c", "a/b"] {
                        commit.put(&uri(&data, key), Bytes::from(format!("{n}"))).await.unwrap();
                    }
                    commit.publish().await.unwrap();
                })
            })
            .collect();
        for commit in commits {
            commit.await.unwrap();
        }
        let mut contents = BTreeSet::new();
        for key in ["a", "b", "c", "a/b"] {
            contents.insert(lake.read(&uri(&data, key)).await.unwrap());
        }
        assert_eq!(contents.len(), 1);
    });
}

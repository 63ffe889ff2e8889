//! Crawls from end to end: lake to catalog, and again.

use crate::crawler_lake::{ORDERS, PEOPLE, World, columns, db, report};
use crawl::classify::{CustomClassifier, GrokClassifier};
use crawl::{
    CrawlReport, CrawlSpec, Crawler, DeleteBehavior, Grouping, Recrawl, SchemaChangePolicy, Target,
    UpdateBehavior,
};
use model::{EntityName, ErrorKind, RunState};
use state::events::NewEvent;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn policy(update: UpdateBehavior, delete: DeleteBehavior) -> SchemaChangePolicy {
    SchemaChangePolicy { update, delete }
}

fn assert_quiet(report: &CrawlReport) {
    assert!(report.nothing_changed(), "{report}");
}

#[tokio::test]
async fn tables_are_found_and_found_again() {
    let world = World::new().await;
    world.put("data/orders/year=2020/month=1/a.csv", ORDERS).await;
    world.put("data/orders/year=2021/month=2/a.csv", ORDERS).await;
    world.put("data/metrics/order-service/a.json", "{\"x\":1}\n").await;
    world.put("data/metrics/user-service/a.json", "{\"x\":2}\n").await;
    world.put("data/typed/types.parquet", fixture("types.parquet")).await;
    world.put("data/typed/_SUCCESS", "").await;
    world.crawler("s3://raw/data/", |crawler| crawler.table_prefix = "raw_".into()).await;

    let first = world.crawl().await;
    assert_eq!(world.tables().await, ["raw_metrics", "raw_orders", "raw_typed"], "{first}");
    assert_eq!((first.created.len(), first.partitions.added, first.problems_total), (3, 4, 0), "{first}");
    assert_eq!((first.files, first.files_read), (5, 5));
    let orders = world.table("raw_orders").await;
    assert_eq!(columns(&orders), "id int, amount double");
    assert_eq!(orders.storage.location.as_deref(), Some("s3://raw/data/orders/"));
    for (key, value) in [("classification", "csv"), ("UPDATED_BY_CRAWLER", "c"), ("objectCount", "2")] {
        assert_eq!(orders.parameters.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(world.table("raw_typed").await.parameters.contains_key("recordCount"));
    let partitions = world.partitions("raw_metrics").await;
    assert_eq!(partitions[0].values, ["order-service"]);
    assert_eq!(partitions[0].storage.location.as_deref(), Some("s3://raw/data/metrics/order-service/"));
    assert!(first.to_string().lines().count() <= 25);

    let versions =
        world.catalog.get_table(&db(), &EntityName::new("raw_orders").unwrap()).await.unwrap().version;
    let second = world.crawl().await;
    assert_quiet(&second);
    assert_eq!(second.unchanged.len(), 3);
    let again =
        world.catalog.get_table(&db(), &EntityName::new("raw_orders").unwrap()).await.unwrap().version;
    assert_eq!(versions, again, "a crawl that finds nothing new writes nothing");
}

#[tokio::test]
async fn changes_are_told_and_peoples_edits_stay() {
    let world = World::new().await;
    world.put("orders/a.json", "{\"id\":1,\"old\":true}\n").await;
    world.crawler("s3://raw/orders/", |_| {}).await;
    world.crawl().await;
    let (name, mine) = (EntityName::new("orders").unwrap(), EntityName::new("my_orders").unwrap());
    world
        .catalog
        .alter_table(&db(), &name, |table| {
            table.storage.columns[0].comment = Some("the order's number".into());
            table.description = Some("people wrote this".into());
            table.parameters.insert("team".into(), "sales".into());
            Ok(())
        })
        .await
        .unwrap();
    world.catalog.rename_table(&db(), &name, &mine).await.unwrap();
    assert_quiet(&world.crawl().await);

    world.put("orders/a.json", "{\"id\":3000000000,\"note\":\"x\"}\n").await;
    let changed = world.crawl().await;
    assert_eq!(world.tables().await, ["my_orders"]);
    assert_eq!(
        changed.changed[0].to_string(),
        "my_orders: changed `id` from int to bigint, added `note` string, removed `old` boolean"
    );
    let table = world.table("my_orders").await;
    assert_eq!(columns(&table), "id bigint, note string");
    assert_eq!(table.storage.columns[0].comment.as_deref(), Some("the order's number"));
    assert_eq!(table.parameters["team"], "sales");
    assert_eq!(table.description.as_deref(), Some("people wrote this"));
}

#[tokio::test]
async fn policies_keep_changes_out() {
    for (update, after) in
        [(UpdateBehavior::Log, "id int"), (UpdateBehavior::AddNewColumnsOnly, "id int, note string")]
    {
        let world = World::new().await;
        world.put("orders/a.json", "{\"id\":1}\n").await;
        world
            .crawler("s3://raw/orders/", |crawler| {
                crawler.schema_change = policy(update, DeleteBehavior::Log);
            })
            .await;
        world.crawl().await;
        world.put("orders/a.json", "{\"id\":3000000000,\"note\":\"x\"}\n").await;
        let report = world.crawl().await;
        assert_eq!(columns(&world.table("orders").await), after);
        assert_eq!(report.not_applied.len(), 1, "{report}");
        world.delete("orders/a.json").await;
        let gone = world.crawl().await;
        assert_eq!(gone.gone, ["orders"], "{gone}");
        assert_eq!(world.tables().await, ["orders"]);
    }
}

#[tokio::test]
async fn what_is_gone_is_marked_or_removed() {
    for delete in [DeleteBehavior::DeprecateInDatabase, DeleteBehavior::DeleteFromDatabase] {
        let world = World::new().await;
        world.put("data/orders/day=1/a.csv", ORDERS).await;
        world.put("data/orders/day=2/a.csv", ORDERS).await;
        world.put("data/people/a.csv", PEOPLE).await;
        world
            .crawler("s3://raw/data/", |crawler| {
                crawler.schema_change = policy(UpdateBehavior::UpdateInDatabase, delete);
            })
            .await;
        world.crawl().await;
        world.delete("data/people/a.csv").await;
        world.delete("data/orders/day=2/a.csv").await;
        let report = world.crawl().await;
        if delete == DeleteBehavior::DeleteFromDatabase {
            assert_eq!(
                (report.deleted.as_slice(), report.partitions.deleted),
                (&["people".to_owned()][..], 1)
            );
            assert_eq!(world.tables().await, ["orders"]);
            assert_eq!(world.partitions("orders").await.len(), 1);
        } else {
            assert_eq!(
                (report.deprecated.as_slice(), report.partitions.deprecated),
                (&["people".to_owned()][..], 1)
            );
            assert!(world.table("people").await.parameters.contains_key("DEPRECATED_BY_CRAWLER"));
            assert_quiet(&world.crawl().await);
            world.put("data/people/a.csv", PEOPLE).await;
            world.put("data/orders/day=2/a.csv", ORDERS).await;
            let back = world.crawl().await;
            assert_eq!(back.partitions.changed, 1, "{back}");
            assert!(!world.table("people").await.parameters.contains_key("DEPRECATED_BY_CRAWLER"));
        }
        assert_quiet(&world.crawl().await);
    }
}

#[tokio::test]
async fn bad_input_is_named_and_hinders_nothing() {
    let world = World::new().await;
    world.put("data/good/a.csv", ORDERS).await;
    world.put("data/good/empty.csv.gz", fixture("empty.csv.gz")).await;
    world.put("data/good/zero.csv.gz", "").await;
    world.put("data/good/cut.parquet", fixture("truncated.parquet")).await;
    world.put("data/t/year=2019/a.csv", ORDERS).await;
    world.put("data/t/year=2020/a.csv", ORDERS).await;
    world.put("data/t/yeer=2021/a.csv", ORDERS).await;
    world.put("data/mixed/a.csv", ORDERS).await;
    world.put("data/mixed/b.json", "{\"x\":1}\n").await;
    world.crawler("s3://raw/data/", |_| {}).await;
    let report = world.crawl().await;
    assert_eq!(world.tables().await, ["a_csv", "b_json", "good", "t"], "{report}");
    let places: Vec<String> =
        report.problems.iter().map(|problem| problem.place.as_ref().unwrap().short()).collect();
    for place in [
        "s3://raw/data/good/empty.csv.gz",
        "s3://raw/data/good/zero.csv.gz",
        "s3://raw/data/good/cut.parquet",
        "s3://raw/data/t/yeer=2021/",
        "s3://raw/data/mixed/",
    ] {
        assert!(places.iter().any(|one| one.starts_with(place)), "{place} in {places:?}");
    }
    assert_eq!(report.problems_total, 5, "{places:?}");
    assert_quiet(&world.crawl().await);
}

#[tokio::test]
async fn exclusions_leave_out() {
    let world = World::new().await;
    world.put("data/orders/a.csv", ORDERS).await;
    world.put("data/orders/a.tmp", "\u{0}\u{1}").await;
    world.put("data/scratch/x/p.csv", PEOPLE).await;
    world.put("data/.hidden/p.csv", PEOPLE).await;
    world
        .crawler("s3://raw/data/", |crawler| {
            crawler.targets = vec![Target::S3 {
                path: "s3://raw/data/".parse().unwrap(),
                exclusions: vec!["**.tmp".into(), "scratch/**".into()],
                sample_size: None,
            }];
        })
        .await;
    let report = world.crawl().await;
    assert_eq!(world.tables().await, ["orders"], "{report}");
    assert_eq!((report.excluded, report.problems_total), (2, 0), "{report}");
}

#[tokio::test]
async fn only_new_folders_are_read_again() {
    let world = World::new().await;
    world.put("orders/day=1/a.csv", ORDERS).await;
    world.put("orders/day=2/a.csv", ORDERS).await;
    world.crawler("s3://raw/orders/", |crawler| crawler.recrawl = Recrawl::NewFoldersOnly).await;
    assert_eq!(world.crawl().await.files_read, 2);
    world.put("orders/day=1/b.csv", PEOPLE).await;
    world.put("orders/day=3/a.csv", ORDERS).await;
    world.delete("orders/day=2/a.csv").await;
    let report = world.crawl().await;
    assert_eq!((report.files_read, report.partitions.added), (1, 1), "{report}");
    assert_eq!(report.partitions.deprecated, 0);
    assert_eq!(world.partitions("orders").await.len(), 3);
    assert_quiet(&world.crawl().await);
}

#[tokio::test]
async fn folders_with_events_are_read_again() {
    let world = World::new().await;
    for day in 1..=3 {
        world.put(&format!("orders/day={day}/a.csv"), ORDERS).await;
    }
    world
        .crawler("s3://raw/orders/", |crawler| {
            crawler.recrawl = Recrawl::ByEvent;
            crawler.schema_change.delete = DeleteBehavior::DeleteFromDatabase;
        })
        .await;
    assert_eq!(world.crawl().await.partitions.added, 3);
    let idle = world.crawl().await;
    assert_eq!((idle.files, idle.files_read), (0, 0), "{idle}");
    world.put("orders/day=4/a.csv", ORDERS).await;
    world.delete("orders/day=2/a.csv").await;
    for (kind, key) in [("object.created", "day=4/a.csv"), ("object.deleted", "day=2/a.csv")] {
        let event = NewEvent::new(kind, format!("s3://raw/orders/{key}"), serde_json::Value::Null);
        world.events.publish(event).await.unwrap();
    }
    let report = world.crawl().await;
    assert_eq!(
        (report.files_read, report.partitions.added, report.partitions.deleted),
        (1, 1, 1),
        "{report}"
    );
    assert_eq!(world.partitions("orders").await.len(), 3);
    assert_eq!(world.crawl().await.files_read, 0);
}

#[tokio::test]
async fn local_folders_and_single_files_without_a_stored_crawler() {
    let world = World::new().await;
    let folder = world.root().join("home/orders");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), ORDERS).unwrap();
    world.put("lists/People.csv", PEOPLE).await;
    let targets = vec![Target::local(&folder), Target::parse("s3://raw/lists/People.csv").unwrap()];
    let spec = CrawlSpec::new(db(), targets);
    let first = report(&world.crawlers.crawl_once(spec.clone()).await.unwrap().wait().await.unwrap());
    assert_eq!(world.tables().await, ["orders", "people_csv"], "{first}");
    let orders = world.table("orders").await;
    let location = orders.storage.location.unwrap();
    assert!(location.starts_with("file:///") && location.ends_with("/home/orders/"), "{location}");
    assert_eq!(
        world.table("people_csv").await.storage.location.as_deref(),
        Some("s3://raw/lists/People.csv")
    );
    assert_quiet(&report(&world.crawlers.crawl_once(spec).await.unwrap().wait().await.unwrap()));
}

#[tokio::test]
async fn a_missing_target_is_named_and_the_others_are_crawled() {
    let world = World::new().await;
    world.put("orders/a.csv", ORDERS).await;
    let good = Target::parse("s3://raw/orders/").unwrap();
    let missing = Target::local("/nowhere/at/all");
    let spec = CrawlSpec::new(db(), vec![missing.clone(), good]);
    let both = report(&world.crawlers.crawl_once(spec).await.unwrap().wait().await.unwrap());
    assert_eq!((both.created.len(), both.problems_total), (1, 1), "{both}");
    let run =
        world.crawlers.crawl_once(CrawlSpec::new(db(), vec![missing])).await.unwrap().wait().await.unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.result().unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn classifiers_are_used_by_name() {
    let world = World::new().await;
    world.put("logs/a.log", "ERROR 12\nINFO 7\n").await;
    let grok = GrokClassifier {
        name: "levels".into(),
        classification: "levels".into(),
        grok_pattern: "%{LOGLEVEL:level} %{NUMBER:n:int}".into(),
        ..GrokClassifier::default()
    };
    let mut crawler = Crawler::new("c", db(), vec![Target::parse("s3://raw/logs/").unwrap()]);
    crawler.classifiers = vec!["levels".into()];
    assert_eq!(world.crawlers.create_crawler(crawler.clone()).await.unwrap_err().kind(), ErrorKind::NotFound);
    world.crawlers.create_classifier(CustomClassifier::Grok(grok)).await.unwrap();
    world.crawlers.create_crawler(crawler).await.unwrap();
    world.crawl().await;
    assert_eq!(world.table("logs").await.parameters["classification"], "levels");
    assert_eq!(world.crawlers.delete_classifier("levels").await.unwrap_err().kind(), ErrorKind::Conflict);
    world.crawlers.delete_crawler("c").await.unwrap();
    world.crawlers.delete_classifier("levels").await.unwrap();
}

#[tokio::test]
async fn definitions_are_kept_with_versions() {
    let world = World::new().await;
    world.crawler("s3://raw/a/", |_| {}).await;
    let stored = world.crawlers.get_crawler("c").await.unwrap();
    assert_eq!(stored.version, 1);
    let again = world.crawlers.create_crawler(stored.definition.clone()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let mut changed = stored.definition.clone();
    changed.grouping = Grouping { combine_compatible: true, table_level: Some(2) };
    assert_eq!(world.crawlers.update_crawler(changed.clone(), Some(1)).await.unwrap().version, 2);
    assert_eq!(
        world.crawlers.update_crawler(changed, Some(1)).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let unknown = world.crawlers.start("cc").await.err().unwrap();
    assert!(unknown.diagnosis().to_string().contains("did you mean `c`?"), "{unknown}");
    world.crawlers.delete_crawler("c").await.unwrap();
    assert_eq!(world.crawlers.get_crawler("c").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn one_crawl_at_a_time_and_a_stop_is_heeded() {
    let world = World::new().await;
    for n in 0..300 {
        let folder = world.root().join(format!("buckets/raw/orders/n={n}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.csv"), ORDERS).unwrap();
    }
    world.crawler("s3://raw/orders/", |_| {}).await;
    let first = world.crawlers.start("c").await.unwrap();
    let second = world.crawlers.start("c").await;
    assert_eq!(second.err().unwrap().kind(), ErrorKind::LimitExceeded);
    first.stop().await.unwrap();
    assert_eq!(first.wait().await.unwrap().state, RunState::Stopped);
    assert_eq!(world.crawl().await.created.len(), 1);
    assert_eq!(world.partitions("orders").await.len(), 300);
    assert!(world.runs.list(&state::RunQuery::default()).await.unwrap().len() >= 2);
}

#[tokio::test]
async fn partitions_that_people_added_elsewhere_stay() {
    let world = World::new().await;
    world.put("orders/day=1/a.csv", ORDERS).await;
    world.put("orders/day=__HIVE_DEFAULT_PARTITION__/a.csv", ORDERS).await;
    world.put("elsewhere/a.csv", ORDERS).await;
    world
        .crawler("s3://raw/orders/", |crawler| {
            crawler.schema_change.delete = DeleteBehavior::DeleteFromDatabase;
        })
        .await;
    assert_eq!(world.crawl().await.partitions.added, 2);
    let mut theirs = catalog::Partition::new(vec!["77".into()]);
    theirs.storage.location = Some("s3://raw/elsewhere/".into());
    theirs.parameters.insert("team".into(), "sales".into());
    let name = EntityName::new("orders").unwrap();
    world.catalog.create_partitions(&db(), &name, vec![theirs]).await.unwrap();
    assert_quiet(&world.crawl().await);
    assert_eq!(world.partitions("orders").await.len(), 3);
}

#[tokio::test]
async fn a_table_whose_keys_changed_is_left_and_named() {
    let world = World::new().await;
    world.put("data/orders/day=1/a.csv", ORDERS).await;
    world.put("data/people/a.csv", PEOPLE).await;
    world.crawler("s3://raw/data/", |_| {}).await;
    world.crawl().await;
    world.delete("data/orders/day=1/a.csv").await;
    world.put("data/orders/hour=1/a.csv", ORDERS).await;
    world.put("data/people/b.csv", PEOPLE).await;
    let report = world.crawl().await;
    assert_eq!(report.problems_total, 1, "{report}");
    assert!(report.problems[0].what.contains("partition keys of table `orders`"), "{report}");
    assert_eq!(report.unchanged, ["people"]);
    assert_eq!(world.table("orders").await.partition_keys[0].name, "day");
}

#[tokio::test]
async fn on_postgresql_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let url = tokio::task::spawn_blocking(testkit::postgres).await.unwrap();
    let world = World::with(folder.path(), state::Database::postgres(&url).await.unwrap()).await;
    for day in 1..=3 {
        world.put(&format!("orders/day={day}/a.csv"), ORDERS).await;
    }
    world.crawler("s3://raw/orders/", |crawler| crawler.recrawl = Recrawl::NewFoldersOnly).await;
    assert_eq!(world.crawl().await.partitions.added, 3);
    world.put("orders/day=4/a.csv", ORDERS).await;
    let second = world.crawl().await;
    assert_eq!((second.files_read, second.partitions.added), (1, 1), "{second}");
    let definition = world.crawlers.get_crawler("c").await.unwrap().definition;
    assert_eq!(world.crawlers.update_crawler(definition.clone(), Some(1)).await.unwrap().version, 2);
    assert_eq!(
        world.crawlers.update_crawler(definition, Some(1)).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    world.crawlers.delete_crawler("c").await.unwrap();
}

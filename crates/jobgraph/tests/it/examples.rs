//! Two whole jobs as users write them.

use crate::{analyst::Hand, checked, checked_with};
use jobgraph::{Arguments, Destination, SourceSpec, Step, WriteMode};

pub(crate) const WINDOWED: &str = include_str!("fixtures/windowed-metrics.yaml");
pub(crate) const ANPR: &str = include_str!("fixtures/anpr-repartition.yaml");

#[test]
fn windowed_metrics_are_typed_and_partitioned() {
    let (definition, errors) = jobgraph::parse(WINDOWED, "windowed-metrics.yaml");
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(definition.name.as_deref(), Some("windowed-metrics"));
    assert_eq!((definition.max_retries, definition.timeout_minutes), (Some(1), Some(30)));
    assert_eq!((definition.max_concurrent_runs, definition.number_of_workers), (Some(1), Some(2)));
    assert_eq!(definition.tags["team"], "monitoring");
    let (_, checked) = checked(WINDOWED);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let order: Vec<&str> = checked.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(order, ["files", "typed", "lake"]);
    let typed = checked.node("typed").unwrap();
    assert_eq!(
        typed.columns.as_ref().unwrap().to_string(),
        "componentName varchar, metricName varchar, unit varchar, minValue double, maxValue double, \
         fromTimestamp timestamp(3), toTimestamp timestamp(3)"
    );
    let Some(Step::Query(query)) = &typed.step else { panic!() };
    let rejected: Vec<&str> = query.rejects.iter().map(|reject| reject.column.as_str()).collect();
    assert_eq!(rejected, ["minValue", "maxValue", "fromTimestamp", "toTimestamp"]);
    for sql in [query.accepted(), query.rejected().unwrap()] {
        sql::parse_one(&sql, "made").unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let Some(Step::Target(target)) = &checked.node("lake").unwrap().step else { panic!() };
    assert_eq!(
        target.destination,
        Destination::Path("s3://practice-lake/windowed-metrics/".parse().unwrap())
    );
    assert_eq!(target.partition_keys, ["metricName", "componentName"]);
    assert_eq!(
        (target.mode.clone(), target.max_file_bytes),
        (WriteMode::OverwritePartitions, Some(128 << 20))
    );
    let update = target.update.as_ref().unwrap();
    assert_eq!(
        (update.database.as_str(), update.table.as_str(), update.add_columns),
        ("practice", "windowed_metrics", true)
    );
}

#[test]
fn anpr_moves_to_its_own_time() {
    let mut arguments = Arguments::new();
    arguments.insert("--hour".to_owned(), "15".to_owned());
    let (_, checked) = checked_with(ANPR, "anpr.yaml", &arguments, &Hand::usual());
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let Some(Step::Source(SourceSpec::Table(table))) = &checked.node("arrived").unwrap().step else {
        panic!()
    };
    assert_eq!(table.predicate.as_deref(), Some("year = 2020 and month = 6 and day = 3 and hour = 15"));
    let derived = checked.node("event-time").unwrap();
    let Some(Step::Query(query)) = &derived.step else { panic!() };
    assert_eq!(
        query.sql,
        "SELECT uniqueid, speed, trafficjamindicator, recordtimestamp, originalrecordtimestamp, \
         CAST(year(originalrecordtimestamp) AS integer) AS year, CAST(month(originalrecordtimestamp) AS integer) AS month, \
         CAST(day(originalrecordtimestamp) AS integer) AS day, CAST(hour(originalrecordtimestamp) AS integer) AS hour \
         FROM arrived"
    );
    assert_eq!(query.rejects[0].condition, "originalrecordtimestamp IS NULL");
    assert_eq!(query.rejects[0].reason, "the row has no event time");
    let names: Vec<&str> = derived.columns.as_ref().unwrap().names().collect();
    assert_eq!(names[5..], ["year", "month", "day", "hour"]);
}

//! Mistakes in scripts: each with its place, all in one pass.

use crate::house::{House, TUMBLE, script};
use model::Place;

#[tokio::test]
async fn mistakes_have_places_and_suggestions() {
    let house = House::new().await;
    let cases = [
        (script("", &TUMBLE.replace("metricName, MIN", "metricNam, MIN")), "metricNam", "metricname"),
        (
            script("", &TUMBLE.replace("FROM metrics_stream", "FROM metric_stream")),
            "metric_stream",
            "metrics_stream",
        ),
        (
            script("", TUMBLE).replace("'connector' = 'kinesis'", "'connector' = 'kinesiss'"),
            "'kinesiss'",
            "kinesis",
        ),
        (script("", TUMBLE).replace("'stream' = 'metrics'", "'steam' = 'metrics'"), "'steam'", "stream"),
        (
            script("", TUMBLE).replace("metricName STRING,\n  unit", "metricName STRNG,\n  unit"),
            "STRNG",
            "STRING",
        ),
        (script("", &TUMBLE.replace("INSERT INTO windowed", "INSERT INTO window")), "window", "windowed"),
        (
            script("SET 'execution.checkpointing.intervall' = '1 s';", TUMBLE),
            "'execution.checkpointing.intervall' = '1 s'",
            "interval",
        ),
        (
            script(
                "",
                "INSERT INTO windowed SELECT componentName, metricName, MIN(`value`) FROM metrics_stream GROUP BY componentName;",
            ),
            "",
            "metricName",
        ),
        (script("", "SELECT 1;"), "SELECT", "print"),
        (script("", &TUMBLE.replace("MIN(`value`)", "CURRENT_TIMESTAMP")), "CURRENT_TIMESTAMP", "METADATA"),
        (
            script("", TUMBLE).replace("'stream' = 'metrics'", "'stream' = 'delivery/hose'"),
            "'delivery/hose'",
            "hyphens",
        ),
        (
            script("", TUMBLE).replace(
                "'stream' = 'metrics'",
                "'stream.arn' = 'arn:aws:kinesis:eu-central-1:000000000000:stream/delivery/hose'",
            ),
            "",
            "hyphens",
        ),
    ];
    for (text, marked, hint) in cases {
        let errors = house.apps.check(&text, "app.sql").await;
        let error = errors.first().unwrap_or_else(|| panic!("no mistake in {text}"));
        let Some(Place::Source(at)) = error.place() else { panic!("{error:?} has no place") };
        assert_eq!(at.file, "app.sql", "{error:?}");
        let line = text.lines().nth(at.line as usize - 1).unwrap();
        assert_eq!(at.excerpt, line, "{error:?}");
        if !marked.is_empty() {
            let found: String = line.chars().skip(at.column as usize - 1).take(at.length as usize).collect();
            assert_eq!(found, marked, "{error:?}");
        }
        let shown = error.diagnosis().to_string();
        assert!(shown.contains(hint), "{shown}");
    }
}

#[tokio::test]
async fn all_mistakes_come_in_one_pass() {
    let house = House::new().await;
    let text = script(
        "SET 'a' = 'b';",
        "INSERT INTO nowhere SELECT x FROM metrics_stream;\nINSERT INTO windowed SELECT 1;\nCREATE TABEL x;",
    );
    let errors = house.apps.check(&text, "app.sql").await;
    assert!(errors.len() >= 4, "{errors:?}");
}

#[tokio::test]
async fn an_application_explains_itself() {
    let house = House::new().await;
    let text = house.apps.explain(&script("", TUMBLE), "app.sql").await.unwrap();
    for part in [
        "insert into windowed",
        "exactly once",
        "TUMBLE 5 min",
        "source metrics_stream",
        "checkpoints every 10 s",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn statement_sets_unions_and_computed_columns_are_understood() {
    let house = House::new().await;
    let extra = "CREATE TABLE raw_events (
          line STRING, arrived TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, shard STRING METADATA FROM 'shard-id',
          kind AS SPLIT_INDEX(line, ' ', 0) COMMENT 'the first word',
          `day` AS DATE_FORMAT(arrived, 'yyyy-MM-dd'),
          WATERMARK FOR arrived AS arrived
        ) WITH ('connector' = 'kinesis', 'stream' = 'lines', 'aws.region' = 'x', 'format' = 'raw');
        CREATE TABLE printed (kind STRING, n BIGINT) WITH ('connector' = 'print');
        CREATE TEMPORARY VIEW both_kinds AS
          SELECT kind, arrived FROM raw_events WHERE kind = 'a' UNION ALL SELECT kind, arrived FROM raw_events WHERE kind = 'b';
        EXECUTE STATEMENT SET BEGIN
        INSERT INTO printed SELECT kind, COUNT(*) FROM both_kinds GROUP BY kind, TUMBLE(arrived, INTERVAL '10' SECOND);
        INSERT INTO printed SELECT `day`, COUNT(DISTINCT shard) FROM raw_events GROUP BY HOP(arrived, INTERVAL '1' MINUTE, INTERVAL '2' MINUTE), `day`;
        END;";
    let errors = house.apps.check(&script("", &format!("{extra}\n{TUMBLE}")), "app.sql").await;
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn the_dataflow_can_be_drawn() {
    let house = House::new().await;
    let second = "INSERT INTO windowed SELECT componentName, metricName, `value`, `value`, CAST(1 AS BIGINT), publicationTimestamp, publicationTimestamp FROM metrics_stream WHERE `value` > 90;";
    let text = script("", &format!("BEGIN STATEMENT SET;\n{TUMBLE}\n{second}\nEND;"));
    let steps = house.apps.flow(&text, "app.sql").await.unwrap();
    let kinds: Vec<_> = steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == apps::FlowKind::Source).count(), 1, "{steps:#?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == apps::FlowKind::Target).count(), 2, "{steps:#?}");
    assert!(
        kinds.contains(&apps::FlowKind::Aggregate) && kinds.contains(&apps::FlowKind::Filter),
        "{steps:#?}"
    );
    assert_eq!(steps[0].title, "metrics_stream");
    assert!(steps[0].detail.contains("stream metrics") && steps[0].detail.contains("publicationTimestamp"));
    // Every line begins at a step that is there, and only sources have none.
    for step in &steps {
        assert_eq!(step.inputs.is_empty(), step.kind == apps::FlowKind::Source, "{step:?}");
        assert!(step.inputs.iter().all(|input| steps.iter().any(|other| other.id == *input)), "{step:?}");
    }
    let wrong = house.apps.flow(&script("", "SELECT 1;"), "app.sql").await;
    assert!(wrong.is_err());
}

//! The tables, on SQLite: pages in both directions, deletions, and what is over.

use super::*;
use crate::logs::pattern::Pattern;
use crate::tags::Tags;
use chrono::{DateTime, Duration};
use state::ManualClock;
use tempfile::TempDir;

const START: i64 = 1_700_000_000_000;

struct Ground {
    _folder: TempDir,
    kept: Kept,
    hand: ManualClock,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::sqlite(&folder.path().join("state.db")).await.unwrap();
        let (clock, hand) = Clock::manual(DateTime::from_timestamp_millis(START).unwrap());
        Self { kept: Kept::open(database, clock).await.unwrap(), _folder: folder, hand }
    }

    async fn group(&self, name: &str) -> Group {
        let new = NewGroup { name, class: "STANDARD", kms_key: None, tags: &Tags::new() };
        self.kept.create_group(&new).await.unwrap();
        self.kept.group(name).await.unwrap().unwrap()
    }

    async fn stream(&self, group: &Group, name: &str) -> Stream {
        assert!(self.kept.create_stream(group, name).await.unwrap());
        self.kept.stream(group, name).await.unwrap().unwrap()
    }

    /// Puts events of these times; their messages are the stream's name and the time.
    async fn put(&self, group: &Group, stream: &Stream, times: impl IntoIterator<Item = i64>) -> i64 {
        let event = |timestamp: i64| NewEvent {
            timestamp,
            message: format!("{} {}", stream.name, timestamp - START),
        };
        let events: Vec<NewEvent> = times.into_iter().map(event).collect();
        let now = self.kept.clock.now_millis();
        self.kept.put(group, stream, &events, now).await.unwrap().swept
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(self.kept.db.read()).await.unwrap()
    }

    /// All messages of a search, by pages of that size.
    async fn pages(&self, search: &Search, way: Way, most: usize, pattern: &str) -> Vec<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        let (mut all, mut place) = (Vec::new(), None);
        loop {
            let page = self.kept.read(search, way, place, most, &pattern).await.unwrap();
            assert!(page.events.len() <= most && (page.next.is_none() || page.events.len() == most));
            all.extend(page.events.into_iter().map(|event| event.message));
            place = page.next;
            if place.is_none() {
                return all;
            }
        }
    }
}

fn all_of(group: &Group) -> Search {
    Search { group: group.id, of: Of::Group, from: 0, to: None }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let ground = Ground::new().await;
    let (group, other) = (ground.group("g").await, ground.group("h").await);
    let (a, b) = (ground.stream(&group, "a").await, ground.stream(&group, "b").await);
    let elsewhere = ground.stream(&other, "a").await;
    // Many at the same time, more than one statement reads, and out of order between the batches.
    ground.put(&group, &a, (0..700).map(|n| START + n / 100)).await;
    ground.put(&group, &b, (0..300).map(|n| START + n / 50)).await;
    ground.put(&group, &a, [START - 1, START + 9]).await;
    ground.put(&other, &elsewhere, [START]).await;
    let whole = ground.pages(&all_of(&group), Way::Forward, 10_000, "").await;
    assert_eq!(whole.len(), 1002);
    assert_eq!((whole[0].as_str(), whole[1001].as_str()), ("a -1", "a 9"));
    for (way, most) in [
        (Way::Forward, 1),
        (Way::Forward, 97),
        (Way::Forward, 1002),
        (Way::Backward, 97),
        (Way::Backward, 501),
    ] {
        let mut found = ground.pages(&all_of(&group), way, most, "").await;
        if way == Way::Backward {
            found.reverse();
        }
        assert_eq!(found, whole, "{way:?} by {most}");
    }
    let search = |of: Of, from: i64, to: Option<i64>| Search { group: group.id, of, from, to };
    for (what, search, pattern, count) in [
        ("a stream", search(Of::Stream(a.id), 0, None), "", 702),
        ("two streams", search(Of::Streams(vec![a.id, b.id]), 0, None), "", 1002),
        ("one of the streams", search(Of::Streams(vec![b.id, elsewhere.id]), 0, None), "", 300),
        ("a prefix", search(Of::Prefix("b".to_owned()), 0, None), "", 300),
        ("no such prefix", search(Of::Prefix("c".to_owned()), 0, None), "", 0),
        ("a span", search(Of::Group, START + 1, Some(START + 3)), "", 300),
        ("a word", all_of(&group), "b", 300),
        ("a word and a span", search(Of::Stream(a.id), START + 6, None), "a", 101),
        ("no such word", all_of(&group), "c", 0),
    ] {
        assert_eq!(ground.pages(&search, Way::Forward, 40, pattern).await.len(), count, "{what}");
        assert_eq!(ground.pages(&search, Way::Backward, 40, pattern).await.len(), count, "{what}");
    }
}

#[tokio::test]
async fn a_page_has_a_mebibyte() {
    let ground = Ground::new().await;
    let group = ground.group("g").await;
    let stream = ground.stream(&group, "s").await;
    let event = NewEvent { timestamp: START, message: "m".repeat((1 << 19) - OVERHEAD) };
    ground.kept.put(&group, &stream, &vec![event; 5], START).await.unwrap();
    let mut place = None;
    let mut sizes = Vec::new();
    loop {
        let page =
            ground.kept.read(&all_of(&group), Way::Forward, place, 10, &Pattern::default()).await.unwrap();
        sizes.push(page.events.len());
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn what_is_over_is_not_counted_and_goes() {
    let ground = Ground::new().await;
    let group = ground.group("g").await;
    let stream = ground.stream(&group, "s").await;
    ground.put(&group, &stream, (0..2500).map(|n| START + n)).await;
    ground.kept.set_retention(&group, 1).await.unwrap();
    let group = ground.kept.group("g").await.unwrap().unwrap();
    let bytes = async || ground.kept.groups(&Wanted::default(), None, 10).await.unwrap()[0].1;
    let before = bytes().await;
    ground.hand.advance(Duration::days(1) + Duration::milliseconds(2400));
    let now = ground.kept.clock.now_millis();
    let late = bytes().await;
    assert_eq!(group.since(now), START + 2400);
    assert!(late > 0 && late < before / 20, "{late} of {before}");
    assert_eq!(ground.count("aws_log_events").await, 2500);
    let swept = ground.put(&group, &stream, [now]).await;
    assert!(swept <= now - HOUR);
    ground.kept.keep_up(&group, now).await.unwrap();
    assert_eq!(ground.count("aws_log_events").await, 101);
    assert_eq!(bytes().await, late + i64::try_from(format!("s {}", now - START).len() + OVERHEAD).unwrap());
    // Within the hour nothing is looked for again.
    ground.hand.advance(Duration::minutes(59));
    let now = ground.kept.clock.now_millis();
    assert!(ground.put(&group, &stream, [now]).await > now - HOUR);
    ground.kept.keep_up(&group, now).await.unwrap();
    assert_eq!(ground.count("aws_log_events").await, 102);
    let order = Order { by_event: true, descending: true };
    let shown = ground.kept.streams(&group, None, order, None, 10).await.unwrap();
    assert_eq!((shown[0].0.last_event, shown[0].1), (now, Some(now - 59 * 60_000)));
}

#[tokio::test]
async fn deletions_take_their_events_along_and_are_taken_up_again() {
    let ground = Ground::new().await;
    let (group, other) = (ground.group("g").await, ground.group("h").await);
    let (a, b) = (ground.stream(&group, "a").await, ground.stream(&group, "b").await);
    let elsewhere = ground.stream(&other, "a").await;
    ground.put(&group, &a, (0..1500).map(|n| START + n)).await;
    ground.put(&group, &b, [START, START + 1]).await;
    ground.put(&other, &elsewhere, [START]).await;
    assert!(ground.kept.delete_stream(&group, "a").await.unwrap());
    assert!(!ground.kept.delete_stream(&group, "a").await.unwrap());
    assert_eq!(ground.count("aws_log_events").await, 3);
    let sizes: Vec<i64> = ground
        .kept
        .groups(&Wanted::default(), None, 10)
        .await
        .unwrap()
        .iter()
        .map(|(_, bytes)| *bytes)
        .collect();
    assert_eq!(sizes, [2 * (3 + 26), 3 + 26]);
    let gone =
        ground.kept.put(&group, &a, &[NewEvent { timestamp: START, message: "m".into() }], START).await;
    assert!(gone.is_err_and(|error| error.kind() == model::ErrorKind::NotFound));
    assert_eq!(ground.count("aws_log_events").await, 3, "nothing of a refused batch stays");
    // A crash between the deletion and its end.
    let mut tx = ground.kept.db.begin().await.unwrap();
    for sql in [
        "DELETE FROM aws_log_streams WHERE name = 'b'",
        "INSERT INTO aws_log_leftovers (log_group, stream)
         SELECT log_group, stream FROM aws_log_events ORDER BY log_group LIMIT 1",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    db::commit(tx).await.unwrap();
    assert!(ground.pages(&all_of(&group), Way::Forward, 10, "").await.is_empty());
    ground.hand.advance(Duration::hours(2));
    ground.kept.keep_up(&other, ground.kept.clock.now_millis()).await.unwrap();
    assert_eq!((ground.count("aws_log_events").await, ground.count("aws_log_leftovers").await), (1, 0));
    assert!(ground.kept.delete_group(&other).await.unwrap());
    assert!(!ground.kept.delete_group(&other).await.unwrap());
    assert!(ground.kept.create_stream(&other, "x").await.is_err());
    assert_eq!((ground.count("aws_log_events").await, ground.count("aws_log_leftovers").await), (0, 0));
    assert_eq!(ground.count("aws_log_streams").await, 0);
}

#[tokio::test]
async fn lists_by_name_prefix_part_and_event() {
    let ground = Ground::new().await;
    for name in ["/app/a", "/app/b", "/App/c", "/apq", "x#1"] {
        ground.group(name).await;
    }
    let names = async |wanted: Wanted, after: Option<&str>| -> Vec<String> {
        let found = ground.kept.groups(&wanted, after, 10).await.unwrap();
        found.into_iter().map(|(group, _)| group.name).collect()
    };
    let wanted = |prefix: Option<&str>, part: Option<&str>| Wanted {
        prefix: prefix.map(str::to_owned),
        part: part.map(str::to_owned),
        ..Wanted::default()
    };
    assert_eq!(names(wanted(None, None), None).await, ["/App/c", "/app/a", "/app/b", "/apq", "x#1"]);
    assert_eq!(names(wanted(Some("/app"), None), None).await, ["/app/a", "/app/b"]);
    assert_eq!(names(wanted(Some("/app"), None), Some("/app/a")).await, ["/app/b"]);
    assert_eq!(names(wanted(None, Some("app")), None).await, ["/app/a", "/app/b"]);
    assert_eq!(names(wanted(None, Some("")), None).await.len(), 5);
    let only = Wanted { names: Some(vec!["x#1".into(), "none".into()]), ..Wanted::default() };
    assert_eq!(names(only, None).await, ["x#1"]);
    let cold = Wanted { class: Some("INFREQUENT_ACCESS".into()), ..Wanted::default() };
    assert!(names(cold, None).await.is_empty());

    let group = ground.kept.group("/apq").await.unwrap().unwrap();
    for (name, time) in [("c", START), ("a", START + 1), ("b", START)] {
        let stream = ground.stream(&group, name).await;
        ground.put(&group, &stream, [time - 5, time]).await;
    }
    ground.stream(&group, "empty").await;
    for (by_event, descending, order) in [
        (false, false, ["a", "b", "c", "empty"]),
        (false, true, ["empty", "c", "b", "a"]),
        (true, false, ["empty", "b", "c", "a"]),
        (true, true, ["a", "c", "b", "empty"]),
    ] {
        let mut found: Vec<String> = Vec::new();
        let mut after = None;
        let order_of = Order { by_event, descending };
        loop {
            let page = ground.kept.streams(&group, None, order_of, after, 1).await.unwrap();
            let Some((stream, first)) = page.into_iter().next() else { break };
            assert_eq!(first, (stream.last_event > 0).then(|| stream.last_event - 5));
            after = Some((stream.last_event, stream.name.clone()));
            found.push(stream.name);
        }
        assert_eq!(found, order, "{by_event} {descending}");
    }
}

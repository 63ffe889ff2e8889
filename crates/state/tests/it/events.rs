//! The event bus on both databases.

use crate::ground::{Ground, START, millis, on_both};
use model::ErrorKind;
use serde_json::{Value, json};
use state::events::{Filter, Live, NewEvent};
use state::{Clock, Database, Events, db};

on_both!(
    nobody_waits_nothing_is_stored,
    live_listeners_hear_what_they_want,
    durable_events_come_in_order_and_again_until_acknowledged,
    an_event_goes_when_all_have_acknowledged,
    an_event_lives_and_dies_with_its_transaction,
    another_node_gets_the_event,
    a_newer_reader_takes_over,
    a_reader_that_never_acknowledges_is_stopped,
    ending_a_subscription_frees_its_events,
);

fn created(subject: &str) -> NewEvent {
    NewEvent::new("object.created", subject, json!({ "size": 3 }))
}

async fn ground(db: Database) -> Ground {
    Ground::open(db, Default::default()).await
}

async fn nobody_waits_nothing_is_stored(db: Database) {
    let g = ground(db).await;
    let mut live = g.events.live(Filter::default());
    let event = g.events.publish(created("s3://raw/a")).await.unwrap();
    assert_eq!((event.id, event.at.timestamp_millis()), (0, START));
    assert_eq!(live.next().await, Some(Live::Event(event)));
    assert_eq!(g.count("events").await, 0);
    let bad = g.events.publish(NewEvent::new("Not A Kind", "x", Value::Null)).await.unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::InvalidInput);
}

async fn live_listeners_hear_what_they_want(db: Database) {
    let g = ground(db).await;
    let mut wanted = g.events.live(Filter::kind("object.created").under("s3://raw/"));
    let mut slow = g.events.live(Filter::default());
    g.events.publish(created("s3://other/a")).await.unwrap();
    g.events.publish(NewEvent::new("object.deleted", "s3://raw/a", Value::Null)).await.unwrap();
    let event = g.events.publish(created("s3://raw/b")).await.unwrap();
    assert_eq!(wanted.next().await, Some(Live::Event(event)));
    for n in 0..1100 {
        g.events.publish(created(&format!("s3://other/{n}"))).await.unwrap();
    }
    assert!(matches!(slow.next().await, Some(Live::Missed(missed)) if missed > 0));
    assert!(matches!(slow.next().await, Some(Live::Event(_))));
}

async fn durable_events_come_in_order_and_again_until_acknowledged(db: Database) {
    let g = ground(db).await;
    g.events.publish(created("s3://raw/before")).await.unwrap();
    let mut subscription =
        g.events.subscribe("crawls", Filter::kind("object.created").under("s3://raw/")).await.unwrap();
    for subject in ["s3://raw/1", "s3://other/2", "s3://raw/3", "s3://raw/4"] {
        g.events.publish(created(subject)).await.unwrap();
    }
    assert_eq!(g.count("events").await, 3);
    let first = subscription.next().await.unwrap();
    assert_eq!((first.subject.as_str(), &first.payload), ("s3://raw/1", &json!({ "size": 3 })));
    let second = subscription.next().await.unwrap();
    assert!(second.id > first.id);
    subscription.ack(first.id).await.unwrap();
    subscription.ack(first.id).await.unwrap();
    drop(subscription);

    // As after a crash: the second was delivered but never acknowledged.
    let events = Events::open(g.db.clone(), g.clock.clone()).await.unwrap();
    let mut again = events.subscribe("crawls", Filter::kind("object.created")).await.unwrap();
    assert_eq!(again.next().await.unwrap(), second);
    let last = again.next().await.unwrap();
    assert_eq!(last.subject, "s3://raw/4");
    assert_eq!(again.try_next().await.unwrap(), None);
    again.ack_through(last.id).await.unwrap();
    assert_eq!((g.count("events").await, g.count("event_queue").await), (0, 0));

    // One that waits is woken by the next event.
    let publisher = events.clone();
    let waiter = tokio::spawn(async move { again.next().await.unwrap().subject });
    publisher.publish(created("s3://raw/5")).await.unwrap();
    assert_eq!(waiter.await.unwrap(), "s3://raw/5");
}

async fn an_event_goes_when_all_have_acknowledged(db: Database) {
    let g = ground(db).await;
    let mut one = g.events.subscribe("one", Filter::default()).await.unwrap();
    let mut two = g.events.subscribe("two", Filter::default()).await.unwrap();
    g.events.publish(created("s3://raw/a")).await.unwrap();
    let id = one.next().await.unwrap().id;
    assert_eq!(two.next().await.unwrap().id, id);
    one.ack(id).await.unwrap();
    assert_eq!(g.count("events").await, 1);
    let waiting: Vec<(String, u64)> =
        g.events.subscriptions().await.unwrap().into_iter().map(|s| (s.name, s.pending)).collect();
    assert_eq!(waiting, [("one".to_owned(), 0), ("two".to_owned(), 1)]);
    two.ack(id).await.unwrap();
    assert_eq!(g.count("events").await, 0);

    // At the same moment, over and over: nothing is left behind.
    for _ in 0..20 {
        g.events.publish(created("s3://raw/a")).await.unwrap();
        let id = one.next().await.unwrap().id;
        two.next().await.unwrap();
        let (a, b) = tokio::join!(one.ack(id), two.ack(id));
        a.unwrap();
        b.unwrap();
        assert_eq!(g.count("events").await, 0);
    }
}

async fn an_event_lives_and_dies_with_its_transaction(db: Database) {
    let g = ground(db).await;
    let mut live = g.events.live(Filter::default());
    let mut durable = g.events.subscribe("all", Filter::default()).await.unwrap();
    let mut tx = g.db.begin().await.unwrap();
    let ticket = g.events.publish_in(&mut tx, created("s3://raw/lost")).await.unwrap();
    drop((tx, ticket));
    let mut tx = g.db.begin().await.unwrap();
    let ticket = g.events.publish_in(&mut tx, created("s3://raw/kept")).await.unwrap();
    assert_eq!(durable.try_next().await.unwrap(), None);
    db::commit(tx).await.unwrap();
    g.events.committed(ticket);
    let kept = durable.next().await.unwrap();
    assert_eq!(kept.subject, "s3://raw/kept");
    assert_eq!(live.next().await, Some(Live::Event(kept)));
}

async fn another_node_gets_the_event(db: Database) {
    let g = ground(db).await;
    let (clock, hand) = Clock::manual(crate::ground::start_time());
    let other = Events::open(g.db.clone(), clock).await.unwrap();
    let mut subscription = other.subscribe("triggers", Filter::default()).await.unwrap();
    assert_eq!(subscription.try_next().await.unwrap(), None);
    let mut waiter = tokio::spawn(async move { subscription.next().await.unwrap().subject });
    g.events.publish(created("s3://raw/a")).await.unwrap();
    let subject = loop {
        hand.advance(millis(1000));
        tokio::select! {
            subject = &mut waiter => break subject.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert_eq!(subject, "s3://raw/a");
}

async fn a_newer_reader_takes_over(db: Database) {
    let g = ground(db).await;
    let mut old = g.events.subscribe("crawls", Filter::default()).await.unwrap();
    let mut new = g.events.subscribe("crawls", Filter::default()).await.unwrap();
    g.events.publish(created("s3://raw/a")).await.unwrap();
    assert_eq!(old.next().await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(new.next().await.unwrap().subject, "s3://raw/a");
}

async fn a_reader_that_never_acknowledges_is_stopped(db: Database) {
    let g = ground(db).await;
    let mut greedy = g.events.subscribe("greedy", Filter::default()).await.unwrap();
    let mut tx = g.db.begin().await.unwrap();
    for n in 0..1030 {
        g.events.publish_in(&mut tx, created(&format!("s3://raw/{n:04}"))).await.map(drop).unwrap();
    }
    db::commit(tx).await.unwrap();
    let mut last = 0;
    for n in 0..1024 {
        let event = greedy.next().await.unwrap();
        assert_eq!(event.subject, format!("s3://raw/{n:04}"));
        last = event.id;
    }
    assert_eq!(greedy.next().await.unwrap_err().kind(), ErrorKind::LimitExceeded);
    greedy.ack_through(last).await.unwrap();
    assert_eq!(greedy.next().await.unwrap().subject, "s3://raw/1024");
}

async fn ending_a_subscription_frees_its_events(db: Database) {
    let g = ground(db).await;
    let mut ended = g.events.subscribe("ended", Filter::default()).await.unwrap();
    g.events.publish(created("s3://raw/a")).await.unwrap();
    g.events.unsubscribe("ended").await.unwrap();
    assert_eq!((g.count("events").await, g.count("event_queue").await), (0, 0));
    assert_eq!(ended.next().await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(g.events.unsubscribe("ended").await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// A transaction that began first may commit last: its smaller number must not be skipped.
#[tokio::test]
async fn an_event_that_commits_late_is_not_lost() {
    let g = ground(Database::postgres(&testkit::postgres()).await.unwrap()).await;
    let mut subscription = g.events.subscribe("all", Filter::default()).await.unwrap();
    let mut slow = g.db.begin().await.unwrap();
    let slow_ticket = g.events.publish_in(&mut slow, created("s3://raw/slow")).await.unwrap();
    let quick = g.events.publish(created("s3://raw/quick")).await.unwrap();
    assert!(slow_ticket.event().id < quick.id);
    assert_eq!(subscription.next().await.unwrap(), quick);
    subscription.ack_through(quick.id).await.unwrap();
    db::commit(slow).await.unwrap();
    g.events.committed(slow_ticket);
    assert_eq!(subscription.next().await.unwrap().subject, "s3://raw/slow");
}

/// The bus that knows the subscriptions by heart: what is published between the two answers is kept, what comes after
/// the end is not, whoever publishes meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_bus_of_a_database_follows_its_subscriptions() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::sqlite(&dir.path().join("state.db")).await.unwrap();
    let count = async |table: &str| {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar::<_, i64>(sql).fetch_one(db.read()).await.unwrap()
    };
    let clock = Clock::manual(crate::ground::start_time()).0;
    let events = Events::open_alone(db.clone(), clock.clone()).await.unwrap();
    events.publish(created("s3://raw/before")).await.unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let others = tokio::spawn({
        let (events, stop) = (events.clone(), stop.clone());
        async move {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                events.publish(created("s3://noise/a")).await.unwrap();
                // Where nobody waits for it, there was nothing to wait for either.
                tokio::task::yield_now().await;
            }
        }
    });
    for round in 0..30 {
        let mut subscription = events.subscribe("raw", Filter::default()).await.unwrap();
        let subject = format!("s3://raw/{round}");
        events.publish(created(&subject)).await.unwrap();
        while subscription.next().await.unwrap().subject != subject {}
        events.unsubscribe("raw").await.unwrap();
        assert_eq!(events.unsubscribe("raw").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!((count("event_queue").await, count("events").await), (0, 0), "after round {round}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    others.await.unwrap();

    // A filter that changes, and a bus that is opened anew.
    events.subscribe("raw", Filter::kind("run.finished")).await.unwrap();
    assert_eq!(events.publish(created("s3://raw/a")).await.unwrap().id, 0);
    events.subscribe("raw", Filter::kind("object.created")).await.unwrap();
    drop(events);
    let events = Events::open_alone(db.clone(), clock).await.unwrap();
    let kept = events.publish(created("s3://raw/b")).await.unwrap();
    assert!(kept.id > 0);
    let mut subscription = events.subscribe("raw", Filter::kind("object.created")).await.unwrap();
    assert_eq!(subscription.next().await.unwrap(), kept);
}

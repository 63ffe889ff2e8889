//! A server that is killed at random moments while a producer feeds it and an application counts: nothing acknowledged is
//! missing in the log, and every record of the log is counted in exactly one window of the final Parquet.
//!
//! `GLULAM_SOAK_EVENTS`, `GLULAM_SOAK_KILLS` and `GLULAM_SOAK_SEED` make it longer: `make soak`.

use crate::aws::{client, up};
use crate::home::{Home, LONG};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::{Process, await_until};

/// The numbers of this run: events, kills, and the seed of the kills' moments.
struct Numbers {
    events: u64,
    kills: u64,
    seed: u64,
}

impl Numbers {
    fn of_environment() -> Self {
        let number = |name: &str, otherwise: u64| match std::env::var(name) {
            Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
            Err(_) => otherwise,
        };
        Self {
            events: number("GLULAM_SOAK_EVENTS", 8000),
            kills: number("GLULAM_SOAK_KILLS", 3),
            seed: number("GLULAM_SOAK_SEED", 1),
        }
    }

    /// As many events as a call puts.
    fn batch(&self) -> u64 {
        (self.events / 40).clamp(1, 500)
    }

    /// Milliseconds from one event to the next: there are two hundred windows.
    fn step(&self) -> u64 {
        (200 * WINDOW / self.events).max(1)
    }

    /// How long all of it may take on a machine that has other things to do.
    fn patience(&self) -> Duration {
        LONG + Duration::from_secs(self.events / 500 + 20 * self.kills)
    }
}

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

const WINDOW: u64 = 300_000;

const TABLE: &str = "CREATE EXTERNAL TABLE windows (begins timestamp, events bigint, least double, highest double) \
                     PARTITIONED BY (componentname string) STORED AS PARQUET LOCATION 's3://out/windows/'";

fn script(numbers: &Numbers) -> String {
    // An event that is put again is behind others by no more than a call's events.
    let bound = 2 * numbers.batch() * numbers.step() / 1000 + 1;
    format!(
        "SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE metrics_stream (
  componentName STRING, `value` DOUBLE, publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '{bound}' SECOND
) WITH ('connector' = 'kinesis', 'stream' = 'metrics', 'aws.region' = 'eu-central-1',
        'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
INSERT INTO windows
SELECT TUMBLE_START(publicationTimestamp, INTERVAL '5' MINUTE), COUNT(*), MIN(`value`), MAX(`value`), componentName
FROM metrics_stream GROUP BY TUMBLE(publicationTimestamp, INTERVAL '5' MINUTE), componentName;"
    )
}

/// Has the producer look for the server here.
fn tell(home: &Home, url: &str) {
    let new = home.write("url.new", url);
    std::fs::rename(new, home.path().join("url")).unwrap();
}

fn acknowledged(producer: &Process) -> u64 {
    let said = producer.stdout();
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    whole.lines().next_back().map_or(0, |line| line.parse().unwrap())
}

/// Lets a moment pass, up to so many milliseconds.
fn moment(dice: &mut Dice, most: u64) {
    let (start, delay) = (Instant::now(), Duration::from_millis(dice.below(most)));
    await_until("a moment", LONG, || (start.elapsed() >= delay).then_some(()));
}

/// Kills the server again and again while the producer works. Answers the last one.
#[allow(clippy::print_stderr, reason = "a failed test shows how far it came")]
fn killed(home: &Home, mut server: Process, producer: &mut Process, numbers: &Numbers) -> Process {
    let mut dice = Dice(numbers.seed);
    let mut moments: Vec<u64> = (0..numbers.kills).map(|_| dice.below(numbers.events * 9 / 10)).collect();
    moments.sort_unstable();
    for (n, at) in moments.into_iter().enumerate() {
        await_until(&format!("event {at}"), numbers.patience(), || {
            assert!(!producer.has_ended(), "the producer gave up: {}", producer.stderr());
            (acknowledged(producer) >= at).then_some(())
        });
        moment(&mut dice, 60);
        server.kill();
        if dice.below(3) == 0 {
            // Also while it starts, when it makes good what the kill before has left.
            let arguments = ["up", "--aws", "127.0.0.1:0", "--console", "off", "--pg", "off"];
            let starting = Process::start(&mut home.command(arguments));
            moment(&mut dice, 400);
            starting.kill();
        }
        let url;
        (server, url) = up(home, &[]);
        tell(home, &url);
        eprintln!("kill {} behind event {at}, {} acknowledged now", n + 1, acknowledged(producer));
    }
    server
}

/// What a window and component has: number of events, the least and the greatest of their numbers.
type Windows = BTreeMap<(u64, String), (u64, u64, u64)>;

/// Counts what is in the log, plainly. Answers also which events are there.
fn logged(home: &Home, step: u64) -> (Windows, BTreeSet<u64>, u64) {
    let path = home.path().join("log.json");
    let tail = ["stream", "tail", "metrics", "--from-start", "--limit", "1000000000", "--json"];
    let file = std::fs::File::create(&path).unwrap();
    let status = home.command(tail).stdout(file).stderr(Stdio::inherit()).status().unwrap();
    assert!(status.success());
    let (mut windows, mut there, mut records) = (Windows::new(), BTreeSet::new(), 0);
    for line in BufReader::new(std::fs::File::open(&path).unwrap()).lines() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let event: Value = serde_json::from_str(record["data"].as_str().unwrap()).unwrap();
        let number = event["value"].as_u64().unwrap();
        let window = number * step / WINDOW * WINDOW;
        let key = (window, event["componentName"].as_str().unwrap().to_owned());
        let slot = windows.entry(key).or_insert((0, number, number));
        *slot = (slot.0 + 1, slot.1.min(number), slot.2.max(number));
        there.insert(number);
        records += 1;
    }
    (windows, there, records)
}

/// What the application has written; no window is there twice.
fn written(home: &Home) -> Windows {
    let query = "SELECT to_unixtime(begins) AS begins, componentname, events, least, highest FROM windows";
    let answer = home.succeed(["sql", query, "--json"]);
    let rows = answer.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let start = 1_772_409_600.0; // 2026-03-02
    let mut all = Windows::new();
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap_or_else(|| panic!("{name} in {row}"));
        let key =
            (((number("begins") - start) * 1000.0) as u64, row["componentname"].as_str().unwrap().into());
        let value = (number("events") as u64, number("least") as u64, number("highest") as u64);
        assert!(all.insert(key, value).is_none(), "a window is there twice: {row}");
    }
    all
}

#[test]
fn kills_at_random_moments_lose_and_double_nothing() {
    let numbers = Numbers::of_environment();
    let Numbers { events, kills, seed } = numbers;
    eprintln!("GLULAM_SOAK_EVENTS={events} GLULAM_SOAK_KILLS={kills} GLULAM_SOAK_SEED={seed}");
    let home = Home::new();
    home.bucket("out");
    home.succeed(["sql", TABLE]);
    home.succeed(["stream", "create", "metrics", "--shards", "3"]);
    home.write("windows.sql", &script(&numbers));
    let (server, url) = up(&home, &[]);
    tell(&home, &url);
    home.succeed(["stream", "run", "windows.sql", "--tasks", "2", "--detach"]);
    let arguments = [events, numbers.batch(), numbers.step()].map(|n| n.to_string());
    let mut producer = Process::start(&mut client(
        &home,
        &url,
        "soak.py",
        &arguments.each_ref().map(String::as_str),
        "test",
    ));
    let server = killed(&home, server, &mut producer, &numbers);
    let produced = producer.wait(numbers.patience());
    assert_eq!(produced.code, Some(0), "{}", produced.stderr);
    // It was taken up again after every kill, and works.
    let apps = home.json(["stream", "apps"]);
    assert_eq!(apps[0]["status"], "running", "{apps}");
    server.kill();

    let ended = Process::start(&mut home.command([
        "stream",
        "run",
        "windows",
        "--until-caught-up",
        "--tasks",
        "3",
        "--json",
    ]))
    .wait(numbers.patience());
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let run: Value = serde_json::from_str(&ended.stdout).unwrap();
    let counters = &run["outcome"]["result"]["counters"];
    let (expected, there, records) = logged(&home, numbers.step());
    assert_eq!(there.len() as u64, events, "acknowledged, and not in the log; seed {seed}");
    assert_eq!((&counters["late"], &counters["records"]), (&0.into(), &records.into()), "seed {seed}: {run}");
    let found = written(&home);
    assert_eq!(found.values().map(|value| value.0).sum::<u64>(), records, "seed {seed}");
    assert!(found == expected, "seed {seed}: {:?}", differences(&found, &expected));
    eprintln!("{records} records of {events} events in {} windows", found.len());
}

/// The windows that differ, at most a few.
fn differences(found: &Windows, expected: &Windows) -> Vec<String> {
    let keys: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let differs = keys.into_iter().filter(|key| found.get(key) != expected.get(key));
    differs
        .map(|key| format!("{key:?}: {:?}, not {:?}", found.get(key), expected.get(key)))
        .take(10)
        .collect()
}

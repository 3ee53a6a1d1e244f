//! Kill -9 while lines are indexed, round after round: the index opens, nothing acknowledged is missing, nothing is twice.
//!
//! The child is the same program, called again with what it has to do in its environment. It tells each acknowledgement on its
//! standard output, and only after the index gave it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use millrace_logs::{Allowed, Line, LogIndex, Notice, Options, Order, Query, Search, Source, Stream};
use millrace_wire::ids::RunId;
use millrace_wire::log::LogLevel;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

const ROOT: &str = "MILLRACE_LOG_KILLS_ROOT";
const SEED: &str = "MILLRACE_LOG_KILLS_SEED";
const FROM: &str = "MILLRACE_LOG_KILLS_FROM";

const STREAMS: u64 = 3;
const MIDNIGHT: i64 = 1_795_392_000_000;
const NOW: i64 = MIDNIGHT + 10 * 3_600_000;

fn options(root: &Path) -> Options {
    let mut options = Options::new(root.to_owned(), Arc::new(|| NOW));
    options.commit_every = Duration::from_millis(40);
    // Taking lines is faster than indexing them; what waits is kept small, so that kills meet all of it.
    options.journal_limit = 2 << 20;
    options.notice = Arc::new(|notice| match notice {
        // A cut end is what a kill leaves; all else is a failure of the index.
        Notice::JournalCut { .. } => {}
        notice => panic!("{notice:?}"),
    });
    options
}

/// The line with this number says the same whenever it is made.
fn line(stream: u64, seq: u64) -> Line {
    let error = seq.is_multiple_of(11);
    Line {
        stream: Stream::Run(RunId(Uuid::from_u128(u128::from(stream) + 1))),
        seq,
        // One stream is of yesterday, one of today, and one crosses midnight, so that two days are written in turns.
        at: MIDNIGHT + (stream as i64 - 1) * 3_600_000 - 60_000 + seq as i64 * 3,
        level: if error { LogLevel::Error } else { LogLevel::Info },
        source: Source::Worker,
        organisation: "acme".into(),
        team: format!("team-{stream}"),
        job: None,
        job_name: "orders".into(),
        attempt: 1,
        worker: "host-a".into(),
        operator: "sink".into(),
        version: "v1".into(),
        target: "engine::kafka".into(),
        message: format!("line {seq} of {stream}: {}", "wrote records to the topic ".repeat(seq as usize % 9)),
    }
}

/// Indexes until it is killed. Does nothing when this process is no child.
pub(crate) fn work_as_child() {
    let (Ok(root), Ok(seed), Ok(from)) = (std::env::var(ROOT), std::env::var(SEED), std::env::var(FROM)) else {
        return;
    };
    let mut random = StdRng::seed_from_u64(seed.parse().expect("a seed"));
    let mut next: Vec<u64> = from.split(',').map(|seq| seq.parse().expect("a number")).collect();
    let index = LogIndex::open(options(Path::new(&root))).expect("the index opens");
    loop {
        let stream = random.random_range(0..STREAMS);
        let at = &mut next[stream as usize];
        let count = random.random_range(1..400);
        // Some come again, as they do after a lost link.
        let first = at.saturating_sub(random.random_range(0..40) * random.random_range(0..2));
        let lines: Vec<Line> = (first..*at + count).map(|seq| line(stream, seq)).collect();
        index.append(&lines).expect("lines are taken");
        *at += count;
        if random.random_range(0..3) > 0 {
            index.sync().expect("lines are on the disk");
            let all: Vec<String> = next.iter().map(u64::to_string).collect();
            println!("acknowledged {}", all.join(","));
            std::io::stdout().flush().expect("the parent listens");
        }
    }
}

pub(crate) struct Campaign {
    pub(crate) rounds: u64,
    pub(crate) lines: u64,
    pub(crate) slowest_start: Duration,
}

/// `arguments` make this program call [`work_as_child`].
pub(crate) fn campaign(root: &Path, rounds: u64, seed: u64, arguments: &[&str]) -> Campaign {
    let mut random = StdRng::seed_from_u64(seed);
    let mut acknowledged = vec![0; STREAMS as usize];
    let mut known = acknowledged.clone();
    let mut campaign = Campaign { rounds, lines: 0, slowest_start: Duration::ZERO };
    for round in 0..rounds {
        let from: Vec<String> = known.iter().map(u64::to_string).collect();
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(arguments)
            .env(ROOT, root)
            .env(SEED, (seed + round).to_string())
            .env(FROM, from.join(","))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let output = BufReader::new(child.stdout.take().expect("its output is ours"));
        let (send, receive) = channel();
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(numbers) = line.split("acknowledged ").nth(1) {
                    let numbers: Vec<u64> = numbers.split(',').map(|seq| seq.parse().expect("a number")).collect();
                    let _ = send.send(numbers);
                }
            }
        });
        // Some rounds end while the child is still reading its journal, some after many commits.
        let patience = Duration::from_millis(random.random_range(20..2500));
        let until = Instant::now() + patience;
        while let Ok(numbers) = receive.recv_timeout(until.saturating_duration_since(Instant::now())) {
            acknowledged = numbers;
        }
        child.kill().expect("the child is killed");
        child.wait().expect("the child is gone");
        reader.join().expect("its output is read");
        if let Some(last) = receive.try_iter().last() {
            acknowledged = last;
        }
        known = check(root, &acknowledged, &mut campaign);
        acknowledged.clone_from(&known);
    }
    campaign.lines = known.iter().sum();
    campaign
}

/// Opens the index and counts. Gives the number after the last line of each stream.
fn check(root: &Path, acknowledged: &[u64], campaign: &mut Campaign) -> Vec<u64> {
    let started = Instant::now();
    let index = Arc::new(LogIndex::open(options(root)).expect("the index opens after a kill"));
    index.flush().expect("the journal is indexed");
    campaign.slowest_start = campaign.slowest_start.max(started.elapsed());
    let mut found: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
    let everything = Search::new(Query::everything());
    for hit in index.export(Allowed::All, everything, Order::OldestFirst) {
        let hit = hit.expect("the line can be read");
        let stream = hit.line.team.trim_start_matches("team-").parse().expect("a stream");
        assert_eq!(hit.line, line(stream, hit.line.seq), "the line is as it was written");
        *found.entry(stream).or_default().entry(hit.line.seq).or_default() += 1;
    }
    let mut ends = Vec::new();
    for (stream, acknowledged) in acknowledged.iter().enumerate() {
        let numbers = found.remove(&(stream as u64)).unwrap_or_default();
        assert!(numbers.values().all(|times| *times == 1), "a line is there twice in stream {stream}");
        let end = numbers.keys().next_back().map_or(0, |last| last + 1);
        assert!(end >= *acknowledged, "{acknowledged} lines of stream {stream} were acknowledged, the last is {end}");
        assert_eq!(numbers.len() as u64, end, "lines are missing in stream {stream}");
        ends.push(end);
    }
    ends
}

#[test]
fn child_of_the_campaign() {
    work_as_child();
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    let done = campaign(folder.path(), 3, 15, &["--exact", "kills::child_of_the_campaign", "--nocapture"]);
    assert!(done.lines > 100, "{} rounds wrote {} lines only", done.rounds, done.lines);
    assert!(done.slowest_start < Duration::from_secs(60), "a start took {:?}", done.slowest_start);
}

//! Exactly once: a writer is killed after each step, and goes on from what its last durable checkpoint says.

use super::*;
use crate::connector::database::fault::{STEPS, Step};
use crate::connector::database::sink::DatabaseSink;
use crate::connector::{Sink as _, SinkWriter};
use crate::types::LogicalType as L;

const EPOCHS: u64 = 5;
const ROWS: i64 = 40;

/// A job that writes numbers, with checkpoints.
struct Job<'a> {
    server: &'a Server,
    table: TableRef,
    /// Each attempt is another one.
    attempts: usize,
    identity: String,
    /// The state of the last durable checkpoint, its number, and the position of its source.
    durable: Option<(Vec<u8>, u64, i64)>,
}

/// When a run ends without a failure of the writer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Never,
    AfterRows(u64),
    /// The checkpoint is not durable.
    AfterPrepare(u64),
    /// The checkpoint is durable and not committed.
    AfterDurable(u64),
}

impl<'a> Job<'a> {
    fn new(server: &'a Server, keyed: bool) -> Self {
        let name = server.name();
        let key = if keyed { "PRIMARY KEY" } else { "" };
        server.run(&format!("CREATE TABLE {name} (n bigint {key}, v int)"));
        let key: &[&str] = if keyed { &["n"] } else { &[] };
        let exact = [("sink.delivery-guarantee", "exactly-once")];
        let table = server.table_with(&name, &[("n", L::BigInt), ("v", L::Int)], key, &exact);
        Job { server, identity: format!("job-{name}"), table, attempts: 0, durable: None }
    }

    fn name(&self) -> &str {
        self.table.option("table-name").unwrap()
    }

    fn sink(&mut self) -> DatabaseSink {
        self.attempts += 1;
        let sink = DatabaseSink::new(self.server.flavour, &self.table, &self.server.context(&self.identity)).unwrap();
        let mut shape = super::super::sink::SinkShape::clone(&sink.shape);
        shape.attempt = format!("attempt-{}", self.attempts);
        DatabaseSink { shape: Arc::new(shape) }
    }

    fn open(&self, sink: &DatabaseSink) -> Result<Box<dyn SinkWriter>> {
        let restored = self.durable.iter().map(|(state, ..)| state.clone()).collect();
        sink.writer(0, 1, restored)
    }

    /// Runs until the end, or until something fails; then the writer is gone as if killed.
    fn run(&mut self, sink: &DatabaseSink, end: End) -> Result<bool> {
        let mut writer = self.open(sink)?;
        let (mut checkpoint, mut position) = self.durable.as_ref().map_or((0, 0), |(_, number, at)| (*number, *at));
        while checkpoint < EPOCHS {
            checkpoint += 1;
            for _ in 0..2 {
                writer.write(&self.rows(position))?;
                position += ROWS / 2;
            }
            if end == End::AfterRows(checkpoint) {
                return Ok(false);
            }
            let state = writer.prepare(checkpoint)?;
            if end == End::AfterPrepare(checkpoint) {
                return Ok(false);
            }
            self.durable = Some((state, checkpoint, position));
            if end == End::AfterDurable(checkpoint) {
                return Ok(false);
            }
            writer.commit(checkpoint)?;
        }
        writer.close()?;
        Ok(true)
    }

    /// Half an epoch. With a key every row is written, taken back and written again.
    fn rows(&self, from: i64) -> ChangeBatch {
        let keyed = !self.table.primary_key.is_empty();
        let row = |n: i64| {
            let now = format!("+I{{\"n\":{n},\"v\":{}}}", n * 3);
            let before = format!("-D{{\"n\":{n},\"v\":1}}");
            if keyed { vec![now.replace("\"v\":", "\"v\":-"), before, now] } else { vec![now] }
        };
        let rows: Vec<String> = (from..from + ROWS / 2).flat_map(row).collect();
        changes(&self.table, &rows.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn assert_exactly_once(&self, what: &str) {
        let found =
            self.server.rows(&format!("SELECT count(*), count(DISTINCT n), sum(n), sum(v) FROM {}", self.name()));
        let all = ROWS * i64::try_from(EPOCHS).unwrap();
        let sum = all * (all - 1) / 2;
        assert_eq!(found, [format!("{all},{all},{sum},{}", sum * 3)], "{what}");
        let job = format!("job = '{}'", self.identity);
        assert_eq!(self.server.rows(&format!("SELECT count(*) FROM millrace_staged WHERE {job}")), ["0"], "{what}");
    }
}

#[test]
fn killed_after_every_step() {
    for server in servers("killed_after_every_step") {
        for keyed in [false, true] {
            for staged in [false, true] {
                for step in STEPS {
                    // A step that happens once per run, and the same in a later checkpoint.
                    for times in 0..3 {
                        let mut job = Job::new(&server, keyed);
                        let mut failed = 0;
                        for attempt in 0..4 {
                            let sink = job.sink();
                            if staged {
                                sink.shape.faults.keep_at_most(0);
                            }
                            // The second attempt is killed as well, while it restores or soon after.
                            if attempt < 2 {
                                sink.shape.faults.set(step, times * (1 - attempt));
                            }
                            match job.run(&sink, End::Never) {
                                Ok(done) => {
                                    assert!(done);
                                    break;
                                }
                                Err(error) => {
                                    assert!(error.message.contains("killed after"), "{error:?}");
                                    assert!(sink.shape.faults.happened());
                                    failed += 1;
                                }
                            }
                        }
                        let what = format!("{step:?} {times} keyed {keyed} staged {staged}");
                        let once = matches!(step, Step::TakenOver | Step::Cleaned) && times > 0;
                        let never = step == Step::Staged && !staged;
                        assert!(failed > 0 || once || never, "nothing failed: {what}");
                        job.assert_exactly_once(&what);
                    }
                }
            }
        }
    }
}

#[test]
fn killed_between_the_steps_of_the_engine() {
    for server in servers("killed_between_the_steps_of_the_engine") {
        for checkpoint in [1, 3] {
            for end in [End::AfterRows(checkpoint), End::AfterPrepare(checkpoint), End::AfterDurable(checkpoint)] {
                let mut job = Job::new(&server, false);
                let sink = job.sink();
                sink.shape.faults.keep_at_most(100);
                assert!(!job.run(&sink, end).unwrap());
                let sink = job.sink();
                assert!(job.run(&sink, End::Never).unwrap());
                job.assert_exactly_once(&format!("{end:?}"));
            }
        }
    }
}

#[test]
fn a_connection_lost_between_checkpoints() {
    for shared in servers("a_connection_lost_between_checkpoints") {
        let server = shared.alone();
        let mut job = Job::new(&server, false);
        let sink = job.sink();
        let mut writer = job.open(&sink).unwrap();
        writer.write(&job.rows(0)).unwrap();
        writer.prepare(1).unwrap();
        shared.kill_connections(&server);
        writer.commit(1).unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*) FROM {}", job.name())), ["20"]);
        // A restore may tell the same checkpoint again.
        writer.commit(1).unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*) FROM {}", job.name())), ["20"]);
    }
}

#[test]
fn an_older_attempt_can_commit_no_more() {
    for server in servers("an_older_attempt_can_commit_no_more") {
        let mut job = Job::new(&server, false);
        let older = job.sink();
        let mut zombie = job.open(&older).unwrap();
        zombie.write(&job.rows(0)).unwrap();
        let state = zombie.prepare(1).unwrap();
        job.durable = Some((state, 1, ROWS / 2));
        zombie.commit(1).unwrap();
        zombie.write(&job.rows(ROWS / 2)).unwrap();
        zombie.prepare(2).unwrap();
        // The next attempt restores 1 while the older one still lives.
        let newer = job.sink();
        let mut writer = job.open(&newer).unwrap();
        let error = zombie.commit(2).unwrap_err();
        assert_eq!(error.code, "fenced");
        writer.write(&job.rows(ROWS / 2)).unwrap();
        writer.prepare(2).unwrap();
        writer.commit(2).unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*), count(DISTINCT n) FROM {}", job.name())), ["40,40"]);
        // One that never committed anything is stopped as well.
        let mut fresh = Job::new(&server, false);
        let first = fresh.sink();
        let mut zombie = fresh.open(&first).unwrap();
        zombie.write(&fresh.rows(0)).unwrap();
        zombie.prepare(1).unwrap();
        let second = fresh.sink();
        let mut writer = fresh.open(&second).unwrap();
        writer.write(&fresh.rows(0)).unwrap();
        writer.prepare(1).unwrap();
        assert_eq!(zombie.commit(1).unwrap_err().code, "fenced");
        writer.commit(1).unwrap();
        assert_eq!(server.rows(&format!("SELECT count(*) FROM {}", fresh.name())), ["20"]);
    }
}

#[test]
fn a_savepoint_is_restored_twice_and_by_fewer_tasks() {
    for server in servers("a_savepoint_is_restored_twice_and_by_fewer_tasks") {
        let mut job = Job::new(&server, false);
        let sink = job.sink();
        let mut states = Vec::new();
        let mut writers: Vec<_> = (0..2).map(|task| sink.writer(task, 2, Vec::new()).unwrap()).collect();
        for (task, writer) in writers.iter_mut().enumerate() {
            writer.write(&job.rows(i64::try_from(task).unwrap() * ROWS / 2)).unwrap();
            states.push(writer.prepare(1).unwrap());
        }
        // Only one of the two got to commit.
        writers[1].commit(1).unwrap();
        drop(writers);
        let count = |rows: &str| {
            assert_eq!(
                server.rows(&format!(
                    "SELECT count(*), count(DISTINCT n) FROM {}",
                    job.table.option("table-name").unwrap()
                )),
                [rows]
            );
        };
        count("20,20");
        let mut writer = job_sink(&job, 7).writer(0, 1, states.clone()).unwrap();
        count("40,40");
        writer.write(&job.rows(ROWS)).unwrap();
        writer.prepare(2).unwrap();
        writer.commit(2).unwrap();
        count("60,60");
        drop(writer);
        // Back to the first one: nothing of it is written again.
        let mut writer = job_sink(&job, 8).writer(0, 1, states).unwrap();
        count("60,60");
        writer.write(&job.rows(2 * ROWS)).unwrap();
        writer.prepare(3).unwrap();
        writer.commit(3).unwrap();
        count("80,80");
    }
}

fn job_sink(job: &Job<'_>, attempt: usize) -> DatabaseSink {
    let sink = DatabaseSink::new(job.server.flavour, &job.table, &job.server.context(&job.identity)).unwrap();
    let mut shape = super::super::sink::SinkShape::clone(&sink.shape);
    shape.attempt = format!("attempt-{attempt}");
    DatabaseSink { shape: Arc::new(shape) }
}

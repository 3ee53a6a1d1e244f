//! A job over sources and sinks in memory, driven step by step.

mod endpoints;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use millrace_engine::catalog::CatalogText;
use millrace_engine::checkpoint::{CheckpointStore, Verdict, compatibility};
use millrace_engine::plan::dataflow::{Dataflow, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{Outcome, Run, RunCommitters, RunOptions, node_entries};
use millrace_engine::sql::bind;
use millrace_engine::state::StateOptions;
use millrace_wire::job::StopMode;
use rand::Rng;
use rand::rngs::StdRng;

pub(crate) use endpoints::Fault;
use endpoints::{Memory, Output};

/// Rows that are left after all changes, with how often each is there.
pub(crate) type Table = BTreeMap<String, i64>;

const SCRIPT: &str = "
CREATE TABLE events (id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
  WITH ('connector' = 'filesystem', 'path' = 'events', 'format' = 'json');
CREATE TABLE windows (k STRING, s TIMESTAMP(3), n BIGINT, total BIGINT, d BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'windows', 'format' = 'json');
CREATE TABLE hops (s TIMESTAMP(3), n BIGINT, mx BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'hops', 'format' = 'json');
CREATE TABLE totals (k STRING, n BIGINT, total BIGINT, mn BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'totals', 'format' = 'json');
CREATE TABLE passed (id BIGINT, v BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'passed', 'format' = 'json');
CREATE TABLE sessions (k STRING, s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT, total BIGINT, d BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'sessions', 'format' = 'json');
CREATE TABLE in_session (id BIGINT, s TIMESTAMP(3), e TIMESTAMP(3))
  WITH ('connector' = 'filesystem', 'path' = 'in_session', 'format' = 'json');
CREATE TABLE running (id BIGINT, n BIGINT, total BIGINT, mn BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'running', 'format' = 'json');
CREATE TABLE around (id BIGINT, total BIGINT, mx BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'around', 'format' = 'json');
INSERT INTO sessions SELECT k, window_start, window_end, COUNT(*), SUM(v), COUNT(DISTINCT v)
  FROM TABLE(SESSION(TABLE events PARTITION BY k, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO in_session SELECT id, window_start, window_end
  FROM TABLE(SESSION(TABLE events PARTITION BY (k, v), DESCRIPTOR(ts), INTERVAL '4' SECOND));
INSERT INTO running SELECT id, COUNT(*) OVER w, SUM(v) OVER w, MIN(v) OVER w FROM events
  WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW);
INSERT INTO around SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY v), MAX(id) OVER (PARTITION BY k ORDER BY v)
  FROM events WHERE v < 10;
INSERT INTO windows SELECT k, window_start, COUNT(*), SUM(v), COUNT(DISTINCT v)
  FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO hops SELECT window_start, COUNT(*), MAX(v)
  FROM TABLE(HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
INSERT INTO totals SELECT k, COUNT(*), SUM(v), MIN(v) FROM events GROUP BY k;
CREATE TABLE pairs (k STRING, n BIGINT, mx BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'pairs', 'format' = 'json');
CREATE TABLE tops (k STRING, id BIGINT, v BIGINT, place BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'tops', 'format' = 'json');
CREATE TABLE latest (k STRING, id BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'latest', 'format' = 'json');
INSERT INTO pairs SELECT a.k, a.n, b.mx
  FROM (SELECT k, COUNT(*) AS n FROM events GROUP BY k) AS a
  LEFT JOIN (SELECT k, MAX(v) AS mx FROM events WHERE v > 50 GROUP BY k) AS b ON a.k = b.k;
INSERT INTO tops SELECT k, id, v, place FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS place FROM events) WHERE place <= 3;
INSERT INTO latest SELECT k, id FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY k, v ORDER BY ts, id) AS place FROM events) WHERE place = 1;
INSERT INTO passed SELECT id, v * 2 FROM events WHERE v > 50;
";

pub(crate) struct Simulation {
    script: String,
    folder: tempfile::TempDir,
    state: StateOptions,
    output: Arc<Mutex<Output>>,
}

impl Simulation {
    pub(crate) fn new() -> Self {
        Self::with_fault(Fault::None)
    }

    pub(crate) fn with_fault(fault: Fault) -> Self {
        Simulation {
            script: SCRIPT.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            state: StateOptions::default(),
            output: Arc::new(Mutex::new(Output::new(fault))),
        }
    }

    /// Memory for a few keys only, and segments from the first row on.
    pub(crate) fn spilling() -> Self {
        let state =
            StateOptions { whole_below: 0, flush_bytes: 4_000, memory: Some(16_000), ..StateOptions::default() };
        Simulation { state, ..Self::new() }
    }

    fn store(&self) -> CheckpointStore {
        CheckpointStore::open(self.folder.path().join("job")).unwrap()
    }

    fn dataflow(&self, parallelism: u32) -> Dataflow {
        let script = bind(&self.script, &CatalogText::default()).unwrap();
        let settings = Settings { parallelism, idle_timeout: std::time::Duration::ZERO, ..Settings::default() };
        plan(&script, &settings, &Memory { output: Arc::clone(&self.output) })
            .unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn options(&self) -> RunOptions {
        let restored = self.store().newest_whole(None).unwrap().map(|(_, _, restored)| restored);
        // Numbers are never used twice, also when the newest checkpoint is damaged.
        let newest = self.store().list().unwrap().first().map_or(0, |(number, _)| *number);
        RunOptions {
            store: Some(self.store()),
            run: "simulation".to_owned(),
            kept: 3,
            committers: Arc::new(RunCommitters::default()),
            restored,
            next_checkpoint: newest + 1,
            batch_rows: 100,
            state: self.state.clone(),
        }
    }

    pub(crate) fn finish_undisturbed(&self) -> BTreeMap<String, Table> {
        let run = Run::inline(&self.dataflow(1), self.options()).unwrap();
        assert_eq!(run.run().unwrap(), Outcome::Finished);
        self.tables()
    }

    /// Runs for some rounds with checkpoints at random, then is killed. Tells whether it came to its end before.
    pub(crate) fn attempt(&self, parallelism: u32, rounds: usize, random: &mut StdRng) -> bool {
        let options = self.options();
        let restored = options.restored.as_ref().map(|restored| restored.number);
        self.output.lock().unwrap().forget_after(restored.unwrap_or(0));
        let mut run = Run::inline(&self.dataflow(parallelism), options).unwrap();
        for _ in 0..rounds {
            if random.random_bool(0.1) && !run.checkpoint_under_way() {
                run.request_checkpoint().unwrap();
            }
            match run.round().unwrap() {
                Some(Outcome::Finished) => return true,
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
        false
    }

    /// On threads, with checkpoints every few milliseconds.
    pub(crate) fn finish_on_threads(&self, parallelism: u32) -> BTreeMap<String, Table> {
        let mut dataflow = self.dataflow(parallelism);
        dataflow.settings.checkpoint_interval = Some(std::time::Duration::from_millis(5));
        let run = Run::new(&dataflow, self.options()).unwrap();
        let events = run.events();
        assert_eq!(run.run().unwrap(), Outcome::Finished);
        assert!(events.try_iter().count() > 0, "not one checkpoint");
        self.tables()
    }

    /// On threads; the run is cancelled when so many checkpoints are done.
    pub(crate) fn cancel_on_threads(&self, parallelism: u32, checkpoints: usize) {
        let mut dataflow = self.dataflow(parallelism);
        dataflow.settings.checkpoint_interval = Some(std::time::Duration::from_millis(2));
        let run = Run::new(&dataflow, self.options()).unwrap();
        let (handle, events) = (run.handle(), run.events());
        let canceller = std::thread::spawn(move || {
            for _ in 0..checkpoints {
                if events.recv_timeout(std::time::Duration::from_secs(20)).is_err() {
                    return;
                }
            }
            handle.stop(StopMode::Cancel);
        });
        run.run().unwrap();
        canceller.join().unwrap();
    }

    pub(crate) fn stop_with_savepoint(&self, parallelism: u32, rounds: usize) {
        let mut run = Run::inline(&self.dataflow(parallelism), self.options()).unwrap();
        for _ in 0..rounds {
            assert_eq!(run.round().unwrap(), None);
        }
        run.request_stop(StopMode::Savepoint).unwrap();
        let Outcome::Stopped { savepoint: Some(savepoint) } = run.run().unwrap() else { panic!("it has no savepoint") };
        assert!(savepoint.path.starts_with("savepoint-"), "{savepoint:?}");
    }

    /// Flips a byte in the newest checkpoint, if there is one before it and its output can still be taken back.
    pub(crate) fn damage_newest(&self, random: &mut StdRng) {
        let list = self.store().list().unwrap();
        let [(_, newest), _, ..] = list.as_slice() else { return };
        let files: Vec<_> = std::fs::read_dir(newest).unwrap().map(|entry| entry.unwrap().path()).collect();
        let file = &files[random.random_range(0..files.len())];
        let mut bytes = std::fs::read(file).unwrap();
        let at = random.random_range(0..bytes.len());
        bytes[at] ^= 1;
        std::fs::write(file, bytes).unwrap();
    }

    pub(crate) fn tables(&self) -> BTreeMap<String, Table> {
        self.output.lock().unwrap().tables()
    }
}

/// Other jobs, and savepoints that are kept.
#[allow(dead_code, reason = "not every test that simulates needs them")]
impl Simulation {
    pub(crate) fn of(script: &str) -> Self {
        Self::new().with_script(script)
    }

    pub(crate) fn with_script(self, script: &str) -> Self {
        Simulation { script: script.to_owned(), ..self }
    }

    /// Takes over a savepoint that was the first checkpoint of its job: the sinks' part holds all rows that had left.
    pub(crate) fn begin_with(&self, savepoint: &Path) {
        copy_files(savepoint, &self.store().path("savepoint-1"));
    }

    /// What the job would not take over of its newest savepoint.
    pub(crate) fn losses(&self, parallelism: u32) -> Vec<String> {
        let (path, _, _) = self.store().newest_whole(None).unwrap().unwrap();
        let manifest = CheckpointStore::manifest(&path).unwrap();
        let report = compatibility(&manifest, &node_entries(&self.dataflow(parallelism)));
        let lost = report.into_iter().filter(|entry| entry.verdict != Verdict::Kept);
        lost.map(|entry| format!("{} {}: {:?}", entry.kind, entry.name, entry.verdict)).collect()
    }

    pub(crate) fn save_to(&self, savepoint: &Path) {
        copy_files(&self.store().path("savepoint-1"), savepoint);
    }
}

#[allow(dead_code, reason = "as above")]
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

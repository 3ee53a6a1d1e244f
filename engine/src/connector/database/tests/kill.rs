//! Jobs from tables to tables that are killed at random points and go on at another parallelism.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::catalog::CatalogText;
use crate::checkpoint::CheckpointStore;
use crate::plan::dataflow::{Dataflow, plan};
use crate::plan::settings::Settings;
use crate::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use crate::sql::bind;
use crate::state::StateOptions;

const ROWS: i64 = 4000;
/// Checkpoints are this far apart at least, so that rows come between them.
const APART: Duration = Duration::from_millis(10);
/// Kills after which a job is left alone.
const KILLS: usize = 12;

struct Job<'a> {
    server: &'a Server,
    folder: tempfile::TempDir,
    script: String,
    identity: String,
}

impl Job<'_> {
    fn dataflow(&self, parallelism: u32, committers: &Arc<RunCommitters>) -> Dataflow {
        let context = ConnectorContext {
            committers: Arc::clone(committers) as Arc<_>,
            batch_rows: 20,
            ..self.server.context(&self.identity)
        };
        let endpoints = ConnectorEndpoints { context, collect: None };
        let settings = Settings { parallelism, ..Settings::default() };
        plan(&bind(&self.script, &CatalogText::default()).unwrap(), &settings, &endpoints).unwrap()
    }

    /// Tells whether it came to its end before it was killed.
    fn attempt(&self, random: &mut StdRng, may_be_killed: bool) -> bool {
        let store = CheckpointStore::open(self.folder.path().join("job")).unwrap();
        let committers = Arc::new(RunCommitters::default());
        let dataflow = self.dataflow(random.random_range(1..=3), &committers);
        let options = RunOptions {
            restored: store.newest_whole(None).unwrap().map(|(_, _, restored)| restored),
            next_checkpoint: store.list().unwrap().first().map_or(0, |(number, _)| *number) + 1,
            store: Some(store),
            run: "kill".to_owned(),
            kept: 2,
            committers,
            batch_rows: 20,
            state: StateOptions::default(),
        };
        let mut run = Run::inline(&dataflow, options).unwrap();
        let mut checkpoints = random.random_range(0..4);
        let mut last = Instant::now();
        loop {
            let killed = checkpoints == 0 && last.elapsed() > APART / 2 || random.random_bool(0.0001);
            if may_be_killed && killed {
                return false;
            }
            if checkpoints > 0 && last.elapsed() > APART && !run.checkpoint_under_way() {
                run.request_checkpoint().unwrap();
                checkpoints -= 1;
                last = Instant::now();
            }
            match run.round().unwrap() {
                Some(Outcome::Finished) => return true,
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }
}

#[test]
fn killed_at_random_points_every_row_is_there_once() {
    for server in servers("killed_at_random_points_every_row_is_there_once") {
        for seed in 0..3 {
            let [from, to, totals] = [server.name(), server.name(), server.name()];
            server.run(&format!("CREATE TABLE {from} (id int PRIMARY KEY, v int)"));
            server.run(&format!("CREATE TABLE {to} (id int, v int)"));
            server.run(&format!("CREATE TABLE {totals} (g int PRIMARY KEY, c bigint, s bigint)"));
            let numbers = server.pick(
                format!("generate_series(1, {ROWS}) AS s(n)"),
                format!("(SELECT seq AS n FROM seq_1_to_{ROWS}) AS s"),
            );
            server.run(&format!("INSERT INTO {from} SELECT n, n * 2 FROM {numbers}"));
            let with = |table: &str, more: &[(&str, &str)]| {
                let mut options = server.options(table);
                options.extend(more);
                let options: Vec<String> =
                    options.iter().map(|(name, value)| format!("'{name}' = '{value}'")).collect();
                format!("WITH ({})", options.join(", "))
            };
            let upper = ROWS.to_string();
            let cut = [
                ("scan.partition.column", "id"),
                ("scan.partition.num", "5"),
                ("scan.partition.lower-bound", "1"),
                ("scan.partition.upper-bound", upper.as_str()),
            ];
            let exact = [("sink.delivery-guarantee", "exactly-once")];
            let script = format!(
                "CREATE TABLE source (id INT, v INT) {};
                 CREATE TABLE target (id INT, v INT) {};
                 CREATE TABLE totals (g INT, c BIGINT, s BIGINT, PRIMARY KEY (g) NOT ENFORCED) {};
                 INSERT INTO target SELECT id, v FROM source;
                 INSERT INTO totals SELECT id % 7, COUNT(*), SUM(CAST(v AS BIGINT)) FROM source GROUP BY id % 7;",
                with(&from, &cut),
                with(&to, &exact),
                with(&totals, &exact)
            );
            let folder = tempfile::tempdir().unwrap();
            let job = Job { server: &server, folder, script, identity: format!("kill-{to}") };
            let mut random = StdRng::seed_from_u64(seed);
            let mut kills = 0;
            while !job.attempt(&mut random, kills < KILLS) {
                kills += 1;
            }
            assert!(kills > 0, "seed {seed}: it was too fast to be killed");
            let sum = ROWS * (ROWS + 1);
            let what = format!("seed {seed}, {kills} kills");
            let found = server.rows(&format!("SELECT count(*), count(DISTINCT id), sum(v) FROM {to}"));
            assert_eq!(found, [format!("{ROWS},{ROWS},{sum}")], "{what}");
            let found = server.rows(&format!("SELECT count(*), sum(c), sum(s) FROM {totals}"));
            assert_eq!(found, [format!("7,{ROWS},{sum}")], "{what}");
        }
    }
}

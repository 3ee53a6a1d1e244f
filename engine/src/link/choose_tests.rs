//! Every combination of files and commits that a killed attempt can leave behind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::any::Any;
use std::sync::Arc;

use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::JobSettings;

use super::*;
use crate::checkpoint::{Part, Written};
use crate::connector::{CommittedCheckpoint, Committer, SplitId, SplitPosition};
use crate::runtime::RunCommitters;

struct Cluster(Option<u64>);

impl Committer for Cluster {
    fn last_committed(&self) -> Result<Option<CommittedCheckpoint>> {
        Ok(self.0.map(|checkpoint| CommittedCheckpoint { checkpoint, plan_hash: String::new() }))
    }

    fn commit(&self, _checkpoint: u64, _plan_hash: &str, _offsets: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn abort(&self) {}

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

struct Situation {
    folder: tempfile::TempDir,
    run: RunId,
}

impl Situation {
    fn new() -> Self {
        Situation { folder: tempfile::tempdir().unwrap(), run: RunId(uuid::Uuid::now_v7()) }
    }

    fn store(&self) -> CheckpointStore {
        CheckpointStore::open(self.folder.path()).unwrap()
    }

    fn snapshot(&self, number: u64, run: &str, savepoint: bool) -> Restore {
        let about =
            Written { number, savepoint, run: run.to_owned(), at: 0, plan_hash: String::new(), nodes: Vec::new() };
        let (name, _) = self.store().write(about, &Vec::<Part>::new()).unwrap();
        let kind = if savepoint { RestoreKind::Savepoint } else { RestoreKind::Checkpoint };
        Restore { path: self.store().path(&name).display().to_string(), number, kind }
    }

    fn own(&self, number: u64) -> Restore {
        self.snapshot(number, &self.run.to_string(), false)
    }

    /// The number of the checkpoint that attempt `attempt` restores.
    fn restored(&self, attempt: u32, restore: Option<Restore>, committed: Option<Option<u64>>) -> Result<Option<u64>> {
        let assignment = Assignment {
            job: JobId(uuid::Uuid::now_v7()),
            job_name: String::new(),
            run: self.run,
            attempt,
            team: String::new(),
            sql: String::new(),
            tables: Default::default(),
            functions: Default::default(),
            secrets: Default::default(),
            default_database: String::new(),
            settings: JobSettings::default(),
            checkpoint_root: String::new(),
            restore,
            start_at_ms: None,
            file_roots: Vec::new(),
            identity: String::new(),
        };
        let committers = RunCommitters::default();
        if let Some(last) = committed {
            committers.get_or_insert("cluster", &|| Ok(Arc::new(Cluster(last)))).unwrap();
        }
        let chosen = by_files(&self.store(), &assignment)?;
        let decided = by_commits(&committers, &self.store(), &assignment, chosen)?;
        Ok(decided.chosen.map(|chosen| chosen.manifest.number))
    }
}

#[test]
fn without_clusters_the_newest_snapshot_of_the_run_is_taken() {
    let situation = Situation::new();
    situation.snapshot(1, "older", false);
    assert_eq!(situation.restored(2, None, None).unwrap(), None, "an older run's state is not this run's");
    situation.own(2);
    situation.own(3);
    assert_eq!(situation.restored(2, None, None).unwrap(), Some(3));
    assert_eq!(situation.restored(1, None, None).unwrap(), None, "a fresh start is fresh");
}

#[test]
fn a_snapshot_whose_commit_never_came_is_not_restored() {
    let situation = Situation::new();
    situation.own(1);
    assert_eq!(situation.restored(2, None, Some(None)).unwrap(), None);
    situation.own(2);
    assert_eq!(situation.restored(2, None, Some(Some(1))).unwrap(), Some(1));
    assert_eq!(situation.restored(2, None, Some(Some(2))).unwrap(), Some(2));
}

#[test]
fn commits_of_an_older_run_do_not_reach_into_a_fresh_one() {
    let situation = Situation::new();
    situation.snapshot(7, "older", false);
    assert_eq!(situation.restored(1, None, Some(Some(7))).unwrap(), None);
    situation.own(8);
    assert_eq!(situation.restored(2, None, Some(Some(7))).unwrap(), None);
}

#[test]
fn going_on_from_a_checkpoint_follows_the_commit_and_a_savepoint_stands() {
    let situation = Situation::new();
    let known = situation.snapshot(5, "older", false);
    situation.snapshot(6, "older", false);
    // The server did not hear of 6 before the worker died, but the cluster did.
    assert_eq!(situation.restored(1, Some(known.clone()), Some(Some(6))).unwrap(), Some(6));
    let chosen = situation.snapshot(4, "older", true);
    assert_eq!(situation.restored(1, Some(chosen.clone()), Some(Some(6))).unwrap(), Some(4));
    // Nothing of this run was committed yet.
    situation.own(7);
    assert_eq!(situation.restored(2, Some(chosen), Some(Some(6))).unwrap(), Some(4));
    assert_eq!(situation.restored(1, Some(known), Some(Some(99))).unwrap_err().code, "checkpoint_missing");
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let situation = Situation::new();
    situation.snapshot(1, "older", false);
    let damaged = situation.snapshot(2, "older", false);
    std::fs::write(std::path::Path::new(&damaged.path).join("manifest.json"), "{}").unwrap();
    assert_eq!(situation.restored(1, Some(damaged), None).unwrap(), Some(1));
}

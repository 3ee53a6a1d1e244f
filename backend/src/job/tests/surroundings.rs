//! A store with a team, a job, a version; servers over it that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use millrace_wire::graph::{DeliveryGuarantee, Graph, Guarantee};
use millrace_wire::ids::{JobId, RunId, TeamId, VersionId};
use millrace_wire::job::{DesiredState, JobSettings, StopMode, Version, VersionSummary};
use millrace_wire::link::TableSource;
use millrace_wire::run::{RunCause, RunState};
use millrace_wire::team::Team;
use tokio_util::sync::CancellationToken;

use crate::app::team::new_team;
use crate::clock::{new_id, now_ms};
use crate::error::Result;
use crate::job::lifecycle::Limits;
use crate::job::steps::Steps;
use crate::job::supervisor::{Places, Supervisor, Surroundings, Tables};
use crate::live::LiveHub;
use crate::log::LogStore;
use crate::metric::MetricStore;
use crate::peer::{Membership, Relayed};
use crate::store::job::{self, DraftRow, JobRow};
use crate::store::run::{self, RunRow};
use crate::store::{Store, connect, migrate, team, version};
use crate::transact;
use crate::watch::Mirror;

const WORKER: &str = "#!/bin/sh
read -r token || exit 3
echo \"$$ $token\" > .new-$MILLRACE_ATTEMPT
mv .new-$MILLRACE_ATTEMPT worker-$MILLRACE_ATTEMPT
exec sleep 600
";

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) job: JobId,
    pub(super) run: RunId,
}

struct OneTeam;

impl Tables for OneTeam {
    fn named(&self, _: TeamId, _: BTreeSet<String>) -> BoxFuture<'_, Result<(String, BTreeMap<String, TableSource>)>> {
        let secret = |value: &str| BTreeMap::from([("password".to_owned(), value.to_owned())]);
        let table = |value: &str| TableSource { ddl: "CREATE TABLE now".into(), hidden_options: secret(value) };
        let tables =
            BTreeMap::from([("d.used".to_owned(), table("needed")), ("d.other".to_owned(), table("another job's"))]);
        Box::pin(async move { Ok(("d".to_owned(), tables)) })
    }

    fn script(&self, _: TeamId, _: RunId, sql: String) -> BoxFuture<'_, Result<(String, BTreeMap<String, String>)>> {
        Box::pin(async move { Ok((sql, BTreeMap::new())) })
    }

    fn team_slug(&self, _: TeamId) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok("blue".to_owned()) })
    }
}

pub(super) fn plan() -> (Graph, Guarantee) {
    let guarantee = Guarantee { level: DeliveryGuarantee::AtLeastOnce, reason: "test".into() };
    (Graph { nodes: vec![], edges: vec![] }, guarantee)
}

impl World {
    /// With one run in `pending`.
    pub(super) async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = connect::open(&format!("sqlite://{}", folder.path().join("m.db").display())).await.unwrap();
        migrate::run(&store).await.unwrap();
        let script = folder.path().join("worker.sh");
        std::fs::write(&script, WORKER).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (team, job, run) = (TeamId(new_id()), JobId(new_id()), RunId(new_id()));
        let now = now_ms();
        let draft = DraftRow {
            sql: "INSERT INTO d.used SELECT 1".into(),
            settings: JobSettings::default(),
            revision: 1,
            updated_by: "ann".into(),
            updated_at: now,
        };
        let job_row = JobRow {
            id: job,
            team,
            name: "count".into(),
            description: String::new(),
            owner: "ann".into(),
            owner_id: None,
            restricted: false,
            tags: vec![],
            folder: String::new(),
            kind: millrace_wire::job::JobKind::Stream,
            desired: DesiredState::Running,
            demo: false,
            draft,
            created_at: now,
            updated_at: now,
        };
        let (graph, guarantee) = plan();
        let version_row = Version {
            summary: VersionSummary {
                id: VersionId(new_id()),
                number: 1,
                created_by: "ann".into(),
                created_at: now,
                comment: String::new(),
            },
            sql: job_row.draft.sql.clone(),
            settings: JobSettings { restart_attempts: 5, ..JobSettings::default() },
            graph,
            guarantee,
            reads: vec![],
            writes: vec!["d.used".into()],
            tables: BTreeMap::from([("d.used".to_owned(), "CREATE TABLE then".to_owned())]),
            functions: BTreeMap::new(),
        };
        let run_row = RunRow {
            id: run,
            job,
            team,
            number: 1,
            version: version_row.summary.id,
            version_number: 1,
            cause: RunCause::Manual,
            started_by: "ann".into(),
            state: RunState::Pending,
            reason: String::new(),
            state_at: now,
            attempt: 0,
            phase: "over".into(),
            token_hash: String::new(),
            process: None,
            stop_mode: None,
            restored_from: String::new(),
            restore: None,
            start_at_ms: None,
            checkpoint_root: folder.path().join("checkpoints").display().to_string(),
            graph: None,
            guarantee: None,
            created_at: now,
            running_at: None,
            ended_at: None,
            last_seen_at: None,
            records_in: 0,
            records_out: 0,
            base_in: 0,
            base_out: 0,
            keeper: String::new(),
            host: String::new(),
        };
        transact!(store, tx => {
            team::insert(tx, &Team { id: team, ..new_team("blue", "Blue", now) }).await?;
            job::insert(tx, &job_row).await?;
            version::insert(tx, team, job, &version_row).await?;
            run::insert(tx, &run_row).await
        })
        .unwrap();
        World { folder, store, job, run }
    }

    pub(super) fn run_folder(&self) -> PathBuf {
        self.folder.path().join("runs").join(self.run.to_string())
    }

    /// A server over the store; it takes care of everything that is live.
    pub(super) async fn server(&self, steps: Steps, link: Duration) -> (Supervisor, CancellationToken) {
        let history = connect::open(&format!("sqlite://{}", self.folder.path().join("h.db").display())).await.unwrap();
        let shutdown = CancellationToken::new();
        let places = Places {
            modules: self.folder.path().join("functions"),
            worker_binary: Some(self.folder.path().join("worker.sh")),
            link_url: "ws://127.0.0.1:1/api/v1/link".into(),
            runs: self.folder.path().join("runs"),
            file_roots: Default::default(),
        };
        let around = Surroundings {
            store: self.store.clone(),
            logs: Arc::new(LogStore::new(self.folder.path().join("logs"))),
            metrics: Arc::new(MetricStore::open(history).await.unwrap()),
            live: LiveHub::default(),
            mirror: Mirror::default(),
            tables: Arc::new(OneTeam),
            membership: Membership::alone(),
            relayed: Relayed::default(),
            shutdown: shutdown.clone(),
        };
        let supervisor = Supervisor::with(places, around, Limits { link, ..Limits::default() }, steps);
        supervisor.claim().await.unwrap();
        (supervisor, shutdown)
    }

    pub(super) async fn row(&self) -> RunRow {
        run::get(&self.store, self.run).await.unwrap().unwrap()
    }

    pub(super) async fn until(&self, what: &str, mut fits: impl FnMut(&RunRow) -> bool) -> RunRow {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let row = self.row().await;
            if fits(&row) {
                return row;
            }
            assert!(Instant::now() < deadline, "never {what}: {row:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn ask_stop(&self, server: &Supervisor, mode: StopMode) {
        let (store, run) = (self.store.clone(), self.run);
        transact!(store, tx => { run::ask_stop(tx, run, mode, "ann").await }).unwrap();
        server.look_at(self.run, "ann").await;
    }
}

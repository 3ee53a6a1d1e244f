//! One team with jobs, runs and tables.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use millrace_backend::access::secret::{hash_token, random_token};
use millrace_backend::access::sight::Sight;
use millrace_backend::app::team;
use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::state::App;
use millrace_backend::store::job::{DraftRow, JobRow};
use millrace_backend::store::run::{Change, ProcessRow, RunRow, Seen};
use millrace_backend::store::table::TableRow;
use millrace_backend::store::user::UserRow;
use millrace_backend::{error, store, transact};
use millrace_wire::ids::{DatabaseId, JobId, RunId, TableId, TeamId, UserId, VersionId};
use millrace_wire::job::{DesiredState, JobKind, JobSettings, Version, VersionSummary};
use millrace_wire::run::{RunCause, RunState};
use millrace_wire::table::TableDraft;
use millrace_wire::table_version::Compatibility;
use millrace_wire::team::Role;

use crate::worker::{self, Worker};
use crate::{JOBS, LIVE, SLUG, TABLES};

const AT_ONCE: usize = 500;

pub(crate) async fn people(app: &App) -> Result<(TeamId, String)> {
    let made = team::new_team(SLUG, "Large", now_ms());
    let (team, user, now) = (made.id, UserId(new_id()), now_ms());
    let row = UserRow {
        id: user,
        name: "Scale".to_owned(),
        email: "scale@example.org".to_owned(),
        password_hash: String::new(),
        administrator: false,
        disabled: false,
        created_at: now,
    };
    let cookie = random_token();
    let hash = hash_token(&cookie);
    transact!(app.store, tx => {
        team::insert_with_basics(tx, &made, "scale").await?;
        store::user::insert(tx, &row).await?;
        store::team::set_member(tx, team, user, Role::Viewer, now).await?;
        store::session::insert(tx, &hash, user, now, now + 3_600_000).await
    })?;
    Ok((team, cookie))
}

fn job(team: TeamId, number: usize) -> JobRow {
    let topic = ["payments", "orders", "clicks", "sensors", "sessions"][number % 5];
    let step = ["hourly", "daily", "raw"][number % 3];
    let now = now_ms() - number as i64;
    // As long as scripts are.
    let sql = format!("INSERT INTO main.t{number} SELECT * FROM main.t{} -- {}", number + 1, "x".repeat(1_500));
    JobRow {
        id: JobId(new_id()),
        team,
        name: format!("{topic} {step} {number}"),
        description: format!("Aggregates {topic} for the {step} report of department {}.", number % 97),
        owner: format!("person-{}", number % 300),
        tags: vec![format!("team-{}", number % 40), topic.to_owned()],
        folder: format!("{topic}/{step}"),
        kind: JobKind::Stream,
        owner_id: None,
        restricted: false,
        desired: DesiredState::Stopped,
        demo: false,
        draft: DraftRow {
            sql,
            settings: JobSettings::default(),
            revision: 1,
            updated_by: "scale".to_owned(),
            updated_at: now,
        },
        created_at: now,
        updated_at: now,
    }
}

/// Returns the ids of those that are to run.
pub(crate) async fn jobs(app: &App, team: TeamId) -> Result<Vec<JobId>> {
    let states = [RunState::Stopped, RunState::Finished, RunState::Failed];
    let mut live = Vec::with_capacity(LIVE);
    for first in (0..JOBS).step_by(AT_ONCE) {
        let some: Vec<JobRow> = (first..(first + AT_ONCE).min(JOBS)).map(|number| job(team, number)).collect();
        transact!(app.store, tx => {
            for (place, job) in some.iter().enumerate() {
                store::job::insert(tx, job).await?;
                // Most have run; the runs themselves are not what lists are slow by.
                if let Some(state) = states.get((first + place) % 5) && first + place >= LIVE {
                    store::job_list::set_run(tx, job.id, 0, *state).await?;
                }
            }
            Ok::<_, error::Error>(())
        })?;
        live.extend(some.iter().take(LIVE - live.len()).map(|job| job.id));
    }
    Ok(live)
}

/// A run of each job, as a server leaves it that was killed while all of them ran.
pub(crate) async fn runs(app: &App, team: TeamId, jobs: &[JobId], process: ProcessRow) -> Result<Vec<Worker>> {
    let mut workers = Vec::with_capacity(jobs.len());
    for some in jobs.chunks(AT_ONCE) {
        let made: Vec<(Version, RunRow, Worker)> = some.iter().map(|job| run(team, *job, process)).collect();
        transact!(app.store, tx => {
            for (version, row, worker) in &made {
                let (id, now, host) = (row.id, row.created_at, "");
                store::version::insert(tx, team, row.job, version).await?;
                store::run::insert(tx, row).await?;
                let pending = Seen { attempt: 0, state: RunState::Pending };
                let hash = hash_token(&worker.token);
                store::run::begin_attempt(tx, id, pending, RunState::Starting, &hash, host, now).await?;
                let starting = Seen { attempt: 1, state: RunState::Starting };
                let running = Change { to: RunState::Running, reason: "", attempt_is_over: false, at: now };
                store::run::change_state(tx, id, starting, &running).await?;
                store::job::set_desired(tx, row.job, DesiredState::Running).await?;
            }
            Ok::<_, error::Error>(())
        })?;
        for (_, row, worker) in made {
            let known = store::run::set_process(&app.store, row.id, 1, "linked", process).await?;
            ensure!(known, "a run has no attempt");
            workers.push(worker);
        }
    }
    Ok(workers)
}

fn run(team: TeamId, job: JobId, process: ProcessRow) -> (Version, RunRow, Worker) {
    let (id, now) = (RunId(new_id()), now_ms());
    let (graph, guarantee) = worker::plan();
    let summary = VersionSummary {
        id: VersionId(new_id()),
        number: 1,
        created_by: "scale".to_owned(),
        created_at: now,
        comment: String::new(),
    };
    let row = RunRow {
        id,
        job,
        team,
        number: 1,
        version: summary.id,
        version_number: 1,
        cause: RunCause::Manual,
        started_by: "scale".to_owned(),
        state: RunState::Pending,
        reason: String::new(),
        state_at: now,
        attempt: 0,
        phase: "over".to_owned(),
        token_hash: String::new(),
        process: None,
        stop_mode: None,
        restored_from: String::new(),
        restore: None,
        start_at_ms: None,
        checkpoint_root: format!("/nowhere/{id}"),
        graph: None,
        guarantee: Some(guarantee.clone()),
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
    let version = Version {
        summary,
        sql: "INSERT INTO main.t1 SELECT * FROM main.t2".to_owned(),
        settings: JobSettings::default(),
        graph,
        guarantee,
        reads: vec!["main.t2".to_owned()],
        writes: vec!["main.t1".to_owned()],
        tables: BTreeMap::new(),
        functions: BTreeMap::new(),
    };
    (version, row, Worker { job, run: id, token: random_token(), process })
}

pub(crate) async fn tables(app: &App, team: TeamId) -> Result<()> {
    let databases = store::database::list(&app.store, &Sight::platform(team)).await?;
    let database: DatabaseId = databases.first().context("a team has a database")?.id;
    for first in (0..TABLES).step_by(AT_ONCE) {
        let rows = (first..(first + AT_ONCE).min(TABLES)).map(|number| table(team, number));
        let rows = rows.collect::<Result<Vec<TableRow>>>()?;
        transact!(app.store, tx => {
            for row in &rows {
                store::table::insert(tx, row, database).await?;
            }
            Ok::<_, error::Error>(())
        })?;
    }
    Ok(())
}

fn table(team: TeamId, number: usize) -> Result<TableRow> {
    let name = format!("t{number}");
    let draft: TableDraft = serde_json::from_value(serde_json::json!({
        "database": "main", "name": name, "connector": "kafka", "connection": null, "format": "json",
        "options": { "topic": name }, "columns": [{ "name": "id", "data_type": "BIGINT", "kind": "physical" }],
        "primary_key": [], "comment": format!("Table {number} of many"),
    }))?;
    let now = now_ms();
    Ok(TableRow {
        id: TableId(new_id()),
        team,
        draft,
        secrets: BTreeMap::new(),
        ddl: format!("CREATE TABLE {name} (id BIGINT) WITH ('connector' = 'kafka')"),
        resolved: Vec::new(),
        topic: name,
        built_in: false,
        revision: 1,
        created_at: now,
        updated_at: now,
        updated_by: "scale".to_owned(),
        connection_name: String::new(),
        owner: String::new(),
        tags: Vec::new(),
        sharers: Vec::new(),
        compatibility: Compatibility::None,
        owner_id: None,
        restricted: false,
        listed: false,
    })
}

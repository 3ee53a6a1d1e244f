//! Runs: what is observed of them. Every change names the attempt and the state it was decided in (compare-and-set),
//! so that a late decision, or a second server, changes nothing.

use std::collections::HashMap;

use millrace_wire::graph::{Graph, Guarantee};
use millrace_wire::ids::{JobId, RunId, TeamId, VersionId};
use millrace_wire::job::StopMode;
use millrace_wire::link::Restore;
use millrace_wire::run::{RunCause, RunState};
use sqlx::{Any, AssertSqlSafe, Executor};

use super::job_list;
use super::row::Columns;
use super::{Query, Row, Store, Tx};
use crate::error::Result;

#[derive(Clone, Debug)]
pub struct RunRow {
    pub id: RunId,
    pub job: JobId,
    pub team: TeamId,
    pub number: u32,
    pub version: VersionId,
    pub version_number: u32,
    pub cause: RunCause,
    pub started_by: String,
    pub state: RunState,
    pub reason: String,
    pub state_at: i64,
    pub attempt: u32,
    /// A word of `job::lifecycle::Phase`.
    pub phase: String,
    pub token_hash: String,
    pub process: Option<ProcessRow>,
    pub stop_mode: Option<StopMode>,
    pub restored_from: String,
    pub restore: Option<Restore>,
    pub start_at_ms: Option<i64>,
    /// Absolute directory; shared by runs that go on from each other's newest checkpoint.
    pub checkpoint_root: String,
    pub graph: Option<Graph>,
    pub guarantee: Option<Guarantee>,
    pub created_at: i64,
    pub running_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub last_seen_at: Option<i64>,
    /// Over all attempts.
    pub records_in: u64,
    pub records_out: u64,
    /// What the totals were when the current attempt began.
    pub base_in: u64,
    pub base_out: u64,
    /// The server that takes care of it; empty when none does yet.
    pub keeper: String,
    /// The machine on which the current attempt was launched; empty before the first.
    pub host: String,
}

/// Which operating-system process: the id alone may belong to another one by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessRow {
    pub pid: u32,
    /// Clock ticks since boot.
    pub start: u64,
}

/// What the compare in compare-and-set compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub attempt: u32,
    pub state: RunState,
}

fn narrow(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn wide(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn parse_json<T: serde::de::DeserializeOwned>(text: Option<String>) -> Result<Option<T>> {
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn read(row: &Row) -> Result<RunRow> {
    let process = match (row.int_or_null("pid")?, row.int_or_null("process_start")?) {
        (Some(pid), Some(start)) => Some(ProcessRow { pid: narrow(pid), start: u64::try_from(start).unwrap_or(0) }),
        _ => None,
    };
    let restore = match (
        row.text_or_null("restore_path")?,
        row.int_or_null("restore_number")?,
        row.text_or_null("restore_kind")?,
    ) {
        (Some(path), Some(number), Some(kind)) => Some(Restore {
            path,
            number: u64::try_from(number).unwrap_or(0),
            kind: kind.parse().map_err(crate::error::Error::internal)?,
        }),
        _ => None,
    };
    let stop_mode = row.text_or_null("stop_mode")?.map(|mode| mode.parse()).transpose();
    Ok(RunRow {
        id: row.parsed("id")?,
        job: row.parsed("job_id")?,
        team: row.parsed("team_id")?,
        number: narrow(row.int("number")?),
        version: row.parsed("version_id")?,
        version_number: narrow(row.int("version_number")?),
        cause: row.parsed("cause")?,
        started_by: row.text("started_by")?,
        state: row.parsed("state")?,
        reason: row.text("reason")?,
        state_at: row.int("state_at")?,
        attempt: narrow(row.int("attempt")?),
        phase: row.text("phase")?,
        token_hash: row.text("token_hash")?,
        process,
        stop_mode: stop_mode.map_err(crate::error::Error::internal)?,
        restored_from: row.text("restored_from")?,
        restore,
        start_at_ms: row.int_or_null("start_at_ms")?,
        checkpoint_root: row.text("checkpoint_root")?,
        graph: parse_json(row.text_or_null("graph")?)?,
        guarantee: parse_json(row.text_or_null("guarantee")?)?,
        created_at: row.int("created_at")?,
        running_at: row.int_or_null("running_at")?,
        ended_at: row.int_or_null("ended_at")?,
        last_seen_at: row.int_or_null("last_seen_at")?,
        records_in: row.count("records_in")?,
        records_out: row.count("records_out")?,
        base_in: row.count("base_in")?,
        base_out: row.count("base_out")?,
        keeper: row.text("keeper")?,
        host: row.text("host")?,
    })
}

pub async fn next_number(tx: &mut Tx, job: JobId) -> Result<u32> {
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM job_runs WHERE job_id = $1")
        .bind(job.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(narrow(row.int("next")?))
}

/// A new run in `pending`. Violates a unique index while the job has another live one.
pub async fn insert(tx: &mut Tx, run: &RunRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_runs (id, job_id, team_id, number, version_id, version_number, cause, started_by, state, \
         reason, state_at, attempt, phase, token_hash, restored_from, restore_path, restore_number, restore_kind, \
         start_at_ms, checkpoint_root, created_at, keeper, records_in, records_out) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, '', $13, $14, $15, $16, $17, $18, $19, $20, 0, 0)",
    )
    .bind(run.id.to_string())
    .bind(run.job.to_string())
    .bind(run.team.to_string())
    .bind(i64::from(run.number))
    .bind(run.version.to_string())
    .bind(i64::from(run.version_number))
    .bind(run.cause.as_str())
    .bind(run.started_by.clone())
    .bind(run.state.as_str())
    .bind(run.reason.clone())
    .bind(run.state_at)
    .bind(run.phase.clone())
    .bind(run.restored_from.clone())
    .bind(run.restore.as_ref().map(|restore| restore.path.clone()))
    .bind(run.restore.as_ref().map(|restore| wide(restore.number)))
    .bind(run.restore.as_ref().map(|restore| restore.kind.as_str().to_owned()))
    .bind(run.start_at_ms)
    .bind(run.checkpoint_root.clone())
    .bind(run.created_at)
    .bind(run.keeper.clone())
    .execute(&mut **tx)
    .await?;
    job_list::set_run(tx, run.job, run.number, run.state).await
}

async fn one<'c>(query: Query<'_>, from: impl Executor<'c, Database = Any>) -> Result<Option<RunRow>> {
    query.fetch_optional(from).await?.as_ref().map(read).transpose()
}

async fn all(query: Query<'_>, store: &Store) -> Result<Vec<RunRow>> {
    query.fetch_all(store.reader()).await?.iter().map(read).collect()
}

pub async fn get(store: &Store, run: RunId) -> Result<Option<RunRow>> {
    one(sqlx::query("SELECT * FROM job_runs WHERE id = $1").bind(run.to_string()), store.reader()).await
}

pub async fn newest(store: &Store, job: JobId) -> Result<Option<RunRow>> {
    let newest = sqlx::query("SELECT * FROM job_runs WHERE job_id = $1 ORDER BY number DESC LIMIT 1");
    one(newest.bind(job.to_string()), store.reader()).await
}

pub async fn by_number(store: &Store, job: JobId, number: u32) -> Result<Option<RunRow>> {
    let numbered = sqlx::query("SELECT * FROM job_runs WHERE job_id = $1 AND number = $2");
    one(numbered.bind(job.to_string()).bind(i64::from(number)), store.reader()).await
}

pub async fn live_in(tx: &mut Tx, job: JobId) -> Result<Option<RunRow>> {
    let live = sqlx::query("SELECT * FROM job_runs WHERE job_id = $1 AND ended_at IS NULL");
    one(live.bind(job.to_string()), &mut **tx).await
}

/// The newest run of each of these jobs, for lists: without its graph, which is long.
pub async fn newest_of(store: &Store, jobs: Vec<JobId>) -> Result<HashMap<JobId, RunRow>> {
    let mut found = HashMap::with_capacity(jobs.len());
    for some in jobs.chunks(AT_ONCE) {
        let placeholders: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let query = sqlx::query(AssertSqlSafe(format!(
            "SELECT {WITHOUT_GRAPH} FROM job_list l JOIN job_runs r ON r.job_id = l.job_id AND r.number = l.run_number \
             WHERE l.job_id IN ({})",
            placeholders.join(", ")
        )));
        let query = some.iter().fold(query, |query, job| query.bind(job.to_string()));
        for run in all(query, store).await? {
            found.insert(run.job, run);
        }
    }
    Ok(found)
}

/// Values bound in one statement.
const AT_ONCE: usize = 500;

const WITHOUT_GRAPH: &str = "r.id, r.job_id, r.team_id, r.number, r.version_id, r.version_number, r.cause, r.started_by, \
    r.state, r.reason, r.state_at, r.attempt, r.phase, r.token_hash, r.pid, r.process_start, r.stop_mode, r.restored_from, \
    r.restore_path, r.restore_number, r.restore_kind, r.start_at_ms, r.checkpoint_root, CAST(NULL AS TEXT) AS graph, \
    r.guarantee, r.created_at, r.running_at, r.ended_at, r.last_seen_at, r.records_in, r.records_out, r.base_in, r.base_out, \
    r.keeper, r.host";

/// What a server that starts has to take care of.
pub async fn all_live(store: &Store) -> Result<Vec<RunRow>> {
    all(sqlx::query("SELECT * FROM job_runs WHERE ended_at IS NULL ORDER BY id"), store).await
}

/// The live runs that this server takes care of.
pub async fn kept_by(store: &Store, keeper: &str) -> Result<Vec<RunRow>> {
    let kept = sqlx::query("SELECT * FROM job_runs WHERE keeper = $1 AND ended_at IS NULL ORDER BY id");
    all(kept.bind(keeper.to_owned()), store).await
}

/// Newest first.
pub async fn list(store: &Store, job: JobId, limit: u32) -> Result<Vec<RunRow>> {
    let newest_first = sqlx::query("SELECT * FROM job_runs WHERE job_id = $1 ORDER BY number DESC LIMIT $2");
    all(newest_first.bind(job.to_string()).bind(i64::from(limit)), store).await
}

/// The run before this one.
pub async fn before(store: &Store, job: JobId, number: u32) -> Result<Option<RunRow>> {
    let newest = sqlx::query("SELECT * FROM job_runs WHERE job_id = $1 AND number < $2 ORDER BY number DESC LIMIT 1");
    one(newest.bind(job.to_string()).bind(i64::from(number)), store.reader()).await
}

/// The next attempt, written down before anything is spawned: `state` is `starting` or stays `recovering`.
pub async fn begin_attempt(
    tx: &mut Tx,
    run: RunId,
    seen: Seen,
    state: RunState,
    token_hash: &str,
    host: &str,
    now: i64,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET attempt = attempt + 1, phase = 'intent', token_hash = $1, pid = NULL, \
         process_start = NULL, base_in = records_in, base_out = records_out, state = $2, \
         state_at = CASE WHEN state = $2 THEN state_at ELSE $3 END, host = $7 \
         WHERE id = $4 AND attempt = $5 AND state = $6 AND phase = 'over' AND stop_mode IS NULL",
    )
    .bind(token_hash.to_owned())
    .bind(state.as_str())
    .bind(now)
    .bind(run.to_string())
    .bind(i64::from(seen.attempt))
    .bind(seen.state.as_str())
    .bind(host.to_owned())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    job_list::set_state(tx, run, state).await?;
    sqlx::query("INSERT INTO job_attempts (run_id, attempt, started_at, reason) VALUES ($1, $2, $3, '')")
        .bind(run.to_string())
        .bind(i64::from(seen.attempt) + 1)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

/// The attempt's process is known now; `phase` is `spawned` or `linked` and never goes back.
pub async fn set_process(store: &Store, run: RunId, attempt: u32, phase: &str, process: ProcessRow) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET phase = CASE WHEN phase = 'linked' THEN phase ELSE $1 END, pid = $2, process_start = $3 \
         WHERE id = $4 AND attempt = $5 AND phase <> 'over'",
    )
    .bind(phase.to_owned())
    .bind(i64::from(process.pid))
    .bind(wide(process.start))
    .bind(run.to_string())
    .bind(i64::from(attempt))
    .execute(store.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A change of state that `job::lifecycle` decided.
pub struct Change<'a> {
    pub to: RunState,
    pub reason: &'a str,
    pub attempt_is_over: bool,
    pub at: i64,
}

pub async fn change_state(tx: &mut Tx, run: RunId, seen: Seen, change: &Change<'_>) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET state = $1, reason = $2, state_at = $3, \
         phase = CASE WHEN $4 = 1 THEN 'over' ELSE phase END, \
         token_hash = CASE WHEN $4 = 1 THEN '' ELSE token_hash END, \
         running_at = CASE WHEN $5 = 1 THEN COALESCE(running_at, $3) ELSE running_at END, \
         ended_at = CASE WHEN $6 = 1 THEN $3 ELSE ended_at END \
         WHERE id = $7 AND attempt = $8 AND state = $9",
    )
    .bind(change.to.as_str())
    .bind(change.reason.to_owned())
    .bind(change.at)
    .bind(i64::from(change.attempt_is_over))
    .bind(i64::from(change.to == RunState::Running))
    .bind(i64::from(change.to.is_terminal()))
    .bind(run.to_string())
    .bind(i64::from(seen.attempt))
    .bind(seen.state.as_str())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    job_list::set_state(tx, run, change.to).await?;
    if change.attempt_is_over {
        sqlx::query("UPDATE job_attempts SET ended_at = $1, reason = $2 WHERE run_id = $3 AND attempt = $4 AND ended_at IS NULL")
            .bind(change.at)
            .bind(change.reason.to_owned())
            .bind(run.to_string())
            .bind(i64::from(seen.attempt))
            .execute(&mut **tx)
            .await?;
    }
    Ok(true)
}

/// What the worker said of its dataflow when it began to run.
pub async fn set_plan(store: &Store, run: RunId, attempt: u32, graph: &Graph, guarantee: &Guarantee) -> Result<()> {
    sqlx::query("UPDATE job_runs SET graph = $1, guarantee = $2 WHERE id = $3 AND attempt = $4")
        .bind(serde_json::to_string(graph)?)
        .bind(serde_json::to_string(guarantee)?)
        .bind(run.to_string())
        .bind(i64::from(attempt))
        .execute(store.writer())
        .await?;
    Ok(())
}

/// How a person wants the run to end. A later wish replaces an earlier one only when it is more pressing. Word for the
/// run's keeper is left with it: whoever that is by then, and whatever happens to the server that took the wish.
pub async fn ask_stop(tx: &mut Tx, run: RunId, mode: StopMode, by: &str) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET stop_mode = $1, asked_by = $3, \
         asked = CASE WHEN asked = 'savepoint' THEN asked ELSE 'look' END \
         WHERE id = $2 AND ended_at IS NULL AND (stop_mode IS NULL OR $1 = 'cancel')",
    )
    .bind(mode.as_str())
    .bind(run.to_string())
    .bind(by.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Where the next attempt of this run starts from.
pub async fn set_restore(tx: &mut Tx, run: RunId, restore: &Restore) -> Result<()> {
    sqlx::query("UPDATE job_runs SET restore_path = $1, restore_number = $2, restore_kind = $3 WHERE id = $4")
        .bind(restore.path.clone())
        .bind(wide(restore.number))
        .bind(restore.kind.as_str())
        .bind(run.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Written every few seconds: when something was heard, and the totals over all attempts.
pub async fn set_seen(store: &Store, run: RunId, at: i64, records_in: u64, records_out: u64) -> Result<()> {
    sqlx::query("UPDATE job_runs SET last_seen_at = $1, records_in = $2, records_out = $3 WHERE id = $4")
        .bind(at)
        .bind(wide(records_in))
        .bind(wide(records_out))
        .bind(run.to_string())
        .execute(store.writer())
        .await?;
    Ok(())
}

/// Attempts of this run that were started since `since`.
pub async fn attempts_since(store: &Store, run: RunId, since: i64) -> Result<u32> {
    let row =
        sqlx::query("SELECT COUNT(*) AS n FROM job_attempts WHERE run_id = $1 AND started_at >= $2 AND attempt > 1")
            .bind(run.to_string())
            .bind(since)
            .fetch_one(store.reader())
            .await?;
    Ok(narrow(row.int("n")?))
}

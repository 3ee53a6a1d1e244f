//! Shadow runs: which two versions of a job, over which input, and what is to be seen of it afterwards.

use millrace_wire::ids::{JobId, ShadowRunId};
use millrace_wire::link::SettledInput;
use millrace_wire::report::ReportedShadowRun;
use millrace_wire::shadow_run::{ShadowRun, ShadowRunSummary, ShadowSide, ShadowSink, StartShadowRun};
use millrace_wire::test_run::{StartTestRun, TestRunFrom, TestRunState};

use super::job;
use super::test_run::{self, KEPT, KEPT_FOR_MS, Prepared};
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::shadow_run::{Outcome, Request, ShadowRunRow, SideOutcome};
use crate::test_run::{Half, MOST_ROWS, Shadow};
use crate::transact;

const DEFAULT_RECORDS: u32 = 10_000;
const MOST_RECORDS: u32 = 1_000_000;
/// The two one after the other, with their planning: what is still called running then was on a server that is gone.
const LOST_AFTER_MS: i64 = 180_000;

pub async fn start(app: &App, caller: &TeamCaller, id: JobId, request: StartShadowRun) -> Result<ShadowRun> {
    app.limits.preview(caller.caller.user)?;
    job::row(app, caller.team, id).await?;
    let max_records = request.max_records.unwrap_or(DEFAULT_RECORDS);
    test_run::within("max_records", max_records, MOST_RECORDS)?;
    if !request.offsets.is_empty() && request.from != TestRunFrom::Table {
        return Err(Error::field("offsets", "Offsets go with reading from where the tables say."));
    }
    if request.keys.values().any(Vec::is_empty) {
        return Err(Error::field("keys", "Name at least one column of each table."));
    }
    if request.new.is_some() && request.sql.is_some() {
        return Err(Error::field("new", "Give the text or a version, not both."));
    }
    let old_version = match request.old {
        Some(number) => number,
        None => running_version(app, id).await?,
    };
    let now = now_ms();
    let settled = SettledInput {
        at_ms: now,
        max_records: u64::from(max_records),
        newest: request.from == TestRunFrom::Latest,
        offsets: request.offsets.clone(),
        ranges: Default::default(),
    };
    let of_old = StartTestRun { version: Some(old_version), ..as_test_run(id, &request) };
    let of_new = StartTestRun { version: request.new, sql: request.sql.clone(), ..as_test_run(id, &request) };
    let old = test_run::prepare(app, caller, of_old, Some(settled.clone())).await?;
    let new = test_run::prepare(app, caller, of_new, Some(settled)).await?;
    let row = ShadowRunRow {
        id: ShadowRunId(new_id()),
        team: caller.team,
        job: id,
        old_run: old.row.id,
        new_run: new.row.id,
        old_version: Some(old_version),
        new_version: request.new,
        new_sql: new.row.sql.clone(),
        started_by: caller.caller.name.clone(),
        started_at: now,
        ended_at: None,
        state: TestRunState::Running,
        reason: String::new(),
        request: Request {
            from: request.from,
            at_ms: request.at_ms,
            max_records,
            limits: old.row.request.limits.clone(),
            keys: request.keys.clone(),
        },
        outcome: Outcome::default(),
        kept_until: now + KEPT_FOR_MS,
    };
    transact!(app.store, tx => {
        test_run::keep(tx, &old.row).await?;
        test_run::keep(tx, &new.row).await?;
        store::shadow_run::trim(tx, caller.team, KEPT, now).await?;
        store::shadow_run::insert(tx, &row).await
    })?;
    let (old, new) = (half(old), half(new));
    app.test_runs.shadow(Shadow { id: row.id, team: caller.team, keys: request.keys, old, new });
    get(app, caller, id, row.id).await
}

/// Of the newest run; of a job that never ran its newest version.
async fn running_version(app: &App, id: JobId) -> Result<u32> {
    if let Some(run) = store::run::newest(&app.store, id).await? {
        return Ok(run.version_number);
    }
    let newest = store::version::newest(&app.store, id).await?;
    let none = || Error::field("old", "The job has no version yet that could be compared.");
    Ok(newest.ok_or_else(none)?.summary.number)
}

/// Without the text that is run. All changes are kept that can be: rows that are left out cannot be compared.
fn as_test_run(id: JobId, request: &StartShadowRun) -> StartTestRun {
    StartTestRun {
        sql: None,
        job: Some(id),
        version: None,
        // The newest records are counted back from the end of what there is.
        from: match request.from {
            TestRunFrom::Latest => TestRunFrom::Earliest,
            from => from,
        },
        at_ms: request.at_ms,
        rows: Default::default(),
        max_rows: Some(request.max_rows.unwrap_or(MOST_ROWS)),
        max_seconds: request.max_seconds,
        memory_mb: request.memory_mb,
        parallelism: request.parallelism,
        // Two runs side by side are compared by what is kept of them.
        sandbox_targets: Vec::new(),
    }
}

fn half(prepared: Prepared) -> Half {
    let Prepared { place, row, filled, assignment, .. } = prepared;
    Half { id: row.id, place, script: filled, assignment }
}

/// Newest first.
pub async fn list(app: &App, caller: &TeamCaller, id: JobId) -> Result<Vec<ShadowRunSummary>> {
    job::row(app, caller.team, id).await?;
    let rows = store::shadow_run::list(&app.store, id).await?;
    // Those whose time is over go when the next one starts.
    let kept = rows.into_iter().filter(|row| row.kept_until > now_ms());
    Ok(kept.map(|row| summary(app, row)).collect())
}

async fn row(app: &App, caller: &TeamCaller, id: JobId, run: ShadowRunId) -> Result<ShadowRunRow> {
    job::row(app, caller.team, id).await?;
    let row = store::shadow_run::get(&app.store, id, run).await?.filter(|row| row.kept_until > now_ms());
    row.ok_or_else(|| Error::not_found("shadow run"))
}

pub async fn get(app: &App, caller: &TeamCaller, id: JobId, run: ShadowRunId) -> Result<ShadowRun> {
    let row = row(app, caller, id, run).await?;
    let comparison = store::shadow_run::comparison(&app.store, run).await?;
    Ok(ShadowRun {
        from: row.request.from,
        at_ms: row.request.at_ms,
        max_records: row.request.max_records,
        limits: row.request.limits.clone(),
        keys: row.request.keys.clone(),
        comparison,
        kept_until: row.kept_until,
        summary: summary(app, row),
    })
}

/// With what is known by now of one that is still running.
fn summary(app: &App, row: ShadowRunRow) -> ShadowRunSummary {
    let lost_at = row.started_at + 2 * i64::from(row.request.limits.max_seconds) * 1_000 + LOST_AFTER_MS;
    let lost = row.ended_at.is_none() && now_ms() > lost_at;
    let (state, reason) = match lost {
        true => (TestRunState::Failed, "The server that it ran on ended before it did.".to_owned()),
        false => (row.state, row.reason),
    };
    let side = |version, run, ended: SideOutcome| {
        let live = app.test_runs.so_far(row.team, run).filter(|_| row.ended_at.is_none());
        let records_read = live.map_or(ended.records_read, |(outcome, _)| outcome.records_read);
        ShadowSide { version, run, records_read, reason: ended.reason }
    };
    ShadowRunSummary {
        id: row.id,
        job: row.job,
        old: side(row.old_version, row.old_run, row.outcome.old),
        new: side(row.new_version, row.new_run, row.outcome.new),
        started_by: row.started_by,
        started_at: row.started_at,
        ended_at: row.ended_at.or(lost.then_some(lost_at)),
        state,
        reason,
        verdict: row.outcome.verdict,
        sinks: row.outcome.sinks,
        notes: row.outcome.notes,
    }
}

/// Ends both processes. One that is over stays as it is.
pub async fn cancel(app: &App, caller: &TeamCaller, id: JobId, run: ShadowRunId) -> Result<()> {
    let row = row(app, caller, id, run).await?;
    app.test_runs.cancel(caller.team, row.old_run);
    app.test_runs.cancel(caller.team, row.new_run);
    Ok(())
}

/// The newest one of what would be started, for the deployment report.
pub(super) async fn reported(app: &App, id: JobId, sql: &str) -> Result<Option<ReportedShadowRun>> {
    let row = store::shadow_run::newest_of(&app.store, id, sql).await?.filter(|row| row.kept_until > now_ms());
    Ok(row.and_then(|row| {
        Some(ReportedShadowRun {
            id: row.id,
            old: row.old_version,
            at: row.ended_at?,
            verdict: row.outcome.verdict?,
            records_read: row.outcome.new.records_read,
            differences: row.outcome.sinks.iter().map(ShadowSink::differences).sum(),
        })
    }))
}

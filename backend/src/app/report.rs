//! The deployment report: what a start would change, keep, lose and read again, and who is downstream of it.

use std::path::PathBuf;

use millrace_wire::connection::JobRef;
use millrace_wire::ids::{ApprovalId, JobId, RunId, TeamId};
use millrace_wire::job::{JobKind, Start, StartFrom, Version};
use millrace_wire::report::{
    DeploymentReport, Downstream, LineageChange, ReportedResult, ReportedTest, ReportedVariable, SourceRead,
    StateReport, StateVerdict,
};
use millrace_wire::sql::Severity;

use super::permission::VisibleJobs;
use super::version::{self, errors, placed};
use super::version_diff::{self, Side, difference};
use super::{catalog, job, restorable, script, shadow_run, sql, start};
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::table::TeamUse;

/// What would happen if the job were started in this way.
pub async fn make(app: &App, sight: &Sight, id: JobId, request: &Start) -> Result<DeploymentReport> {
    let report = whole(app, sight, id, request).await?;
    seen(app, sight, report).await
}

/// Jobs downstream that these eyes do not see are not named.
async fn seen(app: &App, sight: &Sight, mut report: DeploymentReport) -> Result<DeploymentReport> {
    let jobs = VisibleJobs::load(app, sight).await?;
    for table in &mut report.downstream {
        table.readers.retain(|reader| jobs.has(reader.id));
    }
    Ok(report)
}

/// With all jobs downstream.
async fn whole(app: &App, sight: &Sight, id: JobId, request: &Start) -> Result<DeploymentReport> {
    let team = sight.team;
    let row = job::row(app, team, id).await?;
    let mut warnings = Vec::new();
    let (side, mut problems) = match request.version {
        Some(number) => (version_diff::numbered(app, team, id, number).await?, Vec::new()),
        None => {
            let sketch = version::sketch(app, sight, id, row.draft.sql, row.draft.settings).await?;
            let said = sketch.validation.diagnostics.iter();
            warnings.extend(said.filter(|said| said.severity == Severity::Warning).map(placed));
            let problems = errors(&sketch.validation);
            let side = Side { name: "draft".to_owned(), version: sketch.version, problems: problems.clone() };
            (side, problems)
        }
    };
    let last_run = store::run::newest(&app.store, id).await?;
    let last = last_run.as_ref().map(|run| run.version_number);
    let before = match last {
        Some(number) => Some(version_diff::numbered(app, team, id, number).await?),
        None => None,
    };
    let point = start::restore_from(app, id, request).await?;
    let checkpoint = point.as_ref().map(|point| PathBuf::from(&point.path));
    let state = state(app, sight, &side.version, checkpoint).await?;
    problems.extend(state.problem.clone());
    let refused = state.operators.iter().filter(|operator| operator.verdict == StateVerdict::Refused);
    problems.extend(refused.map(|operator| format!("{} {}: {}", operator.kind, operator.name, operator.detail)));
    if row.kind == JobKind::Batch {
        problems.extend(state.sources.iter().filter(|source| !source.bounded).map(endless));
    }
    warnings.extend(state_warnings(&state, request.from));
    let restorable = match &point {
        Some(point) => Some(restorable::of_start(app, team, state.sources.clone(), point.at).await?),
        None => None,
    };
    warnings.extend(restorable.as_ref().and_then(restorable::warning));
    let tests = tests(app, id, request.version).await?;
    let shadow_run = shadow_run::reported(app, id, &side.version.sql).await?;
    let (variables, wrong) = variables(app, team, &side.version, last_run.map(|run| run.id)).await?;
    // Of a draft they are among its problems already.
    problems.extend(wrong.into_iter().filter(|_| request.version.is_some()));
    let uses = store::table::uses_in_team(&app.store, team).await?;
    Ok(DeploymentReport {
        at: now_ms(),
        version: request.version,
        against: last,
        difference: difference(before.as_ref(), &side)?,
        from: request.from,
        restore: point.map(store::restore_point::RestorePointRow::shown),
        restorable,
        tests,
        shadow_run,
        state,
        downstream: downstream(&side.version, &uses, id),
        lineage: lineage(before.as_ref().map(|side| &side.version), &side.version),
        variables,
        warnings,
        errors: problems,
        approval: None,
    })
}

/// As it was when the run was started. `run`: its number.
pub async fn of_run(app: &App, sight: &Sight, id: JobId, run: u32) -> Result<DeploymentReport> {
    job::row(app, sight.team, id).await?;
    let run = store::run::by_number(&app.store, id, run).await?.ok_or_else(|| Error::not_found("run"))?;
    let report = store::report::get(&app.store, run.id).await?;
    let report = report.ok_or_else(|| Error::not_found("report of this run"))?;
    let approval = store::approval::of_runs(&app.store, id).await?.remove(&run.id);
    seen(app, sight, DeploymentReport { approval, ..report }).await
}

/// As it was when somebody asked for the approval of a start.
pub async fn of_approval(app: &App, sight: &Sight, id: JobId, approval: ApprovalId) -> Result<DeploymentReport> {
    job::row(app, sight.team, id).await?;
    let report = store::approval::report(&app.store, id, approval).await?;
    seen(app, sight, report.ok_or_else(|| Error::not_found("report of this request"))?).await
}

/// To be kept with a run or a request, whoever reads it later. A report that cannot be made keeps no job from starting.
pub(super) async fn to_keep(app: &App, sight: &Sight, id: JobId, request: &Start) -> Option<String> {
    let report = whole(app, sight, id, request).await.and_then(|report| Ok(serde_json::to_string(&report)?));
    report.inspect_err(|error| tracing::warn!(job.id = %id, %error, "a start has no deployment report")).ok()
}

async fn state(app: &App, sight: &Sight, version: &Version, checkpoint: Option<PathBuf>) -> Result<StateReport> {
    let nothing = || StateReport { operators: Vec::new(), sources: Vec::new(), problem: None };
    let Some(script) = script::if_right(app, sight.team, &version.sql).await? else { return Ok(nothing()) };
    let catalog = catalog::for_version(app, sight, version).await?;
    let (text, parallelism) = (script.text().to_owned(), version.settings.parallelism);
    let report = sql::plan(app, move |engine| engine.state_report(&text, &catalog, parallelism, checkpoint.as_deref()));
    Ok(report.await?.unwrap_or_else(nothing))
}

/// What the script's parameters would stand for, beside what they stood for when `last` was started; and what is wrong
/// with them.
async fn variables(
    app: &App,
    team: TeamId,
    version: &Version,
    last: Option<RunId>,
) -> Result<(Vec<ReportedVariable>, Vec<String>)> {
    let filled = match script::fill(app, team, &version.sql).await? {
        Ok(filled) => filled,
        Err(problems) => return Ok((Vec::new(), problems.iter().map(placed).collect())),
    };
    let now = script::started_with(app, team, &filled).await?;
    let before = match last {
        // A run of a script without parameters started with none.
        Some(run) => Some(store::variable::of_run(&app.store, run).await?.unwrap_or_default()),
        None => None,
    };
    Ok((script::reported(&now, before.as_ref()), Vec::new()))
}

/// With the newest results for this version; `None` means the draft.
async fn tests(app: &App, id: JobId, version: Option<u32>) -> Result<Vec<ReportedTest>> {
    let mut results = store::job_test::results_for(&app.store, id, version).await?;
    let tests = store::job_test::list(&app.store, id).await?.into_iter().map(|test| ReportedTest {
        result: results.remove(&test.id).map(|last| ReportedResult { passed: last.passed, at: last.at }),
        name: test.draft.name,
    });
    Ok(tests.collect())
}

fn endless(source: &SourceRead) -> String {
    format!("A batch job must come to an end, but {} does not.", source.table)
}

fn state_warnings(state: &StateReport, from: StartFrom) -> Vec<String> {
    let lost = state.operators.iter().filter(|operator| operator.verdict == StateVerdict::Lost);
    let mut warnings: Vec<String> =
        lost.map(|operator| format!("{} {}: its state is left behind.", operator.kind, operator.name)).collect();
    let goes_on = state.sources.iter().any(|source| source.goes_on);
    if from == StartFrom::Latest && goes_on {
        let anew = state.sources.iter().filter(|source| !source.goes_on);
        warnings.extend(
            anew.map(|source| format!("{} is not in the checkpoint: it is read as its options say.", source.table)),
        );
    }
    warnings
}

fn downstream(version: &Version, uses: &[TeamUse], id: JobId) -> Vec<Downstream> {
    let readers = |table: &String| {
        let reads = |used: &&TeamUse| !used.writes && used.job.id != id && used.table == **table;
        uses.iter().filter(reads).map(|used| used.job.clone()).collect::<Vec<JobRef>>()
    };
    version.writes.iter().map(|table| Downstream { table: table.clone(), readers: readers(table) }).collect()
}

/// Nothing changes where nothing was before.
fn lineage(from: Option<&Version>, to: &Version) -> LineageChange {
    let less = |all: &[String], known: &[String]| -> Vec<String> {
        all.iter().filter(|name| !known.contains(name)).cloned().collect()
    };
    let (reads, writes) = from.map_or((&to.reads, &to.writes), |from| (&from.reads, &from.writes));
    LineageChange {
        reads_added: less(&to.reads, reads),
        reads_removed: less(reads, &to.reads),
        writes_added: less(&to.writes, writes),
        writes_removed: less(writes, &to.writes),
    }
}

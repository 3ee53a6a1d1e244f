//! Starting and stopping jobs: a wish is written down, the supervisor does the rest.

use std::path::{Path, PathBuf};

use millrace_wire::error::{ErrorDomain, Retry};
use millrace_wire::ids::{ApprovalId, JobId, RunId};
use millrace_wire::job::{DesiredState, Job, Start, StartFrom, StartOptions, Stop, StopMode, Version};
use millrace_wire::link::Restore;
use millrace_wire::live::LiveEvent;
use millrace_wire::run::{RestoreKind, RestorePoint, RunCause, RunEvent, RunEventKind, RunState};
use millrace_wire::schedule::FireOutcome;
use millrace_wire::sql::Validate;

use super::script::{self, Started};
use super::{approval_gate, catalog, job, job_test, report, sql, version};
use crate::access::identity::{TeamCaller, Via};
use crate::access::sight::Sight;
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::job::{SavepointBy, stop_in_words};
use crate::parameter::{self, Filled};
use crate::state::App;
use crate::store::restore_point::RestorePointRow;
use crate::store::run::RunRow;
use crate::store::schedule::FireKey;
use crate::store::{self, is_unique_violation};
use crate::transact;

/// Who starts or stops, and how.
#[derive(Clone, Copy, Debug)]
pub struct Starter<'a> {
    pub sight: Sight,
    pub name: &'a str,
    pub cause: RunCause,
}

impl<'a> Starter<'a> {
    pub fn person(caller: &'a TeamCaller) -> Starter<'a> {
        let cause = match caller.caller.via {
            Via::Session(_) => RunCause::Manual,
            Via::Token { .. } => RunCause::Api,
        };
        Starter { sight: caller.sight(), name: &caller.caller.name, cause }
    }
}

/// All checkpoints and savepoints of a job lie below.
pub(super) fn checkpoints_of(app: &App, job: JobId) -> PathBuf {
    app.config.shared_dir.join("checkpoints").join(job.to_string())
}

/// What the start dialog offers, judged against the plan of the current draft where that has one.
pub async fn options(app: &App, sight: &Sight, id: JobId) -> Result<StartOptions> {
    let draft = job::row(app, sight.team, id).await?.draft;
    let request = Validate { sql: draft.sql.clone(), parallelism: Some(draft.settings.parallelism) };
    let validation = sql::validate(app, sight, Some(id), request).await?;
    let newest = store::version::newest(&app.store, id).await?;
    let guarantee = validation.guarantee.or_else(|| newest.as_ref().map(|version| version.guarantee.clone()));
    let mut scripts = vec![(draft.sql, draft.settings.parallelism)];
    scripts.extend(newest.map(|version| (version.sql, version.settings.parallelism)));
    let points = judged(app, sight, id, usable_points(app, id).await?, scripts).await?;
    let latest = points.first().cloned();
    let savepoints = points.into_iter().filter(|point| point.kind == RestoreKind::Savepoint).collect();
    let unknown = || millrace_wire::graph::Guarantee {
        level: millrace_wire::graph::DeliveryGuarantee::BestEffort,
        reason: "The script is not valid yet.".to_owned(),
    };
    let approval_required = approval_gate::is_required(app, sight.team).await?;
    Ok(StartOptions { latest, savepoints, guarantee: guarantee.unwrap_or_else(unknown), approval_required })
}

/// Each judged by the draft, or by the newest version while the draft has errors.
pub async fn savepoints(app: &App, sight: &Sight, id: JobId) -> Result<Vec<RestorePoint>> {
    let draft = job::row(app, sight.team, id).await?.draft;
    let newest = store::version::newest(&app.store, id).await?;
    let mut scripts = vec![(draft.sql, draft.settings.parallelism)];
    scripts.extend(newest.map(|version| (version.sql, version.settings.parallelism)));
    judged(app, sight, id, usable_points(app, id).await?, scripts).await
}

/// Newest first; those whose files are gone are left out.
pub(super) async fn usable_points(app: &App, job: JobId) -> Result<Vec<RestorePointRow>> {
    let points = store::restore_point::list(&app.store, job).await?;
    let exists = |points: Vec<RestorePointRow>| {
        points.into_iter().filter(|point| Path::new(&point.path).exists()).collect::<Vec<_>>()
    };
    tokio::task::spawn_blocking(move || exists(points)).await.map_err(Error::internal)
}

/// With what the first of the scripts that is right (text and parallelism) would not keep of each.
async fn judged(
    app: &App,
    sight: &Sight,
    job: JobId,
    points: Vec<RestorePointRow>,
    scripts: Vec<(String, u32)>,
) -> Result<Vec<RestorePoint>> {
    if points.is_empty() {
        return Ok(Vec::new());
    }
    let catalog = catalog::for_planning(app, sight, Some(job)).await?.text;
    let paths: Vec<PathBuf> = points.iter().map(|point| PathBuf::from(&point.path)).collect();
    let mut texts = Vec::new();
    for (sql, parallelism) in scripts {
        let filled = script::if_right(app, sight.team, &sql).await?;
        texts.extend(filled.map(|filled| (filled.text().to_owned(), parallelism)));
    }
    let losses = sql::plan(app, move |engine| {
        texts.iter().find_map(|(sql, parallelism)| engine.lost_state(sql, &catalog, *parallelism, &paths))
    });
    let losses = losses.await?.unwrap_or_else(|| vec![Vec::new(); points.len()]);
    let shown = points.into_iter().zip(losses);
    Ok(shown.map(|(point, incompatible)| RestorePoint { incompatible, ..point.shown() }).collect())
}

/// What a start settles. It is noted together with the run, so that it starts one only.
#[derive(Clone, Copy)]
enum Occasion {
    /// Somebody asks for it now.
    Asked,
    /// A time of the schedule has come.
    Due(FireKey),
    /// It was approved, to be started at once.
    Approved(ApprovalId),
}

pub async fn start(app: &App, starter: Starter<'_>, id: JobId, request: Start) -> Result<Job> {
    launch(app, starter, id, request, Occasion::Asked).await?;
    job::get(app, &starter.sight, id).await
}

pub(super) async fn start_due(app: &App, starter: Starter<'_>, fire: FireKey, request: Start) -> Result<()> {
    launch(app, starter, fire.job, request, Occasion::Due(fire)).await
}

pub(super) async fn start_approved(
    app: &App,
    starter: Starter<'_>,
    id: JobId,
    request: Start,
    approval: ApprovalId,
) -> Result<()> {
    launch(app, starter, id, request, Occasion::Approved(approval)).await
}

/// The only way in which a run comes to be: all that may be in the way of a start is asked here.
async fn launch(app: &App, starter: Starter<'_>, id: JobId, request: Start, occasion: Occasion) -> Result<()> {
    job::row(app, starter.sight.team, id).await?;
    if store::run::newest(&app.store, id).await?.is_some_and(|run| !run.state.is_terminal()) {
        return Err(runs_already());
    }
    let version = version_to_start(app, starter, id, request.version).await?;
    refuse_closed(app, &starter.sight, &version).await?;
    let parameters = check_parameters(app, &starter.sight, &version).await?;
    let from = restore_from(app, id, &request).await?;
    let restores = from.as_ref().map(|point| point.version);
    let approval = approval_gate::gate(app, starter.sight.team, id, &version, &request, restores).await?;
    if let (Some(approval), Some((filled, _))) = (&approval, &parameters)
        && approval_gate::digest_with(app, starter.sight.team, &version, filled).await? != approval.shown.digest
    {
        // What was approved is what the run gets, also where a variable changes while it is being started.
        return Err(approval_gate::needed("A variable that it uses is being changed."));
    }
    let started_with = parameters.map(|(_, started_with)| started_with);
    job_test::gate(app, starter.sight.team, id, &version).await?;
    let run = new_run(app, starter, id, &version, &request, from);
    let started = Start { version: Some(version.summary.number), ..request };
    let known = report::to_keep(app, &starter.sight, id, &started).await;
    let what = if run.restored_from.is_empty() { "without earlier state" } else { run.restored_from.as_str() };
    let approver = approval.as_ref().map(|approval| format!(" {} approved it.", approval.shown.decided_by));
    let approver = approver.unwrap_or_default();
    let event = RunEvent {
        at: run.created_at,
        run: run.id,
        attempt: 0,
        kind: RunEventKind::Person,
        message: format!("{} started version {}, {what}.{approver}", starter.name, run.version_number),
    };
    let run = transact!(app.store, tx => {
        if !store::job::is_there(tx, id).await? {
            return Err(Error::not_found("job"));
        }
        let mut run = run.clone();
        run.number = store::run::next_number(tx, id).await?;
        store::run::insert(tx, &run).await?;
        if let Some(started_with) = &started_with {
            store::variable::keep_for_run(tx, run.id, started_with).await?;
        }
        if let Some(known) = &known {
            store::report::insert(tx, run.id, known).await?;
        }
        store::job::set_desired(tx, id, DesiredState::Running).await?;
        store::job::want_restart(tx, id, "").await?;
        store::job_event::insert(tx, starter.sight.team, id, &event).await?;
        let settled = match occasion {
            Occasion::Asked => true,
            Occasion::Due(fire) => {
                store::schedule::settle(tx, fire, run.created_at, FireOutcome::Started, "", Some(run.id)).await?
            }
            Occasion::Approved(approval) => store::approval::settle(tx, approval, "").await?,
        };
        if !settled {
            return Err(Error::conflict(Code::WrongState, "This has been started already."));
        }
        if let Some(approval) = &approval {
            store::approval::note_run(tx, run.id, approval.shown.id).await?;
        }
        Ok(run)
    })
    .map_err(|error| {
        let unique = is_unique_violation(&error);
        if unique { runs_already() } else { error }
    })?;
    app.jobs.take_care(run.clone());
    tell(app, &run, event, DesiredState::Running);
    Ok(())
}

/// A draft that differs is frozen, but not where that would leave an unapproved version behind: it would end the approval
/// of the one before it.
async fn version_to_start(app: &App, starter: Starter<'_>, id: JobId, wanted: Option<u32>) -> Result<Version> {
    let team = starter.sight.team;
    match wanted {
        Some(number) => version::get(app, team, id, number).await,
        None if approval_gate::is_required(app, team).await? => {
            version::of_draft(app, &starter.sight, id).await?.ok_or_else(approval_gate::draft_is_new)
        }
        None => version::create(app, &starter.sight, starter.name, id, "").await,
    }
}

/// What the run starts with; `None` for a script without parameters. Variables may have changed since the version was
/// made, so that its script is looked at once more: it must be right, reach no further than any script may, and use the
/// tables that the version was made with, since access to those is what was looked at.
async fn check_parameters(app: &App, sight: &Sight, version: &Version) -> Result<Option<(Filled, Started)>> {
    if !parameter::has_parameters(&version.sql) {
        return Ok(None);
    }
    let filled = script::filled(app, sight.team, &version.sql).await?;
    let planning = catalog::planning_of_version(app, sight, version).await?;
    let parallelism = Some(version.settings.parallelism);
    let validation = sql::validate_with(app, sight, planning, &filled, parallelism).await?;
    version::runnable(&validation)?;
    if validation.reads != version.reads || validation.writes != version.writes {
        let number = version.summary.number;
        let message = format!("With the variables as they are now, version {number} would use other tables.");
        let error = Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, message);
        return Err(error.at("sql").hint("Save a new version and start that."));
    }
    let started_with = script::started_with(app, sight.team, &filled).await?;
    Ok(Some((filled, started_with)))
}

/// Tables of other teams must be open to the job's team, or to whoever starts it, at every start.
pub(super) async fn refuse_closed(app: &App, sight: &Sight, version: &Version) -> Result<()> {
    let foreign = |names: &[String]| names.iter().filter(|name| catalog::is_foreign(name)).cloned().collect::<Vec<_>>();
    let (reads, writes) = (foreign(&version.reads), foreign(&version.writes));
    if reads.is_empty() && writes.is_empty() {
        return Ok(());
    }
    let mut open = store::table::open_to(&app.store, &Sight::platform(sight.team)).await?;
    open.extend(store::table::open_to(&app.store, sight).await?);
    let readable = |name: &String| open.iter().any(|table| table.name() == *name);
    let writable = |name: &String| open.iter().any(|table| table.name() == *name && table.writes);
    let closed = reads.iter().find(|name| !readable(name)).or_else(|| writes.iter().find(|name| !writable(name)));
    match closed {
        None => Ok(()),
        Some(name) => {
            let message = format!(
                "The table '{name}' of another team is not open to this team as version {} uses it.",
                version.summary.number
            );
            let hint = "Ask the team that owns the table for access, or change the script.";
            Err(Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, message).hint(hint).at("sql"))
        }
    }
}

fn runs_already() -> Error {
    Error::conflict(Code::WrongState, "The job runs already.").hint("Stop it first.")
}

fn tell(app: &App, run: &RunRow, event: RunEvent, desired: DesiredState) {
    app.live.publish(run.team, &LiveEvent::RunEvent { job: run.job, event });
    app.live.publish(run.team, &LiveEvent::Job { job: run.job, desired, current: Some(app.jobs.current(run)) });
}

pub(super) async fn restore_from(app: &App, id: JobId, request: &Start) -> Result<Option<RestorePointRow>> {
    match request.from {
        StartFrom::Fresh => Ok(None),
        StartFrom::Latest => Ok(usable_points(app, id).await?.into_iter().next()),
        StartFrom::Savepoint => {
            let wanted = request.savepoint.ok_or_else(|| Error::field("savepoint", "Choose a savepoint."))?;
            let point = store::restore_point::savepoint(&app.store, id, wanted).await?;
            let point = point.ok_or_else(|| Error::field("savepoint", "There is no such savepoint."))?;
            if !Path::new(&point.path).exists() {
                return Err(Error::field("savepoint", "The files of this savepoint are gone."));
            }
            Ok(Some(point))
        }
    }
}

/// In `pending`; the number is given when it is stored.
fn new_run(
    app: &App,
    starter: Starter<'_>,
    job: JobId,
    version: &Version,
    request: &Start,
    from: Option<RestorePointRow>,
) -> RunRow {
    let (id, now) = (RunId(new_id()), now_ms());
    // Going on from the newest point continues its folder, so that what was committed last is found there. Any other
    // start has a folder of its own: numbers of checkpoints begin anew or again.
    let own_root = || checkpoints_of(app, job).join(id.to_string());
    let root = match (&from, request.from) {
        (Some(point), StartFrom::Latest) => Path::new(&point.path).parent().map_or_else(own_root, Path::to_owned),
        _ => own_root(),
    };
    let start_at_ms = request.at_ms.filter(|_| request.from == StartFrom::Fresh);
    RunRow {
        id,
        job,
        team: starter.sight.team,
        number: 0,
        version: version.summary.id,
        version_number: version.summary.number,
        cause: starter.cause,
        started_by: starter.name.to_owned(),
        state: RunState::Pending,
        reason: String::new(),
        state_at: now,
        attempt: 0,
        phase: "over".to_owned(),
        token_hash: String::new(),
        process: None,
        stop_mode: None,
        restored_from: from.as_ref().map(in_words).unwrap_or_default(),
        restore: from.map(|point| Restore { path: point.path, number: point.number, kind: point.kind }),
        start_at_ms,
        checkpoint_root: root.display().to_string(),
        graph: None,
        guarantee: Some(version.guarantee.clone()),
        created_at: now,
        running_at: None,
        ended_at: None,
        last_seen_at: None,
        records_in: 0,
        records_out: 0,
        base_in: 0,
        base_out: 0,
        keeper: app.jobs.keeper(),
        host: String::new(),
    }
}

pub(super) fn in_words(point: &RestorePointRow) -> String {
    format!("from {} {} of run {}", point.kind, point.number, point.run_number)
}

pub async fn stop(app: &App, starter: Starter<'_>, id: JobId, request: Stop) -> Result<Job> {
    job::row(app, starter.sight.team, id).await?;
    if !end_run(app, starter, id, request.mode, After::Rests).await? {
        return Err(Error::conflict(Code::WrongState, "The job does not run."));
    }
    job::get(app, &starter.sight, id).await
}

/// Stops with a savepoint and starts the same version again from it; what does not run is started. The start comes by
/// itself once the run is over, also when another server sees that. Says what was done.
pub async fn restart(app: &App, starter: Starter<'_>, id: JobId) -> Result<&'static str> {
    job::row(app, starter.sight.team, id).await?;
    approval_gate::restart(app, starter.sight.team, id).await?;
    if end_run(app, starter, id, StopMode::Savepoint, After::StartsAgain).await? {
        return Ok("stops, then starts again");
    }
    let starter = Starter { cause: RunCause::Restart, ..starter };
    start(app, starter, id, from_latest(None)).await?;
    Ok("starts")
}

pub(super) fn from_latest(version: Option<u32>) -> Start {
    Start { version, from: StartFrom::Latest, savepoint: None, at_ms: None }
}

/// Starts what was stopped in order to be started again. Called every second.
pub async fn start_again(app: &App) -> Result<()> {
    for due in store::job::to_restart(&app.store).await? {
        let starter = Starter { sight: Sight::platform(due.team), name: &due.by, cause: RunCause::Restart };
        let newest = store::run::newest(&app.store, due.job).await?;
        let version = newest.as_ref().map(|run| run.version_number);
        let Err(error) = start(app, starter, due.job, from_latest(version)).await else { continue };
        if error.code() == Code::WrongState {
            // Another server was quicker.
            continue;
        }
        if error.cause().is_some() {
            // Not for a reason of the job: the next look tries again.
            tracing::warn!(job.id = %due.job, %error, "a job is not started again yet");
            continue;
        }
        tracing::warn!(job.id = %due.job, %error, "a job cannot be started again");
        let event = newest.map(|run| RunEvent {
            at: now_ms(),
            run: run.id,
            attempt: run.attempt,
            kind: RunEventKind::Error,
            message: format!("It could not be started again: {}", error.message()),
        });
        transact!(app.store, tx => {
            store::job::want_restart(tx, due.job, "").await?;
            store::job::set_desired(tx, due.job, DesiredState::Stopped).await?;
            if let Some(event) = &event {
                store::job_event::insert(tx, due.team, due.job, event).await?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What a run that is asked to end leaves behind.
#[derive(Clone, Copy, PartialEq)]
enum After {
    Rests,
    StartsAgain,
}

/// False when no run is live.
async fn end_run(app: &App, starter: Starter<'_>, id: JobId, mode: StopMode, after: After) -> Result<bool> {
    let (desired, restart_by, message) = match after {
        After::Rests => (DesiredState::Stopped, "", format!("{} asked to stop {}.", starter.name, stop_in_words(mode))),
        After::StartsAgain => (DesiredState::Running, starter.name, format!("{} asked to restart.", starter.name)),
    };
    let asked = transact!(app.store, tx => {
        let Some(run) = store::run::live_in(tx, id).await? else { return Ok(None) };
        store::run::ask_stop(tx, run.id, mode, starter.name).await?;
        store::job::set_desired(tx, id, desired).await?;
        store::job::want_restart(tx, id, restart_by).await?;
        let (kind, attempt, message) = (RunEventKind::Person, run.attempt, message.clone());
        let event = RunEvent { at: now_ms(), run: run.id, attempt, kind, message };
        store::job_event::insert(tx, starter.sight.team, id, &event).await?;
        Ok(Some((run, event)))
    })?;
    let Some((run, event)) = asked else { return Ok(false) };
    // Told before the run is looked at: what follows from it must not be overtaken by how it was.
    tell(app, &run, event, desired);
    app.jobs.look_at(run.id, starter.name).await;
    Ok(true)
}

/// It appears among the savepoints when it is done.
pub async fn take_savepoint(app: &App, caller: &TeamCaller, id: JobId) -> Result<()> {
    job::row(app, caller.team, id).await?;
    let run = store::run::newest(&app.store, id).await?.filter(|run| run.state == RunState::Running);
    let run = run.ok_or_else(|| Error::conflict(Code::WrongState, "A savepoint can be taken while the job runs."))?;
    if app.jobs.take_savepoint(&run, SavepointBy::Person(caller.caller.name.clone())).await {
        return Ok(());
    }
    Err(Error::unavailable("The worker is not linked at the moment. Try again shortly."))
}

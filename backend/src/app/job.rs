//! Jobs and their drafts.

use millrace_wire::error::FieldError;
use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::job::{DesiredState, Draft, Job, JobChange, JobKind, JobSettings, NewJob, SaveDraft};
use millrace_wire::live::LiveEvent;

use super::account::taken_or;
use super::{check, folder, guest_script};
use crate::access::identity::TeamCaller;
use crate::access::sight::{Object, Sight};
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::store::job::{DraftRow, JobRow};
use crate::transact;

const MOST_TAGS: usize = 20;

pub async fn get(app: &App, sight: &Sight, id: JobId) -> Result<Job> {
    let row = row(app, sight.team, id).await?;
    let standing = store::grant::standing(&app.store, sight, Object::Job(id)).await?;
    let standing = standing.ok_or_else(|| Error::not_found("job"))?;
    let newest = store::version::newest(&app.store, id).await?;
    let counts = store::job::counts(&app.store, id).await?;
    let run = store::run::newest(&app.store, id).await?;
    let differs =
        newest.as_ref().is_none_or(|version| version.sql != row.draft.sql || version.settings != row.draft.settings);
    Ok(Job {
        id,
        name: row.name,
        description: row.description,
        owner: row.owner,
        tags: row.tags,
        folder: row.folder,
        kind: row.kind,
        draft: Draft {
            sql: row.draft.sql,
            settings: row.draft.settings,
            revision: row.draft.revision,
            updated_by: row.draft.updated_by,
            updated_at: row.draft.updated_at,
            differs,
        },
        desired: row.desired,
        current: run.map(|run| app.jobs.current(&run)),
        latest_version: newest.map(|version| version.summary),
        created_at: row.created_at,
        updated_at: row.updated_at,
        runs: counts.runs,
        versions: counts.versions,
        savepoints: counts.savepoints,
        demo: row.demo,
        access: standing.of_job(),
    })
}

/// Of this team only.
pub(super) async fn row(app: &App, team: TeamId, id: JobId) -> Result<JobRow> {
    store::job::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("job"))
}

/// Who makes a job, and whether it is the platform for the demo.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub sight: Sight,
    pub name: &'a str,
    pub demo: bool,
}

impl<'a> Maker<'a> {
    pub fn person(caller: &'a TeamCaller) -> Maker<'a> {
        Maker { sight: caller.sight(), name: &caller.caller.name, demo: false }
    }
}

pub async fn create(app: &App, maker: Maker<'_>, request: NewJob) -> Result<Job> {
    let settings = request.settings.unwrap_or_default();
    let mut problems = settings_problems(&settings);
    problems.extend(text_problems(&request.name, &request.description, &request.tags));
    problems.extend(script_problem(&request.sql));
    let folder = folder_of(&request.folder, &mut problems);
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    let now = now_ms();
    let job = JobRow {
        id: JobId(new_id()),
        team: maker.sight.team,
        name: request.name.trim().to_owned(),
        description: request.description,
        owner: maker.name.to_owned(),
        owner_id: maker.sight.user(),
        restricted: false,
        tags: request.tags,
        folder,
        kind: request.kind.unwrap_or(JobKind::Stream),
        desired: DesiredState::Stopped,
        demo: maker.demo,
        draft: DraftRow { sql: request.sql, settings, revision: 1, updated_by: maker.name.to_owned(), updated_at: now },
        created_at: now,
        updated_at: now,
    };
    transact!(app.store, tx => { store::job::insert(tx, &job).await }).map_err(name_taken)?;
    app.live.publish(maker.sight.team, &LiveEvent::JobsChanged { job: job.id });
    get(app, &maker.sight, job.id).await
}

pub async fn change(app: &App, caller: &TeamCaller, id: JobId, request: JobChange) -> Result<Job> {
    let mut job = row(app, caller.team, id).await?;
    job.name = request.name.map_or(job.name, |name| name.trim().to_owned());
    job.description = request.description.unwrap_or(job.description);
    job.tags = request.tags.unwrap_or(job.tags);
    job.kind = request.kind.unwrap_or(job.kind);
    job.updated_at = now_ms();
    let mut problems = text_problems(&job.name, &job.description, &job.tags);
    if let Some(folder) = request.folder {
        job.folder = folder_of(&folder, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    transact!(app.store, tx => { store::job::change(tx, &job).await }).map_err(name_taken)?;
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    get(app, &caller.sight(), id).await
}

/// The edit must have started from the revision that is stored, so that two editors do not overwrite each other.
pub async fn save_draft(app: &App, caller: &TeamCaller, id: JobId, request: SaveDraft) -> Result<Job> {
    let mut problems = settings_problems(&request.settings);
    problems.extend(script_problem(&request.sql));
    if !problems.is_empty() {
        return Err(Error::fields(problems));
    }
    let job = row(app, caller.team, id).await?;
    if caller.role.is_none() && request.sql != job.draft.sql {
        guest_script::check(app, caller.team, &job.draft.sql, &request.sql).await?;
    }
    let draft = DraftRow {
        sql: request.sql,
        settings: request.settings,
        revision: request.revision.saturating_add(1),
        updated_by: caller.caller.name.clone(),
        updated_at: now_ms(),
    };
    let saved = transact!(app.store, tx => { store::job::save_draft(tx, id, request.revision, &draft).await })?;
    if !saved {
        let message = format!("{} has saved this draft meanwhile.", job.draft.updated_by);
        let hint = "Reload the draft and put your change on top of it.";
        return Err(Error::conflict(Code::DraftChanged, message).hint(hint));
    }
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    get(app, &caller.sight(), id).await
}

pub(super) fn name_taken(error: Error) -> Error {
    taken_or(error, "name", "A job with this name exists in the team.")
}

fn field(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

pub(super) fn text_problems(name: &str, description: &str, tags: &[String]) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut found = |name: &str, outcome: Result<()>| {
        if let Err(error) = outcome {
            problems.push(field(name, error.message()));
        }
    };
    found("name", check::display_name("name", name));
    found("description", check::description("description", description));
    let bad_tag = |tag: &String| tag.trim().is_empty() || tag.chars().count() > 40 || tag.chars().any(char::is_control);
    if tags.len() > MOST_TAGS || tags.iter().any(bad_tag) {
        problems.push(field("tags", format!("Use at most {MOST_TAGS} tags of 1 to 40 characters.")));
    }
    problems
}

fn folder_of(path: &str, problems: &mut Vec<FieldError>) -> String {
    folder::clean(path).unwrap_or_else(|message| {
        problems.push(field("folder", message));
        String::new()
    })
}

fn script_problem(sql: &str) -> Option<FieldError> {
    (sql.len() > super::sql::LONGEST_SCRIPT).then(|| field("sql", "The script is longer than 512 KB."))
}

fn settings_problems(settings: &JobSettings) -> Vec<FieldError> {
    const HOUR_MS: u64 = 3_600_000;
    let mut problems = Vec::new();
    let mut within = |name: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            problems.push(field(&format!("settings.{name}"), format!("Choose {least} to {most}.")));
        }
    };
    within("parallelism", u64::from(settings.parallelism), 1, 256);
    within("checkpoint_interval_ms", settings.checkpoint_interval_ms, 100, HOUR_MS);
    within("checkpoints_kept", u64::from(settings.checkpoints_kept), 1, 100);
    within("restart_attempts", u64::from(settings.restart_attempts), 0, 1_000_000);
    within("restart_window_ms", settings.restart_window_ms, 1_000, 24 * HOUR_MS);
    within("state_ttl_ms", settings.state_ttl_ms, 0, 10 * 365 * 24 * HOUR_MS);
    within("memory_limit_mb", settings.memory_limit_mb, 64, 1 << 20);
    problems
}

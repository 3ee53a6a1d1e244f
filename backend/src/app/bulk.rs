//! One action on many jobs: each is done or refused on its own, and the report says which and why.

use millrace_wire::access::Level;
use millrace_wire::ids::JobId;
use millrace_wire::job::{JobChange, Start, StartFrom, Stop, StopMode};
use millrace_wire::job_life::{BulkAction, BulkItem, BulkReport, BulkRequest};
use millrace_wire::team::Role;

use super::start::{self, Starter};
use super::{bin, folder, job};
use crate::access::identity::TeamCaller;
use crate::access::sight::{Object, Standing};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;

const MOST_AT_ONCE: usize = 500;

/// What a single call of that kind needs.
const fn needed(action: BulkAction) -> (Level, Role) {
    match action {
        BulkAction::Tag | BulkAction::Untag | BulkAction::Move => (Level::Write, Role::Developer),
        BulkAction::Start | BulkAction::Stop | BulkAction::Restart => (Level::Write, Role::Operator),
        BulkAction::Delete => (Level::Manage, Role::Operator),
    }
}

pub async fn run(app: &App, caller: &TeamCaller, request: BulkRequest) -> Result<BulkReport> {
    let tag = tag_of(&request)?;
    let folder = folder_of(&request)?;
    if request.from == Some(StartFrom::Savepoint) {
        return Err(Error::field("from", "A savepoint belongs to one job. Choose latest or fresh."));
    }
    let mut items = Vec::new();
    for id in targets(app, caller, &request).await? {
        items.push(one(app, caller, &request, (&tag, &folder), id).await?);
    }
    let done = items.iter().filter(|item| item.done).count() as u64;
    Ok(BulkReport { done, refused: items.len() as u64 - done, items })
}

fn tag_of(request: &BulkRequest) -> Result<String> {
    let tag = request.tag.as_deref().unwrap_or_default().trim().to_owned();
    let needs_one = matches!(request.action, BulkAction::Tag | BulkAction::Untag);
    if needs_one && tag.is_empty() {
        return Err(Error::field("tag", "Enter a tag."));
    }
    Ok(tag)
}

/// Where `move` moves to.
fn folder_of(request: &BulkRequest) -> Result<String> {
    match (request.action, &request.folder) {
        (BulkAction::Move, None) => Err(Error::field("folder", "Name a folder; an empty text is the root.")),
        (BulkAction::Move, Some(path)) => folder::clean(path).map_err(|message| Error::field("folder", message)),
        _ => Ok(String::new()),
    }
}

async fn targets(app: &App, caller: &TeamCaller, request: &BulkRequest) -> Result<Vec<JobId>> {
    let too_many = |field| Error::field(field, format!("At most {MOST_AT_ONCE} jobs at once. Narrow the choice."));
    match (&request.filter, request.jobs.is_empty()) {
        (Some(_), false) => Err(Error::field("filter", "Name the jobs or give a filter, not both.")),
        (None, true) => Err(Error::field("jobs", "Choose at least one job.")),
        (None, false) => {
            let mut jobs = Vec::new();
            for id in &request.jobs {
                if !jobs.contains(id) {
                    jobs.push(*id);
                }
            }
            if jobs.len() > MOST_AT_ONCE { Err(too_many("jobs")) } else { Ok(jobs) }
        }
        (Some(filter), true) => {
            let found = store::job_list::names(&app.store, &caller.sight(), filter, MOST_AT_ONCE as u64 + 1).await?;
            if found.len() > MOST_AT_ONCE {
                return Err(too_many("filter"));
            }
            Ok(found.into_iter().map(|(id, _)| id).collect())
        }
    }
}

/// What fails becomes part of the report, whosever fault it is.
async fn one(
    app: &App,
    caller: &TeamCaller,
    request: &BulkRequest,
    words: (&str, &str),
    id: JobId,
) -> Result<BulkItem> {
    let name = store::job::name_of(&app.store, &caller.sight(), id).await?.unwrap_or_default();
    let outcome = match allowed(app, caller, request.action, id).await {
        Ok(()) => act(app, caller, request, words, id).await,
        Err(error) => Err(error),
    };
    let item = |done, code, message| BulkItem { job: id, name: name.clone(), done, code, message };
    match outcome {
        Ok(message) => Ok(item(true, None, message.to_owned())),
        Err(error) if error.cause().is_some() => {
            // The others are done all the same, and the report tells of them.
            tracing::error!(job.id = %id, %error, "a bulk action failed for a job");
            Ok(item(false, Some(error.code().as_str().to_owned()), error.message().to_owned()))
        }
        Err(error) => Ok(item(false, Some(error.code().as_str().to_owned()), error.message().to_owned())),
    }
}

/// By the right to this very job. One that is hidden is answered as one that is not there.
async fn allowed(app: &App, caller: &TeamCaller, action: BulkAction, id: JobId) -> Result<()> {
    let (level, role) = needed(action);
    let standing = store::grant::standing(&app.store, &caller.sight(), Object::Job(id)).await?;
    match standing.filter(Standing::sees) {
        None => Err(Error::not_found("job")),
        Some(standing) if standing.may(level, role) => Ok(()),
        Some(_) => Err(Error::not_allowed(format!("This needs the role {role}, or the right '{level}' to the job."))),
    }
}

/// `words`: the tag, and the folder to move to.
async fn act(
    app: &App,
    caller: &TeamCaller,
    request: &BulkRequest,
    (tag, folder): (&str, &str),
    id: JobId,
) -> Result<&'static str> {
    let starter = Starter::person(caller);
    match request.action {
        BulkAction::Start => {
            let from = request.from.unwrap_or(StartFrom::Latest);
            let start = Start { version: None, from, savepoint: None, at_ms: None };
            start::start(app, starter, id, start).await?;
            Ok("starts")
        }
        BulkAction::Stop => {
            let mode = request.mode.unwrap_or(StopMode::Savepoint);
            start::stop(app, starter, id, Stop { mode }).await?;
            Ok("stops")
        }
        BulkAction::Restart => start::restart(app, starter, id).await,
        BulkAction::Tag => {
            let mut tags = job::row(app, caller.team, id).await?.tags;
            if tags.iter().any(|known| known == tag) {
                return Ok("has the tag already");
            }
            tags.push(tag.to_owned());
            retag(app, caller, id, tags).await?;
            Ok("is tagged")
        }
        BulkAction::Untag => {
            let mut tags = job::row(app, caller.team, id).await?.tags;
            let before = tags.len();
            tags.retain(|known| known != tag);
            if tags.len() == before {
                return Ok("does not have the tag");
            }
            retag(app, caller, id, tags).await?;
            Ok("lost the tag")
        }
        BulkAction::Move => relocate(app, caller, (request.from_folder.as_deref(), folder), id).await,
        BulkAction::Delete => {
            bin::put(app, caller, id).await?;
            Ok("is in the recycle bin")
        }
    }
}

async fn relocate(app: &App, caller: &TeamCaller, (from, to): (Option<&str>, &str), id: JobId) -> Result<&'static str> {
    let known = job::row(app, caller.team, id).await?.folder;
    let wanted = match from {
        Some(from) => folder::moved(&known, from, to)
            .ok_or_else(|| Error::field("from_folder", "The job does not lie in this folder."))?,
        None => to.to_owned(),
    };
    let change = JobChange { folder: Some(wanted), ..JobChange::default() };
    job::change(app, caller, id, change).await?;
    Ok("is in the folder")
}

async fn retag(app: &App, caller: &TeamCaller, id: JobId, tags: Vec<String>) -> Result<()> {
    let change = JobChange { tags: Some(tags), ..JobChange::default() };
    job::change(app, caller, id, change).await.map(drop)
}

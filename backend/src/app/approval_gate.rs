//! What may start in a team that asks for approvals: one version in the way that was approved, and what goes on from
//! there.
//!
//! An approval is given for a version and for a choice of what it starts from. It covers
//! - that start, again and again;
//! - going on from a checkpoint or savepoint that the version itself has made, which is what a restart does;
//! - a start without state, however it was asked for, where it was approved that there is none.
//!
//! It ends when a newer version is made, except for the version that ran last: saving a version must not keep what runs
//! from being restarted. It ends too when what the version uses is not what it was. A version never changes, and it
//! holds script, settings, descriptions of tables and functions; connections and variables it does not hold, so that
//! their addresses and values are part of the digest. Passwords are not: they may be renewed.
//!
//! Every start of a job passes `start::launch` and with it [`gate`], whoever asks for it: a person, a program, a bulk
//! action, a restart, a schedule. Stopping never does.

use std::collections::BTreeMap;

use millrace_wire::approval::{ApprovalMode, ApprovalNeed, ApprovalState, StartApproval};
use millrace_wire::error::{ErrorDomain, Retry};
use millrace_wire::ids::{ConnectionId, FunctionId, JobId, SavepointId, TeamId, UserId};
use millrace_wire::job::{JobSettings, Start, StartFrom, Version};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{catalog, job, script, start, version};
use crate::access::secret::hex;
use crate::access::sight::Sight;
use crate::error::{Code, Error, Result};
use crate::parameter::{Filled, Use};
use crate::state::App;
use crate::store;
use crate::store::approval::ApprovalRow;

const DRAFT_IS_NEW: &str = "The draft has changed since the newest version: nobody has approved it.";

pub(super) async fn is_required(app: &App, team: TeamId) -> Result<bool> {
    Ok(store::approval::setting(&app.store, team).await?.mode == ApprovalMode::Required)
}

/// What a version consists of, in an order that does not change.
#[derive(Serialize)]
struct Content<'a> {
    sql: &'a str,
    settings: &'a JobSettings,
    tables: &'a BTreeMap<String, String>,
    functions: BTreeMap<&'a str, Function<'a>>,
    connections: BTreeMap<String, (Option<ConnectionId>, BTreeMap<String, String>)>,
    /// What the parameters of the script stand for; nothing for secrets.
    parameters: BTreeMap<&'a str, Option<&'a str>>,
}

#[derive(Serialize)]
struct Function<'a> {
    function: FunctionId,
    version: u32,
    definition: Option<&'a str>,
    entry: Option<&'a str>,
    module_hash: Option<&'a str>,
}

/// Of all that a version would run with now.
pub(super) async fn digest(app: &App, team: TeamId, version: &Version) -> Result<String> {
    let filled = script::filled(app, team, &version.sql).await?;
    digest_with(app, team, version, &filled).await
}

/// Of all that it runs with when it runs as this text.
pub(super) async fn digest_with(app: &App, team: TeamId, version: &Version, filled: &Filled) -> Result<String> {
    let functions = version.functions.iter().map(|(name, pinned)| {
        let function = Function {
            function: pinned.function,
            version: pinned.version,
            definition: pinned.definition.as_deref(),
            entry: pinned.entry.as_deref(),
            module_hash: pinned.module_hash.as_deref(),
        };
        (name.as_str(), function)
    });
    let parameters = filled.uses().iter().map(|(name, used)| {
        let value = match used {
            Use::Value(value) | Use::Default(value) => Some(value.as_str()),
            Use::Secret => None,
        };
        (name.as_str(), value)
    });
    let content = Content {
        sql: &version.sql,
        settings: &version.settings,
        tables: &version.tables,
        functions: functions.collect(),
        connections: catalog::connections_now(app, team, version.tables.keys()).await?,
        parameters: parameters.collect(),
    };
    Ok(hex(&Sha256::digest(serde_json::to_vec(&content)?)))
}

/// What was found out about a start.
pub(super) enum Finding {
    Approved(Box<ApprovalRow>),
    /// A sentence that says why not.
    Missing(String),
}

/// The approval by which the version may start in this way; `None` where the team asks for none.
/// `restores`: the version whose state the request would restore.
pub(super) async fn gate(
    app: &App,
    team: TeamId,
    id: JobId,
    version: &Version,
    request: &Start,
    restores: Option<u32>,
) -> Result<Option<ApprovalRow>> {
    if !is_required(app, team).await? {
        return Ok(None);
    }
    match find(app, team, id, version, request, restores).await? {
        Finding::Approved(approval) => Ok(Some(*approval)),
        Finding::Missing(why) => Err(needed(why)),
    }
}

/// Before a job is stopped in order to be started again: what could not start is not stopped.
pub(super) async fn restart(app: &App, team: TeamId, id: JobId) -> Result<()> {
    if !is_required(app, team).await? {
        return Ok(());
    }
    let Some(run) = store::run::newest(&app.store, id).await?.filter(|run| !run.state.is_terminal()) else {
        return Ok(());
    };
    let version = version::get(app, team, id, run.version_number).await?;
    match still_good(app, team, id, &version).await? {
        Good::Yes(_) => Ok(()),
        Good::No(why) => Err(needed(why)),
    }
}

pub(super) fn needed(why: impl Into<String>) -> Error {
    Error::new(Code::ApprovalNeeded, ErrorDomain::User, Retry::AfterChange, why)
        .hint("Ask for approval: by Start in the console, or by POST …/approvals. Another operator or owner decides.")
}

pub(super) fn draft_is_new() -> Error {
    needed(DRAFT_IS_NEW)
}

/// Approvals of a version that count, whatever it is to start from.
enum Good {
    Yes(Vec<ApprovalRow>),
    No(String),
}

async fn still_good(app: &App, team: TeamId, id: JobId, version: &Version) -> Result<Good> {
    let number = version.summary.number;
    let given = store::approval::given_for(&app.store, id, number).await?;
    if given.is_empty() {
        return Ok(Good::No(format!("Nobody has approved the start of version {number}.")));
    }
    if is_superseded(app, id, number).await? {
        return Ok(Good::No(format!("The approval of version {number} ended when a newer version was made.")));
    }
    let now = digest(app, team, version).await?;
    let same: Vec<ApprovalRow> = given.into_iter().filter(|approval| approval.shown.digest == now).collect();
    if same.is_empty() {
        let why = format!("Since version {number} was approved, a connection or variable that it uses was changed.");
        return Ok(Good::No(why));
    }
    Ok(Good::Yes(same))
}

/// A newer version is there, and this one is not what ran last.
pub(super) async fn is_superseded(app: &App, id: JobId, number: u32) -> Result<bool> {
    let newest = store::version::newest(&app.store, id).await?.map(|version| version.summary.number);
    if newest.is_none_or(|newest| newest <= number) {
        return Ok(false);
    }
    let ran_last = store::run::newest(&app.store, id).await?.map(|run| run.version_number);
    Ok(ran_last != Some(number))
}

pub(super) async fn find(
    app: &App,
    team: TeamId,
    id: JobId,
    version: &Version,
    request: &Start,
    restores: Option<u32>,
) -> Result<Finding> {
    let good = match still_good(app, team, id, version).await? {
        Good::Yes(good) => good,
        Good::No(why) => return Ok(Finding::Missing(why)),
    };
    let ways: Vec<&'static str> = good.iter().map(|approval| way_in_words(&approval.shown)).collect();
    match good.into_iter().find(|approval| covers(&approval.shown, request, restores)) {
        Some(approval) => Ok(Finding::Approved(Box::new(approval))),
        None => {
            let (number, way) = (version.summary.number, ways.first().copied().unwrap_or_default());
            let why = format!("Version {number} was approved to start {way}, and not in another way.");
            Ok(Finding::Missing(why))
        }
    }
}

fn way_in_words(approved: &StartApproval) -> &'static str {
    match approved.from {
        StartFrom::Latest if approved.restored_from.is_empty() => "without earlier state",
        StartFrom::Latest => "from its latest state",
        StartFrom::Savepoint => "from a certain savepoint",
        StartFrom::Fresh if approved.at_ms.is_some() => "without state, from a certain time on",
        StartFrom::Fresh => "without state",
    }
}

fn covers(approved: &StartApproval, request: &Start, restores: Option<u32>) -> bool {
    let asked = way(approved.from, approved.savepoint, approved.at_ms);
    let wanted = way(request.from, request.savepoint, request.at_ms);
    let goes_on = request.from == StartFrom::Latest && restores == Some(approved.version);
    let nothing = way(StartFrom::Fresh, None, None);
    let wants_nothing = wanted == nothing || (request.from == StartFrom::Latest && restores.is_none());
    let gives_nothing = asked == nothing || (approved.from == StartFrom::Latest && approved.restored_from.is_empty());
    asked == wanted || goes_on || (wants_nothing && gives_nothing)
}

/// What of a choice counts: a time is for starts without state only, a savepoint for those from one.
fn way(
    from: StartFrom,
    savepoint: Option<SavepointId>,
    at_ms: Option<i64>,
) -> (StartFrom, Option<SavepointId>, Option<i64>) {
    let savepoint = savepoint.filter(|_| from == StartFrom::Savepoint);
    (from, savepoint, at_ms.filter(|_| from == StartFrom::Fresh))
}

/// What such a start needs, for somebody who thinks about it. Changes nothing.
pub(super) async fn need(app: &App, team: TeamId, id: JobId, request: &Start, user: UserId) -> Result<ApprovalNeed> {
    job::row(app, team, id).await?;
    let required = is_required(app, team).await?;
    let version = match request.version {
        Some(number) => Some(version::get(app, team, id, number).await?),
        None => version::of_draft(app, &Sight::platform(team), id).await?,
    };
    let open = store::approval::list(&app.store, id).await?;
    let open = open.into_iter().find(|known| known.shown.state == ApprovalState::Open);
    let number = version.as_ref().map(|version| version.summary.number);
    let (approved, refusal) = match (&version, required) {
        (_, false) => (None, String::new()),
        (None, true) => (None, DRAFT_IS_NEW.to_owned()),
        (Some(version), true) => {
            let restores = start::restore_from(app, id, request).await?.map(|point| point.version);
            match find(app, team, id, version, request, restores).await? {
                Finding::Approved(approval) => (Some(approval.given()), String::new()),
                Finding::Missing(why) => (None, why),
            }
        }
    };
    Ok(ApprovalNeed { required, version: number, approved, refusal, open: open.map(|open| open.shown_to(user)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;
    use millrace_wire::ids::ApprovalId;

    fn approved(from: StartFrom, savepoint: Option<SavepointId>, at_ms: Option<i64>, restored: &str) -> StartApproval {
        StartApproval {
            id: ApprovalId(new_id()),
            team_slug: String::new(),
            job: JobId(new_id()),
            job_name: String::new(),
            version: 3,
            from,
            savepoint,
            at_ms,
            restored_from: restored.to_owned(),
            digest: String::new(),
            start_when_approved: true,
            reason: String::new(),
            asker: String::new(),
            asker_email: String::new(),
            asked_at: 0,
            state: ApprovalState::Approved,
            decided_by: String::new(),
            decided_at: None,
            answer: String::new(),
            not_started: String::new(),
            own: false,
        }
    }

    fn start(from: StartFrom, savepoint: Option<SavepointId>, at_ms: Option<i64>) -> Start {
        Start { version: Some(3), from, savepoint, at_ms }
    }

    #[test]
    fn the_choice_that_was_approved_may_start_and_no_other() {
        let (one, other) = (SavepointId(new_id()), SavepointId(new_id()));
        let latest = approved(StartFrom::Latest, None, None, "from checkpoint 7 of run 2");
        assert!(covers(&latest, &start(StartFrom::Latest, None, None), Some(2)));
        assert!(!covers(&latest, &start(StartFrom::Fresh, None, None), None));
        assert!(!covers(&latest, &start(StartFrom::Savepoint, Some(one), None), Some(2)));

        let savepoint = approved(StartFrom::Savepoint, Some(one), None, "from savepoint 1 of run 2");
        assert!(covers(&savepoint, &start(StartFrom::Savepoint, Some(one), None), Some(2)));
        assert!(!covers(&savepoint, &start(StartFrom::Savepoint, Some(other), None), Some(2)));
        assert!(!covers(&savepoint, &start(StartFrom::Latest, None, None), Some(2)));

        let timed = approved(StartFrom::Fresh, None, Some(1_000), "");
        assert!(covers(&timed, &start(StartFrom::Fresh, None, Some(1_000)), None));
        assert!(!covers(&timed, &start(StartFrom::Fresh, None, Some(2_000)), None));
        assert!(!covers(&timed, &start(StartFrom::Fresh, None, None), None));
    }

    #[test]
    fn a_version_goes_on_from_what_it_made_itself() {
        let fresh = approved(StartFrom::Fresh, None, None, "");
        assert!(covers(&fresh, &start(StartFrom::Latest, None, None), Some(3)));
        assert!(!covers(&fresh, &start(StartFrom::Latest, None, None), Some(2)), "the state of another version");
        assert!(covers(&fresh, &start(StartFrom::Latest, None, None), None), "there is no state");
    }

    #[test]
    fn where_there_was_no_state_a_start_without_state_was_approved() {
        let latest = approved(StartFrom::Latest, None, None, "");
        assert!(covers(&latest, &start(StartFrom::Fresh, None, None), None), "as a schedule starts it");
        assert!(!covers(&latest, &start(StartFrom::Fresh, None, Some(1)), None));
    }
}

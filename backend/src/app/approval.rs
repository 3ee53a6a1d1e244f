//! Asking for the approval of a start, deciding, withdrawing; and starting what was approved.

use millrace_wire::access::Level;
use millrace_wire::approval::{ApprovalDecision, ApprovalNeed, ApprovalState, AskForApproval, StartApproval};
use millrace_wire::error::{ErrorDomain, Retry};
use millrace_wire::ids::{ApprovalId, JobId, UserId};
use millrace_wire::job::Start;
use millrace_wire::run::RunCause;
use millrace_wire::team::Role;

use super::approval_gate::{self, Finding};
use super::notice::Letterhead;
use super::request::{LONGEST_TEXT, text, token_team};
use super::start::{self, Starter};
use super::{job, job_test, report, version};
use crate::access::identity::{Caller, TeamCaller, Via};
use crate::access::sight::{Object, Scoped, Sight};
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::approval::{ApprovalRow, NewApproval, Verdict};
use crate::store::notice::NewNotice;
use crate::store::{self, Tx};
use crate::transact;

/// Of one job, the newest first.
pub async fn list(app: &App, caller: &TeamCaller, id: JobId) -> Result<Vec<StartApproval>> {
    job::row(app, caller.team, id).await?;
    let found = store::approval::list(&app.store, id).await?;
    Ok(found.into_iter().map(|approval| approval.shown_to(caller.caller.user)).collect())
}

/// Open requests that the caller may decide.
pub(super) async fn to_decide(app: &App, caller: &Caller) -> Result<Vec<StartApproval>> {
    let found = store::approval::to_decide(&app.store, caller.user, token_team(caller)).await?;
    Ok(found.into_iter().map(|approval| approval.shown_to(caller.user)).collect())
}

pub(super) async fn asked_by(app: &App, caller: &Caller) -> Result<Vec<StartApproval>> {
    let found = store::approval::asked_by(&app.store, caller.user).await?;
    Ok(found.into_iter().map(|approval| approval.shown_to(caller.user)).collect())
}

pub async fn need(app: &App, caller: &TeamCaller, id: JobId, request: &Start) -> Result<ApprovalNeed> {
    approval_gate::need(app, caller.team, id, request, caller.caller.user).await
}

/// What is asked for could start at once if it were approved: its tests pass, and its tables are open.
pub async fn ask(app: &App, caller: &TeamCaller, id: JobId, asked: AskForApproval) -> Result<StartApproval> {
    text("reason", &asked.reason)?;
    let (team, user) = (caller.team, caller.caller.user);
    if !approval_gate::is_required(app, team).await? {
        let message = "This team starts its jobs without approval.";
        return Err(Error::conflict(Code::WrongState, message).hint("Start the job."));
    }
    let sight = caller.sight();
    let job = job::row(app, team, id).await?;
    let version = match asked.start.version {
        Some(number) => version::get(app, team, id, number).await?,
        None => version::create(app, &sight, &caller.caller.name, id, "").await?,
    };
    let number = version.summary.number;
    if approval_gate::is_superseded(app, id, number).await? {
        let message = format!("There is a newer version than {number}.");
        let hint = "Roll back to it, which makes it a new version, and ask for that.";
        return Err(Error::conflict(Code::WrongState, message).hint(hint));
    }
    start::refuse_closed(app, &sight, &version).await?;
    let start = Start { version: Some(number), ..asked.start };
    let point = start::restore_from(app, id, &start).await?;
    let restores = point.as_ref().map(|point| point.version);
    if let Finding::Approved(known) = approval_gate::find(app, team, id, &version, &start, restores).await? {
        let message = format!("{} has approved this start already.", known.shown.decided_by);
        return Err(Error::conflict(Code::WrongState, message).hint("Start the job."));
    }
    job_test::gate(app, team, id, &version).await?;
    let new = NewApproval {
        id: ApprovalId(new_id()),
        team,
        job: id,
        version: version.summary.id,
        restored_from: point.as_ref().map(start::in_words).unwrap_or_default(),
        digest: approval_gate::digest(app, team, &version).await?,
        report: report::to_keep(app, &sight, id, &start).await.unwrap_or_default(),
        start,
        reason: asked.reason.trim().to_owned(),
        asked_by: user,
        token_team: token_team(&caller.caller),
        asked_at: now_ms(),
        start_when_approved: asked.start_when_approved.unwrap_or(true),
    };
    let letterhead = Letterhead::of(app);
    let title = format!("{} asks for approval to start {}, version {number}", caller.caller.name, job.name);
    transact!(app.store, tx => {
        if let Some(open) = store::approval::open_in(tx, id).await? {
            let message = format!("{} has asked for this job already, and it is not decided yet.", open.shown.asker);
            return Err(Error::conflict(Code::Conflict, message).hint("Wait for the decision, or withdraw the request."));
        }
        let deciders = store::approval::deciders(tx, id, user).await?;
        if deciders.is_empty() {
            let message = "Nobody else in this team may approve the start of this job.";
            let hint = "An owner can make somebody an operator, or switch approvals off, on the page of the members.";
            return Err(Error::conflict(Code::Conflict, message).hint(hint));
        }
        store::approval::insert(tx, &new).await?;
        let notice = NewNotice { title: title.clone(), body: new.reason.clone(), href: "/requests".to_owned() };
        for decider in deciders {
            letterhead.tell(tx, decider, &notice, new.asked_at).await?;
        }
        Ok(())
    })?;
    app.live.rights_changed(team);
    one(app, id, new.id, user).await
}

async fn one(app: &App, id: JobId, approval: ApprovalId, user: UserId) -> Result<StartApproval> {
    let row = store::approval::get(&app.store, id, approval).await?.ok_or_else(not_there)?;
    Ok(row.shown_to(user))
}

fn not_there() -> Error {
    Error::not_found("request for approval")
}

/// Before and after, for the audit trail.
pub struct Decided {
    pub before: StartApproval,
    pub after: StartApproval,
}

/// By another person than the one who asked: an operator or owner of the team who may operate the job, and by hand.
pub async fn decide(
    app: &App,
    caller: &TeamCaller,
    id: JobId,
    approval: ApprovalId,
    decision: ApprovalDecision,
) -> Result<Decided> {
    let job = job::row(app, caller.team, id).await?;
    let asked = store::approval::get(&app.store, id, approval).await?.ok_or_else(not_there)?;
    may_decide(caller, &asked)?;
    if decision.answer.chars().count() > LONGEST_TEXT {
        return Err(Error::field("answer", "Use at most 2000 characters."));
    }
    if !decision.approve && decision.answer.trim().is_empty() {
        return Err(Error::field("answer", "Say why it is declined."));
    }
    let number = asked.shown.version;
    if decision.approve {
        let version = version::get(app, caller.team, id, number).await?;
        if approval_gate::digest(app, caller.team, &version).await? != asked.shown.digest {
            let message = "Since this was asked for, a connection or variable that the version uses was changed.";
            return Err(Error::conflict(Code::Conflict, message).hint("Decline it, and let it be asked for again."));
        }
    }
    let state = if decision.approve { ApprovalState::Approved } else { ApprovalState::Declined };
    let (by, now) = (&caller.caller, now_ms());
    let answer = decision.answer.trim().to_owned();
    let verdict = Verdict { state, by: by.user, name: by.name.clone(), at: now, answer: answer.clone() };
    let verb = if decision.approve { "approved" } else { "declined" };
    let notice = NewNotice {
        title: format!("{} {verb} the start of {}, version {number}", by.name, job.name),
        body: answer,
        href: page_of(&asked.shown),
    };
    let letterhead = Letterhead::of(app);
    transact!(app.store, tx => {
        if !store::approval::decide(tx, approval, &verdict).await? {
            let now = store::approval::get_in(tx, id, approval).await?.ok_or_else(not_there)?.shown.state;
            return Err(not_open(now));
        }
        letterhead.tell(tx, asked.asked_by, &notice, now).await
    })?;
    if decision.approve && asked.shown.start_when_approved {
        start_one(app, &asked).await?;
    }
    app.live.rights_changed(caller.team);
    let before = asked.shown_to(by.user);
    Ok(Decided { before, after: one(app, id, approval, by.user).await? })
}

fn may_decide(caller: &TeamCaller, asked: &ApprovalRow) -> Result<()> {
    if asked.asked_by == caller.caller.user {
        let message = "Nobody decides on what they asked for themselves.";
        let hint = "Another operator or owner of the team has to look at it. You can withdraw it.";
        return Err(Error::new(Code::OwnRequest, ErrorDomain::User, Retry::Never, message).hint(hint));
    }
    if matches!(caller.caller.via, Via::Token { .. }) {
        return Err(Error::not_allowed("Starts are approved in person; an API token cannot do it."));
    }
    if caller.role.is_none_or(|role| role < Role::Operator) {
        return Err(Error::not_allowed("Starts are approved by operators and owners of the team."));
    }
    Ok(())
}

fn not_open(state: ApprovalState) -> Error {
    let message = match state {
        ApprovalState::Stale => "A newer version was made meanwhile: this request is out of date.".to_owned(),
        state => format!("This request is {state} already."),
    };
    Error::conflict(Code::WrongState, message)
}

/// By whoever asked for it, as long as nobody has decided.
pub async fn withdraw(app: &App, caller: &TeamCaller, id: JobId, approval: ApprovalId) -> Result<Decided> {
    job::row(app, caller.team, id).await?;
    let asked = store::approval::get(&app.store, id, approval).await?.ok_or_else(not_there)?;
    let by = &caller.caller;
    if asked.asked_by != by.user {
        return Err(Error::not_allowed("A request is withdrawn by whoever made it."));
    }
    let (state, at) = (ApprovalState::Withdrawn, now_ms());
    let verdict = Verdict { state, by: by.user, name: by.name.clone(), at, answer: String::new() };
    transact!(app.store, tx => {
        if store::approval::decide(tx, approval, &verdict).await? {
            return Ok(());
        }
        let now = store::approval::get_in(tx, id, approval).await?.ok_or_else(not_there)?.shown.state;
        Err(not_open(now))
    })?;
    app.live.rights_changed(caller.team);
    let before = asked.shown_to(by.user);
    Ok(Decided { before, after: one(app, id, approval, by.user).await? })
}

/// Open requests for the job are out of date; their askers are told, other than `by` who made them so.
pub(super) async fn supersede(
    tx: &mut Tx,
    letterhead: &Letterhead,
    job: JobId,
    why: &str,
    by: Option<UserId>,
    now: i64,
) -> Result<()> {
    for stale in store::approval::make_stale(tx, job, why, now).await? {
        if by == Some(stale.asked_by) {
            continue;
        }
        let StartApproval { job_name, version, .. } = &stale.shown;
        let notice = NewNotice {
            title: format!("Your request to start {job_name}, version {version}, is out of date"),
            body: why.to_owned(),
            href: "/requests".to_owned(),
        };
        letterhead.tell(tx, stale.asked_by, &notice, now).await?;
    }
    Ok(())
}

/// Starts what was approved and is still to be started. Called every second: the server may have ended in between.
pub async fn start_due(app: &App) -> Result<()> {
    for approved in store::approval::to_start(&app.store).await? {
        start_one(app, &approved).await?;
    }
    Ok(())
}

/// In the name of whoever asked. The start and that it was made are one transaction; why it could not be made is told.
async fn start_one(app: &App, approved: &ApprovalRow) -> Result<()> {
    let (job, id) = (approved.shown.job, approved.shown.id);
    let made = match sight_of_asker(app, approved).await {
        Ok(sight) => {
            let cause = if approved.token_team.is_some() { RunCause::Api } else { RunCause::Manual };
            let starter = Starter { sight, name: &approved.shown.asker, cause };
            start::start_approved(app, starter, job, approved.start(), id).await
        }
        Err(error) => Err(error),
    };
    let Err(error) = made else { return Ok(()) };
    if error.cause().is_some() {
        // Not for a reason of the job: the next look tries again.
        tracing::warn!(job.id = %job, %error, "what was approved is not started yet");
        return Ok(());
    }
    let (letterhead, now) = (Letterhead::of(app), now_ms());
    let StartApproval { job_name, version, .. } = &approved.shown;
    let notice = NewNotice {
        title: format!("{job_name}, version {version}, was approved and did not start"),
        body: error.message().to_owned(),
        href: page_of(&approved.shown),
    };
    transact!(app.store, tx => {
        // Another server may have started it.
        if store::approval::settle(tx, id, error.message()).await? {
            letterhead.tell(tx, approved.asked_by, &notice, now).await?;
        }
        Ok(())
    })?;
    app.live.rights_changed(approved.team);
    Ok(())
}

/// What the asker may now: not more than when they asked, and perhaps less.
async fn sight_of_asker(app: &App, approved: &ApprovalRow) -> Result<Sight> {
    let (user, team) = (approved.asked_by, approved.team);
    let membership = store::team::membership_or_none(&app.store, &approved.shown.team_slug, user).await?;
    let role = membership.and_then(|(_, role)| role);
    let token = approved.token_team.map(|team| Scoped { team, scope: Role::Operator });
    let sight = Sight::person(team, user, role, token);
    let standing = store::grant::standing(&app.store, &sight, Object::Job(approved.shown.job)).await?;
    let may = standing.is_some_and(|standing| standing.may(Level::Write, Role::Operator));
    if may && store::user::is_enabled(&app.store, user).await? {
        return Ok(sight);
    }
    Err(Error::not_allowed(format!("{} may not start this job any more.", approved.shown.asker)))
}

fn page_of(approval: &StartApproval) -> String {
    format!("/t/{}/jobs/{}", approval.team_slug, approval.job)
}

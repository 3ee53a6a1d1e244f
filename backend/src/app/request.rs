//! The catalogue of the organisation; asking for access to a table in it, or for the ingestion of a source; deciding.

use millrace_wire::access::Level;
use millrace_wire::error::FieldError;
use millrace_wire::ids::{RequestId, TableId, TeamId};
use millrace_wire::request::{
    AccessRequest, AskForAccess, AskForIngestion, CatalogueEntry, Decision, Inbox, IngestionSource, RequestKind,
    RequestState, Requests,
};

use super::approval;
use super::notice::Letterhead;
use crate::access::identity::{Caller, TeamCaller, Via};
use crate::access::sight::Object;
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::grant::GrantedTo;
use crate::store::notice::NewNotice;
use crate::store::request::{NewRequest, OpenRequest};
use crate::store::{self, Tx};
use crate::transact;

pub(super) const LONGEST_TEXT: usize = 2_000;
/// A person's open requests for ingestion: more are a mistake of a program.
const MOST_OPEN: i64 = 50;
const NOTICES: u32 = 50;

pub(super) fn token_team(caller: &Caller) -> Option<TeamId> {
    match caller.via {
        Via::Session(_) => None,
        Via::Token { team, .. } => Some(team),
    }
}

/// Listed tables of all teams in the organisations of the caller: never options, connections, rows or jobs.
pub async fn catalogue(app: &App, caller: &Caller) -> Result<Vec<CatalogueEntry>> {
    store::request::catalogue(&app.store, caller.user, token_team(caller)).await
}

pub async fn list(app: &App, caller: &Caller) -> Result<Requests> {
    let decidable = store::request::to_decide(&app.store, caller.user, token_team(caller)).await?;
    let (to_decide, to_ingest) = decidable.into_iter().partition(|request| request.state == RequestState::Open);
    Ok(Requests {
        to_decide,
        to_ingest,
        mine: store::request::asked_by(&app.store, caller.user).await?,
        starts_to_decide: approval::to_decide(app, caller).await?,
        my_starts: approval::asked_by(app, caller).await?,
    })
}

pub async fn inbox(app: &App, caller: &Caller) -> Result<Inbox> {
    let decidable = store::request::to_decide(&app.store, caller.user, token_team(caller)).await?;
    let open = decidable.iter().filter(|request| request.state == RequestState::Open).count();
    let starts = approval::to_decide(app, caller).await?.len();
    Ok(Inbox {
        mail: app.mailer.is_some(),
        notices: store::notice::newest(&app.store, caller.user, NOTICES).await?,
        unread: store::notice::unread(&app.store, caller.user).await?,
        to_decide: (open + starts) as u64,
    })
}

pub async fn mark_read(app: &App, caller: &Caller) -> Result<()> {
    store::notice::mark_all_read(&app.store, caller.user, now_ms()).await
}

/// What is not listed is not found, whether it exists or not.
pub async fn ask_for_access(app: &App, caller: &Caller, table: TableId, request: AskForAccess) -> Result<()> {
    text("reason", &request.reason)?;
    let memberships = store::team::memberships(&app.store, caller.user).await?;
    let token = token_team(caller);
    let for_team = match &request.for_team {
        None if token.is_some() => return Err(Error::field("for_team", "A token asks for its team.")),
        None => None,
        Some(slug) => {
            let own = memberships.iter().filter(|own| token.is_none_or(|token| token == own.team));
            let team = own.into_iter().find(|own| own.slug == *slug).map(|own| own.team);
            Some(team.ok_or_else(|| Error::field("for_team", "You are not a member of such a team."))?)
        }
    };
    let (letterhead, asked_at) = (Letterhead::of(app), now_ms());
    let team = transact!(app.store, tx => {
        let (team, name) = store::request::listed(tx, table).await?.ok_or_else(|| Error::not_found("table"))?;
        // A table of another organisation is as one that is not there.
        if !store::organisation_member::reaches(tx, caller.user, token, team).await? {
            return Err(Error::not_found("table"));
        }
        if let Some(asking) = for_team
            && !store::organisation::together(tx, asking, team).await?
        {
            return Err(Error::field("for_team", "The table belongs to another organisation than this team."));
        }
        if for_team == Some(team) {
            return Err(Error::field("for_team", "The table belongs to this team."));
        }
        if store::request::count_open(tx, caller.user, Some(table)).await? > 0 {
            return Err(Error::conflict(Code::Conflict, "You have asked already, and it is not decided yet."));
        }
        let asked = NewRequest {
            id: RequestId(new_id()),
            kind: RequestKind::Access,
            team,
            table: Some(table),
            asked_by: caller.user,
            for_team,
            level: request.level.as_str().to_owned(),
            reason: request.reason.trim().to_owned(),
            source: None,
            asked_at,
        };
        store::request::insert(tx, &asked).await?;
        let title = format!("{} asks for access to {name}", caller.name);
        tell_deciders(tx, &letterhead, &asked, title).await?;
        Ok(team)
    })?;
    app.live.rights_changed(team);
    Ok(())
}

pub async fn ask_for_ingestion(app: &App, caller: &Caller, request: AskForIngestion) -> Result<()> {
    let source = request.source;
    for (field, value) in [("kind", &source.kind), ("address", &source.address), ("table", &source.table)] {
        text(field, value)?;
        if value.chars().any(char::is_control) {
            return Err(Error::field(field, "Use one line."));
        }
    }
    text("purpose", &source.purpose)?;
    let json = serde_json::to_string::<IngestionSource>(&source)?;
    let (letterhead, asked_at) = (Letterhead::of(app), now_ms());
    let team = transact!(app.store, tx => {
        let team = store::grant::team_by_slug(tx, &request.team).await?;
        let unknown = || Error::field("team", "There is no team with this short name.");
        let team = team.ok_or_else(unknown)?;
        if !store::organisation_member::reaches(tx, caller.user, token_team(caller), team).await? {
            return Err(unknown());
        }
        if store::request::count_open(tx, caller.user, None).await? >= MOST_OPEN {
            return Err(Error::too_many_requests("Too many of your requests are not decided yet."));
        }
        let asked = NewRequest {
            id: RequestId(new_id()),
            kind: RequestKind::Ingestion,
            team,
            table: None,
            asked_by: caller.user,
            for_team: None,
            level: String::new(),
            reason: source.purpose.trim().to_owned(),
            source: Some(json.clone()),
            asked_at,
        };
        store::request::insert(tx, &asked).await?;
        let title = format!("{} asks for the ingestion of {}", caller.name, source.table.trim());
        tell_deciders(tx, &letterhead, &asked, title).await?;
        Ok(team)
    })?;
    app.live.rights_changed(team);
    Ok(())
}

pub(super) fn text(field: &str, value: &str) -> Result<()> {
    let problem =
        |message: &str| Error::fields(vec![FieldError { field: field.to_owned(), message: message.to_owned() }]);
    if value.trim().is_empty() {
        return Err(problem("Say a few words."));
    }
    if value.chars().count() > LONGEST_TEXT {
        return Err(problem("Use at most 2000 characters."));
    }
    Ok(())
}

async fn tell_deciders(tx: &mut Tx, letterhead: &Letterhead, asked: &NewRequest, title: String) -> Result<()> {
    let notice = NewNotice { title, body: asked.reason.clone(), href: "/requests".to_owned() };
    for user in store::request::deciders(tx, asked.team, asked.table).await? {
        letterhead.tell(tx, user, &notice, asked.asked_at).await?;
    }
    Ok(())
}

/// Before and after, for the audit trail.
pub struct Decided {
    pub before: AccessRequest,
    pub after: AccessRequest,
}

/// `table`: of the request; `None` for an ingestion. The caller's right to decide was checked by the route.
pub async fn decide(
    app: &App,
    caller: &TeamCaller,
    table: Option<TableId>,
    id: RequestId,
    decision: Decision,
) -> Result<Decided> {
    if decision.answer.chars().count() > LONGEST_TEXT {
        return Err(Error::field("answer", "Use at most 2000 characters."));
    }
    if !decision.accept && decision.answer.trim().is_empty() {
        return Err(Error::field("answer", "Say why it is declined."));
    }
    let (letterhead, now) = (Letterhead::of(app), now_ms());
    let (decided, told) = transact!(app.store, tx => {
        let open = store::request::open_in(tx, caller.team, table, id).await?;
        let open = open.ok_or_else(|| Error::not_found("open request"))?;
        let before = open.shown.clone();
        let level = match (before.level, decision.level) {
            (Some(asked), Some(given)) if given > asked => {
                return Err(Error::field("level", "This is more than was asked for."));
            }
            (asked, given) => given.or(asked),
        };
        let after = AccessRequest {
            state: if decision.accept { RequestState::Accepted } else { RequestState::Declined },
            level: if decision.accept { level } else { before.level },
            decided_by: caller.caller.name.clone(),
            decided_at: Some(now),
            answer: decision.answer.trim().to_owned(),
            ..before.clone()
        };
        if decision.accept && !still_together(tx, &open, caller.team).await? {
            return Err(Error::conflict(Code::WrongState, "Who asked does not belong to the organisation any more.")
                .hint("Decline the request."));
        }
        store::request::decide(tx, &after).await?;
        let to = open.for_team.map_or(GrantedTo::Person(open.asked_by), GrantedTo::Team);
        if let (true, Some(table), Some(level)) = (decision.accept, table, level) {
            give_at_least(tx, table, to, level, &caller.caller.name, now).await?;
        }
        let notice = notice_of(&after, table);
        letterhead.tell(tx, open.asked_by, &notice, now).await?;
        Ok((Decided { before, after }, open))
    })?;
    app.live.rights_changed(caller.team);
    for membership in store::team::memberships(&app.store, told.asked_by).await? {
        app.live.rights_changed(membership.team);
    }
    Ok(decided)
}

/// People and teams may have left the organisation since they asked.
async fn still_together(tx: &mut Tx, open: &OpenRequest, team: TeamId) -> Result<bool> {
    match open.for_team {
        Some(asking) => store::organisation::together(tx, asking, team).await,
        None => store::organisation_member::reaches(tx, open.asked_by, None, team).await,
    }
}

/// An approval takes nothing away from who has more already.
async fn give_at_least(tx: &mut Tx, table: TableId, to: GrantedTo, level: Level, by: &str, now: i64) -> Result<()> {
    let object = Object::Table(table);
    if store::grant::level_of_grant(tx, object, to).await?.is_some_and(|known| known >= level) {
        return Ok(());
    }
    store::grant::give(tx, object, to, level, by, now).await
}

fn notice_of(decided: &AccessRequest, table: Option<TableId>) -> NewNotice {
    let (title, who) = (&decided.title, &decided.decided_by);
    let accepted = decided.state == RequestState::Accepted;
    let title = match (accepted, decided.level) {
        (true, Some(level)) => format!("{who} opened {title} to you: {level}"),
        (true, None) => format!("{who} accepted the ingestion of {title}"),
        (false, _) => format!("{who} declined what you asked for: {title}"),
    };
    let href = match table {
        Some(table) if accepted => format!("/t/{}/tables/{table}", decided.team_slug),
        _ => "/requests".to_owned(),
    };
    NewNotice { title, body: decided.answer.clone(), href }
}

//! Teams and members.

use millrace_wire::connection::ConnectionKind;
use millrace_wire::ids::{ConnectionId, DatabaseId, TeamId, UserId};
use millrace_wire::organisation::OrganisationRef;
use millrace_wire::table::Database;
use millrace_wire::team::{Member, NewTeam, NewUser, Role, SetMember, Team};

use super::account::taken_or;
use super::{check, organisation};
use crate::access::identity::{Caller, TeamCaller, Via};
use crate::access::password::Passwords;
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::connection::ConnectionRow;
use crate::store::user::UserRow;
use crate::store::{self, Tx};
use crate::transact;

/// The database every team starts with, and that unqualified table names mean.
pub const DEFAULT_DATABASE: &str = "main";
/// The connection to the server's own broker.
pub const BUILT_IN_CONNECTION: &str = "broker";

/// In the organisation that is there from the beginning.
pub fn new_team(slug: &str, name: &str, now: i64) -> Team {
    Team {
        id: TeamId(clock::new_id()),
        slug: slug.to_owned(),
        name: name.to_owned(),
        organisation: OrganisationRef { slug: organisation::DEFAULT.to_owned(), name: "Default".to_owned() },
        members: 0,
        created_at: now,
    }
}

/// A team with what it needs from the first minute: a database, and the connection to the server's broker.
pub async fn insert_with_basics(tx: &mut Tx, team: &Team, by: &str) -> Result<()> {
    store::team::insert(tx, team).await?;
    let database = Database {
        id: DatabaseId(clock::new_id()),
        name: DEFAULT_DATABASE.to_owned(),
        description: String::new(),
        tables: 0,
        built_in: false,
    };
    store::database::insert(tx, team.id, &database, team.created_at).await?;
    let connection = ConnectionRow {
        id: ConnectionId(clock::new_id()),
        team: team.id,
        name: BUILT_IN_CONNECTION.to_owned(),
        kind: ConnectionKind::Kafka,
        // Its address is not stored: it is that of the broker which runs now.
        options: Default::default(),
        secrets: Default::default(),
        description: "The broker that this server was started with.".to_owned(),
        created_at: team.created_at,
        updated_at: team.created_at,
        updated_by: by.to_owned(),
        built_in: true,
        tables: 0,
    };
    store::connection::insert(tx, &connection).await
}

/// Teams the caller is a member of.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Team>> {
    let mut teams = Vec::new();
    for membership in store::team::memberships(&app.store, caller.user).await? {
        if matches!(&caller.via, Via::Token { team, .. } if *team != membership.team) {
            continue;
        }
        teams.extend(store::team::by_slug(&app.store, &membership.slug).await?);
    }
    Ok(teams)
}

pub async fn get(app: &App, caller: &TeamCaller) -> Result<Team> {
    store::team::by_slug(&app.store, &caller.slug).await?.ok_or_else(|| Error::not_found("team"))
}

/// For owners of an organisation and administrators. Whoever makes a team owns it at first.
pub async fn create(app: &App, caller: &Caller, request: NewTeam) -> Result<Team> {
    check::slug("slug", &request.slug)?;
    check::display_name("name", &request.name)?;
    let organisation = organisation::for_new_team(app, caller, request.organisation.as_deref()).await?;
    let now = clock::now_ms();
    let team = Team { organisation, members: 1, ..new_team(&request.slug, request.name.trim(), now) };
    transact!(app.store, tx => {
        insert_with_basics(tx, &team, &caller.name).await?;
        store::team::set_member(tx, team.id, caller.user, Role::Owner, now).await
    })
    .map_err(|error| taken_or(error, "slug", "A team with this short name exists."))?;
    Ok(team)
}

/// Refused while jobs run; everything of the team goes with it.
pub async fn delete(app: &App, caller: &TeamCaller) -> Result<()> {
    transact!(app.store, tx => {
        let running = store::team::running_jobs(tx, caller.team).await?;
        if !running.is_empty() {
            let message = format!("Stop these jobs first: {}.", running.join(", "));
            return Err(Error::conflict(Code::WrongState, message));
        }
        store::team::delete(tx, caller.team).await
    })
}

pub async fn members(app: &App, caller: &TeamCaller) -> Result<Vec<Member>> {
    store::team::members(&app.store, caller.team).await
}

/// The account that is asked for beside an e-mail address, not stored yet.
pub(super) async fn fresh_user(app: &App, email: &str, asked: Option<&NewUser>, now: i64) -> Result<Option<UserRow>> {
    let Some(new_user) = asked else { return Ok(None) };
    check::display_name("new_user.name", &new_user.name)?;
    Passwords::check_strength("new_user.password", &new_user.password, email)?;
    Ok(Some(UserRow {
        id: UserId(clock::new_id()),
        name: new_user.name.trim().to_owned(),
        email: email.to_lowercase(),
        password_hash: app.passwords.hash(new_user.password.clone()).await?,
        administrator: false,
        disabled: false,
        created_at: now,
    }))
}

/// What `set_member` did, for the audit trail.
pub struct MemberSet {
    pub before: Option<Member>,
    pub after: Member,
}

/// Adds by e-mail, or changes the role. A user who does not exist yet is made when `new_user` is given.
pub async fn set_member(app: &App, caller: &TeamCaller, request: SetMember) -> Result<MemberSet> {
    check::email("email", &request.email)?;
    let now = clock::now_ms();
    let fresh = fresh_user(app, &request.email, request.new_user.as_ref(), now).await?;
    let set = transact!(app.store, tx => {
        let existing = store::user::by_email_in(tx, &request.email).await?;
        let user = match (existing, &fresh) {
            (Some(_), Some(_)) => {
                return Err(Error::name_taken("email", "A user with this e-mail address exists. Add them without a password."));
            }
            // Who is in another organisation is not told from who is not there.
            (Some(user), None) if store::organisation_member::reaches(tx, user.id, None, caller.team).await? => user,
            (None, Some(fresh)) => {
                store::user::insert(tx, fresh).await?;
                fresh.clone()
            }
            (_, None) => {
                return Err(Error::field("email", "Nobody in the organisation has this e-mail address.")
                    .hint("Give a name and a first password to make an account."));
            }
        };
        let before = store::team::member(tx, caller.team, user.id).await?;
        let demoted = before.as_ref().is_some_and(|member| member.role == Role::Owner) && request.role != Role::Owner;
        if demoted && store::team::owners(tx, caller.team).await? <= 1 {
            return Err(last_owner(&caller.slug));
        }
        store::team::set_member(tx, caller.team, user.id, request.role, now).await?;
        let after = store::team::member(tx, caller.team, user.id).await?.ok_or_else(|| Error::not_found("member"))?;
        Ok(MemberSet { before, after })
    })?;
    ask_streams_again(app, caller.team, set.after.user).await?;
    Ok(set)
}

/// What `remove_member` did, for the audit trail.
pub struct MemberRemoved {
    pub member: Member,
    /// What they were given in person of the team's jobs and tables.
    pub grants: u64,
}

/// Their tokens for the team stop to work at once, and nothing of the team stays open to them in person: who restricted
/// something was given the right to manage it unasked. As a guest they can be given it anew.
pub async fn remove_member(app: &App, caller: &TeamCaller, user: UserId) -> Result<MemberRemoved> {
    let now = clock::now_ms();
    let removed = transact!(app.store, tx => {
        let member = store::team::member(tx, caller.team, user).await?.ok_or_else(|| Error::not_found("member"))?;
        if member.role == Role::Owner && store::team::owners(tx, caller.team).await? <= 1 {
            return Err(last_owner(&caller.slug));
        }
        store::team::remove_member(tx, caller.team, user).await?;
        store::team::revoke_tokens(tx, caller.team, user, now).await?;
        let grants = store::grant::withdraw_of_person(tx, caller.team, user).await?;
        Ok(MemberRemoved { member, grants })
    })?;
    ask_streams_again(app, caller.team, user).await?;
    Ok(removed)
}

/// In the team, and where the person sees what was given to it.
pub(super) async fn ask_streams_again(app: &App, team: TeamId, user: UserId) -> Result<()> {
    app.live.rights_changed(team);
    for other in store::team::memberships(&app.store, user).await? {
        if other.team != team {
            app.live.rights_changed(other.team);
        }
    }
    Ok(())
}

pub(super) fn last_owner(team: &str) -> Error {
    Error::conflict(Code::Conflict, "A team keeps at least one owner.")
        .hint(format!("Make somebody else an owner of {team} first."))
}

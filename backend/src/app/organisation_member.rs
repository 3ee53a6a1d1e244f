//! Who belongs to an organisation.
//!
//! Whoever is put into a team belongs to its organisation from then on, also after leaving the team. Removing somebody
//! from the organisation takes all there was: teams, tokens for them, and what was opened in person.

use millrace_wire::ids::{TeamId, UserId};
use millrace_wire::organisation::{OrganisationMember, OrganisationRole, SetOrganisationMember};

use super::check;
use super::team::{fresh_user, last_owner};
use crate::access::identity::OrganisationCaller;
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::{self, Tx};
use crate::transact;

pub async fn list(app: &App, caller: &OrganisationCaller) -> Result<Vec<OrganisationMember>> {
    store::organisation_member::list(&app.store, caller.organisation.id).await
}

/// For the audit trail.
pub struct Set {
    pub before: Option<OrganisationMember>,
    pub after: OrganisationMember,
}

/// Sets the role of a member, or takes somebody in: with a new account, or, by an administrator, with the one they have
/// on the server already. Other owners are not told who that is.
pub async fn set(app: &App, caller: &OrganisationCaller, request: SetOrganisationMember) -> Result<Set> {
    check::email("email", &request.email)?;
    let (id, now) = (caller.organisation.id, clock::now_ms());
    let fresh = fresh_user(app, &request.email, request.new_user.as_ref(), now).await?;
    transact!(app.store, tx => {
        let existing = store::user::by_email_in(tx, &request.email).await?;
        let user = match (existing, &fresh) {
            (Some(_), Some(_)) => return Err(Error::name_taken("email", "A user with this e-mail address exists.")),
            (None, Some(fresh)) => {
                store::user::insert(tx, fresh).await?;
                fresh.id
            }
            (Some(user), None) => user.id,
            (None, None) => return Err(nobody()),
        };
        let before = store::organisation_member::find(tx, id, user).await?;
        if before.is_none() && fresh.is_none() && !caller.caller.administrator {
            return Err(nobody());
        }
        let demoted = request.role == OrganisationRole::Member && is_owner(before.as_ref());
        if demoted {
            keep_an_owner(tx, caller).await?;
        }
        store::organisation_member::set(tx, id, user, request.role, now).await?;
        let after = store::organisation_member::find(tx, id, user).await?.ok_or_else(|| Error::not_found("member"))?;
        Ok(Set { before, after })
    })
}

/// For the audit trail.
pub struct Removed {
    pub member: OrganisationMember,
    /// What they were given in person of jobs and tables in the organisation.
    pub grants: u64,
}

pub async fn remove(app: &App, caller: &OrganisationCaller, user: UserId) -> Result<Removed> {
    let (id, now) = (caller.organisation.id, clock::now_ms());
    let (removed, teams) = transact!(app.store, tx => {
        let member = store::organisation_member::find(tx, id, user).await?;
        let member = member.ok_or_else(|| Error::not_found("member"))?;
        if is_owner(Some(&member)) {
            keep_an_owner(tx, caller).await?;
        }
        let teams = store::organisation::team_ids(tx, id).await?;
        let mut grants = 0;
        for team in &teams {
            grants += leave(tx, *team, user, now).await?;
        }
        store::organisation_member::remove(tx, id, user).await?;
        Ok((Removed { member, grants }, teams))
    })?;
    for team in teams {
        app.live.rights_changed(team);
    }
    Ok(removed)
}

/// A team, or what it opened in person; how many grants were withdrawn.
async fn leave(tx: &mut Tx, team: TeamId, user: UserId, now: i64) -> Result<u64> {
    let is_last = store::team::is_last_owner(tx, team, user).await?;
    if is_last {
        let name = store::team::slug_in(tx, team).await?;
        return Err(last_owner(&name));
    }
    if store::team::remove_member(tx, team, user).await? {
        store::team::revoke_tokens(tx, team, user, now).await?;
    }
    store::grant::withdraw_of_person(tx, team, user).await
}

fn is_owner(member: Option<&OrganisationMember>) -> bool {
    member.is_some_and(|member| member.role == OrganisationRole::Owner)
}

/// Administrators may leave an organisation without one: they stand in for all.
async fn keep_an_owner(tx: &mut Tx, caller: &OrganisationCaller) -> Result<()> {
    let is_last = store::organisation_member::owners(tx, caller.organisation.id).await? <= 1;
    if is_last && !caller.caller.administrator {
        return Err(Error::conflict(Code::Conflict, "An organisation keeps at least one owner.")
            .hint("Make somebody else an owner first, or ask an administrator of the server."));
    }
    Ok(())
}

fn nobody() -> Error {
    Error::field("email", "Nobody in the organisation has this e-mail address.").hint(
        "Give a name and a first password to make an account. Who has one on this server already is taken in by an \
         administrator.",
    )
}

//! Organisations: the boundary within which teams see of each other that they are there.
//!
//! An owner manages what an organisation consists of and sees, by that, nothing of what is in its teams.

use millrace_wire::ids::OrganisationId;
use millrace_wire::organisation::{
    NameTeamOwner, NewOrganisation, Organisation, OrganisationChange, OrganisationRef, OrganisationRole,
    OrganisationTeam, TeamTaken,
};
use millrace_wire::team::Role;

use super::account::taken_or;
use super::request::token_team;
use super::team::MemberSet;
use super::{check, team};
use crate::access::identity::{Caller, OrganisationCaller};
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

/// The one that is there from the beginning, and takes in the first team and who signs in for the first time.
pub const DEFAULT: &str = "default";

/// An administrator of the server, in person, stands as an owner of all.
fn role_of(caller: &Caller, own: Option<OrganisationRole>) -> Option<OrganisationRole> {
    if caller.administrator && token_team(caller).is_none() { Some(OrganisationRole::Owner) } else { own }
}

/// Those the caller belongs to; by a token, the one of its team, as a member.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Organisation>> {
    let only = match token_team(caller) {
        Some(team) => Some(store::team::organisation_of(&app.store, team).await?),
        None => None,
    };
    let found = store::organisation::list(&app.store, caller.user).await?;
    let shown = found.into_iter().filter_map(|(organisation, own)| {
        let role = role_of(caller, own)?;
        match &only {
            None => Some(Organisation { role, ..organisation }),
            Some(id) => {
                (*id == organisation.id).then_some(Organisation { role: OrganisationRole::Member, ..organisation })
            }
        }
    });
    Ok(shown.collect())
}

/// `None` for who does not belong to it, as for one that is not there.
pub async fn standing(app: &App, caller: &Caller, slug: &str) -> Result<Option<Organisation>> {
    Ok(list(app, caller).await?.into_iter().find(|organisation| organisation.slug == slug))
}

pub async fn create(app: &App, caller: &Caller, request: NewOrganisation) -> Result<Organisation> {
    check::slug("slug", &request.slug)?;
    check::display_name("name", &request.name)?;
    let now = clock::now_ms();
    let made = Organisation {
        id: OrganisationId(clock::new_id()),
        slug: request.slug,
        name: request.name.trim().to_owned(),
        teams: 0,
        created_at: now,
        role: OrganisationRole::Owner,
    };
    transact!(app.store, tx => {
        store::organisation::insert(tx, &made).await?;
        store::organisation_member::set(tx, made.id, caller.user, OrganisationRole::Owner, now).await
    })
    .map_err(|error| taken_or(error, "slug", "An organisation with this short name exists."))?;
    Ok(made)
}

pub async fn rename(app: &App, caller: &OrganisationCaller, change: OrganisationChange) -> Result<Organisation> {
    check::display_name("name", &change.name)?;
    let name = change.name.trim().to_owned();
    transact!(app.store, tx => { store::organisation::rename(tx, caller.organisation.id, &name).await })?;
    Ok(Organisation { name, ..caller.organisation.clone() })
}

/// What was deleted, for the audit trail.
pub async fn delete(app: &App, caller: &Caller, slug: &str) -> Result<Organisation> {
    let organisation = standing(app, caller, slug).await?.ok_or_else(|| Error::not_found("organisation"))?;
    if organisation.slug == DEFAULT {
        return Err(Error::conflict(Code::WrongState, "The first organisation stays: new servers' teams begin in it."));
    }
    let gone = transact!(app.store, tx => { store::organisation::delete_empty(tx, organisation.id).await })?;
    if gone {
        return Ok(organisation);
    }
    Err(Error::conflict(Code::WrongState, "The organisation has teams.").hint("Delete its teams first."))
}

pub async fn teams(app: &App, caller: &OrganisationCaller) -> Result<Vec<OrganisationTeam>> {
    store::organisation::teams(&app.store, caller.organisation.id).await
}

/// Of one of its teams: how a team goes on that its last owner left, and how an owner of the organisation gets to see
/// what is in a team, before the eyes of all who read the audit trail.
pub async fn name_team_owner(
    app: &App,
    caller: &OrganisationCaller,
    slug: &str,
    request: NameTeamOwner,
) -> Result<MemberSet> {
    check::email("email", &request.email)?;
    let (id, now) = (caller.organisation.id, clock::now_ms());
    let (team, set) = transact!(app.store, tx => {
        let found = store::organisation::of_team(tx, slug).await?;
        let (team, ..) = found.filter(|(_, at, _)| *at == id).ok_or_else(|| Error::not_found("team"))?;
        let user = store::user::by_email_in(tx, &request.email).await?;
        let user = match user {
            Some(user) if store::organisation_member::find(tx, id, user.id).await?.is_some() => user,
            _ => return Err(Error::field("email", "Nobody in the organisation has this e-mail address.")),
        };
        let before = store::team::member(tx, team, user.id).await?;
        store::team::set_member(tx, team, user.id, Role::Owner, now).await?;
        let after = store::team::member(tx, team, user.id).await?.ok_or_else(|| Error::not_found("member"))?;
        Ok((team, MemberSet { before, after }))
    })?;
    team::ask_streams_again(app, team, set.after.user).await?;
    Ok(set)
}

/// From the organisation it is in. Nothing of it stays open across the border, and nothing beyond it to the team.
pub async fn take_team(app: &App, caller: &Caller, into: &str, slug: &str) -> Result<TeamTaken> {
    let target = standing(app, caller, into).await?.ok_or_else(|| Error::not_found("organisation"))?;
    let now = clock::now_ms();
    let (taken, touched) = transact!(app.store, tx => {
        let (team, from_id, from) =
            store::organisation::of_team(tx, slug).await?.ok_or_else(|| Error::not_found("team"))?;
        if from_id == target.id {
            return Err(Error::conflict(Code::WrongState, "The team is in this organisation already."));
        }
        store::organisation::move_team(tx, team, target.id, now).await?;
        let withdrawn_grants = store::organisation::withdraw_across_the_border(tx, team).await?;
        let mut touched = store::organisation::team_ids(tx, from_id).await?;
        touched.push(team);
        Ok((TeamTaken { team: slug.to_owned(), from, withdrawn_grants }, touched))
    })?;
    for team in touched {
        app.live.rights_changed(team);
    }
    Ok(taken)
}

/// Where a new team goes: the organisation that is named, or the only one in which the caller makes teams, or, for
/// administrators, the first one of the server.
pub async fn for_new_team(app: &App, caller: &Caller, named: Option<&str>) -> Result<OrganisationRef> {
    let mut own = list(app, caller).await?;
    own.retain(|organisation| organisation.role == OrganisationRole::Owner);
    let of_slug = |slug: &str| own.iter().find(|organisation| organisation.slug == slug);
    let chosen = match (named, own.as_slice()) {
        (_, []) => return Err(Error::not_allowed("Only owners of an organisation and administrators make teams.")),
        (Some(slug), _) => of_slug(slug).ok_or_else(|| {
            Error::field("organisation", "There is no organisation with this short name in which you make teams.")
        })?,
        (None, [only]) => only,
        (None, all) => of_slug(DEFAULT).filter(|_| caller.administrator).ok_or_else(|| {
            let choice: Vec<&str> = all.iter().map(|organisation| organisation.slug.as_str()).collect();
            Error::field("organisation", format!("Say in which organisation: {}.", choice.join(", ")))
        })?,
    };
    Ok(OrganisationRef { slug: chosen.slug.clone(), name: chosen.name.clone() })
}

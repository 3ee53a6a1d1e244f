//! Permissions on single jobs and tables: who may what and why, grants, and being restricted to those who have one.

use std::collections::HashSet;

use millrace_wire::access::{
    Because, Grantee, Level, NewGrant, Permission, Permissions, PermissionsChange, SharedObject,
};
use millrace_wire::connection::JobRef;
use millrace_wire::ids::{GrantId, JobId, UserId};
use millrace_wire::team::{Member, Role};

use super::check;
use crate::access::identity::TeamCaller;
use crate::access::sight::{Object, Sight, Standing};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::store::grant::GrantedTo;
use crate::transact;

/// What of an object its permissions depend on.
struct Subject {
    owner: Option<UserId>,
    restricted: bool,
    listed: bool,
    built_in: bool,
}

async fn subject(app: &App, caller: &TeamCaller, object: Object) -> Result<Subject> {
    match object {
        Object::Job(id) => {
            let job = store::job::get(&app.store, caller.team, id).await?.ok_or_else(|| Error::not_found("job"))?;
            Ok(Subject { owner: job.owner_id, restricted: job.restricted, listed: false, built_in: false })
        }
        Object::Table(id) => {
            let table = store::table::get(&app.store, caller.team, id).await?;
            let table = table.ok_or_else(|| Error::not_found("table"))?;
            let (owner, restricted, listed) = (table.owner_id, table.restricted, table.listed);
            Ok(Subject { owner, restricted, listed, built_in: table.built_in })
        }
    }
}

pub async fn get(app: &App, caller: &TeamCaller, object: Object) -> Result<Permissions> {
    let subject = subject(app, caller, object).await?;
    let members = store::team::members(&app.store, caller.team).await?;
    let mut entries: Vec<Permission> =
        members.into_iter().filter_map(|member| by_membership(member, &subject)).collect();
    entries.extend(store::grant::list(&app.store, object).await?);
    let manage = caller.standing.is_some_and(|standing| standing.may(Level::Manage, Role::Operator));
    Ok(Permissions { restricted: subject.restricted, listed: subject.listed, manage, entries })
}

/// What a member may without a grant; `None` when nothing.
fn by_membership(member: Member, subject: &Subject) -> Option<Permission> {
    let owns = subject.owner == Some(member.user);
    let standing = Standing {
        role: Some(member.role),
        restricted: subject.restricted,
        owns,
        grant: None,
        shared: false,
        scope: Role::Owner,
    };
    if !standing.sees() {
        return None;
    }
    let level = match member.role {
        Role::Viewer => Level::Read,
        Role::Developer => Level::Write,
        Role::Operator | Role::Owner => Level::Manage,
    };
    let role = member.role;
    let because = if owns { Because::Owner { role } } else { Because::Role { role } };
    Some(Permission {
        grantee: Grantee::Person { user: member.user, name: member.name, email: member.email },
        level,
        because,
    })
}

/// Before and after, for the audit trail.
pub struct Changed {
    pub before: Permissions,
    pub after: Permissions,
}

/// Whoever restricts an object keeps the right to manage it.
pub async fn change(app: &App, caller: &TeamCaller, object: Object, request: PermissionsChange) -> Result<Changed> {
    let before = get(app, caller, object).await?;
    let subject = subject(app, caller, object).await?;
    if request.listed.is_some() && matches!(object, Object::Job(_)) {
        return Err(Error::field("listed", "Only tables are listed in the catalogue."));
    }
    if request.listed == Some(true) && subject.built_in {
        return Err(keeps_itself());
    }
    let restricted = request.restricted.unwrap_or(subject.restricted);
    let after = caller.standing.map(|standing| Standing { restricted, ..standing });
    let locked_out = restricted && !after.is_some_and(|after| after.may(Level::Manage, Role::Operator));
    let now = now_ms();
    transact!(app.store, tx => {
        store::grant::set_restricted(tx, object, restricted).await?;
        if locked_out {
            let to = GrantedTo::Person(caller.caller.user);
            store::grant::give(tx, object, to, Level::Manage, &caller.caller.name, now).await?;
        }
        if let (Object::Table(id), Some(listed)) = (object, request.listed) {
            store::table::set_listed(tx, id, listed).await?;
        }
        Ok(())
    })?;
    if let Object::Job(job) = object {
        if restricted {
            app.mirror.leave_out(job);
        } else {
            app.mirror.show(job);
        }
    }
    app.live.rights_changed(caller.team);
    Ok(Changed { before, after: get(app, caller, object).await? })
}

fn keeps_itself() -> Error {
    Error::not_allowed("The platform keeps this table for the team. It cannot be opened to others.")
}

pub async fn grant(app: &App, caller: &TeamCaller, object: Object, request: NewGrant) -> Result<Changed> {
    let before = get(app, caller, object).await?;
    if subject(app, caller, object).await?.built_in {
        return Err(keeps_itself());
    }
    if let Some(email) = &request.email {
        check::email("email", email)?;
    }
    let now = now_ms();
    let to = transact!(app.store, tx => {
        let to = match (&request.email, &request.team) {
            (Some(email), None) => {
                let user = store::user::by_email_in(tx, email).await?;
                // Who belongs to another organisation is not told from who is not there.
                let unknown = || Error::field("email", "There is no user with this e-mail address.");
                let user = user.ok_or_else(unknown)?;
                if !store::organisation_member::reaches(tx, user.id, None, caller.team).await? {
                    return Err(unknown());
                }
                GrantedTo::Person(user.id)
            }
            (None, Some(slug)) => {
                let team = store::organisation::sibling(tx, slug, caller.team).await?;
                GrantedTo::Team(team.ok_or_else(|| Error::field("team", "There is no team with this short name."))?)
            }
            _ => return Err(Error::field("email", "Name either a person or a team.")),
        };
        store::grant::give(tx, object, to, request.level, &caller.caller.name, now).await?;
        Ok(to)
    })?;
    app.live.rights_changed(caller.team);
    if let GrantedTo::Team(team) = to {
        app.live.rights_changed(team);
    }
    Ok(Changed { before, after: get(app, caller, object).await? })
}

pub async fn withdraw(app: &App, caller: &TeamCaller, object: Object, grant: GrantId) -> Result<Changed> {
    let before = get(app, caller, object).await?;
    let withdrawn = transact!(app.store, tx => { store::grant::withdraw(tx, object, grant).await })?;
    let withdrawn = withdrawn.ok_or_else(|| Error::not_found("grant"))?;
    app.live.rights_changed(caller.team);
    if let Grantee::Team { slug, .. } = &withdrawn.grantee
        && let Some(team) = store::team::by_slug(&app.store, slug).await?
    {
        app.live.rights_changed(team.id);
    }
    Ok(Changed { before, after: get(app, caller, object).await? })
}

/// What other teams opened to this one, or to the caller.
pub async fn shared(app: &App, caller: &TeamCaller) -> Result<Vec<SharedObject>> {
    store::grant::shared_with(&app.store, &caller.sight()).await
}

/// Which jobs may be named to somebody, where an answer has to say that jobs stand in the way.
pub(super) struct VisibleJobs(HashSet<JobId>);

impl VisibleJobs {
    pub(super) async fn load(app: &App, sight: &Sight) -> Result<VisibleJobs> {
        Ok(VisibleJobs(store::job::visible_ids(&app.store, sight).await?))
    }

    pub(super) fn has(&self, job: JobId) -> bool {
        self.0.contains(&job)
    }

    /// "these jobs use it: a, b"
    pub(super) fn in_words(&self, jobs: &[JobRef]) -> String {
        let named = jobs.iter().filter(|job| self.0.contains(&job.id));
        let names: Vec<&str> = named.map(|job| job.name.as_str()).collect();
        match (names.as_slice(), jobs.len() - names.len()) {
            ([], _) => "jobs use it that you may not see".to_owned(),
            (names, 0) => format!("these jobs use it: {}", names.join(", ")),
            (names, _) => format!("these jobs use it: {}, and others that you may not see", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_are_hidden_are_not_named() {
        let job = |name: &str| JobRef { id: JobId(crate::clock::new_id()), name: name.to_owned() };
        let (seen, hidden) = (job("seen"), job("hidden"));
        let visible = VisibleJobs(HashSet::from([seen.id]));
        assert_eq!(visible.in_words(std::slice::from_ref(&seen)), "these jobs use it: seen");
        assert!(!visible.in_words(std::slice::from_ref(&hidden)).contains("hidden"));
        assert!(!visible.in_words(&[seen, hidden]).contains("hidden"));
    }
}

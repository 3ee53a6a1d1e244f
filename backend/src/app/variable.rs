//! Variables of a team. Secrets come in, are sealed, and never go out again through the API.

use std::collections::BTreeMap;

use millrace_wire::ids::{TeamId, VariableId};
use millrace_wire::live::LiveEvent;
use millrace_wire::variable::{Variable, VariableDraft, VariableUses};

use super::account::taken_or;
use super::check;
use super::permission::VisibleJobs;
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::parameter::{self, What};
use crate::state::App;
use crate::store;
use crate::store::variable::{JobTexts, VariableRow};
use crate::transact;

const LONGEST_NAME: usize = 80;
const LONGEST_VALUE: usize = 16 * 1024;
const MOST_VARIABLES: u64 = 1_000;

/// Before and after, for the audit trail; without the values of secrets.
pub struct Edited {
    pub before: Variable,
    pub after: Variable,
}

/// By name.
pub async fn list(app: &App, team: TeamId) -> Result<Vec<Variable>> {
    Ok(store::variable::list(&app.store, team).await?.into_iter().map(view).collect())
}

pub async fn get(app: &App, team: TeamId, id: VariableId) -> Result<Variable> {
    Ok(view(row(app, team, id).await?))
}

async fn row(app: &App, team: TeamId, id: VariableId) -> Result<VariableRow> {
    store::variable::get(&app.store, team, id).await?.ok_or_else(|| Error::not_found("variable"))
}

fn view(row: VariableRow) -> Variable {
    Variable {
        id: row.id,
        name: row.name,
        value: if row.secret { String::new() } else { row.value },
        secret: row.secret,
        description: row.description,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
    }
}

pub async fn create(app: &App, caller: &TeamCaller, draft: VariableDraft) -> Result<Variable> {
    checked(&draft)?;
    let (id, now) = (VariableId(new_id()), now_ms());
    let value = draft.value.ok_or_else(|| Error::field("value", "Enter a value; it may be empty."))?;
    let row = VariableRow {
        id,
        team: caller.team,
        value: stored(app, id, value, draft.secret)?,
        name: draft.name,
        secret: draft.secret,
        description: draft.description,
        created_at: now,
        updated_at: now,
        updated_by: caller.caller.name.clone(),
    };
    transact!(app.store, tx => {
        if store::variable::count(tx, caller.team).await? >= MOST_VARIABLES {
            return Err(Error::field("name", format!("There are {MOST_VARIABLES} variables. Delete one first.")));
        }
        store::variable::insert(tx, &row).await
    })
    .map_err(|error| taken_or(error, "name", "A variable with this name exists."))?;
    app.live.publish(caller.team, &LiveEvent::VariablesChanged);
    Ok(view(row))
}

pub async fn update(app: &App, caller: &TeamCaller, id: VariableId, draft: VariableDraft) -> Result<Edited> {
    checked(&draft)?;
    let before = row(app, caller.team, id).await?;
    if before.name != draft.name {
        refuse_used(app, &before, "It cannot be renamed").await?;
    }
    let value = match draft.value {
        Some(value) => stored(app, id, value, draft.secret)?,
        None if before.secret && !draft.secret => {
            return Err(Error::field("value", "Enter the value anew: that of a secret cannot be shown."));
        }
        None if draft.secret && !before.secret => stored(app, id, before.value.clone(), draft.secret)?,
        None => before.value.clone(),
    };
    let after = VariableRow {
        name: draft.name,
        secret: draft.secret,
        value,
        description: draft.description,
        updated_at: now_ms(),
        updated_by: caller.caller.name.clone(),
        ..before.clone()
    };
    let is_there = transact!(app.store, tx => { store::variable::update(tx, &after).await })
        .map_err(|error| taken_or(error, "name", "A variable with this name exists."))?;
    if !is_there {
        return Err(Error::not_found("variable"));
    }
    app.live.publish(caller.team, &LiveEvent::VariablesChanged);
    Ok(Edited { before: view(before), after: view(after) })
}

/// Also one that jobs use: what they say is told before, and a job that runs has what it started with.
pub async fn delete(app: &App, caller: &TeamCaller, id: VariableId) -> Result<Variable> {
    let row = row(app, caller.team, id).await?;
    transact!(app.store, tx => { store::variable::delete(tx, caller.team, id).await })?;
    app.live.publish(caller.team, &LiveEvent::VariablesChanged);
    Ok(view(row))
}

/// Scripts would go on naming the old one.
async fn refuse_used(app: &App, row: &VariableRow, what: &str) -> Result<()> {
    match using(app, row).await?.len() {
        0 => Ok(()),
        count => {
            let message = format!("{what}: {count} job(s) name ${{{}}}.", row.name);
            Err(Error::field("name", message).hint("Make another variable, change the scripts, then delete this one."))
        }
    }
}

async fn using(app: &App, row: &VariableRow) -> Result<Vec<JobTexts>> {
    let mut jobs = store::variable::texts_with(&app.store, row.team, &row.name).await?;
    let names_it = |sql: &str| {
        let is_it = |what: &What| matches!(what, What::Parameter { name, .. } if *name == row.name);
        parameter::find(sql).iter().any(|found| is_it(&found.what))
    };
    jobs.retain(|job| names_it(&job.draft) || job.newest.as_deref().is_some_and(names_it));
    Ok(jobs)
}

pub async fn uses(app: &App, caller: &TeamCaller, id: VariableId) -> Result<VariableUses> {
    let row = row(app, caller.team, id).await?;
    let jobs: Vec<_> = using(app, &row).await?.into_iter().map(|texts| texts.job).collect();
    let visible = VisibleJobs::load(app, &caller.sight()).await?;
    let all = jobs.len();
    let jobs: Vec<_> = jobs.into_iter().filter(|job| visible.has(job.id)).collect();
    Ok(VariableUses { hidden: (all - jobs.len()) as u64, jobs })
}

fn checked(draft: &VariableDraft) -> Result<()> {
    if !parameter::is_name(&draft.name) || draft.name.len() > LONGEST_NAME {
        let message = format!("Use letters, digits and underscores, starting with a letter, at most {LONGEST_NAME}.");
        return Err(Error::field("name", message));
    }
    check::description("description", &draft.description)?;
    let Some(value) = &draft.value else { return Ok(()) };
    if value.len() > LONGEST_VALUE {
        return Err(Error::field("value", format!("Use at most {} KB.", LONGEST_VALUE / 1024)));
    }
    if value.contains('\0') {
        return Err(Error::field("value", "A value cannot hold the character NUL."));
    }
    // Values are filled in once: what looks like a parameter in one would be left as text.
    if !draft.secret && !parameter::find(value).is_empty() {
        return Err(Error::field("value", "A value cannot use another variable."));
    }
    if draft.secret && value.is_empty() {
        return Err(Error::field("value", "Enter the secret."));
    }
    Ok(())
}

fn place(id: VariableId) -> String {
    format!("variable/{id}")
}

/// As it is kept: secrets sealed.
fn stored(app: &App, id: VariableId, value: String, secret: bool) -> Result<String> {
    if secret { app.keys.seal(&place(id), &value) } else { Ok(value) }
}

/// Opened, for a process that runs a script which names them: never for showing.
pub(super) async fn opened_secrets(
    app: &App,
    team: TeamId,
    names: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, String>> {
    let names: Vec<&String> = names.collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = store::variable::list(&app.store, team).await?;
    let named = |name: &String| rows.iter().find(|row| row.secret && row.name == *name);
    let mut opened = BTreeMap::new();
    for name in names {
        let gone = || Error::bad_request(format!("There is no secret '{name}' any more."));
        let row = named(name).ok_or_else(gone)?;
        opened.insert(name.clone(), app.keys.open(&place(row.id), &row.value)?);
    }
    Ok(opened)
}

//! Filters of the list of jobs that a person named for themselves. Their address can be sent to anybody of the team.

use millrace_wire::ids::FilterId;
use millrace_wire::job_life::{NewSavedFilter, SavedFilter};

use super::check;
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

const MOST_FILTERS: usize = 100;
const LONGEST_QUERY: usize = 1000;

/// The caller's own, by name.
pub async fn list(app: &App, caller: &TeamCaller) -> Result<Vec<SavedFilter>> {
    store::filter::list(&app.store, caller.team, caller.caller.user).await
}

pub async fn save(app: &App, caller: &TeamCaller, request: NewSavedFilter) -> Result<SavedFilter> {
    check::display_name("name", &request.name)?;
    let query = request.query.trim_start_matches('?').to_owned();
    if query.is_empty() {
        return Err(Error::field("query", "Choose a filter first."));
    }
    if query.len() > LONGEST_QUERY || query.chars().any(char::is_control) {
        return Err(Error::field("query", format!("Use at most {LONGEST_QUERY} characters on one line.")));
    }
    let known = list(app, caller).await?;
    let name = request.name.trim().to_owned();
    if known.len() >= MOST_FILTERS && !known.iter().any(|filter| filter.name == name) {
        return Err(Error::field("name", format!("There are {MOST_FILTERS} saved filters. Remove one first.")));
    }
    let filter = SavedFilter { id: FilterId(new_id()), name, query, created_at: now_ms() };
    let (team, user) = (caller.team, caller.caller.user);
    let saved = transact!(app.store, tx => { store::filter::put(tx, team, user, &filter).await })?;
    saved.ok_or_else(|| Error::not_found("filter"))
}

pub async fn delete(app: &App, caller: &TeamCaller, id: FilterId) -> Result<()> {
    let deleted = store::filter::delete(&app.store, caller.team, caller.caller.user, id).await?;
    if deleted { Ok(()) } else { Err(Error::not_found("filter")) }
}

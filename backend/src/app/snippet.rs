//! Snippets: pieces of SQL that a team keeps for writing scripts with. What they say is looked at where they are used.

use millrace_wire::ids::{SnippetId, TeamId};
use millrace_wire::live::LiveEvent;
use millrace_wire::snippet::{Snippet, SnippetDraft};
use millrace_wire::sql::{CompletionItem, CompletionKind};

use super::account::taken_or;
use super::check;
use crate::access::identity::TeamCaller;
use crate::clock::{new_id, now_ms};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

const LONGEST_SQL: usize = 64 * 1024;
const MOST_SNIPPETS: u64 = 500;

/// Before and after, for the audit trail.
pub struct Edited {
    pub before: Snippet,
    pub after: Snippet,
}

/// By name.
pub async fn list(app: &App, team: TeamId) -> Result<Vec<Snippet>> {
    store::snippet::list(&app.store, team).await
}

pub async fn get(app: &App, team: TeamId, id: SnippetId) -> Result<Snippet> {
    store::snippet::get(&app.store, team, id).await?.ok_or_else(missing)
}

fn missing() -> Error {
    Error::not_found("snippet")
}

pub async fn create(app: &App, caller: &TeamCaller, draft: SnippetDraft) -> Result<Snippet> {
    let snippet = checked(caller, SnippetId(new_id()), draft)?;
    transact!(app.store, tx => {
        if store::snippet::count(tx, caller.team).await? >= MOST_SNIPPETS {
            return Err(Error::field("name", format!("There are {MOST_SNIPPETS} snippets. Delete one first.")));
        }
        store::snippet::insert(tx, caller.team, &snippet).await
    })
    .map_err(|error| taken_or(error, "name", "A snippet with this name exists."))?;
    app.live.publish(caller.team, &LiveEvent::SnippetsChanged);
    Ok(snippet)
}

pub async fn update(app: &App, caller: &TeamCaller, id: SnippetId, draft: SnippetDraft) -> Result<Edited> {
    let before = get(app, caller.team, id).await?;
    let after = checked(caller, id, draft)?;
    let is_there = transact!(app.store, tx => { store::snippet::update(tx, caller.team, &after).await })
        .map_err(|error| taken_or(error, "name", "A snippet with this name exists."))?;
    if !is_there {
        return Err(missing());
    }
    app.live.publish(caller.team, &LiveEvent::SnippetsChanged);
    Ok(Edited { before, after })
}

pub async fn delete(app: &App, caller: &TeamCaller, id: SnippetId) -> Result<Snippet> {
    let snippet = get(app, caller.team, id).await?;
    transact!(app.store, tx => { store::snippet::delete(tx, caller.team, id).await })?;
    app.live.publish(caller.team, &LiveEvent::SnippetsChanged);
    Ok(snippet)
}

fn checked(caller: &TeamCaller, id: SnippetId, draft: SnippetDraft) -> Result<Snippet> {
    check::display_name("name", &draft.name)?;
    check::description("description", &draft.description)?;
    if draft.sql.trim().is_empty() {
        return Err(Error::field("sql", "Enter some SQL."));
    }
    if draft.sql.len() > LONGEST_SQL {
        return Err(Error::field("sql", format!("Use at most {} KB.", LONGEST_SQL / 1024)));
    }
    if draft.sql.contains('\0') {
        return Err(Error::field("sql", "SQL cannot hold the character NUL."));
    }
    Ok(Snippet {
        id,
        name: draft.name.trim().to_owned(),
        description: draft.description,
        sql: draft.sql,
        updated_at: now_ms(),
        updated_by: caller.caller.name.clone(),
    })
}

/// Those whose name begins with the word before the caret.
pub(super) async fn completions(app: &App, team: TeamId, sql: &str, caret: usize) -> Result<Vec<CompletionItem>> {
    let Some((start, word)) = word_before(sql, caret) else { return Ok(Vec::new()) };
    let begins = |snippet: &Snippet| snippet.name.to_lowercase().starts_with(&word.to_lowercase());
    let replace_from = u32::try_from(start).unwrap_or(u32::MAX);
    let item = |snippet: Snippet| CompletionItem {
        label: snippet.name,
        insert: snippet.sql,
        kind: CompletionKind::Snippet,
        detail: "snippet".to_owned(),
        documentation: snippet.description,
        replace_from,
    };
    Ok(list(app, team).await?.into_iter().filter(begins).map(item).collect())
}

/// Not behind a dot or within quotes, where a name goes on.
fn word_before(sql: &str, caret: usize) -> Option<(usize, &str)> {
    let before = sql.get(..caret)?;
    let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next()?;
    let start = before.len() - word.len();
    let opens = before.get(..start)?.chars().next_back();
    let goes_on = opens.is_some_and(|c| matches!(c, '.' | '\'' | '`' | '$' | '{'));
    (!word.is_empty() && !goes_on).then_some((start, word))
}

#[cfg(test)]
mod tests {
    use super::word_before;

    #[test]
    fn a_snippet_is_offered_where_a_word_begins() {
        assert_eq!(word_before("SELECT ded", 10), Some((7, "ded")));
        assert_eq!(word_before("ded", 3), Some((0, "ded")));
        for sql in ["", "SELECT ", "SELECT a.d", "SELECT 'd", "SELECT `d", "${d"] {
            assert_eq!(word_before(sql, sql.len()), None, "{sql}");
        }
    }
}

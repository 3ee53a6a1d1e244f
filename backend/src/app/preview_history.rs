//! Previews that ended, kept with the rows that came. They are the person's own; and rows of a table that the person may
//! not read any more are shown no more, also where they once were seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_wire::ids::{PreviewId, TableId, TeamId, UserId};
use millrace_wire::live::LiveEvent;
use millrace_wire::preview::{PreviewEvent, PreviewProgress, PreviewRow, ResultColumn, RowKind};
use millrace_wire::preview_history::{KeptPreview, PreviewComparison, PreviewOutcome, PreviewSnapshot};
use millrace_wire::sql::{Severity, Validation};
use millrace_wire::test_run::ChangedRow;
use tokio::sync::oneshot;

use super::catalog::{self, ReadableTables};
use crate::access::identity::TeamCaller;
use crate::clock::now_ms;
use crate::engine::{self, CatalogText, Rules};
use crate::error::{Error, Result};
use crate::live::LiveHub;
use crate::state::App;
use crate::store::kept_preview::KeptRow;
use crate::store::{self, Store};
use crate::transact;

/// Of one person in one team.
pub const MOST_KEPT: i64 = 50;
/// Of one preview.
const MOST_ROWS: usize = 1_000;
/// What its rows may take, as JSON.
const MOST_BYTES: usize = 1024 * 1024;
/// How many rows of each kind a comparison shows.
const SHOWN: usize = 500;

/// What is known of a preview when it starts.
pub(super) struct About {
    pub(super) team: TeamId,
    pub(super) user: UserId,
    pub(super) sql: String,
    pub(super) started_at: i64,
    /// `None`: it cannot be told what may be in its rows, so they are not kept.
    pub(super) tables: Option<BTreeSet<TableId>>,
}

/// Whose rows a preview may show. A script with errors may still have a statement that runs: of such a one every table
/// counts whose name stands in the text.
pub(super) async fn tables_of(
    app: &App,
    team: TeamId,
    sql: &str,
    known: &CatalogText,
    validation: &Validation,
) -> Result<Option<BTreeSet<TableId>>> {
    let is_wrong = validation.diagnostics.iter().any(|found| found.severity == Severity::Error);
    let named = validation.reads.iter().chain(&validation.writes);
    let mut names: BTreeSet<String> = named.filter(|name| known.tables.contains_key(*name)).cloned().collect();
    if is_wrong {
        let with_text = known.named_in(sql).into_iter().filter(|(_, source)| !source.ddl.is_empty());
        names.extend(with_text.map(|(name, _)| name));
    }
    catalog::ids_of(app, team, &names).await
}

/// Waits for the end beside the request that started the preview.
pub(super) fn keep_when_over(
    app: &App,
    about: About,
    columns: &[ResultColumn],
    id: PreviewId,
    ended: oneshot::Receiver<Vec<Arc<str>>>,
) {
    let (store, live, columns) = (app.store.clone(), app.live.clone(), columns.to_vec());
    tokio::spawn(async move {
        // Without an end the server itself ends.
        let Ok(events) = ended.await else { return };
        if let Err(error) = keep(&store, &live, id, about, columns, &events).await {
            tracing::warn!(%error, "a preview is not in the history");
        }
    });
}

async fn keep(
    store: &Store,
    live: &LiveHub,
    id: PreviewId,
    about: About,
    columns: Vec<ResultColumn>,
    events: &[Arc<str>],
) -> Result<()> {
    let Some(tables) = about.tables else { return Ok(()) };
    let seen = Seen::of(events);
    let duration_ms = u64::try_from(now_ms().saturating_sub(about.started_at)).unwrap_or_default();
    let kept = KeptRow {
        preview: KeptPreview {
            id,
            sql: about.sql,
            started_at: about.started_at,
            duration_ms: seen.progress.as_ref().map_or(duration_ms, |progress| progress.elapsed_ms),
            records_read: seen.progress.map(|progress| progress.records_read).unwrap_or_default(),
            outcome: seen.outcome,
            reason: seen.reason,
            row_count: seen.count,
        },
        tables,
    };
    let rows = serde_json::to_string(&seen.rows)?;
    transact!(store, tx => {
        store::kept_preview::insert(tx, about.team, about.user, &kept, &columns, &rows).await?;
        store::kept_preview::keep_newest(tx, about.team, about.user, MOST_KEPT).await
    })?;
    live.publish(about.team, &LiveEvent::PreviewKept);
    Ok(())
}

/// What the events of a preview come to.
struct Seen {
    /// The first ones, as many as are kept.
    rows: Vec<PreviewRow>,
    count: u64,
    progress: Option<PreviewProgress>,
    outcome: PreviewOutcome,
    reason: String,
}

impl Seen {
    fn of(events: &[Arc<str>]) -> Seen {
        let mut seen = Seen {
            rows: Vec::new(),
            count: 0,
            progress: None,
            outcome: PreviewOutcome::Cancelled,
            reason: "cancelled".to_owned(),
        };
        let mut bytes = 0;
        let mut full = false;
        for event in events.iter().filter_map(|event| serde_json::from_str::<PreviewEvent>(event).ok()) {
            match event {
                PreviewEvent::Rows { rows } => {
                    seen.count += rows.len() as u64;
                    for row in rows {
                        bytes += serde_json::to_string(&row).map_or(MOST_BYTES, |json| json.len() + 1);
                        // Once one does not fit none behind it is kept: the first changes make a state, others do not.
                        full = full || seen.rows.len() >= MOST_ROWS || bytes > MOST_BYTES;
                        if !full {
                            seen.rows.push(row);
                        }
                    }
                }
                PreviewEvent::Progress { progress } => seen.progress = Some(progress),
                PreviewEvent::End { reason, progress } => {
                    let ended_by_itself =
                        matches!(reason.as_str(), "finished" | "row limit" | "time limit" | "size limit");
                    seen.outcome = if ended_by_itself { PreviewOutcome::Finished } else { PreviewOutcome::Cancelled };
                    seen.reason = reason;
                    seen.progress = Some(progress);
                }
                PreviewEvent::Failed { diagnostic } => {
                    seen.outcome = PreviewOutcome::Failed;
                    seen.reason = diagnostic.message;
                }
            }
        }
        seen
    }
}

/// The caller's own, newest first.
pub async fn list(app: &App, caller: &TeamCaller) -> Result<Vec<KeptPreview>> {
    let rows = store::kept_preview::list(&app.store, caller.team, caller.caller.user).await?;
    let readable = ReadableTables::load(app, &caller.sight()).await?;
    Ok(rows.into_iter().filter(|row| readable.has_all(&row.tables)).map(|row| row.preview).collect())
}

pub async fn get(app: &App, caller: &TeamCaller, id: PreviewId) -> Result<PreviewSnapshot> {
    let missing = || Error::not_found("preview");
    let found = store::kept_preview::get(&app.store, caller.team, caller.caller.user, id).await?;
    let (row, columns, rows) = found.ok_or_else(missing)?;
    if !ReadableTables::load(app, &caller.sight()).await?.has_all(&row.tables) {
        return Err(missing());
    }
    Ok(PreviewSnapshot { preview: row.preview, columns, rows })
}

/// Also one that is shown no more: it is the caller's.
pub async fn delete(app: &App, caller: &TeamCaller, id: PreviewId) -> Result<()> {
    let (team, user) = (caller.team, caller.caller.user);
    if !transact!(app.store, tx => { store::kept_preview::delete(tx, team, user, id).await })? {
        return Err(Error::not_found("preview"));
    }
    app.live.publish(team, &LiveEvent::PreviewKept);
    Ok(())
}

pub async fn compare(app: &App, caller: &TeamCaller, a: PreviewId, b: PreviewId) -> Result<PreviewComparison> {
    Ok(compared(get(app, caller, a).await?, get(app, caller, b).await?))
}

fn compared(a: PreviewSnapshot, b: PreviewSnapshot) -> PreviewComparison {
    let shape = |side: &PreviewSnapshot| -> Vec<(String, String)> {
        side.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect()
    };
    let by_key = a.columns.iter().any(|column| column.key);
    let mut answer = PreviewComparison {
        columns: a.columns.clone(),
        by_key,
        same: 0,
        only_a: Vec::new(),
        only_b: Vec::new(),
        changed: Vec::new(),
        only_a_count: 0,
        only_b_count: 0,
        changed_count: 0,
        note: String::new(),
    };
    if shape(&a) != shape(&b) {
        answer.note = "The two have other columns, so their rows cannot be compared.".to_owned();
        return answer;
    }
    let is_cut = |side: &PreviewSnapshot| side.rows.len() as u64 != side.preview.row_count;
    if is_cut(&a) || is_cut(&b) {
        answer.note = "Not all changes were kept: the states are those after the first ones.".to_owned();
    }
    let found = engine::compare(&state(&a), &state(&b), &a.columns, &Rules::strict());
    answer.same = found.matched;
    answer.only_a_count = found.missing.len() as u64;
    answer.only_b_count = found.unexpected.len() as u64;
    answer.changed_count = found.different.len() as u64;
    answer.only_a = found.missing.into_iter().take(SHOWN).map(|row| row.values).collect();
    answer.only_b = found.unexpected.into_iter().take(SHOWN).map(|row| row.values).collect();
    let pairs = found.different.into_iter().take(SHOWN);
    answer.changed = pairs.map(|(a, b, columns)| ChangedRow { a: a.values, b: b.values, columns }).collect();
    answer
}

fn state(side: &PreviewSnapshot) -> Vec<PreviewRow> {
    let keys = side.columns.iter().enumerate().filter(|(_, column)| column.key).map(|(index, _)| index);
    let rows = engine::current_state(&side.rows, &keys.collect::<Vec<_>>());
    rows.into_iter().map(|values| PreviewRow { kind: RowKind::Insert, values }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rows(texts: &[&str]) -> Arc<str> {
        let row = |text: &&str| PreviewRow { kind: RowKind::Insert, values: vec![(*text).into()] };
        serde_json::to_string(&PreviewEvent::Rows { rows: texts.iter().map(row).collect() }).unwrap().into()
    }

    #[test]
    fn the_first_rows_are_kept_by_number_and_by_size() {
        let many = vec!["x"; 700];
        let seen = Seen::of(&[rows(&many), rows(&many)]);
        assert_eq!((seen.rows.len(), seen.count), (MOST_ROWS, 1_400));
        let long = "y".repeat(MOST_BYTES - 100);
        let seen = Seen::of(&[rows(&["a", &long, &long, "b"])]);
        assert_eq!((seen.rows.len(), seen.count), (2, 4), "what comes behind one that does not fit is left out, too");
    }

    #[test]
    fn an_end_says_how_it_ended() {
        let progress = PreviewProgress { elapsed_ms: 5, records_read: 3, rows: 1, waiting_for: String::new() };
        for (reason, outcome) in [
            ("finished", PreviewOutcome::Finished),
            ("row limit", PreviewOutcome::Finished),
            ("cancelled", PreviewOutcome::Cancelled),
            ("nobody reads it", PreviewOutcome::Cancelled),
        ] {
            let end = PreviewEvent::End { reason: reason.to_owned(), progress: progress.clone() };
            let seen = Seen::of(&[serde_json::to_string(&end).unwrap().into()]);
            assert_eq!((seen.outcome, seen.reason.as_str()), (outcome, reason));
        }
    }
}

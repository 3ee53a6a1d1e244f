//! A running preview: the request, its live rows, and the words about what it does and waits for.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::PreviewId;
use millrace_wire::preview::{PreviewEvent, PreviewProgress, PreviewRow, PreviewStarted, ResultColumn, StartPreview};
use millrace_wire::preview_history::{PreviewOutcome, PreviewSnapshot};

use crate::api::stream::{Stream, StreamEvent};
use crate::api::{self, Failure};
use crate::clock::local;
use crate::i18n::editor as text;
use crate::widget::data_grid::{CurrentRows, GridRow};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Idle,
    Starting,
    Running,
    /// Why no more rows come.
    Ended(String),
    Failed(Failure),
    /// The statement itself failed while it ran.
    Broken {
        message: String,
        hint: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowsAs {
    Changes,
    Current,
}

pub(super) const MOST_ROWS: u32 = 1_000;
const MOST_SECONDS: u32 = 180;

#[derive(Clone, Copy)]
pub(super) struct Preview {
    team: StoredValue<String>,
    pub(super) phase: RwSignal<Phase>,
    pub(super) columns: RwSignal<Vec<ResultColumn>>,
    /// All changes, oldest first.
    changes: RwSignal<Vec<Arc<GridRow>>>,
    current: StoredValue<CurrentRows>,
    pub(super) note: RwSignal<String>,
    pub(super) progress: RwSignal<Option<PreviewProgress>>,
    pub(super) paused: RwSignal<bool>,
    /// Rows that came while it was paused.
    held: StoredValue<Vec<PreviewRow>>,
    pub(super) held_count: RwSignal<usize>,
    pub(super) rows_as: RwSignal<RowsAs>,
    id: StoredValue<Option<PreviewId>>,
    stream: StoredValue<Option<Stream>, LocalStorage>,
    asked: StoredValue<u32>,
}

impl Preview {
    pub(super) fn new(team: &str) -> Preview {
        let preview = Preview {
            team: StoredValue::new(team.to_owned()),
            phase: RwSignal::new(Phase::Idle),
            columns: RwSignal::new(Vec::new()),
            changes: RwSignal::new(Vec::new()),
            current: StoredValue::new(CurrentRows::default()),
            note: RwSignal::new(String::new()),
            progress: RwSignal::new(None),
            paused: RwSignal::new(false),
            held: StoredValue::new(Vec::new()),
            held_count: RwSignal::new(0),
            rows_as: RwSignal::new(RowsAs::Changes),
            id: StoredValue::new(None),
            stream: StoredValue::new_local(None),
            asked: StoredValue::new(0),
        };
        on_cleanup(move || preview.abandon());
        preview
    }

    pub(super) fn is_on(&self) -> bool {
        matches!(self.phase.get(), Phase::Starting | Phase::Running)
    }

    /// Starts one; a running one is cancelled on the server first.
    pub(super) fn start(&self, sql: String, offset: Option<u32>) {
        let preview = *self;
        self.abandon();
        self.phase.set(Phase::Starting);
        self.changes.set(Vec::new());
        self.columns.set(Vec::new());
        self.note.set(String::new());
        self.progress.set(None);
        self.resume();
        let number = self.asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        let path = self.path("");
        let body = StartPreview { sql, offset, max_rows: Some(MOST_ROWS), max_seconds: Some(MOST_SECONDS) };
        spawn_local(async move {
            let answer = api::post::<PreviewStarted>(&path, &body).await;
            let is_stale = number.is_none() || preview.asked.try_get_value() != number;
            match answer {
                Ok(started) if is_stale => cancel(&format!("{path}/{}", started.id)),
                Ok(started) => preview.follow(&path, started),
                Err(_) if is_stale => {}
                Err(failure) => preview.phase.set(Phase::Failed(failure)),
            }
        });
    }

    fn follow(&self, path: &str, started: PreviewStarted) {
        let preview = *self;
        self.current.set_value(CurrentRows::new(key_of(&started.columns)));
        self.columns.set(started.columns);
        self.note.set(started.note);
        self.id.set_value(Some(started.id));
        self.phase.set(Phase::Running);
        let stream = Stream::open(&format!("{path}/{}/events", started.id), move |event| match event {
            StreamEvent::Open { .. } => {}
            StreamEvent::Message(message) => match serde_json::from_str::<PreviewEvent>(&message) {
                Ok(event) => preview.hear(event),
                Err(error) => leptos::logging::error!("cannot read a preview event: {error}"),
            },
            // The server ends the stream only after it said so; a cut ends the preview, the rows stay.
            StreamEvent::Lost => preview.end(Phase::Ended(text::connection_lost().to_owned())),
        });
        self.stream.set_value(Some(stream));
    }

    fn hear(&self, event: PreviewEvent) {
        match event {
            PreviewEvent::Rows { rows } if self.paused.get_untracked() => {
                self.held.update_value(|held| held.extend(rows));
                self.held_count.set(self.held.with_value(Vec::len));
            }
            PreviewEvent::Rows { rows } => self.add(rows),
            PreviewEvent::Progress { progress } => self.progress.set(Some(progress)),
            PreviewEvent::End { reason, progress } => {
                self.progress.set(Some(progress));
                self.end(Phase::Ended(reason));
            }
            PreviewEvent::Failed { diagnostic } => {
                self.end(Phase::Broken { message: diagnostic.message, hint: diagnostic.hint });
            }
        }
    }

    fn end(&self, phase: Phase) {
        if self.phase.try_with_untracked(|now| *now == Phase::Running) == Some(true) {
            self.phase.set(phase);
        }
        let _ = self.id.try_set_value(None);
        self.close_stream();
    }

    /// Shows the rows of one that ended; nothing runs.
    pub(super) fn reopen(&self, past: PreviewSnapshot) {
        self.abandon();
        self.resume();
        let PreviewSnapshot { preview, columns, rows } = past;
        let mut current = CurrentRows::new(key_of(&columns));
        for row in &rows {
            current.apply(row.kind, &row.values);
        }
        self.current.set_value(current);
        self.columns.set(columns);
        let at = local(preview.started_at).seconds();
        let all = rows.len() as u64 == preview.row_count;
        self.note.set(if all { text::history_note(at) } else { text::history_note_first(at, preview.row_count) });
        let waiting_for = String::new();
        self.progress.set(Some(PreviewProgress {
            elapsed_ms: preview.duration_ms,
            records_read: preview.records_read,
            rows: preview.row_count,
            waiting_for,
        }));
        self.phase.set(match preview.outcome {
            PreviewOutcome::Failed => Phase::Broken { message: preview.reason, hint: None },
            PreviewOutcome::Finished | PreviewOutcome::Cancelled => Phase::Ended(preview.reason),
        });
        self.changes.set(numbered(0, rows).collect());
    }

    /// Closed at the next turn, since this may run inside one of its own handlers.
    fn close_stream(&self) {
        let stream = self.stream.try_update_value(Option::take).flatten();
        spawn_local(async move { drop(stream) });
    }

    fn add(&self, rows: Vec<PreviewRow>) {
        self.current.update_value(|current| {
            for row in &rows {
                current.apply(row.kind, &row.values);
            }
        });
        self.changes.update(|changes| changes.extend(numbered(changes.len(), rows)));
    }

    pub(super) fn pause(&self) {
        self.paused.set(true);
    }

    pub(super) fn resume(&self) {
        self.paused.set(false);
        self.held_count.set(0);
        let held = self.held.try_update_value(std::mem::take).unwrap_or_default();
        self.add(held);
    }

    /// Cancels on the server; the rows stay.
    pub(super) fn stop(&self) {
        self.asked.update_value(|asked| *asked += 1);
        let was_starting = self.phase.with_untracked(|phase| *phase == Phase::Starting);
        if let Some(id) = self.id.get_value() {
            cancel(&self.path(&format!("/{id}")));
            self.end(Phase::Ended(text::cancelled().to_owned()));
        } else if was_starting {
            self.phase.set(Phase::Ended(text::cancelled().to_owned()));
        }
    }

    /// Leaves no preview running on the server.
    fn abandon(&self) {
        if self.phase.try_with_untracked(|now| *now == Phase::Running) == Some(true) {
            let _ = self.phase.try_set(Phase::Idle);
        }
        let id = self.id.try_update_value(Option::take).flatten();
        if let Some(id) = id
            && let Some(path) = self.team.try_with_value(|team| api::path::team(team, &format!("previews/{id}")))
        {
            cancel(&path);
        }
        self.close_stream();
    }

    /// The rows as chosen.
    pub(super) fn rows(&self) -> Memo<Vec<Arc<GridRow>>> {
        let preview = *self;
        Memo::new(move |_| match preview.rows_as.get() {
            RowsAs::Changes => preview.changes.get(),
            RowsAs::Current => {
                preview.changes.track();
                preview.current.with_value(|current| {
                    current
                        .rows()
                        .enumerate()
                        .map(|(index, values)| {
                            Arc::new(GridRow { number: index + 1, kind: None, values: values.clone() })
                        })
                        .collect()
                })
            }
        })
    }

    /// True when the rows say more than "inserted", so that the two ways to look at them differ.
    pub(super) fn has_updates(&self) -> Memo<bool> {
        let preview = *self;
        Memo::new(move |_| {
            preview.changes.with(|changes| changes.len() != preview.current.with_value(CurrentRows::len))
        })
    }

    pub(super) fn count(&self) -> usize {
        self.changes.with(Vec::len)
    }

    fn path(&self, tail: &str) -> String {
        self.team.with_value(|team| api::path::team(team, &format!("previews{tail}")))
    }
}

fn key_of(columns: &[ResultColumn]) -> Vec<usize> {
    columns.iter().enumerate().filter(|(_, column)| column.key).map(|(index, _)| index).collect()
}

/// Rows as the grid shows them, counted on from `before`.
fn numbered(before: usize, rows: Vec<PreviewRow>) -> impl Iterator<Item = Arc<GridRow>> {
    rows.into_iter().enumerate().map(move |(index, row)| {
        Arc::new(GridRow { number: before + index + 1, kind: Some(row.kind), values: row.values })
    })
}

fn cancel(path: &str) {
    let path = path.to_owned();
    spawn_local(async move {
        // It may have ended by itself a moment ago.
        let _ = api::delete(&path).await;
    });
}

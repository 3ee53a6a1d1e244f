//! One draft on the desk: its text and settings, what the server thinks of them, and whether they are saved.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSettings, SaveDraft};
use millrace_wire::live::LiveEvent;
use millrace_wire::sql::{Diagnostic, Format, Formatted, Severity, Validate, Validation};

use super::backup::{self, Backup};
use super::brought;
use crate::api::{self, Failure};
use crate::clock::now;
use crate::i18n::editor as text;
use crate::live::{Live, use_live};
use crate::theme::{recall, remember};
use crate::ui::toast::{Toasts, use_toasts};
use crate::widget::sql_editor::{Findings, SqlHandle};

/// After the last key, together with the rest that the editor itself waits.
const VALIDATE_AFTER_MS: u32 = 280;
const SAVE_AFTER_MS: u32 = 1_500;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Saving {
    /// Since when.
    Saved(i64),
    Changed,
    Busy,
    /// Somebody else saved another text in the meantime.
    Conflict,
    Failed(Failure),
}

#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) team: StoredValue<String>,
    /// None for the scratch.
    pub(super) id: Option<JobId>,
    pub(super) job: RwSignal<Option<Job>>,
    pub(super) sql: SqlHandle,
    pub(super) settings: RwSignal<JobSettings>,
    pub(super) validation: RwSignal<Option<Validation>>,
    pub(super) validating: RwSignal<bool>,
    pub(super) validation_failure: RwSignal<Option<Failure>>,
    /// Goes up when what is written may mean something else.
    recheck: RwSignal<u32>,
    pub(super) saving: RwSignal<Saving>,
    /// Found in the browser when the draft was opened: typed, never saved.
    pub(super) unsaved: RwSignal<Option<Backup>>,
    may_edit: Signal<bool>,
    pub(super) toasts: Toasts,
    live: Live,
}

impl Desk {
    pub(super) fn new(team: &str, job: Option<Job>, may_edit: Signal<bool>) -> Desk {
        let scratch = || recall(&scratch_key(team)).unwrap_or_default();
        let sql = job.as_ref().map_or_else(scratch, |job| job.draft.sql.clone());
        let settings = job.as_ref().map(|job| job.draft.settings.clone()).unwrap_or_default();
        let saved_at = job.as_ref().map_or_else(now, |job| job.draft.updated_at);
        let unsaved =
            job.as_ref().filter(|_| may_edit.get_untracked()).and_then(|job| backup::offered(team, job.id, &job.draft));
        let desk = Desk {
            team: StoredValue::new(team.to_owned()),
            id: job.as_ref().map(|job| job.id),
            sql: SqlHandle::new(sql),
            settings: RwSignal::new(settings),
            job: RwSignal::new(job),
            validation: RwSignal::new(None),
            validating: RwSignal::new(false),
            validation_failure: RwSignal::new(None),
            recheck: RwSignal::new(0),
            saving: RwSignal::new(Saving::Saved(saved_at)),
            unsaved: RwSignal::new(unsaved),
            may_edit,
            toasts: use_toasts(),
            live: use_live(),
        };
        desk.live.on(move |event| {
            if matches!(event, LiveEvent::VariablesChanged) {
                desk.recheck.update(|count| *count = count.wrapping_add(1));
            }
        });
        desk.validate_after_typing();
        desk.save_after_typing();
        desk.save_when_left();
        desk
    }

    pub(super) fn path(&self, tail: &str) -> String {
        self.team.with_value(|team| api::path::team(team, tail))
    }

    fn job_path(&self, id: JobId, tail: &str) -> String {
        self.path(&format!("jobs/{id}{tail}"))
    }

    pub(super) fn findings(&self) -> Signal<Findings> {
        let validation = self.validation;
        Signal::derive(move || {
            validation.with(|validation| {
                validation
                    .as_ref()
                    .map(|validation| Findings {
                        diagnostics: validation.diagnostics.clone(),
                        statements: validation.statements.clone(),
                    })
                    .unwrap_or_default()
            })
        })
    }

    pub(super) fn errors(&self) -> Vec<Diagnostic> {
        self.validation.with(|validation| {
            let all = validation.as_ref().map(|validation| validation.diagnostics.as_slice()).unwrap_or_default();
            all.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).cloned().collect()
        })
    }

    fn validate_after_typing(&self) {
        let desk = *self;
        let asked = StoredValue::new(0_u32);
        let sql = self.sql.text();
        let parallelism = Memo::new(move |_| desk.settings.with(|settings| settings.parallelism));
        Effect::new(move |before: Option<()>| {
            let (sql, parallelism) = (sql.get(), parallelism.get());
            desk.recheck.track();
            let number = asked.try_update_value(|asked| {
                *asked += 1;
                *asked
            });
            let pause = if before.is_some() { VALIDATE_AFTER_MS } else { 0 };
            let path = desk.path("sql/validate");
            spawn_local(async move {
                gloo_timers::future::TimeoutFuture::new(pause).await;
                let is_stale = || number.is_none() || asked.try_get_value() != number;
                if is_stale() {
                    return;
                }
                if sql.trim().is_empty() {
                    let _ = desk.validation.try_set(None);
                    return;
                }
                let _ = desk.validating.try_set(true);
                let body = Validate { sql, parallelism: Some(parallelism) };
                let answer = api::post::<Validation>(&path, &body).await;
                // What was typed meanwhile makes this answer one to another question.
                if is_stale() {
                    return;
                }
                let _ = desk.validating.try_set(false);
                match answer {
                    Ok(found) => {
                        let _ = desk.validation_failure.try_set(None);
                        let _ = desk.validation.try_set(Some(found));
                    }
                    Err(failure) => {
                        let _ = desk.validation_failure.try_set(Some(failure));
                    }
                }
            });
        });
    }

    fn save_after_typing(&self) {
        let desk = *self;
        let asked = StoredValue::new(0_u32);
        let sql = self.sql.text();
        Effect::new(move |before: Option<(String, JobSettings)>| {
            let state = (sql.get(), desk.settings.get());
            let number = asked.try_update_value(|asked| {
                *asked += 1;
                *asked
            });
            let is_change = before.as_ref().is_some_and(|before| *before != state);
            if !is_change || !desk.may_edit.get_untracked() {
                return state;
            }
            if desk.id.is_none() {
                desk.keep_scratch(&state.0);
                return state;
            }
            if desk.is_changed() {
                if desk.saving.with_untracked(|saving| *saving != Saving::Conflict) {
                    desk.saving.set(Saving::Changed);
                }
                desk.back_up(&state);
            }
            spawn_local(async move {
                gloo_timers::future::TimeoutFuture::new(SAVE_AFTER_MS).await;
                let is_newest = number.is_some() && asked.try_get_value() == number;
                if is_newest && desk.saving.try_with_untracked(|saving| *saving == Saving::Changed) == Some(true) {
                    desk.save().await;
                }
            });
            state
        });
    }

    /// The scratch goes nowhere but into the browser's own storage, and so at once.
    fn keep_scratch(&self, sql: &str) {
        self.team.with_value(|team| remember(&scratch_key(team), sql));
        let _ = self.saving.try_set(Saving::Saved(now()));
    }

    fn back_up(&self, (sql, settings): &(String, JobSettings)) {
        if let Some(id) = self.id {
            let backup = Backup { sql: sql.clone(), settings: settings.clone(), at: now() };
            let _ = self.team.try_with_value(|team| backup::keep(team, id, &backup));
        }
    }

    fn forget_backup(&self) {
        if let Some(id) = self.id {
            let _ = self.team.try_with_value(|team| backup::clear(team, id));
        }
    }

    /// Puts back what was typed and not saved; it is saved like anything typed.
    pub(super) fn restore(&self) {
        let Some(backup) = self.unsaved.get_untracked() else { return };
        self.unsaved.set(None);
        self.sql.replace(&backup.sql);
        self.settings.set(backup.settings);
    }

    pub(super) fn discard_unsaved(&self) {
        self.unsaved.set(None);
        if self.saving.with_untracked(|saving| matches!(saving, Saving::Saved(_))) {
            self.forget_backup();
        }
    }

    /// Takes in SQL that the address brought along.
    pub(super) fn bring(&self, sql: &str) {
        let (text, caret) = brought::with_statement(&self.sql.current(), sql);
        self.sql.replace(&text);
        self.sql.caret_to(caret);
    }

    /// Who leaves the page before the draft was saved does not wait for it. Where that fails, the backup is offered the
    /// next time.
    fn save_when_left(&self) {
        let desk = *self;
        on_cleanup(move || {
            // Asked of the text itself: no effect runs any more to tell of the last keys.
            let Some(sql) = desk.sql.try_current() else { return };
            let may_edit = desk.may_edit.try_get_untracked() == Some(true);
            let Some(id) = desk.id.filter(|_| may_edit && desk.is_changed()) else { return };
            let revision = desk.job.try_with_untracked(|job| job.as_ref().map(|job| job.draft.revision)).flatten();
            let left = (desk.team.try_get_value(), desk.settings.try_get_untracked(), revision);
            let (Some(team), Some(settings), Some(revision)) = left else { return };
            desk.back_up(&(sql.clone(), settings.clone()));
            // Under way, the save before this one is about to change the revision; in conflict, somebody has.
            if desk.saving.try_with_untracked(|saving| matches!(saving, Saving::Busy | Saving::Conflict)) == Some(true)
            {
                return;
            }
            let body = SaveDraft { sql, settings, revision };
            let path = api::path::team(&team, &format!("jobs/{id}/draft"));
            spawn_local(async move {
                if api::put::<Job>(&path, &body).await.is_ok() {
                    backup::clear(&team, id);
                }
            });
        });
    }

    fn is_changed(&self) -> bool {
        // Asked after a request too, when the page may be gone.
        let sql = self.sql.current();
        let settings = self.settings.try_get_untracked();
        let differs = self.job.try_with_untracked(|job| match job {
            Some(job) => job.draft.sql != sql || settings.is_some_and(|settings| settings != job.draft.settings),
            None => true,
        });
        differs.unwrap_or(false)
    }

    /// Saves what is on the desk; true when it is saved.
    pub(super) async fn save(&self) -> bool {
        let sql = self.sql.current();
        let Some(id) = self.id else {
            self.keep_scratch(&sql);
            return true;
        };
        if !self.is_changed() {
            self.forget_backup();
            let at = self.job.with_untracked(|job| job.as_ref().map_or_else(now, |job| job.draft.updated_at));
            let _ = self.saving.try_set(Saving::Saved(at));
            return true;
        }
        let revision = self.job.with_untracked(|job| job.as_ref().map(|job| job.draft.revision)).unwrap_or_default();
        let body = SaveDraft { sql, settings: self.settings.get_untracked(), revision };
        let _ = self.saving.try_set(Saving::Busy);
        match api::put::<Job>(&self.job_path(id, "/draft"), &body).await {
            Ok(job) => {
                let _ = self.job.try_set(Some(self.live.up_to_date(job)));
                // Typed while the request was on its way.
                let more = self.is_changed();
                if !more {
                    self.forget_backup();
                }
                let _ = self.saving.try_set(if more { Saving::Changed } else { Saving::Saved(now()) });
                true
            }
            Err(failure) if failure.code() == "draft_changed" => {
                let _ = self.saving.try_set(Saving::Conflict);
                false
            }
            Err(failure) => {
                let _ = self.saving.try_set(Saving::Failed(failure));
                false
            }
        }
    }

    /// Fetches the job as it is now. With `keep_text` only the revision is taken over, so that the next save wins.
    pub(super) async fn fetch(&self, keep_text: KeepText) {
        let Some(id) = self.id else { return };
        match api::get::<Job>(&self.job_path(id, "")).await {
            Ok(job) => {
                if keep_text == KeepText::No {
                    self.forget_backup();
                    self.sql.set(&job.draft.sql);
                    let _ = self.settings.try_set(job.draft.settings.clone());
                }
                let _ = self.job.try_set(Some(self.live.up_to_date(job)));
                let _ = self.saving.try_set(if self.is_changed() { Saving::Changed } else { Saving::Saved(now()) });
            }
            Err(failure) => {
                let _ = self.saving.try_set(Saving::Failed(failure));
            }
        }
    }

    pub(super) fn save_now(&self) {
        let desk = *self;
        if self.may_edit.get_untracked() {
            spawn_local(async move {
                desk.save().await;
            });
        }
    }

    /// Formats on the server, as one undo step; a text that cannot be read stays as it is.
    pub(super) fn format(&self) {
        let desk = *self;
        let toasts = self.toasts;
        let sql = self.sql.current();
        let path = self.path("sql/format");
        spawn_local(async move {
            match api::post::<Formatted>(&path, &Format { sql: sql.clone() }).await {
                Ok(answer) if desk.sql.current() == sql => desk.sql.replace(&answer.sql),
                // The text went on meanwhile: formatting the old one would lose keys.
                Ok(_) => {}
                Err(failure) => toasts.bad(text::cannot_format(), failure.sentence()),
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum KeepText {
    Yes,
    No,
}

fn scratch_key(team: &str) -> String {
    format!("millrace.editor.scratch.{team}")
}

pub(super) fn forget_scratch(team: &str) {
    remember(&scratch_key(team), "");
}

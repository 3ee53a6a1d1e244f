//! The SQL beside the form: as the form writes it, or as somebody changed it, with what the server says of it.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::sql::{Diagnostic, Severity, Validate, Validation};

use super::form::Form;
use crate::api::{self, Failure};
use crate::i18n::{builder as text, editor};
use crate::ui::button::Button;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::id;
use crate::widget::sql_editor::utf16_offset;

/// The server is asked once the form rests.
const REST_MS: u32 = 300;

#[component]
pub(super) fn SqlPane(
    form: Form,
    sql: Memo<String>,
    /// What somebody made of the SQL; none as long as the form writes it.
    edited: RwSignal<Option<String>>,
) -> impl IntoView {
    let validation = RwSignal::new(None::<Validation>);
    let failure = RwSignal::new(None::<Failure>);
    validate(form, sql, validation, failure);
    let node = NodeRef::<html::Textarea>::new();
    let field = id::next("sql");
    let note = id::next("note");
    let (own, described) = (field.clone(), note.clone());
    let use_form = move |()| {
        edited.set(None);
        if let Some(node) = node.get_untracked() {
            let _ = node.focus();
        }
    };
    let is_edited = Memo::new(move |_| edited.with(Option::is_some));
    let diagnostics =
        move || validation.with(|found| found.as_ref().map(|found| found.diagnostics.clone())).unwrap_or_default();
    let state = move || {
        let is_empty = sql.with(|sql| sql.trim().is_empty());
        let is_whole = validation.with(|found| found.as_ref().map(|found| found.diagnostics.is_empty()));
        match (is_empty, is_whole) {
            (true, _) => text::nothing_yet(),
            (false, Some(true)) => text::whole(),
            (false, Some(false)) => "",
            (false, None) if failure.with(Option::is_some) => "",
            (false, None) => editor::checking(),
        }
    };
    view! {
        <div class="builder-sql">
            <label class="field-label" for=field>{text::sql()}</label>
            <textarea id=own class="textarea input-code" spellcheck="false" node_ref=node aria-describedby=described
                prop:value=move || sql.get() on:input=move |event| edited.set(Some(event_target_value(&event)))></textarea>
            <div id=note class="builder-note" role="status">
                {move || if is_edited.get() { text::edited() } else { text::sql_note() }}
            </div>
            {move || is_edited.get().then(|| view! {
                <div><Button small=true icon=Icon::Restart title=text::use_form_tip().to_owned() on_press=use_form>{text::use_form_again()}</Button></div>
            })}
            <p class="muted" role="status">{state}</p>
            <ol class="problems">{move || diagnostics().into_iter().map(|one| item(one, sql, node)).collect_view()}</ol>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </div>
    }
    .into_any()
}

/// A problem; a press selects its place.
fn item(diagnostic: Diagnostic, sql: Memo<String>, node: NodeRef<html::Textarea>) -> AnyView {
    let (icon, class, word) = match diagnostic.severity {
        Severity::Error => (Icon::Error, "bad", editor::error()),
        Severity::Warning => (Icon::Warn, "warn", editor::warning()),
    };
    let place = diagnostic.span.as_ref().map_or_else(
        || editor::whole_script().to_owned(),
        |span| editor::place(span.line, span.column, span.end_line, span.end_column),
    );
    let span = diagnostic.span.clone();
    let go = move |_: leptos::ev::MouseEvent| {
        if let (Some(span), Some(node)) = (&span, node.get_untracked()) {
            let (from, to) = sql.with_untracked(|sql| (utf16_offset(sql, span.start), utf16_offset(sql, span.end)));
            let _ = node.focus();
            let _ = node.set_selection_range(from, to);
        }
    };
    view! {
        <li>
            <button type="button" on:click=go>
                <span class=class>{icon.view()}<span class="visually-hidden">{word}" "</span></span>
                <span>
                    <b>{diagnostic.message}</b>
                    {diagnostic.hint.map(|hint| view! { <span class="problem-hint">{hint}" "</span> })}
                    <span class="subtle">{place}</span>
                </span>
            </button>
        </li>
    }
    .into_any()
}

fn validate(
    form: Form,
    sql: Memo<String>,
    validation: RwSignal<Option<Validation>>,
    failure: RwSignal<Option<Failure>>,
) {
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let sql = sql.get();
        let number = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        validation.set(None);
        failure.set(None);
        if sql.trim().is_empty() {
            return;
        }
        let path = form.team.with_value(|team| api::path::team(team, "sql/validate"));
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(REST_MS).await;
            let is_stale = || number.is_none() || asked.try_get_value() != number;
            if is_stale() {
                return;
            }
            let answer = api::post::<Validation>(&path, &Validate { sql, parallelism: None }).await;
            if is_stale() {
                return;
            }
            match answer {
                Ok(found) => {
                    let _ = validation.try_set(Some(found));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
}

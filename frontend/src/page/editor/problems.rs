//! What is wrong with the SQL, as a list; a click goes to the place.

use leptos::prelude::*;
use millrace_wire::sql::{Diagnostic, Severity, Span};

use super::desk::Desk;
use crate::i18n::editor as text;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;

#[component]
pub(super) fn Problems(desk: Desk) -> impl IntoView {
    let validation = desk.validation;
    let list = move || {
        validation
            .with(|validation| validation.as_ref().map(|validation| validation.diagnostics.clone()).unwrap_or_default())
    };
    let state = Memo::new(move |_| {
        let empty = desk.sql.text().with(|text| text.trim().is_empty());
        let none =
            validation.with(|validation| validation.as_ref().map(|validation| validation.diagnostics.is_empty()));
        (empty, none.or(desk.validation_failure.with(Option::is_some).then_some(false)))
    });
    view! {
        {move || desk.validation_failure.get().map(|failure| view! { <div class="ide-empty"><FailureNote failure/></div> })}
        <p class="ide-empty muted" role="status">{move || match state.get() {
            (true, _) => text::nothing_to_check(),
            (false, Some(true)) => text::no_problems(),
            (false, Some(false)) => "",
            (false, None) => text::checking(),
        }}</p>
        <ol class="problems">
            {move || list().into_iter().map(|diagnostic| item(desk, diagnostic)).collect_view()}
        </ol>
    }
    .into_any()
}

fn item(desk: Desk, diagnostic: Diagnostic) -> AnyView {
    let (icon, class, word) = match diagnostic.severity {
        Severity::Error => (Icon::Error, "bad", text::error()),
        Severity::Warning => (Icon::Warn, "warn", text::warning()),
    };
    let place = diagnostic.span.as_ref().map_or_else(|| text::whole_script().to_owned(), place);
    let span = diagnostic.span.clone();
    let go = move |_| {
        if let Some(span) = &span {
            desk.sql.select(span);
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

/// The exact place, as the server counts it.
fn place(span: &Span) -> String {
    text::place(span.line, span.column, span.end_line, span.end_column)
}

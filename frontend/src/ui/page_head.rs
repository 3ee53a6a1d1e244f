//! The head of a page: way back, title with state, one line of facts, actions on the right. Sets the title of the
//! browser's tab too.

use leptos::prelude::*;

use super::breadcrumb::Breadcrumb;
use crate::i18n::words;

#[component]
pub fn PageHead(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] steps: Signal<Vec<(String, String)>>,
    /// State, counts: beside the title.
    #[prop(optional, into)]
    beside: ViewFn,
    /// One line of facts below.
    #[prop(optional, into)]
    note: ViewFn,
    #[prop(optional, into)] actions: ViewFn,
) -> impl IntoView {
    Effect::new(move |_| document().set_title(&words::title(title.get())));
    view! {
        <div class="page-head">
            <div class="page-head-title">
                {move || (!steps.with(Vec::is_empty)).then(|| view! { <Breadcrumb steps/> })}
                <div class="page-head-row"><h1>{move || title.get()}</h1>{beside.run()}</div>
            </div>
            <div class="page-actions">{actions.run()}</div>
            <div class="page-head-note">{note.run()}</div>
        </div>
    }
    .into_any()
}

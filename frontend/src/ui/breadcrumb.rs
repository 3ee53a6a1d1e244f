//! The way back up.

use leptos::prelude::*;

/// Words and address of each step above this page.
#[component]
pub fn Breadcrumb(#[prop(into)] steps: Signal<Vec<(String, String)>>) -> impl IntoView {
    view! {
        <nav aria-label="Breadcrumb">
            <ol class="breadcrumb">
                {move || steps.get().into_iter().map(|(words, href)| view! { <li><a href=href>{words}</a></li> }).collect_view()}
            </ol>
        </nav>
    }
    .into_any()
}

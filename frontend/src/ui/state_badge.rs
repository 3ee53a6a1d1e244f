//! A state as shape, word, colour and age. Quiet when healthy, loud when not.

use leptos::prelude::*;

use super::age::{AgeOf, Ago};
use crate::i18n::words;

/// `state`: a run state, `draft`, or `stale`, which wins over the others.
#[component]
pub fn StateBadge(
    #[prop(into)] state: Signal<String>,
    /// Since when, or when last seen.
    #[prop(optional, into)]
    at: MaybeProp<i64>,
    /// What somebody asked for, where it is not what is.
    #[prop(optional, into)]
    wanted: MaybeProp<String>,
    /// In a page head, where nothing says what the age is of.
    #[prop(optional)]
    pill: bool,
    #[prop(optional, into)] title: MaybeProp<String>,
) -> impl IntoView {
    let class = if pill { "state state-pill" } else { "state" };
    view! {
        <span class=class data-state=move || state.get() title=move || title.get()>
            <span class="state-mark" aria-hidden="true"></span>
            {move || state.get()}
            {move || at.get().map(|at| {
                let is_seen = pill && state.with(|state| matches!(state.as_str(), "running" | "stale"));
                let age = if is_seen {
                    view! { {words::seen()}" "<Ago at/> }.into_any()
                } else {
                    view! { <AgeOf at/> }.into_any()
                };
                view! { <span class="state-age">{age}</span> }
            })}
            {move || wanted.get().map(|wanted| view! {
                <span class="state-want"><span aria-hidden="true">"→"</span>{wanted}</span>
            })}
        </span>
    }
    .into_any()
}

//! The steps of a test or another long action, each with its outcome.

use leptos::prelude::*;

use super::icon::Icon;
use crate::format::age::duration;

/// One step that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub ok: bool,
    pub detail: String,
    pub ms: u64,
}

#[component]
pub fn Steps(#[prop(into)] steps: Signal<Vec<Step>>) -> impl IntoView {
    view! {
        <ol class="steps">
            {move || steps.get().into_iter().map(|step| view! {
                <li data-step=if step.ok { "done" } else { "failed" }>
                    <span class=if step.ok { "good" } else { "bad" }>{if step.ok { Icon::Check } else { Icon::Error }.view()}</span>
                    <span class="visually-hidden">{if step.ok { "passed" } else { "failed" }}</span>
                    <span class="medium">{step.name}</span>
                    <span class="muted truncate grow" title=step.detail.clone()>{step.detail.clone()}</span>
                    <span class="subtle small nowrap">{duration(step.ms)}</span>
                </li>
            }).collect_view()}
        </ol>
    }
    .into_any()
}

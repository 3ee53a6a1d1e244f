//! What a connection test found, step by step; tables and connections show the same.

use leptos::prelude::*;
use millrace_wire::connection::ConnectionTest;

use crate::ui::steps::{Step, Steps};

#[component]
pub fn TestResult(test: ConnectionTest) -> impl IntoView {
    let steps: Vec<Step> = test
        .steps
        .into_iter()
        .map(|step| Step { name: step.name, ok: step.ok, detail: step.detail, ms: step.ms })
        .collect();
    view! { <Steps steps/> }.into_any()
}

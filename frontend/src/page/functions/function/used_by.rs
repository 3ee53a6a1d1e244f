//! The jobs that call the function, and which version of it each was saved with.

use leptos::prelude::*;
use millrace_wire::user_function::{FunctionUse, UserFunction};

use super::newest;
use crate::i18n::functions as text;
use crate::route::{JobTab, TeamRoute};
use crate::ui::badge::{Badge, Tone};
use crate::ui::empty_state::EmptyState;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn UsedBy(team: String, function: Signal<UserFunction>) -> impl IntoView {
    (move || {
        let (used_by, newest) =
            function.with(|function| (function.used_by.clone(), newest(function).map_or(0, |newest| newest.number)));
        if used_by.is_empty() {
            return view! { <EmptyState title=text::no_user() body=text::no_user_body()/> }.into_any();
        }
        let heads = vec![
            Head::text(text::job()),
            Head::number(text::job_version()),
            Head::text(text::function_version()).fit(),
        ];
        let rows = used_by.into_iter().map(|used| row(&team, used, newest)).collect_view();
        view! { <Table label=text::used_by() heads>{rows}</Table> }.into_any()
    })
    .into_any()
}

fn row(team: &str, used: FunctionUse, newest: u32) -> AnyView {
    let href = TeamRoute::Job(used.job.id, JobTab::Versions).of(team).href();
    let (tone, tip) =
        if used.version < newest { (Tone::Warn, Some(text::older_tip(newest))) } else { (Tone::Plain, None) };
    let label = text::version_short(used.version);
    let badge = match tip {
        Some(tip) => view! { <Badge tone title=tip>{label}</Badge> }.into_any(),
        None => view! { <Badge tone>{label}</Badge> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a href=href>{used.job.name}</a></th>
            <td class="num cell-fit">{used.job_version}</td>
            <td class="cell-fit">{badge}</td>
        </tr>
    }
    .into_any()
}

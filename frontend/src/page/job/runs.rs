//! The runs: why each began, from which state, how it ended.

use leptos::prelude::*;
use millrace_wire::job::StopMode;
use millrace_wire::page::Page;
use millrace_wire::run::{Run, RunCause};

use super::context::use_job;
use crate::api;
use crate::clock::{local, use_clock};
use crate::format::age::{between, duration};
use crate::format::number;
use crate::i18n::{approvals, job as text, words};
use crate::load::load;
use crate::route::{JobTab, TeamRoute};
use crate::ui::empty_state::EmptyState;
use crate::ui::skeleton::Shape;
use crate::ui::state_badge::StateBadge;
use crate::ui::table::{Head, Table};

/// Around a run in its charts, so that its begin and end show.
const MARGIN_MS: i64 = 60_000;

#[component]
pub(super) fn Runs() -> impl IntoView {
    view! { <div class="page job-list"><RunTable most=200/></div> }.into_any()
}

#[component]
pub(super) fn RunTable(most: usize) -> impl IntoView {
    let context = use_job();
    let runs = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("runs"), &[("limit", &most.to_string())]);
            async move { api::get::<Page<Run>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            runs.reload();
        }
    });
    runs.show(Shape::Rows(4), move |runs| {
        (move || {
            let runs = runs.get().items;
            if runs.is_empty() {
                return view! { <EmptyState title=text::no_runs() body=text::no_runs_body()/> }.into_any();
            }
            let heads = vec![
                Head::text(text::number()),
                Head::text(text::state()),
                Head::text(text::version()),
                Head::text(text::why()),
                Head::number(text::started()),
                Head::number(text::lasted()),
                Head::text(text::from()).wide(),
                Head::number(text::records()).wide(),
                Head::text(text::run_end()),
                Head::text(text::links()).silent(),
            ];
            view! {
                <Table label=text::runs() heads>{runs.into_iter().take(most).map(row).collect_view()}</Table>
            }
            .into_any()
        })
        .into_any()
    })
}

fn row(run: Run) -> AnyView {
    let context = use_job();
    let clock = use_clock();
    let logs =
        format!("{}?run={}", TeamRoute::Job(context.id, JobTab::Logs).of(&context.team.get_value()).href(), run.id);
    let page = |tab: JobTab| TeamRoute::Job(context.id, tab).of(&context.team.get_value()).href();
    let report = format!("{}?run={}", page(JobTab::Report), run.number);
    let until = run.ended_at.map(|at| at + MARGIN_MS);
    let metrics = match until {
        Some(until) => format!("{}?from={}&to={until}", page(JobTab::Metrics), run.created_at - MARGIN_MS),
        None => page(JobTab::Metrics),
    };
    let (logs_here, number) = (logs.clone(), run.number);
    let cause = match run.cause {
        RunCause::Manual => text::cause_manual(),
        RunCause::Api => text::cause_api(),
        RunCause::Demo => text::cause_demo(),
        RunCause::Restart => text::cause_restart(),
        RunCause::Schedule => text::cause_schedule(),
        RunCause::Retry => text::cause_retry(),
    };
    let why = if run.started_by.is_empty() { cause.to_owned() } else { text::who(cause, &run.started_by) };
    let approval = run.approval.map(|given| {
        let at = local(given.at).full();
        view! { ", "<span title=at>{approvals::approved_by_word(given.by)}</span> }
    });
    let started = local(run.running_at.unwrap_or(run.created_at));
    let (from, ended) = (run.running_at.unwrap_or(run.created_at), run.ended_at);
    let lasted = move || duration(between(from, ended.unwrap_or_else(|| clock.get())) / 1_000 * 1_000);
    let restored = if run.restored_from.is_empty() { text::from_nothing().to_owned() } else { run.restored_from };
    let end = match (run.ended_at, run.stop_mode) {
        (None, _) => String::new(),
        (Some(_), _) if !run.reason.is_empty() => run.reason.clone(),
        (Some(_), Some(StopMode::Savepoint)) => text::stop_mode_savepoint().to_owned(),
        (Some(_), Some(StopMode::Drain)) => text::stop_mode_drain().to_owned(),
        (Some(_), Some(StopMode::Cancel)) => text::stop_mode_cancel().to_owned(),
        (Some(_), None) => words::not_known().to_owned(),
    };
    let records = format!("{} → {}", number::grouped(run.records_in), number::grouped(run.records_out));
    view! {
        <tr>
            <th scope="row"><a href=logs>{run.number}</a></th>
            <td><StateBadge state=run.state.as_str().to_owned()/></td>
            <td>{text::version_name(run.version)}</td>
            <td class="muted">{why}{approval}</td>
            <td class="num" title=started.full()>{started.day_month()}" "{started.seconds()}</td>
            <td class="num">{lasted}</td>
            <td class="muted wide-only">{restored}</td>
            <td class="num wide-only">{records}</td>
            <td class="muted"><span class="run-end truncate" title=end.clone()>{end.clone()}</span></td>
            <td class="nowrap"><span class="row">
                <a class="link" href=logs_here aria-label=text::logs_of(number)>{text::logs()}</a>
                <a class="link" href=metrics aria-label=text::metrics_of(number)>{text::metrics()}</a>
                <a class="link" href=report aria-label=text::report_of(number)>{text::report()}</a>
            </span></td>
        </tr>
    }
    .into_any()
}

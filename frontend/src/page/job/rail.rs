//! The figures of now.

use leptos::prelude::*;
use millrace_wire::job::JobFigures;
use millrace_wire::metric::MetricReport;
use millrace_wire::page::Page;
use millrace_wire::table::TableSummary;

use super::context::use_job;
use crate::api;
use crate::api::path::with_query;
use crate::clock::{local, use_clock};
use crate::format::age::{age, between, duration};
use crate::format::{bytes, number};
use crate::i18n::{job as text, words};
use crate::load::load;
use crate::route::{TableTab, TeamRoute};
use crate::ui::facts::{Fact, Facts};
use crate::ui::panel::Panel;
use crate::widget::job_state::lag_tone;

#[component]
pub(super) fn NowPanel() -> impl IntoView {
    let context = use_job();
    let clock = use_clock();
    let figures = Memo::new(move |_| {
        context.job.with(|job| job.current.as_ref().and_then(|current| current.figures.clone())).flatten()
    });
    // Figures of a run that ended stay, greyed.
    let live = Memo::new(move |_| context.state().is_some_and(|state| !state.is_terminal()));
    let memory_limit =
        Memo::new(move |_| context.job.with(|job| job.draft.settings.memory_limit_mb).unwrap_or_default());
    let note = Signal::derive(move || {
        figures.with(|figures| figures.as_ref().map(|figures| text::figures_age(age(between(figures.at, clock.get())))))
    });
    let read = move |pick: fn(&JobFigures) -> Option<String>| {
        move || match figures.with(|figures| figures.as_ref().and_then(pick)) {
            Some(words) => words.into_any(),
            None => view! { <span class="subtle">{words::not_known()}</span> }.into_any(),
        }
    };
    let bad_records = Memo::new(move |_| {
        figures.with(|figures| figures.as_ref().map(|figures| figures.bad_records)).unwrap_or_default()
    });
    let lag = move || match figures.with(|figures| figures.as_ref().and_then(|figures| figures.lag_ms)) {
        Some(ms) => view! { <span class=lag_tone(ms)>{duration(ms)}</span> }.into_any(),
        None => {
            let (words, why) = context.report.with(|report| no_lag(report.as_ref()));
            view! { <span class="subtle" title=why>{words}</span> }.into_any()
        }
    };
    let checkpoint = move || {
        figures.with(|figures| {
            let Some(figures) = figures else { return words::not_known().to_owned() };
            let Some(at) = figures.checkpoint_at else { return text::no_checkpoint().to_owned() };
            let ago = age(between(at, clock.get()));
            match figures.checkpoint_ms {
                Some(took) => text::checkpoint_fact(ago, duration(took)),
                None => text::checkpoint_age(ago),
            }
        })
    };
    let memory = move || {
        figures
            .with(|figures| {
                figures.as_ref().map(|figures| {
                    words::shown_of(bytes::bytes(figures.memory_bytes), bytes::bytes(memory_limit.get() * 1_000_000))
                })
            })
            .unwrap_or_else(|| words::not_known().to_owned())
    };
    view! {
        <Panel title=text::now().to_owned() note>
            {move || if figures.with(Option::is_none) {
                view! { <p class="subtle rail-note">{if live.get() { text::no_figures_yet() } else { text::not_running() }}</p> }.into_any()
            } else {
                view! {
                    <div class:is-old=move || !live.get()><Facts>
                        <Fact name=text::lag()>{lag}</Fact>
                        <Fact name=text::records_behind()>{read(|now| now.lag_records.map(number::grouped))}</Fact>
                        <Fact name=text::complete_up_to()>{read(|now| now.watermark.map(|at| local(at).seconds()))}</Fact>
                        <Fact name=text::read()>{read(|now| Some(text::per_s(number::rate(now.records_in_per_s))))}</Fact>
                        <Fact name=text::written()>{read(|now| Some(text::per_s(number::rate(now.records_out_per_s))))}</Fact>
                        <Fact name=text::bad_records()><BadRecords count=bad_records/></Fact>
                        <Fact name=text::late_records()>{read(|now| Some(number::grouped(now.late_records)))}</Fact>
                        <Fact name=text::checkpoint()>{checkpoint}</Fact>
                        <Fact name=text::state_size()>{read(|now| Some(bytes::bytes(now.state_bytes)))}</Fact>
                        <Fact name=text::memory()>{memory}</Fact>
                        <Fact name=text::cpu()>{read(|now| Some(text::cores(format!("{:.2}", now.cpu_cores))))}</Fact>
                    </Facts></div>
                }.into_any()
            }}
        </Panel>
    }
    .into_any()
}

/// How many, and the way to them: at the first table of the team that has some.
#[component]
fn BadRecords(count: Memo<u64>) -> impl IntoView {
    let context = use_job();
    let table = Memo::new(move |_| {
        context.report.with(|report| {
            let source = report.as_ref()?.sources.iter().find(|source| source.bad_records > 0)?;
            let (database, name) = source.table.split_once('.')?;
            // A name with two dots is of another team's table.
            (!name.contains('.')).then(|| (database.to_owned(), name.to_owned()))
        })
    });
    let team = context.team;
    let href = load(
        move || table.get(),
        move |named: Option<(String, String)>| async move {
            let Some((database, name)) = named else { return Ok(None) };
            let Some(team) = team.try_get_value() else { return Ok(None) };
            let path = api::path::team(&team, "tables");
            let query = [("database", database.as_str()), ("q", name.as_str()), ("limit", "500")];
            let page = api::get::<Page<TableSummary>>(&with_query(&path, &query)).await?;
            let found = page.items.iter().find(|table| table.name == name && table.database == database);
            Ok(found.map(|table| TeamRoute::Table(table.id, TableTab::BadRecords).of(&team).href()))
        },
    );
    move || {
        let count = number::grouped(count.get());
        match href.with(Clone::clone).flatten() {
            Some(href) => view! { <a class="link" href=href>{count}</a> }.into_any(),
            None => count.into_any(),
        }
    }
}

/// Why there is no lag in time, in short and at length.
fn no_lag(report: Option<&MetricReport>) -> (&'static str, &'static str) {
    match report {
        None => (words::not_known(), text::lag_not_measured()),
        Some(report) if report.sources.iter().all(|source| source.records == 0) => {
            (text::nothing_read(), text::nothing_read_why())
        }
        Some(_) => (text::no_event_time(), text::no_event_time_why()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_wire::metric::{ProcessMetrics, SourceMetrics};

    #[test]
    fn a_lag_that_is_not_known_says_why() {
        let report = |records| MetricReport {
            at: 0,
            operators: vec![],
            sources: vec![SourceMetrics {
                node: "n".into(),
                table: "t".into(),
                records,
                bytes: 0,
                bad_records: 0,
                partitions: vec![],
                lag_ms: None,
            }],
            process: ProcessMetrics { memory_bytes: 0, cpu_seconds: 0.0, threads: 1 },
        };
        assert_eq!(no_lag(None).0, "not known");
        assert_eq!(no_lag(Some(&report(0))).0, "nothing read yet");
        assert_eq!(no_lag(Some(&report(9))).0, "no event time");
    }
}

//! What a test run would have written, sink by sink.

use std::sync::Arc;

use leptos::prelude::*;
use millrace_wire::ids::TestRunId;
use millrace_wire::test_run::{ResultView, SinkRows, TestRun, TestRunState};

use super::{Subject, TestRunWatch};
use crate::api;
use crate::format::number::grouped;
use crate::format::percent;
use crate::i18n::testing as text;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::segmented::Segmented;
use crate::widget::data_grid::{DataGrid, GridRow};

/// Rows of a sink that are fetched.
const SHOWN: &str = "2000";

#[component]
pub fn TestRunTools(
    watch: TestRunWatch,
    /// Opens the dialog that starts one.
    starts: RwSignal<bool>,
    /// `None` where there is no job to keep a test with.
    on_make_test: Option<Callback<TestRun>>,
) -> impl IntoView {
    let may = refusal(Right::Edit);
    let not_running = Signal::derive(move || (!watch.is_running()).then(|| text::not_running().to_owned()));
    let no_inputs = Signal::derive(move || {
        let some = watch.run.with(|run| run.as_ref().is_some_and(|run| !run.inputs.is_empty()));
        (!some).then(|| text::no_inputs().to_owned())
    });
    let make = move |()| {
        if let (Some(make), Some(run)) = (on_make_test, watch.run.get_untracked()) {
            make.run(run);
        }
    };
    view! {
        <Button kind=Kind::Quiet small=true icon=Icon::Play reason=may busy=watch.busy on_press=move |()| starts.set(true)>{text::start_test_run()}</Button>
        <IconButton small=true icon=Icon::Stop label=text::cancel_run().to_owned() reason=not_running on_press=move |()| watch.cancel()/>
        {on_make_test.map(|_| view! {
            <Button kind=Kind::Quiet small=true icon=Icon::Test reason=no_inputs on_press=make>{text::make_test()}</Button>
        })}
    }
    .into_any()
}

#[component]
pub fn TestResults(subject: Subject, watch: TestRunWatch) -> impl IntoView {
    let face = Memo::new(move |_| match (watch.failure.get(), watch.run.with(Option::is_some)) {
        (Some(failure), _) => Face::Refused(failure),
        (None, true) => Face::Run,
        (None, false) if watch.busy.get() => Face::Starting,
        (None, false) => Face::Nothing,
    });
    view! {
        {move || match face.get() {
            Face::Refused(failure) => view! { <div class="ide-empty"><FailureNote failure/></div> }.into_any(),
            Face::Starting => view! { <p class="ide-empty muted" role="status">{text::starting()}</p> }.into_any(),
            Face::Nothing => view! { <div class="ide-empty"><EmptyState title=text::none_yet() body=text::none_yet_body()/></div> }.into_any(),
            Face::Run => view! { <Run subject watch/> }.into_any(),
        }}
    }
    .into_any()
}

#[derive(Clone, Debug, PartialEq)]
enum Face {
    Nothing,
    Starting,
    Run,
    Refused(api::Failure),
}

#[component]
fn Run(subject: Subject, watch: TestRunWatch) -> impl IntoView {
    let sink = RwSignal::new(0_usize);
    let shown_as = RwSignal::new(ResultView::Changelog);
    let with = move |read: fn(&TestRun) -> String| watch.run.with(|run| run.as_ref().map(read).unwrap_or_default());
    let state = move || with(|run| mark(run.summary.state).to_owned());
    let words = move || {
        let said = with(in_words);
        let waits = watch.waiting_for.get();
        if waits.is_empty() { said } else { format!("{said} {waits}") }
    };
    let replaced = Memo::new(move |_| {
        watch.run.with(|run| {
            let Some(run) = run else { return Vec::new() };
            let sinks = run.summary.sinks.iter().map(|sink| sink.words.clone());
            sinks.chain(run.sources.iter().map(|source| source.words.clone())).collect::<Vec<_>>()
        })
    });
    // By name only, so that the choice stays as it is while counts go up.
    let sinks = Memo::new(move |_| {
        watch.run.with(|run| {
            let sinks = run.as_ref().map(|run| run.summary.sinks.as_slice()).unwrap_or_default();
            sinks.iter().map(|sink| sink.table.clone()).collect::<Vec<_>>()
        })
    });
    let counts = move || {
        watch.run.with(|run| {
            let sinks = run.as_ref().map(|run| run.summary.sinks.as_slice()).unwrap_or_default();
            let counts = sinks.iter().map(|sink| text::sink_count(&sink.table, grouped(sink.changes)));
            counts.collect::<Vec<_>>().join(", ")
        })
    };
    view! {
        <p class="preview-note" role="status">
            <span class="state" data-state=state><span class="state-mark" aria-hidden="true"></span></span>
            <span class="grow">{words}</span>
        </p>
        <details class="test-words" open=true>
            <summary>{text::replaced()}</summary>
            <ul>{move || replaced.get().into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}</ul>
        </details>
        <div class="ide-panel-head">
            {move || {
                let options = sinks.get().into_iter().enumerate().collect::<Vec<_>>();
                view! { <Segmented label=text::sink() options value=sink on_choose=move |choice| sink.set(choice)/> }
            }}
            <span class="subtle small">{counts}</span>
            <span class="grow"></span>
            <Segmented label=text::view() value=shown_as on_choose=move |choice| shown_as.set(choice)
                options=vec![(ResultView::Changelog, text::changelog().to_owned()), (ResultView::State, text::state().to_owned())]/>
        </div>
        <Rows subject watch sink shown_as/>
    }
    .into_any()
}

const fn mark(state: TestRunState) -> &'static str {
    match state {
        TestRunState::Running => "running",
        TestRunState::Failed => "failed",
        TestRunState::Finished | TestRunState::Cancelled => "stopped",
    }
}

fn in_words(run: &TestRun) -> String {
    let read = text::records_read(grouped(run.summary.records_read));
    let how = match run.summary.state {
        TestRunState::Running => return read,
        TestRunState::Finished => text::ended(&run.summary.reason),
        TestRunState::Cancelled => text::cancelled().to_owned(),
        TestRunState::Failed => {
            let span = run.diagnostic.as_ref().and_then(|diagnostic| diagnostic.span.as_ref());
            let place = span.map_or_else(String::new, |span| text::at_line(span.line, span.column));
            return format!("{} {place}{}", text::failed(), run.summary.reason);
        }
    };
    format!("{how} {read}")
}

#[component]
fn Rows(subject: Subject, watch: TestRunWatch, sink: RwSignal<usize>, shown_as: RwSignal<ResultView>) -> impl IntoView {
    let asked = Memo::new(move |_| {
        let at = sink.get();
        watch.run.with(|run| {
            let run = run.as_ref()?;
            let sink = run.summary.sinks.get(at)?;
            Some((run.summary.id, sink.table.clone()))
        })
    });
    let loaded = load(
        move || (asked.get(), shown_as.get()),
        move |(asked, shown_as): (Option<(TestRunId, String)>, ResultView)| async move {
            let Some((id, table)) = asked else { return Ok(None) };
            let path = subject.path(&format!("test-runs/{id}/sinks/{}/rows", percent::encode(&table)));
            let path = api::path::with_query(&path, &[("view", shown_as.as_str()), ("limit", SHOWN)]);
            api::get::<SinkRows>(&path).await.map(Some)
        },
    );
    Effect::new(move |before: Option<()>| {
        watch.fresh.track();
        if before.is_some() {
            loaded.reload();
        }
    });
    let answer = loaded.value();
    let columns = Signal::derive(move || {
        answer
            .with(|answer| answer.as_ref().and_then(|rows| rows.as_ref().map(|rows| rows.columns.clone())))
            .unwrap_or_default()
    });
    let rows = Signal::derive(move || {
        let changelog = shown_as.get() == ResultView::Changelog;
        answer.with(|answer| {
            let rows = answer.as_ref().and_then(|rows| rows.as_ref()).map(|rows| rows.rows.as_slice());
            let numbered = rows.unwrap_or_default().iter().enumerate();
            let row = |(at, row): (usize, &millrace_wire::preview::PreviewRow)| {
                let kind = changelog.then_some(row.kind);
                Arc::new(GridRow { number: at + 1, kind, values: row.values.clone() })
            };
            numbered.map(row).collect::<Vec<_>>()
        })
    });
    let words = move || {
        answer.with(|answer| {
            let Some(Some(found)) = answer else { return String::new() };
            let shown = text::rows_of(grouped(found.rows.len() as u64), grouped(found.total));
            if found.note.is_empty() { shown } else { format!("{shown}. {}", found.note) }
        })
    };
    let none = Memo::new(move |_| rows.with(Vec::is_empty));
    view! {
        <p class="preview-note subtle" role="status">{words}</p>
        {move || loaded.failure().get().map(|failure| view! { <FailureNote failure/> })}
        {move || if none.get() {
            view! { <p class="ide-empty muted">{text::no_rows()}</p> }.into_any()
        } else {
            view! { <div class="test-rows"><DataGrid label=text::result_rows() columns rows/></div> }.into_any()
        }}
    }
    .into_any()
}

//! Test runs of the last days, looked at again and compared.

use leptos::prelude::*;
use millrace_wire::page::Page;
use millrace_wire::test_run::{SinkComparison, TestRunComparison, TestRunState, TestRunSummary, WrittenBy};

use super::comparison::{columns_that_differ, rows_that_differ};
use super::{Subject, TestRunWatch};
use crate::api;
use crate::clock::local;
use crate::format::number::grouped;
use crate::i18n::{shadow, testing as text};
use crate::load::load;
use crate::ui::button::{Button, Kind};
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub fn TestRunHistory(
    subject: Subject,
    watch: TestRunWatch,
    /// One is shown again.
    #[prop(into)]
    on_show: Callback<()>,
) -> impl IntoView {
    let of_job = subject.job.map(|job| job.to_string()).unwrap_or_default();
    let runs = load(
        || (),
        move |()| {
            let path = api::path::with_query(&subject.path("test-runs"), &[("limit", "100"), ("job", &of_job)]);
            async move { api::get::<Page<TestRunSummary>>(&path).await }
        },
    );
    let state = Memo::new(move |_| watch.run.with(|run| run.as_ref().map(|run| (run.summary.id, run.summary.state))));
    Effect::new(move |before: Option<()>| {
        state.track();
        if before.is_some() {
            runs.reload();
        }
    });
    let content = move |runs: Signal<Page<TestRunSummary>>| {
        let none = Memo::new(move |_| runs.with(|runs| runs.items.is_empty()));
        view! {
            {move || {
                if none.get() {
                    return view! { <p class="muted">{text::no_history()}</p> }.into_any();
                }
                let heads = vec![
                    Head::text(text::when()).fit(),
                    Head::text(text::by()),
                    Head::text(text::what()),
                    Head::text(text::outcome()),
                    Head::number(text::changes()),
                    Head::text(text::show()).silent().fit(),
                ];
                view! {
                    <Table label=text::history() heads compact=true>
                        <For each=move || runs.get().items key=|run| run.id let:run><Row runs run watch on_show/></For>
                    </Table>
                }.into_any()
            }}
            <Compare subject runs/>
        }
        .into_any()
    };
    view! { <Panel title=text::history().to_owned()>{runs.show(Shape::Rows(3), content)}</Panel> }.into_any()
}

/// Keeps its place and its button while the run goes on and ends.
#[component]
fn Row(
    runs: Signal<Page<TestRunSummary>>,
    run: TestRunSummary,
    watch: TestRunWatch,
    on_show: Callback<()>,
) -> impl IntoView {
    let at = local(run.started_at);
    let id = run.id;
    let show = move |()| {
        watch.open(id);
        on_show.run(());
    };
    let what = match run.version {
        Some(version) => text::version(version),
        None => text::draft().to_owned(),
    };
    let told = |run: &TestRunSummary| {
        let outcome = match run.state {
            TestRunState::Running => text::running().to_owned(),
            TestRunState::Finished | TestRunState::Cancelled | TestRunState::Failed => run.reason.clone(),
        };
        (outcome, run.sinks.iter().map(|sink| sink.changes).sum::<u64>())
    };
    let first = told(&run);
    let now = Memo::new(move |before: Option<&(String, u64)>| {
        let found = runs.with(|runs| runs.items.iter().find(|run| run.id == id).map(told));
        found.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    view! {
        <tr>
            <th scope="row" class="cell-fit"><time title=at.full()>{at.seconds()}</time></th>
            <td>{run.started_by}</td>
            <td>{run.job_name}" "<span class="muted">{what}</span></td>
            <td class="cell-clip">{move || now.get().0}</td>
            <td class="num cell-fit">{move || grouped(now.get().1)}</td>
            <td class="cell-fit">
                <Button kind=Kind::Quiet small=true icon=Icon::Eye title=text::show_run(at.seconds()) on_press=show>{text::show()}</Button>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Compare(subject: Subject, runs: Signal<Page<TestRunSummary>>) -> impl IntoView {
    let (a, b) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let options = Signal::derive(move || {
        let named = |run: &TestRunSummary| {
            (run.id.to_string(), text::run_name(local(run.started_at).seconds(), &run.started_by))
        };
        let none = (String::new(), text::choose().to_owned());
        runs.with(|page| std::iter::once(none).chain(page.items.iter().map(named)).collect::<Vec<_>>())
    });
    let found = load(
        move || (a.get(), b.get()),
        move |(a, b): (String, String)| async move {
            if a.is_empty() || b.is_empty() {
                return Ok(None);
            }
            api::get::<TestRunComparison>(&subject.path(&format!("test-runs/{a}/compare/{b}"))).await.map(Some)
        },
    );
    view! {
        <h3>{text::compare()}</h3>
        <div class="compare-choice">
            <SelectField label=text::compare_a().to_owned() value=a options/>
            <SelectField label=text::compare_b().to_owned() value=b options/>
        </div>
        {found.show(Shape::Lines(3), |found| (move || {
            let sinks = found.get().map(|found| found.sinks).unwrap_or_default();
            sinks.into_iter().map(sink).collect_view()
        }).into_any())}
    }
    .into_any()
}

fn sink(sink: SinkComparison) -> AnyView {
    let how = if sink.by_key { text::by_key() } else { text::by_row() };
    let who = match sink.written_by {
        WrittenBy::Both => String::new(),
        WrittenBy::OnlyA => shadow::only_writes(text::compare_a()),
        WrittenBy::OnlyB => shadow::only_writes(text::compare_b()),
    };
    let counts = [
        text::same_rows(grouped(sink.same)),
        text::only_a(grouped(sink.only_a_count)),
        text::only_b(grouped(sink.only_b_count)),
        text::changed_rows(grouped(sink.changed_count)),
    ];
    let (columns, rows) = (
        columns_that_differ(&sink, text::compare_a(), text::compare_b()),
        rows_that_differ(&sink, text::compare_a(), text::compare_b()),
    );
    view! {
        <h4 class="code">{sink.table}</h4>
        <p class="muted">{counts.join(", ")}"; "{how}". "{who}" "{sink.note}</p>
        {columns}
        {rows}
    }
    .into_any()
}

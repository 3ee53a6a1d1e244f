//! One shadow run: the verdict, counts by sink, and the rows that differ.

use leptos::prelude::*;
use millrace_wire::ids::ShadowRunId;
use millrace_wire::page::Page;
use millrace_wire::shadow_run::{ShadowRun, ShadowRunSummary, ShadowVerdict};
use millrace_wire::test_run::{SinkComparison, TestRunState, WrittenBy};

use super::super::comparison::{columns_that_differ, rows_that_differ};
use super::history::result;
use super::{Subject, name_of};
use crate::api;
use crate::clock::local;
use crate::format::number::grouped;
use crate::i18n::shadow as text;
use crate::load::{Loaded, load};
use crate::ui::callout::{Callout, Notice};
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub(super) fn Shown(
    subject: Subject,
    runs: Loaded<Page<ShadowRunSummary>>,
    shown: RwSignal<Option<ShadowRunId>>,
) -> impl IntoView {
    // Fetched again when it has ended, and not with every count before that.
    let asked = Memo::new(move |_| {
        let id = shown.get()?;
        let state = runs.with(|page| page.items.iter().find(|run| run.id == id).map(|run| run.state)).flatten();
        Some((id, state))
    });
    let found = load(
        move || asked.get(),
        move |asked: Option<(ShadowRunId, Option<TestRunState>)>| {
            let path = asked.and_then(|(id, _)| subject.shadow_path(&format!("/{id}")));
            async move {
                match path {
                    Some(path) => api::get::<ShadowRun>(&path).await.map(Some),
                    None => Ok(None),
                }
            }
        },
    );
    view! {
        {found.show(Shape::Lines(2), |found| (move || found.get().map(one)).into_any())}
    }
    .into_any()
}

fn one(run: ShadowRun) -> AnyView {
    let summary = run.summary;
    let names = (name_of(summary.old.version), name_of(summary.new.version));
    let read = text::read(&names.0, grouped(summary.old.records_read), &names.1, grouped(summary.new.records_read));
    let words = match (summary.state, summary.verdict) {
        (TestRunState::Finished, Some(ShadowVerdict::Same)) => text::same_body().to_owned(),
        (TestRunState::Finished, Some(ShadowVerdict::Different)) => text::different_body().to_owned(),
        (TestRunState::Finished, _) => text::unclear_body().to_owned(),
        _ => summary.reason.clone(),
    };
    let notes = (!summary.notes.is_empty()).then(|| {
        let notes = summary.notes.clone();
        view! {
            <Callout notice=Notice::Warn title=text::to_know().to_owned()>
                <ul>{notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view()}</ul>
            </Callout>
        }
    });
    let sinks = (!run.comparison.is_empty()).then(|| counts(&run.comparison, &names));
    let details: Vec<AnyView> = run.comparison.iter().map(|sink| details(sink, &names)).collect();
    let heading = text::result_of(&names.0, &names.1);
    let label = heading.clone();
    view! {
        <section class="shadow-run" aria-label=label>
            <h3>{heading}" "{result(&summary)}" "<span class="subtle small">{local(summary.started_at).seconds()}</span></h3>
            <p role="status">{words}" "<span class="muted">{read}</span></p>
            {notes}
            {sinks}
            {details}
        </section>
    }
    .into_any()
}

fn counts(sinks: &[SinkComparison], names: &(String, String)) -> AnyView {
    let heads = vec![
        Head::text(text::sinks()),
        Head::text(text::matched_by()),
        Head::number(text::same_count()),
        Head::number(text::changed_count()),
        Head::number(text::only_count(&names.0)),
        Head::number(text::only_count(&names.1)),
    ];
    let row = |sink: &SinkComparison| {
        let key: Vec<&str> =
            sink.columns.iter().filter(|column| column.key).map(|column| column.name.as_str()).collect();
        let how = match sink.written_by {
            WrittenBy::OnlyA => text::only_writes(&names.0),
            WrittenBy::OnlyB => text::only_writes(&names.1),
            WrittenBy::Both if key.is_empty() => text::whole_rows().to_owned(),
            WrittenBy::Both => key.join(", "),
        };
        let cut = (!sink.complete).then(|| view! { " "<span class="warn">{text::cut()}</span> });
        let counts = [sink.same, sink.changed_count, sink.only_a_count, sink.only_b_count];
        view! {
            <tr>
                <th scope="row" class="code">{sink.table.clone()}</th>
                <td>{how}{cut}</td>
                {counts.into_iter().map(|count| view! { <td class="num cell-fit">{grouped(count)}</td> }).collect_view()}
            </tr>
        }
    };
    let rows: Vec<_> = sinks.iter().map(row).collect();
    view! {
        <Table label=text::sinks() heads compact=true>{rows}</Table>
    }
    .into_any()
}

fn details(sink: &SinkComparison, names: &(String, String)) -> AnyView {
    view! {
        {columns_that_differ(sink, &names.0, &names.1)}
        {rows_that_differ(sink, &names.0, &names.1)}
    }
    .into_any()
}

//! What a test found: passed, or what differs, sink by sink.

use leptos::prelude::*;
use millrace_wire::job_test::{SinkDiff, TestResult};
use millrace_wire::preview::{PreviewRow, ResultColumn};
use serde_json::Value;

use crate::format::number::grouped;
use crate::i18n::testing as text;
use crate::ui::badge::{Badge, Tone};
use crate::widget::data_grid::few::few_rows;

pub(super) fn verdict(passed: bool) -> AnyView {
    let (tone, word) = if passed { (Tone::Good, text::passed()) } else { (Tone::Bad, text::failed_word()) };
    view! { <Badge tone>{word}</Badge> }.into_any()
}

pub(super) fn result(result: &TestResult) -> AnyView {
    let error = result.error.as_ref().map(|error| {
        let place = error.span.as_ref().map_or_else(String::new, |span| text::at_line(span.line, span.column));
        view! { <p class="bad">{place}{error.message.clone()}</p>{error.hint.clone().map(|hint| view! { <p>{hint}</p> })} }
    });
    let sinks: Vec<AnyView> = result.sinks.iter().filter(|sink| !sink.passed).map(differences).collect();
    view! {
        <section aria-label=result.name.clone()>
            <h3>{verdict(result.passed)}" "{result.name.clone()}" "<span class="subtle small">{text::milliseconds(result.ms)}</span></h3>
            {error}
            {sinks}
        </section>
    }
    .into_any()
}

fn differences(sink: &SinkDiff) -> AnyView {
    let columns = with_kind(&sink.columns);
    let pairs: Vec<Vec<Value>> =
        sink.different.iter().flat_map(|pair| [marked(&pair.expected), marked(&pair.actual)]).collect();
    let lists = [
        (text::missing(), sink.missing.iter().map(marked).collect::<Vec<_>>()),
        (text::unexpected(), sink.unexpected.iter().map(marked).collect()),
        (text::different(), pairs),
    ];
    let lists: Vec<AnyView> = lists
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(label, rows)| view! { <h4>{*label}</h4>{few_rows(label, None, &columns, rows)} }.into_any())
        .collect();
    view! {
        <p><span class="code">{sink.table.clone()}</span>": "{text::matched(grouped(sink.matched))}". "{sink.note.clone()}</p>
        {lists}
    }
    .into_any()
}

/// The kind of change stands in a column of its own, before the others.
fn with_kind(columns: &[ResultColumn]) -> Vec<ResultColumn> {
    let kind = ResultColumn { name: String::new(), data_type: String::new(), key: false };
    std::iter::once(kind).chain(columns.iter().cloned()).collect()
}

fn marked(row: &PreviewRow) -> Vec<Value> {
    std::iter::once(Value::String(row.kind.as_str().to_owned())).chain(row.values.iter().cloned()).collect()
}

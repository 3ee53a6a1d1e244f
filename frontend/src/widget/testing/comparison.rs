//! What two runs would write differently: columns, rows of one alone, and rows that changed, one above the other.

use leptos::prelude::*;
use millrace_wire::test_run::{ColumnChange, SinkComparison};
use serde_json::Value;

use crate::format::number::grouped;
use crate::i18n::shadow as text;
use crate::ui::table::{Head, Table};
use crate::widget::data_grid::few::{changed_rows, few_rows};

pub(super) fn columns_that_differ(sink: &SinkComparison, a: &str, b: &str) -> AnyView {
    if sink.column_changes.is_empty() {
        return ().into_any();
    }
    let heads = vec![Head::text(text::column()), Head::text(text::in_version(a)), Head::text(text::in_version(b))];
    let of = |side: &Option<String>| side.clone().unwrap_or_else(|| text::no_column().to_owned());
    let row = |change: &ColumnChange| {
        let (a, b) = (of(&change.a), of(&change.b));
        view! {
            <tr><th scope="row" class="code">{change.name.clone()}</th><td class="code">{a}</td><td class="code">{b}</td></tr>
        }
    };
    let rows: Vec<_> = sink.column_changes.iter().map(row).collect();
    let label = format!("{}: {}", sink.table, text::columns_differ());
    view! {
        <h4>{label.clone()}</h4>
        <Table label heads compact=true narrow=true>{rows}</Table>
    }
    .into_any()
}

pub(super) fn rows_that_differ(sink: &SinkComparison, a: &str, b: &str) -> AnyView {
    let changed = (!sink.changed.is_empty()).then(|| {
        let label = text::rows_changed(&sink.table, a, b);
        let rows = changed_rows(&label, text::which(), (a, b), &sink.columns, &sink.changed);
        view! { <h4>{label}</h4>{first_of(sink.changed.len(), sink.changed_count)}{rows} }
    });
    view! {
        {changed}
        {alone(sink, a, &sink.only_a, sink.only_a_count)}
        {alone(sink, b, &sink.only_b, sink.only_b_count)}
    }
    .into_any()
}

fn alone(sink: &SinkComparison, name: &str, rows: &[Vec<Value>], count: u64) -> AnyView {
    if rows.is_empty() {
        return ().into_any();
    }
    let label = text::rows_only(&sink.table, name);
    let table = few_rows(&label, None, &sink.columns, rows);
    view! { <h4>{label}</h4>{first_of(rows.len(), count)}{table} }.into_any()
}

/// Said where not all are there.
fn first_of(shown: usize, total: u64) -> AnyView {
    let words = (shown as u64 != total).then(|| text::first_of(grouped(shown as u64), grouped(total)));
    words.map(|words| view! { <p class="subtle small">{words}</p> }).into_any()
}

//! A few rows of values as a plain table, all of them in the page.

use leptos::prelude::*;
use millrace_wire::preview::ResultColumn;
use millrace_wire::test_run::ChangedRow;
use serde_json::Value;

use super::cell::{Cell, is_number, shown};

/// With `numbered`, what names a first column that counts the rows.
pub(crate) fn few_rows(
    label: &str,
    numbered: Option<&'static str>,
    columns: &[ResultColumn],
    rows: &[Vec<Value>],
) -> AnyView {
    let numbers: Vec<bool> = columns.iter().map(|column| is_number(&column.data_type)).collect();
    let cells = |row: &Vec<Value>| {
        let class = |at: usize| if numbers.get(at) == Some(&true) { "num" } else { "" };
        row.iter().enumerate().map(|(at, value)| cell(value, class(at))).collect_view()
    };
    view! {
        <div class="pane sample-pane" tabindex="0" role="group" aria-label=label.to_owned()>
            <table class="grid sample">
                <thead>
                    <tr>
                        {numbered.map(|word| view! {
                            <th scope="col" class="grid-row"><span class="visually-hidden">{word}</span></th>
                        })}
                        {columns.iter().map(head).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {rows.iter().enumerate().map(|(index, row)| view! {
                        <tr>
                            {numbered.map(|_| view! { <td class="grid-row">{index + 1}</td> })}
                            {cells(row)}
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn head(column: &ResultColumn) -> AnyView {
    view! { <th scope="col">{column.name.clone()}<small>{column.data_type.clone()}</small></th> }.into_any()
}

/// Rows that are not what they were, two and two; what differs is marked. `which` heads the column that names the two.
pub(crate) fn changed_rows(
    label: &str,
    which: &'static str,
    names: (&str, &str),
    columns: &[ResultColumn],
    rows: &[ChangedRow],
) -> AnyView {
    let side = |name: &str, values: &[Value], differ: &[u32], mark: fn(AnyView) -> AnyView| {
        let cells = values.iter().enumerate().map(|(at, value)| {
            let is_number = columns.get(at).is_some_and(|column| is_number(&column.data_type));
            let words = content(value);
            let words = if differ.contains(&(at as u32)) { mark(words) } else { words };
            view! { <td class:num=is_number title=title(value)>{words}</td> }
        });
        let cells = cells.collect_view();
        view! { <tr><th scope="row" class="code">{name.to_owned()}</th>{cells}</tr> }
    };
    let before = |words| view! { <del>{words}</del> }.into_any();
    let after = |words| view! { <ins>{words}</ins> }.into_any();
    let pair =
        |row: &ChangedRow| (side(names.0, &row.a, &row.columns, before), side(names.1, &row.b, &row.columns, after));
    view! {
        <div class="pane sample-pane" tabindex="0" role="group" aria-label=label.to_owned()>
            <table class="grid sample changed-rows">
                <thead><tr><th scope="col">{which}</th>{columns.iter().map(head).collect_view()}</tr></thead>
                <tbody>{rows.iter().map(pair).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn cell(value: &Value, class: &'static str) -> AnyView {
    view! { <td class=class title=title(value)>{content(value)}</td> }.into_any()
}

fn content(value: &Value) -> AnyView {
    match shown(value) {
        Cell::Null => view! { <span class="null">"NULL"</span> }.into_any(),
        Cell::EmptyText => view! { <span class="subtle">"“”"</span> }.into_any(),
        Cell::Text(words) => words.into_any(),
    }
}

/// All of it, where the cell is too narrow.
fn title(value: &Value) -> Option<String> {
    match shown(value) {
        Cell::Text(words) => Some(words),
        Cell::Null | Cell::EmptyText => None,
    }
}

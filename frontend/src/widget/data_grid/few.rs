//! A few rows of values as a plain table, all of them in the page.

use leptos::prelude::*;
use millrace_wire::preview::ResultColumn;
use serde_json::Value;

use super::cell::{Cell, is_number, shown};

/// With `numbered`, what names a first column that counts the rows.
pub(crate) fn few_rows(
    label: &'static str,
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
        <div class="pane sample-pane" tabindex="0" role="group" aria-label=label>
            <table class="grid sample">
                <thead>
                    <tr>
                        {numbered.map(|word| view! {
                            <th scope="col" class="grid-row"><span class="visually-hidden">{word}</span></th>
                        })}
                        {columns.iter().map(|column| view! {
                            <th scope="col">{column.name.clone()}<small>{column.data_type.clone()}</small></th>
                        }).collect_view()}
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

fn cell(value: &Value, class: &'static str) -> AnyView {
    match shown(value) {
        Cell::Null => view! { <td class=class><span class="null">"NULL"</span></td> }.into_any(),
        Cell::EmptyText => view! { <td class=class><span class="subtle">"“”"</span></td> }.into_any(),
        Cell::Text(words) => view! { <td class=class title=words.clone()>{words.clone()}</td> }.into_any(),
    }
}

//! Decoded rows of the stream, newest first where the source allows.

use leptos::prelude::*;
use millrace_wire::preview::ResultColumn;
use millrace_wire::table::Sample;
use serde_json::Value;

use crate::api;
use crate::i18n::tables as text;
use crate::load::load;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::widget::data_grid::cell::{Cell, is_number, shown};

const ROWS: &str = "50";

#[component]
pub(super) fn SamplePanel(path: String) -> impl IntoView {
    let path = api::path::with_query(&format!("{path}/sample"), &[("limit", ROWS)]);
    let sample = load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<Sample>(&path).await }
        },
    );
    let note = Signal::derive(move || sample.with(|sample| sample.note.clone()).filter(|note| !note.is_empty()));
    view! {
        <Panel title=text::newest_rows().to_owned() note=note end=move || view! {
            <Button small=true kind=Kind::Quiet icon=Icon::Restart busy=sample.busy() on_press=move |()| sample.reload()>{text::sample_again()}</Button>
        }>
            {sample.show(Shape::Rows(8), |sample| (move || sample.with(|sample| {
                if sample.rows.is_empty() {
                    view! { <EmptyState title=text::sample_empty() body=text::sample_empty_body()/> }.into_any()
                } else {
                    grid(&sample.columns, &sample.rows)
                }
            })).into_any())}
        </Panel>
    }
    .into_any()
}

fn grid(columns: &[ResultColumn], rows: &[Vec<Value>]) -> AnyView {
    let numbers: Vec<bool> = columns.iter().map(|column| is_number(&column.data_type)).collect();
    view! {
        <div class="pane sample-pane" tabindex="0" role="group" aria-label=text::newest_rows()>
            <table class="grid sample">
                <thead>
                    <tr>
                        <th scope="col" class="grid-row"><span class="visually-hidden">{text::row()}</span></th>
                        {columns.iter().map(|column| view! {
                            <th scope="col">{column.name.clone()}<small>{column.data_type.clone()}</small></th>
                        }).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {rows.iter().enumerate().map(|(index, row)| view! {
                        <tr>
                            <td class="grid-row">{index + 1}</td>
                            {row.iter().enumerate().map(|(at, value)| {
                                let class = if numbers.get(at) == Some(&true) { "num" } else { "" };
                                cell(value, class)
                            }).collect_view()}
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

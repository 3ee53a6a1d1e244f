//! Rows of data, as many as there are: only those in sight are drawn.
//!
//! Promises: 100,000 rows scroll like 40; NULL and the empty text look different; every cell can be reached by the
//! arrow keys, opened with Enter and copied.

pub(crate) mod cell;
mod changelog;
mod export;
pub(crate) mod few;
mod window;

use std::sync::Arc;

use leptos::prelude::*;
use leptos::{ev, html};
use millrace_wire::preview::{ResultColumn, RowKind};
use serde_json::Value;

use crate::i18n::grid as text;
use crate::ui::copy_button::CopyButton;
use crate::ui::dialog::Dialog;
use cell::Cell;
pub use changelog::CurrentRows;
pub use export::{csv, json, tsv};

/// One row; `kind` where the rows are changes.
#[derive(Clone, Debug, PartialEq)]
pub struct GridRow {
    /// Its number for people, from 1.
    pub number: usize,
    pub kind: Option<RowKind>,
    pub values: Vec<Value>,
}

const ROW_HEIGHT: f64 = 26.0;
/// Drawn above and below what is seen, so that a quick scroll shows no hole.
const SPARE: usize = 8;
/// Rows that a key press of Page up or down moves by.
const PAGE: usize = 10;

#[component]
pub fn DataGrid(
    #[prop(into)] label: String,
    #[prop(into)] columns: Signal<Vec<ResultColumn>>,
    #[prop(into)] rows: Signal<Vec<Arc<GridRow>>>,
    /// The last row stays in sight while rows arrive, unless somebody scrolled up.
    #[prop(optional, into)]
    follow: Signal<bool>,
) -> impl IntoView {
    let scroller = NodeRef::<html::Div>::new();
    let top = RwSignal::new(0.0);
    let height = RwSignal::new(400.0);
    let at_end = StoredValue::new(true);
    let active = RwSignal::new(None::<(usize, usize)>);
    let opened = RwSignal::new(None::<Value>);
    let viewer = RwSignal::new(false);
    let grid_id = crate::ui::id::next("grid");
    let changes = Memo::new(move |_| rows.with(|rows| rows.first().is_some_and(|row| row.kind.is_some())));
    let numeric = Memo::new(move |_| {
        columns.with(|columns| columns.iter().map(|column| cell::is_number(&column.data_type)).collect::<Vec<bool>>())
    });
    let seen = Memo::new(move |_| window::window(top.get(), height.get(), ROW_HEIGHT, rows.with(Vec::len), SPARE));

    let measure = move || {
        if let Some(scroller) = scroller.get_untracked() {
            top.set(f64::from(scroller.scroll_top()));
            height.set(f64::from(scroller.client_height()));
            let end = scroller.scroll_top() + scroller.client_height() + 4;
            at_end.set_value(end >= scroller.scroll_height());
        }
    };
    Effect::new(move |_| {
        rows.track();
        if scroller.get().is_some() {
            let was_at_end = at_end.get_value();
            // After the new rows have their height.
            request_animation_frame(move || {
                if let Some(scroller) = scroller.try_get_untracked().flatten() {
                    if was_at_end && follow.try_get_untracked() == Some(true) {
                        scroller.set_scroll_top(scroller.scroll_height());
                    }
                    measure();
                }
            });
        }
    });
    // Rows that are followed are read from the end, others from the beginning.
    Effect::new(move |before: Option<bool>| {
        let follows = follow.get();
        if before.is_some_and(|before| before != follows) {
            at_end.set_value(follows);
            if let Some(scroller) = scroller.get_untracked().filter(|_| !follows) {
                scroller.set_scroll_top(0);
            }
        }
        follows
    });
    let resize = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resize.remove());

    let go_to = move |row: usize, column: usize| {
        active.set(Some((row, column)));
        if let Some(scroller) = scroller.get_untracked() {
            let view = f64::from(scroller.client_height()) - 40.0;
            let now = f64::from(scroller.scroll_top());
            if let Some(place) = window::reveal(row, now, view, ROW_HEIGHT, rows.with_untracked(Vec::len)) {
                scroller.set_scroll_top(place as i32);
                measure();
            }
        }
    };
    let value_at = move |row: usize, column: usize| {
        rows.with_untracked(|rows| rows.get(row).and_then(|row| row.values.get(column)).cloned())
    };
    let key = move |event: ev::KeyboardEvent| {
        let count = rows.with_untracked(Vec::len);
        let width = columns.with_untracked(Vec::len);
        if count == 0 || width == 0 {
            return;
        }
        let (row, column) = active.get_untracked().unwrap_or((0, 0));
        let (last_row, last_column) = (count - 1, width - 1);
        let next = match event.key().as_str() {
            "ArrowDown" => (row + 1, column),
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowRight" => (row, column + 1),
            "ArrowLeft" => (row, column.saturating_sub(1)),
            "PageDown" => (row + PAGE, column),
            "PageUp" => (row.saturating_sub(PAGE), column),
            "Home" if event.ctrl_key() => (0, 0),
            "End" if event.ctrl_key() => (last_row, last_column),
            "Home" => (row, 0),
            "End" => (row, last_column),
            "Enter" => {
                opened.set(value_at(row, column));
                viewer.set(true);
                return;
            }
            "c" if event.ctrl_key() || event.meta_key() => {
                let no_selection = window_selection_is_empty();
                if let (true, Some(value)) = (no_selection, value_at(row, column)) {
                    let _ = leptos::prelude::window().navigator().clipboard().write_text(&cell::plain(&value));
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        go_to(next.0.min(last_row), next.1.min(last_column));
    };

    let head_id = grid_id.clone();
    let body_id = grid_id.clone();
    view! {
        <div class="pane grid-scroll" node_ref=scroller tabindex="0" role="grid" aria-label=label
            aria-rowcount=move || rows.with(Vec::len) + 1
            aria-colcount=move || columns.with(Vec::len)
            aria-activedescendant=move || active.get().map(|(row, column)| format!("{head_id}-{row}-{column}"))
            on:scroll=move |_| measure() on:keydown=key>
            <table class="grid" role="presentation">
                <thead role="rowgroup"><tr role="row" aria-rowindex="1">
                    <th role="columnheader" class="grid-row"><span class="visually-hidden">{text::row()}</span></th>
                    {move || changes.get().then(|| view! {
                        <th role="columnheader" class="grid-mark"><span class="visually-hidden">{text::change()}</span></th>
                    })}
                    {move || columns.with(|columns| columns.iter().map(|column| {
                        let note = if column.key { text::key_of(&column.data_type) } else { column.data_type.clone() };
                        let class = cell::is_number(&column.data_type).then_some("num");
                        view! { <th role="columnheader" class=class>{column.name.clone()}<small>{note}</small></th> }.into_any()
                    }).collect_view())}
                </tr></thead>
                <tbody role="rowgroup">
                    <tr role="presentation" class="grid-space"><td role="presentation" style:height=move || format!("{}px", seen.get().above)></td></tr>
                    {move || {
                        let seen = seen.get();
                        rows.with(|rows| rows.get(seen.first..seen.end.min(rows.len())).unwrap_or_default().iter().enumerate()
                            .map(|(index, row)| drawn(&body_id, seen.first + index, row, numeric, active, opened, viewer))
                            .collect_view())
                    }}
                    <tr role="presentation" class="grid-space"><td role="presentation" style:height=move || format!("{}px", seen.get().below)></td></tr>
                </tbody>
            </table>
        </div>
        <Dialog open=viewer title=text::value().to_owned()
            foot=move || view! { <CopyButton label=text::copy_value().to_owned() text=Signal::derive(move || pretty(&opened.get()))/> }.into_any()>
            <pre class="code-block grid-value">{move || pretty(&opened.get())}</pre>
        </Dialog>
    }
    .into_any()
}

fn drawn(
    id: &str,
    index: usize,
    row: &Arc<GridRow>,
    numeric: Memo<Vec<bool>>,
    active: RwSignal<Option<(usize, usize)>>,
    opened: RwSignal<Option<Value>>,
    viewer: RwSignal<bool>,
) -> AnyView {
    let class = match row.kind {
        Some(RowKind::UpdateBefore) => "is-before",
        Some(RowKind::Delete) => "is-deleted",
        _ => "",
    };
    let mark = row.kind.map(|kind| {
        let class = match kind {
            RowKind::Insert => "change change-i",
            RowKind::UpdateBefore => "change change-ub",
            RowKind::UpdateAfter => "change change-ua",
            RowKind::Delete => "change change-d",
        };
        view! { <td role="gridcell" class="grid-mark"><span class=class>{kind.as_str()}</span></td> }
    });
    let cells = numeric.with_untracked(|numeric| {
        row.values
            .iter()
            .enumerate()
            .map(|(column, value)| {
                let content = match cell::shown(value) {
                    Cell::Null => view! { <span class="null">"NULL"</span> }.into_any(),
                    Cell::EmptyText => view! { <span class="subtle">"“”"</span> }.into_any(),
                    Cell::Text(text) => text.into_any(),
                };
                let right = numeric.get(column).copied().unwrap_or(false);
                let own = Arc::clone(row);
                view! {
                    <td role="gridcell" id=format!("{id}-{index}-{column}") class:num=right
                        class:is-active=move || active.get() == Some((index, column))
                        on:click=move |_| active.set(Some((index, column)))
                        on:dblclick=move |_| {
                            opened.set(own.values.get(column).cloned());
                            viewer.set(true);
                        }>{content}</td>
                }
                .into_any()
            })
            .collect_view()
    });
    view! {
        <tr role="row" class=class aria-rowindex=index + 2>
            <td role="rowheader" class="grid-row">{row.number}</td>{mark}{cells}
        </tr>
    }
    .into_any()
}

fn pretty(value: &Option<Value>) -> String {
    let Some(value) = value else { return String::new() };
    // Text that holds JSON is shown as what it holds.
    let inner = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    match (inner, value) {
        (Some(inner), _) if inner.is_object() || inner.is_array() => {
            serde_json::to_string_pretty(&inner).unwrap_or_default()
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

fn window_selection_is_empty() -> bool {
    let selection = document().get_selection();
    selection.ok().flatten().is_none_or(|selection| selection.is_collapsed())
}

//! A chart over time: a title that reads the values under the cursor, the lazily loaded drawing, and the same data
//! as a table.

mod data;
mod shim;
mod unit;

use leptos::prelude::*;
use leptos::{html, task::spawn_local};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

use crate::chunk;
use crate::clock;
use crate::i18n::chart as text;
use crate::ui::icon::Icon;
pub use data::{ChartData, Line};
use shim::{Chart, ChartModule, Hooks};
pub use unit::figure;

/// A line that should not be passed, and its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub value: f64,
    pub label: String,
}

struct Mounted {
    chart: Chart,
    _hooks: Hooks,
}

/// More lines than this in one chart cannot be told apart.
const MOST_LINES: usize = 4;
/// Rows of the table; the newest stand first.
const TABLE_ROWS: usize = 60;

#[component]
pub fn TimeChart(
    #[prop(into)] title: String,
    /// Said after the title: the unit in words.
    #[prop(into)]
    note: String,
    unit: &'static str,
    #[prop(into)] data: Signal<ChartData>,
    /// Charts of one page share one cursor.
    sync: &'static str,
    /// Somebody dragged a range, in milliseconds.
    on_range: Callback<(i64, i64)>,
    #[prop(optional)] threshold: Option<Threshold>,
    #[prop(default = 132)] height: u32,
) -> impl IntoView {
    let cursor = RwSignal::new(None::<usize>);
    let as_table = RwSignal::new(false);
    // The table has every line.
    let few = Memo::new(move |_| data.with(|data| data.drawn(MOST_LINES)));
    let drawn = Signal::derive(move || few.with(|(drawn, _)| drawn.clone()));
    let hidden = Memo::new(move |_| few.with(|(_, hidden)| *hidden));
    let labels = Memo::new(move |_| {
        few.with(|(drawn, _)| drawn.lines.iter().map(|line| line.label.clone()).collect::<Vec<String>>())
    });
    let is_empty = Memo::new(move |_| data.with(ChartData::is_empty));

    view! {
        <figure class="time-chart" aria-label=title.clone()>
            <h3 class="chart-title">
                {title.clone()} <span class="panel-count">{note}</span>
                <span class="readout">{move || few.with(|(drawn, _)| readout(drawn, cursor.get(), unit))}</span>
                <button type="button" class="icon-button icon-button-small" aria-pressed=move || as_table.get().to_string()
                    aria-label=text::as_table(title.clone()) title=text::as_table_tip()
                    on:click=move |_| as_table.update(|on| *on = !*on)>
                    {Icon::List.view()}
                </button>
            </h3>
            {move || if as_table.get() {
                table(&data.read(), unit).into_any()
            } else if is_empty.get() {
                view! { <p class="chart-empty subtle" style:height=format!("{height}px")>{text::nothing_measured()}</p> }
                    .into_any()
            } else {
                let spec = spec(&labels.get(), unit, sync, threshold.as_ref(), height);
                view! { <Plot spec data=drawn cursor on_range height/> }.into_any()
            }}
            {move || labels.with(|labels| (labels.len() > 1).then(|| legend(labels)))}
            {move || Some(hidden.get()).filter(|hidden| *hidden > 0).map(|hidden| view! {
                <p class="subtle small">{text::highest(MOST_LINES, hidden)}</p>
            })}
        </figure>
    }
}

/// Names the lines where there are several; a single one is named by the title.
fn legend(labels: &[String]) -> AnyView {
    let items = labels.iter().enumerate().map(|(number, label)| {
        let colour = format!("--series:var(--chart-{})", number + 1);
        view! { <li title=label.clone()><i class="swatch" style=colour></i><span class="truncate">{label.clone()}</span></li> }
    });
    view! { <ul class="legend">{items.collect_view()}</ul> }.into_any()
}

#[component]
fn Plot(
    spec: String,
    data: Signal<ChartData>,
    cursor: RwSignal<Option<usize>>,
    on_range: Callback<(i64, i64)>,
    height: u32,
) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    let chart = StoredValue::new_local(None::<Mounted>);
    let ready = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(place) = place.get() else { return };
        let spec = spec.clone();
        let hooks = Hooks {
            on_cursor: Closure::new(move |index: i32| {
                let _ = cursor.try_set(usize::try_from(index).ok());
            }),
            on_range: Closure::new(move |from: f64, to: f64| on_range.run((from as i64, to as i64))),
            format: Closure::new(|value: f64, unit: String| figure(value, &unit)),
        };
        spawn_local(async move {
            let Some(module) = chunk::load("chart").await else { return };
            let module: ChartModule = module.unchecked_into();
            if ready.try_get_untracked().is_none() {
                return;
            }
            match module.create(&place, &spec, &hooks.object()) {
                Ok(made) => {
                    let _ = chart.try_set_value(Some(Mounted { chart: made, _hooks: hooks }));
                    let _ = ready.try_set(true);
                }
                Err(reason) => leptos::logging::error!("a chart did not start: {reason:?}"),
            }
        });
    });
    Effect::new(move |_| {
        let json = data.read().json();
        if ready.get() {
            let _ = chart.try_with_value(|mounted| mounted.as_ref().map(|mounted| mounted.chart.set_data(&json)));
        }
    });
    on_cleanup(move || {
        if let Some(mounted) = chart.try_update_value(Option::take).flatten() {
            mounted.chart.destroy();
        }
    });
    view! { <div class="chart-place" node_ref=place style:height=format!("{height}px") aria-hidden="true"></div> }
}

fn spec(labels: &[String], unit: &str, sync: &str, threshold: Option<&Threshold>, height: u32) -> String {
    let single = labels.len() == 1;
    let series: Vec<serde_json::Value> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            serde_json::json!({ "label": label, "colour": format!("--chart-{}", index + 1), "fill": single })
        })
        .collect();
    let threshold =
        threshold.map(|threshold| serde_json::json!({ "value": threshold.value, "label": threshold.label }));
    serde_json::json!({ "height": height, "sync": sync, "series": series, "threshold": threshold, "unit": unit })
        .to_string()
}

/// Time and values under the cursor, or the newest ones.
fn readout(data: &ChartData, cursor: Option<usize>, unit: &str) -> AnyView {
    let Some(index) = cursor.or_else(|| data.newest()) else { return ().into_any() };
    let at = data.times.get(index).map(|at| clock::local(*at).seconds());
    let values: Vec<AnyView> = data
        .lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let value = line.at(index).map_or_else(|| text::gap().to_owned(), |value| figure(value, unit));
            let colour = format!("--series:var(--chart-{})", number + 1);
            view! { <i class="swatch" style=colour title=line.label.clone()></i><b class="nowrap">{value}</b> }
                .into_any()
        })
        .collect();
    view! { {at} {values} }.into_any()
}

fn table(data: &ChartData, unit: &'static str) -> impl IntoView {
    let head: Vec<_> = data.lines.iter().map(|line| view! { <th class="num">{line.label.clone()}</th> }).collect();
    let rows: Vec<_> = (0..data.times.len())
        .rev()
        .filter(|index| data.lines.iter().any(|line| line.at(*index).is_some()))
        .take(TABLE_ROWS)
        .map(|index| {
            let at = data.times.get(index).map(|at| clock::local(*at).seconds());
            let cells: Vec<_> = data
                .lines
                .iter()
                .map(|line| {
                    let value = line.at(index).map_or_else(|| text::gap().to_owned(), |value| figure(value, unit));
                    view! { <td class="num">{value}</td> }
                })
                .collect();
            view! { <tr><th scope="row">{at}</th>{cells}</tr> }
        })
        .collect();
    view! {
        <div class="chart-table pane" tabindex="0" role="region" aria-label=text::table()>
            <table class="table table-compact"><thead><tr><th>{text::time()}</th>{head}</tr></thead><tbody>{rows}</tbody></table>
        </div>
    }
}

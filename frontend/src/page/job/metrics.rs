//! Every figure over time: of the job, by operator, by partition, of the worker; one range and one cursor.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::graph::Graph;
use millrace_wire::metric::MetricSeries;

use super::context::use_job;
use super::overview::{is_of_job, label_of, load_series};
use super::range::{RangePicker, Ranged, range_setter};
use crate::api;
use crate::i18n::job as text;
use crate::load::load;
use crate::ui::empty_state::EmptyState;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::widget::chart::{ChartData, TimeChart};

const SYNC: &str = "job-metrics";

/// One chart: all series of one name and the same kind of labels.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    name: String,
    title: String,
    note: String,
    unit: &'static str,
    of_job: bool,
}

#[component]
pub(super) fn Metrics() -> impl IntoView {
    let context = use_job();
    let ranged = Ranged::of_address();
    let on_range = range_setter();
    let series = load_series(ranged);
    let graph = load(
        || (),
        move |()| {
            let path = context.path("graph");
            async move { api::get::<Graph>(&path).await }
        },
    );
    view! {
        <div class="page job-list">
            <Panel title=text::metrics().to_owned() end=move || view! { <RangePicker ranged/> }.into_any()>
                {series.show(Shape::Lines(8), move |answer| {
                    let groups = Memo::new(move |_| answer.with(|(_, answer)| groups(answer)));
                    view! {
                        {move || groups.with(Vec::is_empty).then(|| view! {
                            <EmptyState title=text::no_metrics() body=text::no_metrics_body()/>
                        })}
                        <div class="columns columns-half chart-grid">
                            <For each=move || groups.get() key=|group| (group.name.clone(), group.of_job) let(group)>
                                {
                                    let (title, note, unit) = (group.title.clone(), group.note.clone(), group.unit);
                                    let data = Signal::derive(move || answer.with(|(bounds, answer)| {
                                        graph.value().with(|graph| drawn(&group, answer, *bounds, graph.as_ref()))
                                    }));
                                    view! { <TimeChart title note unit data sync=SYNC on_range/> }
                                }
                            </For>
                        </div>
                    }.into_any()
                })}
            </Panel>
        </div>
    }
    .into_any()
}

fn drawn(group: &Group, answer: &MetricSeries, bounds: (i64, i64), graph: Option<&Graph>) -> ChartData {
    ChartData::of(answer, bounds, |series| {
        let own = series.name == group.name && is_of_job(series) == group.of_job;
        own.then(|| {
            let label = label_of(&series.labels, graph);
            if label.is_empty() { group.title.clone() } else { label }
        })
    })
}

/// Known figures first, in this order; a figure that this console does not know yet comes last under its own name.
const ORDER: [&str; 11] = [
    "records_in",
    "records_out",
    "lag_ms",
    "lag_records",
    "busy",
    "blocked",
    "state_bytes",
    "checkpoint_ms",
    "memory_bytes",
    "cpu_cores",
    "bad_records",
];

fn groups(answer: &MetricSeries) -> Vec<Group> {
    let mut found: BTreeMap<(usize, String, bool), Group> = BTreeMap::new();
    for series in &answer.series {
        let of_job = is_of_job(series);
        let rank = ORDER.iter().position(|name| *name == series.name).unwrap_or(ORDER.len());
        let note = if series.labels.contains_key("partition") {
            text::by_partition()
        } else if series.labels.contains_key("table") {
            text::by_table()
        } else if !of_job {
            text::by_operator()
        } else {
            ""
        };
        let note = match (unit(&series.unit), note) {
            ("records/s", "") => "records/s".to_owned(),
            ("records/s", note) => format!("records/s, {note}"),
            (_, note) => note.to_owned(),
        };
        found.entry((rank, series.name.clone(), !of_job)).or_insert_with(|| Group {
            name: series.name.clone(),
            title: title(&series.name),
            note,
            unit: unit(&series.unit),
            of_job,
        });
    }
    found.into_values().collect()
}

fn title(name: &str) -> String {
    match name {
        "records_in" => text::metric_in(),
        "records_out" => text::metric_out(),
        "busy" => text::metric_busy(),
        "blocked" => text::metric_blocked(),
        "lag_ms" => text::metric_lag_ms(),
        "lag_records" => text::metric_lag_records(),
        "state_bytes" => text::metric_state(),
        "memory_bytes" => text::metric_memory(),
        "cpu_cores" => text::metric_cpu(),
        "checkpoint_ms" => text::metric_checkpoint(),
        "bad_records" => text::bad_records(),
        other => return other.replace('_', " "),
    }
    .to_owned()
}

/// The units that charts know; others are shown as plain numbers.
fn unit(name: &str) -> &'static str {
    ["records/s", "ms", "s", "bytes", "bytes/s", "share", "ratio"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_wire::metric::Series;

    fn series(name: &str, unit: &str, label: Option<(&str, &str)>) -> Series {
        Series {
            name: name.into(),
            labels: label.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            unit: unit.into(),
            values: vec![],
        }
    }

    #[test]
    fn series_are_grouped_by_figure_and_known_ones_come_first() {
        let answer = MetricSeries {
            times: vec![],
            series: vec![
                series("own_figure", "", None),
                series("busy", "share", Some(("node", "a"))),
                series("busy", "share", Some(("node", "b"))),
                series("records_in", "records/s", Some(("node", "a"))),
                series("records_in", "records/s", None),
            ],
            marks: vec![],
        };
        let found = groups(&answer);
        let names: Vec<(&str, bool)> = found.iter().map(|group| (group.name.as_str(), group.of_job)).collect();
        assert_eq!(names, [("records_in", true), ("records_in", false), ("busy", false), ("own_figure", true)]);
        assert_eq!(found.first().map(|group| group.note.as_str()), Some("records/s"));
        assert_eq!(found.last().map(|group| group.title.as_str()), Some("own figure"));
    }
}

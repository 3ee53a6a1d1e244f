//! The job at a glance: graph, throughput and lag, the newest runs, and the figures of now.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::graph::Graph;
use millrace_wire::metric::{MetricSeries, Series};

use super::context::use_job;
use super::events::EventList;
use super::partitions::Partitions;
use super::rail::NowPanel;
use super::range::{RangePicker, Ranged, range_setter};
use super::runs::RunTable;
use crate::api;
use crate::i18n::job as text;
use crate::load::load;
use crate::route::{JobTab, TeamRoute};
use crate::ui::empty_state::EmptyState;
use crate::ui::link_button::LinkButton;
use crate::ui::panel::Panel;
use crate::ui::skeleton::Shape;
use crate::widget::chart::{ChartData, TimeChart};
use crate::widget::dag::Dag;

const SYNC: &str = "job-overview";
/// Points asked for; about twice the pixels of a chart.
const POINTS: &str = "360";

#[component]
pub(super) fn Overview() -> impl IntoView {
    let context = use_job();
    let team = context.team.get_value();
    let runs = TeamRoute::Job(context.id, JobTab::Runs).of(&team).href();
    let events = TeamRoute::Job(context.id, JobTab::Events).of(&team).href();
    view! {
        <div class="page columns columns-rail">
            <div>
                <GraphPanel/>
                <ChartsPanel/>
                <Panel title=text::latest_runs().to_owned()
                    end=move || view! { <a class="link small" href=runs.clone()>{text::all_runs()}</a> }.into_any()>
                    <RunTable most=6/>
                </Panel>
            </div>
            <aside class="rail">
                <NowPanel/>
                <Partitions/>
                <Panel title=text::recent_events().to_owned()
                    end=move || view! { <a class="link small" href=events.clone()>{text::all()}</a> }.into_any()>
                    <EventList most=8/>
                </Panel>
            </aside>
        </div>
    }
    .into_any()
}

#[component]
fn GraphPanel() -> impl IntoView {
    let context = use_job();
    let editor = StoredValue::new(TeamRoute::Editor(Some(context.id)).of(&context.team.get_value()).href());
    let run = Memo::new(move |_| context.job.with(|job| job.current.as_ref().map(|current| current.run)).flatten());
    let graph = load(
        move || run.get(),
        move |_| {
            let path = context.path("graph");
            async move { api::get::<Graph>(&path).await }
        },
    );
    let live = Memo::new(move |_| context.state().is_some_and(|state| !state.is_terminal()));
    let note = Signal::derive(move || {
        Some(if live.get() { text::graph_note_live() } else { text::graph_note_draft() }.to_owned())
    });
    let figures = Signal::derive(move || if live.get() { context.figures.get() } else { Default::default() });
    let selected = RwSignal::new(None::<String>);
    view! {
        <Panel title=text::graph().to_owned() note>
            {graph.show(Shape::Lines(6), move |graph| {
                let is_empty = Memo::new(move |_| graph.with(|graph| graph.nodes.is_empty()));
                view! {
                    {move || if is_empty.get() {
                        view! {
                            <EmptyState title=text::no_graph() body=text::no_graph_body()>
                                <LinkButton href=editor.get_value()>{text::open_editor()}</LinkButton>
                            </EmptyState>
                        }.into_any()
                    } else {
                        view! { <Dag graph figures selected/> }.into_any()
                    }}
                    {move || selected.get().and_then(|id| graph.with(|graph| {
                        graph.nodes.iter().find(|node| node.id == id).map(|node| {
                            let detail = if node.detail.is_empty() { node.name.clone() } else { node.detail.clone() };
                            view! { <p class="graph-detail"><b>{node.kind.clone()}</b>" "<span class="code">{detail}</span></p> }
                        })
                    }))}
                }.into_any()
            })}
        </Panel>
    }
    .into_any()
}

#[component]
fn ChartsPanel() -> impl IntoView {
    let ranged = Ranged::of_address();
    let on_range = range_setter();
    let series = load_series(ranged);
    let throughput = Signal::derive(move || {
        series
            .with(|(bounds, answer)| {
                ChartData::of(answer, *bounds, |series| match (series.name.as_str(), is_of_job(series)) {
                    ("records_in", true) => Some(text::read().to_owned()),
                    ("records_out", true) => Some(text::written().to_owned()),
                    _ => None,
                })
            })
            .unwrap_or_default()
    });
    let lag = Signal::derive(move || {
        series
            .with(|(bounds, answer)| {
                let several =
                    answer.series.iter().filter(|series| series.name == "lag_ms" && !is_of_job(series)).count() > 1;
                ChartData::of(answer, *bounds, |series| {
                    // The lag of the only source is the lag of the job.
                    (series.name == "lag_ms" && (several || is_of_job(series))).then(|| {
                        let source = label_of(&series.labels, None);
                        if source.is_empty() { text::lag().to_owned() } else { source }
                    })
                })
            })
            .unwrap_or_default()
    });
    view! {
        <Panel title=text::over_time().to_owned() end=move || view! { <RangePicker ranged/> }.into_any()>
            <div class="columns columns-half chart-pair">
                <TimeChart title=text::throughput() note=text::throughput_note() unit="records/s" data=throughput sync=SYNC on_range/>
                <TimeChart title=text::lag() note=text::lag_note() unit="ms" data=lag sync=SYNC on_range/>
            </div>
        </Panel>
    }
    .into_any()
}

/// The series of the range with the bounds they were asked for; asked again as time moves on, the old ones stay until
/// the new ones are there.
pub(super) fn load_series(ranged: Ranged) -> crate::load::Loaded<((i64, i64), MetricSeries)> {
    let context = use_job();
    let loaded = load(
        || (),
        move |()| {
            let bounds = ranged.bounds.get_untracked();
            let path = api::path::with_query(
                &context.path("metrics"),
                &[("from", &bounds.0.to_string()), ("to", &bounds.1.to_string()), ("points", POINTS)],
            );
            async move { api::get::<MetricSeries>(&path).await.map(|answer| (bounds, answer)) }
        },
    );
    Effect::new(move |before: Option<()>| {
        ranged.bounds.track();
        if before.is_some() {
            loaded.reload();
        }
    });
    loaded
}

/// Without labels a series is of the whole job.
pub(super) fn is_of_job(series: &Series) -> bool {
    series.labels.values().all(String::is_empty)
}

/// What a labelled series is about: node, table, partition.
pub(super) fn label_of(labels: &BTreeMap<String, String>, graph: Option<&Graph>) -> String {
    let name = |key: &str, value: &str| match (key, graph) {
        ("node", Some(graph)) => graph
            .nodes
            .iter()
            .find(|node| node.id == value)
            .map_or_else(|| value.to_owned(), |node| format!("{} {}", node.kind, node.name)),
        _ => value.to_owned(),
    };
    let parts: Vec<String> =
        labels.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| name(key, value)).collect();
    parts.join(" / ")
}

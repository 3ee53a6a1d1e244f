//! The graph as a list: the same data for a screen reader, for a large graph, and for whoever likes tables.

use leptos::prelude::*;
use millrace_wire::graph::Graph;

use super::Figures;
use crate::format::number;
use crate::i18n::{graph as text, words};

#[component]
pub(super) fn List(
    graph: Signal<Graph>,
    figures: Signal<Figures>,
    selected: RwSignal<Option<String>>,
) -> impl IntoView {
    let rows = move || {
        graph.with(|graph| {
            graph
                .nodes
                .iter()
                .map(|node| {
                    let names: Vec<String> = graph
                        .edges
                        .iter()
                        .filter(|edge| edge.from == node.id)
                        .filter_map(|edge| graph.nodes.iter().find(|other| other.id == edge.to))
                        .map(|other| other.name.clone())
                        .collect();
                    let goes_to = if names.is_empty() { text::ends().to_owned() } else { names.join(", ") };
                    let id = node.id.clone();
                    let own = Memo::new(move |_| figures.with(|figures| figures.get(&id).copied()));
                    let percent = |share: f64| format!("{} %", (share * 100.0).round());
                    let known = |figure: Option<String>| figure.unwrap_or_else(|| words::not_known().to_owned());
                    let id = node.id.clone();
                    view! {
                        <tr>
                            <th scope="row">
                                <button type="button" class="link-button" on:click=move |_| selected.set(Some(id.clone()))>{node.name.clone()}</button>
                            </th>
                            <td class="muted">{node.kind.clone()}</td>
                            <td class="num">{node.parallelism}</td>
                            <td class="num">{move || known(own.get().and_then(|own| own.rate()).map(number::rate))}</td>
                            <td class="num">{move || known(own.get().map(|own| percent(own.busy)))}</td>
                            <td class="num">{move || known(own.get().map(|own| percent(own.blocked)))}</td>
                            <td class="muted">{goes_to}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <div class="graph-list pane" role="region" tabindex="0" aria-label=text::as_list()>
            <table class="table table-compact">
                <thead><tr>
                    <th>{text::column_name()}</th><th>{text::column_operator()}</th>
                    <th class="num">{text::column_parallelism()}</th><th class="num">{text::column_rate()}</th>
                    <th class="num">{text::column_busy()}</th><th class="num">{text::column_blocked()}</th>
                    <th>{text::column_to()}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

//! The graph that the SQL would run as.

use leptos::prelude::*;
use millrace_wire::graph::Graph;

use super::desk::Desk;
use crate::i18n::editor as text;
use crate::ui::empty_state::EmptyState;
use crate::widget::dag::{Dag, Figures};

#[component]
pub(super) fn GraphPanel(desk: Desk) -> impl IntoView {
    let graph = Memo::new(move |_| {
        desk.validation.with(|validation| validation.as_ref().and_then(|validation| validation.graph.clone()))
    });
    let shown = Signal::derive(move || graph.get().unwrap_or(Graph { nodes: Vec::new(), edges: Vec::new() }));
    let none = Memo::new(move |_| graph.with(|graph| graph.as_ref().is_none_or(|graph| graph.nodes.is_empty())));
    let figures = Signal::derive(Figures::new);
    let selected = RwSignal::new(None::<String>);
    view! {
        <div class="ide-panel ide-graph">
            {move || if none.get() {
                view! { <div class="ide-empty"><EmptyState title=text::no_graph() body=text::no_graph_body()/></div> }.into_any()
            } else {
                view! { <Dag graph=shown figures selected/> }.into_any()
            }}
            {move || selected.get().and_then(|id| shown.with(|graph| graph.nodes.iter().find(|node| node.id == id).map(|node| view! {
                <p class="graph-detail"><b>{node.kind.clone()}</b>" "<span class="code">{node.detail.clone()}</span></p>
            })))}
        </div>
    }
    .into_any()
}

//! A job's graph: nodes with their figures, edges by throughput and back-pressure, and the same data as a list.
//!
//! Promises: places depend on the shape alone, so nothing moves while figures change; every node can be reached by
//! keyboard, edges are walked by the arrow keys.

mod camera;
mod figures;
mod layout;
mod list;
mod walk;

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::{ev, html, web_sys};
use millrace_wire::graph::{Graph, GraphNode};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use crate::format::{number, text::middle};
use crate::i18n::graph as text;
use crate::ui::icon::Icon;
use camera::Camera;
pub use figures::{NodeFigures, figures};
use layout::{Layout, NODE_HEIGHT, NODE_WIDTH, Route};
use list::List;
use walk::Step;

pub type Figures = HashMap<String, NodeFigures>;

/// Above this a drawing says less than a list.
const MOST_NODES: usize = 200;
/// A node that is busier than this is what holds the others up.
const HOT: f64 = 0.9;
/// The legend and the tools lie over the foot of the view.
const FOOT: f64 = 48.0;

#[component]
pub fn Dag(
    #[prop(into)] graph: Signal<Graph>,
    /// By node; empty where the job does not run.
    #[prop(into)]
    figures: Signal<Figures>,
    selected: RwSignal<Option<String>>,
) -> impl IntoView {
    let layout = Memo::new(move |_| {
        graph.with(|graph| if graph.nodes.len() > MOST_NODES { Layout::default() } else { layout::layout(graph) })
    });
    let too_large = Memo::new(move |_| graph.with(|graph| graph.nodes.len() > MOST_NODES));
    let as_list = RwSignal::new(false);
    let listed = Memo::new(move |_| too_large.get() || as_list.get());
    // As high as the graph needs, within the bounds of the style sheet.
    let needs = move || format!("--graph-needs:{}px", layout.with(|layout| layout.height) + FOOT);
    view! {
        <div class="graph-frame" style=needs>
            {move || too_large.get().then(|| {
                let count = graph.with(counted);
                view! { <p class="subtle small">{text::collapsed(count)}</p> }
            })}
            {move || if listed.get() {
                view! { <List graph figures selected/> }.into_any()
            } else {
                view! { <Drawing graph layout figures selected/> }.into_any()
            }}
            {move || (!too_large.get()).then(|| view! {
                <button type="button" class="button button-quiet button-small graph-as-list"
                    on:click=move |_| as_list.update(|on| *on = !*on)>
                    {move || if as_list.get() { Icon::Graph } else { Icon::List }.view()}
                    {move || if as_list.get() { text::as_graph() } else { text::as_list() }}
                </button>
            })}
        </div>
    }
}

fn counted(graph: &Graph) -> String {
    number::counted(graph.nodes.len() as u64, text::operator(), text::operators())
}

#[component]
fn Drawing(
    graph: Signal<Graph>,
    layout: Memo<Layout>,
    figures: Signal<Figures>,
    selected: RwSignal<Option<String>>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    // None follows the size of the view; a person's own view stays.
    let own = RwSignal::new(None::<Camera>);
    let view_size = RwSignal::new((0.0, 0.0));
    let measure = move || {
        if let Some(frame) = frame.get_untracked() {
            let size = (f64::from(frame.client_width()), f64::from(frame.client_height()));
            if view_size.get_untracked() != size {
                view_size.set(size);
            }
        }
    };
    Effect::new(move |_| {
        frame.track();
        layout.track();
        measure();
    });
    // The view changes with the window, with a pane that is dragged, and when its tab comes to the front.
    let observed = StoredValue::new_local(None::<(web_sys::ResizeObserver, Closure<dyn FnMut()>)>);
    Effect::new(move |_| {
        let Some(frame) = frame.get() else { return };
        let changed = Closure::<dyn FnMut()>::new(move || {
            if !view_size.is_disposed() {
                measure();
            }
        });
        if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&frame);
            observed.set_value(Some((observer, changed)));
        }
    });
    on_cleanup(move || {
        if let Some((observer, _)) = observed.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
    });
    let camera = Memo::new(move |_| {
        own.get().unwrap_or_else(|| {
            layout.with(|layout| Camera::readable((layout.width, layout.height), room(view_size.get())))
        })
    });
    let scale = Memo::new(move |_| camera.get().text_scale());
    let show_all = move |_| {
        measure();
        let size = layout.with_untracked(|layout| (layout.width, layout.height));
        own.set(Some(Camera::whole(size, room(view_size.get_untracked()))));
    };
    // A node that takes the focus is brought into view, or whoever walks by keyboard would walk in the dark.
    let reveal = move |event: ev::FocusEvent| {
        let place = node_of(event.target()).and_then(|node| node.get_attribute("data-node")).and_then(|id| {
            layout.with_untracked(|layout| layout.nodes.iter().find(|place| place.id == id).map(|at| (at.x, at.y)))
        });
        let Some(place) = place else { return };
        let before = camera.get_untracked();
        let after = before.showing(place, (NODE_WIDTH, NODE_HEIGHT), room(view_size.get_untracked()));
        if after != before {
            own.set(Some(after));
        }
    };
    let zoom = move |factor: f64, at: (f64, f64)| own.set(Some(camera.get_untracked().zoomed(factor, at)));
    let middle_of_view = move || {
        let (width, height) = view_size.get_untracked();
        (width / 2.0, height / 2.0)
    };

    let dragged = StoredValue::new(None::<(i32, i32)>);
    let wheel = move |event: ev::WheelEvent| {
        // Plain scrolling stays with the page.
        if event.ctrl_key() || event.meta_key() {
            event.prevent_default();
            let factor = if event.delta_y() < 0.0 { 1.15 } else { 1.0 / 1.15 };
            zoom(factor, (f64::from(event.offset_x()), f64::from(event.offset_y())));
        }
    };
    let key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "+" | "=" => zoom(1.25, middle_of_view()),
        "-" => zoom(0.8, middle_of_view()),
        "0" => own.set(None),
        name => {
            let at = focused_node(&event);
            if let (Some(step), Some(at)) = (Step::of_key(name), at) {
                event.prevent_default();
                let next = layout.with_untracked(|layout| {
                    graph.with_untracked(|graph| walk::next(graph, layout, &at, step).map(str::to_owned))
                });
                if let (Some(next), Some(frame)) = (next, frame.get_untracked()) {
                    focus_node(&frame, &next);
                }
            }
        }
    };

    view! {
        <div class="graph" node_ref=frame on:wheel=wheel on:keydown=key on:focusin=reveal
            on:pointerdown=move |event| {
                if !on_node(&event) {
                    dragged.set_value(Some((event.client_x(), event.client_y())));
                }
            }
            on:pointermove=move |event| {
                if let Some((x, y)) = dragged.get_value() {
                    let by = (f64::from(event.client_x() - x), f64::from(event.client_y() - y));
                    own.set(Some(camera.get_untracked().moved(by.0, by.1)));
                    dragged.set_value(Some((event.client_x(), event.client_y())));
                }
            }
            on:pointerup=move |_| dragged.set_value(None)
            on:pointerleave=move |_| dragged.set_value(None)>
            <svg width="100%" height="100%" role="group" aria-label=move || text::label(graph.with(counted))>
                <g transform=move || camera.get().transform() style=move || format!("--text-scale:{}", scale.get())>
                    {move || layout.with(|layout| layout.edges.iter().map(|route| edge(route, figures)).collect_view())}
                    {move || graph.with(|graph| {
                        layout.with(|layout| {
                            graph.nodes.iter().zip(&layout.nodes)
                                .map(|(node, place)| drawn(node, place.x, place.y, figures, selected, scale))
                                .collect_view()
                        })
                    })}
                </g>
            </svg>
            <div class="graph-legend" aria-hidden="true">
                <span class="pressure-scale">{text::flowing()}" "<i>
                    <b style="background:var(--pressure-0)"></b><b style="background:var(--pressure-1)"></b>
                    <b style="background:var(--pressure-2)"></b><b style="background:var(--pressure-3)"></b>
                    <b style="background:var(--pressure-4)"></b></i>" "{text::blocked()}</span>
                <span class="graph-legend-more">{text::width()}</span>
                <span class="graph-legend-more">{text::bar()}</span>
            </div>
            <div class="graph-tools">
                <button type="button" class="icon-button" aria-label=text::zoom_out() on:click=move |_| zoom(0.8, middle_of_view())>
                    {Icon::Minus.view()}</button>
                <button type="button" class="icon-button" aria-label=text::zoom_in() on:click=move |_| zoom(1.25, middle_of_view())>
                    {Icon::Plus.view()}</button>
                <button type="button" class="icon-button" aria-label=text::fit() on:click=show_all>
                    {Icon::Expand.view()}</button>
            </div>
        </div>
    }
}

fn room((width, height): (f64, f64)) -> (f64, f64) {
    (width, (height - FOOT).max(height / 2.0))
}

fn edge(route: &Route, figures: Signal<Figures>) -> impl IntoView + use<> {
    let from = route.from.clone();
    let of_source = Memo::new(move |_| figures.with(|figures| figures.get(&from).copied()));
    let step = move || of_source.get().map(|figures| figures::pressure(figures.blocked).to_string());
    // Nothing to say where nothing waits.
    let share = move || {
        let percent = of_source.get().map(|figures| (figures.blocked * 100.0).round());
        percent.filter(|percent| *percent >= 1.0).map(|percent| format!("{percent} %"))
    };
    let tone = move || match of_source.get().map(|figures| figures::pressure(figures.blocked)) {
        Some(4..) => "node-bad",
        Some(3) => "node-warn",
        _ => "node-figure",
    };
    view! {
        <g data-pressure=step>
            <path class="edge" class:edge-stale=move || of_source.get().is_none() d=route.path.clone()
                stroke-width=move || figures::width(of_source.get().and_then(|figures| figures.out_per_s))></path>
            <text class=tone x=route.label_x y=route.label_y text-anchor="middle">{share}</text>
        </g>
    }
}

fn drawn(
    node: &GraphNode,
    x: f64,
    y: f64,
    figures: Signal<Figures>,
    selected: RwSignal<Option<String>>,
    scale: Memo<f64>,
) -> impl IntoView + use<> {
    let (kind, name) = (node.kind.clone(), node.name.clone());
    // Fewer letters fit where they are larger.
    let fits = move |letters: f64| (letters / scale.get()) as usize;
    let id = node.id.clone();
    let own = Memo::new(move |_| figures.with(|figures| figures.get(&id).copied()));
    let rate = move || own.get().and_then(|own| own.rate()).map(|rate| text::rate(number::rate(rate)));
    let busy = move || own.get().map(|own| text::busy((own.busy * 100.0).round()));
    let hot = move || own.get().is_some_and(|own| own.busy >= HOT);
    let bar_width = NODE_WIDTH - 24.0;
    let id = node.id.clone();
    let (chosen, pressed, choose, by_key) = (id.clone(), id.clone(), id.clone(), id.clone());
    let is_chosen = move || selected.with(|selected| selected.as_deref() == Some(chosen.as_str()));
    let toggle = move |id: &str| {
        selected
            .update(|selected| *selected = if selected.as_deref() == Some(id) { None } else { Some(id.to_owned()) });
    };
    view! {
        <g class="node" class:node-hot=hot class:node-selected=is_chosen data-node=id
            transform=format!("translate({x} {y})") tabindex="0" role="button"
            aria-pressed=move || selected.with(|selected| (selected.as_deref() == Some(pressed.as_str())).to_string())
            on:click=move |_| toggle(&choose)
            on:keydown=move |event| if matches!(event.key().as_str(), "Enter" | " ") { event.prevent_default(); toggle(&by_key); }>
            <rect class="node-box" width=NODE_WIDTH height=NODE_HEIGHT rx="5"></rect>
            <rect class="busy-track" x="12" y="59" width=bar_width height="3" rx="1.5"></rect>
            <rect class="busy" x="12" y="59" height="3" rx="1.5" data-tone=move || hot().then_some("bad")
                width=move || (own.get().map_or(0.0, |own| own.busy.clamp(0.0, 1.0)) * bar_width).round()></rect>
            <text class="node-kind" x="12" y="17">{move || middle(&kind, fits(22.0))}" "</text>
            <text class="node-name" x="12" y="35">{move || middle(&name, fits(16.0))}" "</text>
            <text class="node-figure" x="12" y="52">{rate}" "</text>
            <text class=move || if hot() { "node-bad" } else { "node-figure" } x="138" y="52" text-anchor="end">{busy}</text>
        </g>
    }
}

fn node_of(target: Option<web_sys::EventTarget>) -> Option<web_sys::Element> {
    target?.dyn_into::<web_sys::Element>().ok()?.closest("[data-node]").ok().flatten()
}

fn on_node(event: &ev::PointerEvent) -> bool {
    let control = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|element| element.closest("button").ok().flatten());
    control.is_some() || node_of(event.target()).is_some()
}

fn focused_node(event: &ev::KeyboardEvent) -> Option<String> {
    node_of(event.target())?.get_attribute("data-node")
}

fn focus_node(frame: &web_sys::HtmlDivElement, id: &str) {
    let nodes = frame.query_selector_all("[data-node]").ok();
    let Some(nodes) = nodes else { return };
    for index in 0..nodes.length() {
        let element = nodes.item(index).and_then(|node| node.dyn_into::<web_sys::SvgElement>().ok());
        if let Some(element) = element
            && element.get_attribute("data-node").as_deref() == Some(id)
        {
            let _ = element.focus();
        }
    }
}

//! Sizes of the panes: dragged or moved by arrow keys, remembered by the browser.

use leptos::prelude::*;
use leptos::{ev, html};

use crate::theme::{recall, remember};

/// One size in pixels, with its bounds and the name under which it is kept.
#[derive(Clone, Copy)]
pub(super) struct Pane {
    pub(super) size: RwSignal<f64>,
    name: &'static str,
    least: f64,
    most: f64,
    usual: f64,
}

impl Pane {
    pub(super) fn new(name: &'static str, least: f64, usual: f64, most: f64) -> Pane {
        let kept = recall(name).and_then(|text| text.parse::<f64>().ok()).filter(|size| size.is_finite());
        Pane { size: RwSignal::new(kept.unwrap_or(usual).clamp(least, most)), name, least, most, usual }
    }

    fn set(&self, size: f64) {
        let size = size.clamp(self.least, self.most).round();
        self.size.set(size);
        remember(self.name, &size.to_string());
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Edge {
    /// The pane is left of the handle and grows to the right.
    Right,
    Left,
    Top,
}

const STEP: f64 = 16.0;

#[component]
pub(super) fn Handle(pane: Pane, edge: Edge, label: &'static str) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let from = StoredValue::new(None::<(f64, f64)>);
    let across = edge == Edge::Top;
    let place = move |event: &ev::PointerEvent| f64::from(if across { event.client_y() } else { event.client_x() });
    let sign = if edge == Edge::Right { 1.0 } else { -1.0 };
    let down = move |event: ev::PointerEvent| {
        event.prevent_default();
        from.set_value(Some((place(&event), pane.size.get_untracked())));
        if let Some(node) = node.get_untracked() {
            let _ = node.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: ev::PointerEvent| {
        if let Some((start, size)) = from.get_value() {
            pane.set(size + (place(&event) - start) * sign);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" if !across => STEP * sign,
            "ArrowLeft" if !across => -STEP * sign,
            "ArrowUp" if across => STEP,
            "ArrowDown" if across => -STEP,
            "Home" => pane.least - pane.size.get_untracked(),
            "End" => pane.most - pane.size.get_untracked(),
            _ => return,
        };
        event.prevent_default();
        pane.set(pane.size.get_untracked() + step);
    };
    let class = match edge {
        Edge::Right => "split-handle ide-handle ide-handle-right",
        Edge::Left => "split-handle ide-handle ide-handle-left",
        Edge::Top => "split-handle ide-handle ide-handle-top",
    };
    view! {
        <div class=class node_ref=node role="separator" tabindex="0" aria-label=label
            aria-orientation=if across { "horizontal" } else { "vertical" }
            aria-valuenow=move || pane.size.get() aria-valuemin=pane.least aria-valuemax=pane.most
            on:pointerdown=down on:pointermove=moved on:pointerup=move |_| from.set_value(None)
            on:pointercancel=move |_| from.set_value(None)
            on:dblclick=move |_| pane.set(pane.usual) on:keydown=key></div>
    }
    .into_any()
}

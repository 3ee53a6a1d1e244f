//! The keys that work everywhere.

use leptos::prelude::*;
use leptos::{ev, web_sys};
use wasm_bindgen::JsCast;

use super::Floats;
use super::fold::Fold;
use crate::address::use_address;
use crate::clock::now;
use crate::route::TeamRoute;
use crate::session::use_session;

/// `g` and then a letter, within this time.
const CHORD_MS: i64 = 1_200;

pub(super) fn listen(floats: Floats, fold: Fold) {
    let address = use_address();
    let session = use_session();
    let last_g = StoredValue::new(0_i64);
    let handle = window_event_listener(ev::keydown, move |event| {
        let key = event.key();
        let with_mod = event.ctrl_key() || event.meta_key();
        if with_mod && !event.alt_key() && !event.shift_key() && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            if !event.repeat() {
                floats.palette.update(|open| *open = !*open);
            }
            return;
        }
        if with_mod || event.alt_key() || is_typing(&event) || floats.palette.get_untracked() {
            return;
        }
        let chord = now() - last_g.get_value() < CHORD_MS;
        last_g.set_value(0);
        match key.as_str() {
            "?" => floats.shortcuts.set(true),
            "/" if focus_filter() => {
                event.prevent_default();
            }
            "[" => fold.toggle(),
            "g" => last_g.set_value(now()),
            letter if chord => {
                if let Some(route) = place_of(letter) {
                    address.go(&route.of(&session.team_now()));
                }
            }
            _ => {}
        }
    });
    on_cleanup(move || handle.remove());
}

fn place_of(letter: &str) -> Option<TeamRoute> {
    Some(match letter {
        "o" => TeamRoute::Overview,
        "e" => TeamRoute::Editor(None),
        "j" => TeamRoute::Jobs,
        "t" => TeamRoute::Tables,
        "c" => TeamRoute::Connections,
        _ => return None,
    })
}

/// Keys belong to the text while somebody writes, and to the dialog while one is open.
fn is_typing(event: &ev::KeyboardEvent) -> bool {
    event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).is_some_and(|element| {
        element.closest("input, textarea, select, [contenteditable=true], dialog[open]").ok().flatten().is_some()
    })
}

fn focus_filter() -> bool {
    let found = document().query_selector("#main [data-filter=page]").ok().flatten();
    match found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        Some(element) => element.focus().is_ok(),
        None => false,
    }
}

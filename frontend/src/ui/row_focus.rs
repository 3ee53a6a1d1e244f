//! Lists whose rows come and go: the focus of a row that goes is handed to the row that takes its place, so that
//! whoever works by keyboard goes on where they were.

use leptos::prelude::*;
use leptos::{ev, web_sys};
use wasm_bindgen::JsCast;

use crate::address::focus_content_if_lost;

/// What takes the focus within a row.
const CONTROLS: &str = "a[href], button:not([tabindex='-1']), input, select, textarea, [tabindex='0']";

/// Where the focus was last: the list, the place of the row in it, and of the control in the row.
#[derive(Clone)]
struct Place {
    list: web_sys::Element,
    row: u32,
    control: u32,
}

#[derive(Clone, Copy)]
pub struct RowFocus(StoredValue<Option<Place>, LocalStorage>);

impl RowFocus {
    /// For the list that is being made; its rows find it by [`RowFocus::of_row`].
    pub fn provide() -> RowFocus {
        let focus = RowFocus(StoredValue::new_local(None));
        provide_context(focus);
        focus
    }

    /// The handler of `focusin` on the list.
    pub fn remember(self, event: &ev::FocusEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let _ = self.0.try_set_value(target.and_then(|target| place_of(&target)));
    }

    /// For a row: when it goes, its focus is handed on.
    pub fn of_row() {
        let Some(focus) = use_context::<RowFocus>() else { return };
        on_cleanup(move || {
            // The list may go with its row: what it knew is taken along.
            let place = focus.0.try_get_value().flatten();
            request_animation_frame(move || hand_on(place));
        });
    }
}

fn place_of(target: &web_sys::Element) -> Option<Place> {
    let row = target.closest("tr, li").ok().flatten()?;
    let list = row.parent_element()?;
    let rows = list.children();
    let at = (0..rows.length()).find(|index| rows.item(*index).as_ref() == Some(&row))?;
    let controls = row.query_selector_all(CONTROLS).ok()?;
    let is_target = |index: &u32| controls.item(*index).is_some_and(|node| node.is_same_node(Some(target)));
    Some(Place { list, row: at, control: (0..controls.length()).find(is_target).unwrap_or(0) })
}

fn hand_on(place: Option<Place>) {
    let Some(place) = place.filter(|_| document().active_element().is_none_or(|element| element.tag_name() == "BODY"))
    else {
        return;
    };
    let heir = next_control(&place);
    match heir.and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
        Some(control) => drop(control.focus()),
        None => focus_around(),
    }
}

/// No row is left: the dialog that is open, or the page, takes the focus.
fn focus_around() {
    let field = document().query_selector("dialog[open] :is(input, select, textarea, button)").ok().flatten();
    match field.and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) {
        Some(field) => drop(field.focus()),
        None => focus_content_if_lost(),
    }
}

fn next_control(place: &Place) -> Option<web_sys::Node> {
    if !place.list.is_connected() {
        return None;
    }
    let rows = place.list.children();
    let last = rows.length().checked_sub(1)?;
    let row = rows.item(place.row.min(last))?;
    // The row of a tree takes the focus itself.
    if row.has_attribute("tabindex") {
        return Some(row.into());
    }
    let controls = row.query_selector_all(CONTROLS).ok()?;
    controls.item(place.control.min(controls.length().checked_sub(1)?))
}

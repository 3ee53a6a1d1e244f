//! Nobody who works by keyboard is left nowhere. When what had the focus goes, with its row, with a dialog, or because
//! a list is drawn anew, the focus goes to what stands in its place: the same control of the same row, of the row that
//! moved up, or a control of the same name; and to the page where there is none.

use leptos::prelude::*;
use leptos::{ev, web_sys};
use wasm_bindgen::prelude::*;

use crate::address::is_focus_lost;

/// What takes the focus within a row.
const CONTROLS: &str = "a[href], button:not([tabindex='-1']), input, select, textarea, [tabindex='0']";
const LISTS: &str = "table, ul, ol";

#[wasm_bindgen]
extern "C" {
    type MutationObserver;

    #[wasm_bindgen(constructor)]
    fn new(changed: &Closure<dyn FnMut()>) -> MutationObserver;

    #[wasm_bindgen(method)]
    fn observe(this: &MutationObserver, target: &web_sys::Node, options: &JsValue);

    #[wasm_bindgen(method)]
    fn disconnect(this: &MutationObserver);
}

/// Where the focus was, and how to find it again.
#[derive(Clone)]
struct Place {
    element: web_sys::Element,
    /// The page; on another one nothing is looked for.
    path: String,
    name: String,
    row: Option<RowPlace>,
}

#[derive(Clone)]
struct RowPlace {
    list: web_sys::Element,
    label: Option<String>,
    words: String,
    at: u32,
    control: u32,
}

#[derive(Clone, Copy)]
struct Keeper {
    on_page: StoredValue<Option<Place>, LocalStorage>,
    in_dialog: StoredValue<Option<Place>, LocalStorage>,
    /// A look at what changed is on its way.
    due: StoredValue<bool>,
}

/// For as long as the shell stands.
pub(super) fn keep() {
    let keeper = Keeper {
        on_page: StoredValue::new_local(None),
        in_dialog: StoredValue::new_local(None),
        due: StoredValue::new(false),
    };
    let listening = window_event_listener(ev::focusin, move |event| {
        if let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
            keeper.remember(&target);
        }
    });
    let changed = Closure::<dyn FnMut()>::new(move || keeper.look_soon());
    let observer = MutationObserver::new(&changed);
    let options = js_sys::Object::new();
    for name in ["childList", "subtree"] {
        let _ = js_sys::Reflect::set(&options, &name.into(), &JsValue::TRUE);
    }
    if let Some(body) = document().body() {
        observer.observe(&body, &options);
    }
    let observed = StoredValue::new_local(Some((observer, changed)));
    on_cleanup(move || {
        listening.remove();
        if let Some((observer, _)) = observed.try_update_value(Option::take).flatten() {
            observer.disconnect();
        }
    });
}

impl Keeper {
    fn remember(self, target: &web_sys::Element) {
        // The page itself took the focus because nothing else did.
        if target.id() == "main" {
            return;
        }
        let place = Place { element: target.clone(), path: path(), name: name_of(target), row: row_of(target) };
        let is_in_dialog = target.closest("dialog").ok().flatten().is_some();
        let _ = if is_in_dialog { self.in_dialog } else { self.on_page }.try_set_value(Some(place));
    }

    fn look_soon(self) {
        if self.due.try_get_value() != Some(false) || !is_focus_lost() {
            return;
        }
        self.due.set_value(true);
        // What takes the focus by itself goes first.
        request_animation_frame(move || {
            if self.due.try_set_value(false).is_none() && is_focus_lost() {
                self.hand_on();
            }
        });
    }

    fn hand_on(self) {
        let dialog = document().query_selector("dialog[open]").ok().flatten();
        let places = if dialog.is_some() { self.in_dialog } else { self.on_page };
        let place = places.try_get_value().flatten().filter(|place| place.path == path());
        let Some(scope) = dialog.clone().or_else(|| document().get_element_by_id("main")) else { return };
        // One that is still there lost the focus because somebody pressed beside it.
        let gone = place.filter(|place| !place.element.is_connected());
        let heir = gone.as_ref().and_then(|place| heir_of(place, &scope));
        match (heir, dialog) {
            (Some(heir), _) => focus(heir.into()),
            (None, Some(dialog)) => {
                if let (true, Ok(Some(first))) = (gone.is_some(), dialog.query_selector(CONTROLS)) {
                    focus(first.into());
                }
            }
            (None, None) if gone.is_some() => focus(scope.into()),
            (None, None) => {}
        }
    }
}

fn heir_of(place: &Place, scope: &web_sys::Element) -> Option<web_sys::Element> {
    place.row.as_ref().and_then(|row| in_list(row, scope)).or_else(|| {
        let is_alike = |element: &web_sys::Element| {
            element.tag_name() == place.element.tag_name() && name_of(element) == place.name
        };
        (!place.name.is_empty()).then(|| all(scope, CONTROLS).into_iter().find(is_alike)).flatten()
    })
}

fn in_list(place: &RowPlace, scope: &web_sys::Element) -> Option<web_sys::Element> {
    let list = if place.list.is_connected() {
        place.list.clone()
    } else {
        let label = place.label.as_ref()?;
        all(scope, LISTS).into_iter().find(|list| list.get_attribute("aria-label").as_ref() == Some(label))?
    };
    let rows = rows_of(&list);
    let same = rows.iter().find(|row| words_of(row) == place.words);
    let row = same.or_else(|| rows.get(place.at as usize)).or_else(|| rows.last())?;
    // The row of a tree takes the focus itself.
    if row.has_attribute("tabindex") {
        return Some(row.clone());
    }
    let controls = all(row, CONTROLS);
    controls.get(place.control as usize).or_else(|| controls.last()).cloned()
}

fn row_of(target: &web_sys::Element) -> Option<RowPlace> {
    let row = target.closest("tbody > tr, li").ok().flatten()?;
    let list = row.closest(LISTS).ok().flatten()?;
    let index = |elements: Vec<web_sys::Element>, of: &web_sys::Element| {
        elements.iter().position(|element| element == of).and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
    };
    Some(RowPlace {
        label: list.get_attribute("aria-label"),
        words: words_of(&row),
        at: index(rows_of(&list), &row),
        control: index(all(&row, CONTROLS), target),
        list,
    })
}

fn rows_of(list: &web_sys::Element) -> Vec<web_sys::Element> {
    all(list, ":scope > tbody > tr, :scope > li")
}

/// What tells a row from the others: its heading, or all of its text.
fn words_of(row: &web_sys::Element) -> String {
    let heading = row.query_selector("th[scope=row]").ok().flatten();
    heading.unwrap_or_else(|| row.clone()).text_content().unwrap_or_default().trim().to_owned()
}

fn name_of(element: &web_sys::Element) -> String {
    let text = || element.text_content().unwrap_or_default().trim().to_owned();
    element.get_attribute("aria-label").unwrap_or_else(text)
}

fn all(within: &web_sys::Element, selector: &str) -> Vec<web_sys::Element> {
    let Ok(found) = within.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn focus(element: JsValue) {
    if let Ok(element) = element.dyn_into::<web_sys::HtmlElement>() {
        let _ = element.focus();
    }
}

fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

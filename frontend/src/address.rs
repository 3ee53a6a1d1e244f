//! Where the person is: the browser's address as a signal, and the ways to change it.
//!
//! A plain `<a href>` within the console is enough for a link: clicks are caught here, unless the person asks for a
//! new tab or window.

use leptos::prelude::*;
use leptos::{ev, web_sys};
use wasm_bindgen::{JsCast, JsValue};

use crate::format::percent;
use crate::route::Route;
use crate::ui::order::Order;

#[derive(Clone, Copy)]
pub struct Address {
    path: RwSignal<String>,
    query: RwSignal<String>,
    route: Memo<Route>,
    /// Says why leaving would lose something; asked before every change of page.
    guard: StoredValue<Option<Callback<(), Option<String>>>>,
}

impl Address {
    /// Reads the browser's address, follows it, and makes it available to everything below.
    pub fn provide() -> Address {
        let (path, query) = current();
        let path = RwSignal::new(path);
        let query = RwSignal::new(query);
        let route = Memo::new(move |_| Route::parse(&path.get()));
        let address = Address { path, query, route, guard: StoredValue::new(None) };
        let _ = window_event_listener(ev::popstate, move |_| address.sync());
        let _ = window_event_listener(ev::click, move |event| address.follow(&event));
        let _ = window_event_listener(ev::beforeunload, move |event| {
            if address.reason_to_stay().is_some() {
                event.prevent_default();
            }
        });
        provide_context(address);
        address
    }

    pub fn route(&self) -> Memo<Route> {
        self.route
    }

    pub fn path(&self) -> Signal<String> {
        self.path.into()
    }

    /// Path and query as they stand, for "come back here after sign-in".
    pub fn full(&self) -> String {
        let query = self.query.get_untracked();
        let path = self.path.get_untracked();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    pub fn go(&self, route: &Route) {
        self.go_to(&route.href());
    }

    /// Opens a path of this console, with its query.
    pub fn go_to(&self, href: &str) {
        if !self.may_leave() {
            return;
        }
        if push(href, false) {
            self.sync();
            scroll_to_top();
            // What was pressed may have gone with its page: the focus goes to the new one, not to nowhere.
            request_animation_frame(focus_content_if_lost);
        }
    }

    /// As `go`, without leaving an entry in the history.
    pub fn replace(&self, route: &Route) {
        self.replace_with(&route.href());
    }

    pub fn replace_with(&self, href: &str) {
        if push(href, true) {
            self.sync();
        }
    }

    /// One value of the query, as it changes.
    pub fn query(&self, name: &'static str) -> Memo<Option<String>> {
        let query = self.query;
        Memo::new(move |_| {
            query.with(|text| percent::pairs(text).into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
        })
    }

    /// Sets, or with `None` or an empty text removes, one value of the query. Filters use this, so no history is made.
    pub fn set_query(&self, name: &str, value: Option<&str>) {
        let mut pairs = self.query.with_untracked(|text| percent::pairs(text));
        pairs.retain(|(key, _)| key != name);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        let path = self.path.get_untracked();
        let query = percent::query(&pairs);
        self.replace_with(&if query.is_empty() { path } else { format!("{path}?{query}") });
    }

    /// The order of a list, as the value `sort` of the query.
    pub fn order(&self) -> Order {
        let address = *self;
        Order::new(self.query("sort"), move |word| address.set_query("sort", word.as_deref()))
    }

    /// While this component lives, leaving asks first when `reason` gives one.
    pub fn guard(&self, reason: impl Fn() -> Option<String> + Send + Sync + 'static) {
        let guard = self.guard;
        guard.set_value(Some(Callback::new(move |()| reason())));
        on_cleanup(move || {
            let _ = guard.try_set_value(None);
        });
    }

    fn reason_to_stay(&self) -> Option<String> {
        self.guard.try_with_value(|guard| guard.as_ref().and_then(|guard| guard.run(()))).flatten()
    }

    fn may_leave(&self) -> bool {
        self.reason_to_stay().is_none_or(|reason| window().confirm_with_message(&reason).unwrap_or(true))
    }

    fn sync(&self) {
        let (path, query) = current();
        if self.query.with_untracked(|old| *old != query) {
            self.query.set(query);
        }
        if self.path.with_untracked(|old| *old != path) {
            self.path.set(path);
        }
    }

    fn follow(&self, event: &web_sys::MouseEvent) {
        let plain = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
            && !event.default_prevented();
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten());
        let (true, Some(link)) = (plain, link) else { return };
        let href = link.get_attribute("href").unwrap_or_default();
        let inside = href.starts_with('/') && !href.starts_with("//") && !href.starts_with("/api/");
        if inside && !link.has_attribute("target") && !link.has_attribute("download") {
            event.prevent_default();
            self.go_to(&href);
        }
    }
}

pub fn use_address() -> Address {
    expect_context::<Address>()
}

fn current() -> (String, String) {
    let location = window().location();
    let path = location.pathname().unwrap_or_else(|_| "/".to_owned());
    let query = location.search().unwrap_or_default();
    (path, query.trim_start_matches('?').to_owned())
}

fn push(href: &str, replace: bool) -> bool {
    let Ok(history) = window().history() else { return false };
    let done = if replace {
        history.replace_state_with_url(&JsValue::NULL, "", Some(href))
    } else {
        history.push_state_with_url(&JsValue::NULL, "", Some(href))
    };
    done.is_ok()
}

/// Whether the keys go to nothing in particular.
pub fn is_focus_lost() -> bool {
    document().active_element().is_none_or(|element| element.tag_name() == "BODY" || element.id() == "main")
}

fn focus_content_if_lost() {
    let main = document().get_element_by_id("main").and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(main) = main
        && is_focus_lost()
    {
        let _ = main.focus();
    }
}

fn scroll_to_top() {
    if let Some(main) = document().get_element_by_id("main") {
        main.set_scroll_top(0);
    }
}

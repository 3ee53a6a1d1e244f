//! The parts of a page; each is a link with its own address.

use leptos::prelude::*;

#[derive(Clone)]
pub struct Tab {
    pub label: String,
    pub href: String,
    pub count: Option<String>,
    /// The count is of something wrong.
    pub bad: bool,
    pub current: bool,
}

#[component]
pub fn Tabs(#[prop(into)] label: String, #[prop(into)] tabs: Signal<Vec<Tab>>) -> impl IntoView {
    view! {
        <nav class="tabs" aria-label=label>
            {move || tabs.get().into_iter().map(|tab| view! {
                <a href=tab.href aria-current=tab.current.then_some("page")>
                    {tab.label}
                    {tab.count.map(|count| view! {
                        <span class=if tab.bad { "tabs-count tabs-count-bad" } else { "tabs-count" }>{count}</span>
                    })}
                </a>
            }).collect_view()}
        </nav>
    }
    .into_any()
}

//! The parts of a page; each is a link with its own address.

use leptos::prelude::*;

#[derive(Clone, PartialEq)]
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
    // A count that changes leaves the link where it is, and the focus on it.
    let hrefs = Memo::new(move |_| tabs.with(|tabs| tabs.iter().map(|tab| tab.href.clone()).collect::<Vec<_>>()));
    let link = move |href: String| {
        let of = href.clone();
        let tab = Memo::new(move |_| tabs.with(|tabs| tabs.iter().find(|tab| tab.href == of).cloned()));
        let current = move || tab.with(|tab| tab.as_ref().is_some_and(|tab| tab.current).then_some("page"));
        let count = move || tab.with(|tab| tab.as_ref().and_then(|tab| Some((tab.count.clone()?, tab.bad))));
        view! {
            <a href=href aria-current=current>
                {move || tab.with(|tab| tab.as_ref().map(|tab| tab.label.clone()))}
                {move || count().map(|(count, bad)| view! {
                    <span class=if bad { "tabs-count tabs-count-bad" } else { "tabs-count" }>{count}</span>
                })}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label=label>
            <For each=move || hrefs.get() key=|href| href.clone() let(href)>{link(href)}</For>
        </nav>
    }
    .into_any()
}

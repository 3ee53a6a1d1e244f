//! A diagnosis or a notice inside a page.

use leptos::prelude::*;

use super::icon::Icon;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Info,
    Warn,
    Bad,
}

#[component]
pub fn Callout(notice: Notice, #[prop(into)] title: String, children: Children) -> impl IntoView {
    let (class, icon) = match notice {
        Notice::Info => ("callout callout-info", Icon::Info),
        Notice::Warn => ("callout callout-warn", Icon::Warn),
        Notice::Bad => ("callout callout-bad", Icon::Error),
    };
    view! {
        <div class=class role="note">
            {icon.view()}
            <strong>{title}</strong>
            <div>{children()}</div>
        </div>
    }
    .into_any()
}

//! A link that looks like a button: it leads to another view.

use leptos::prelude::*;

use super::button::Kind;
use super::icon::Icon;
use super::id;

#[component]
pub fn LinkButton(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] icon: Option<Icon>,
    /// Why it leads nowhere now; `None` when it does.
    #[prop(optional, into)]
    reason: MaybeProp<String>,
    children: Children,
) -> impl IntoView {
    let why = id::next("why");
    let size = if small { " button-small" } else { "" };
    let class = format!("button{}{size}", kind.class());
    let described = {
        let why = why.clone();
        move || reason.get().map(|_| why.clone())
    };
    view! {
        <a
            class=class
            href=move || reason.get().is_none().then(|| href.get())
            role=move || reason.get().map(|_| "link")
            tabindex=move || reason.get().map(|_| "0")
            title=move || reason.get()
            aria-disabled=move || reason.get().map(|_| "true")
            aria-describedby=described
        >
            {icon.map(Icon::view)}
            {children()}
            {move || reason.get().map(|reason| view! { <span class="visually-hidden" id=why.clone()>{reason}</span> })}
        </a>
    }
    .into_any()
}

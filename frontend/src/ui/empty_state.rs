//! Why there is nothing, and the one thing to do. The causes differ: first use, no match, no permission, failed.

use leptos::prelude::*;

use super::icon::Icon;

#[component]
pub fn EmptyState(
    #[prop(optional, into)] icon: Option<Icon>,
    #[prop(into)] title: String,
    #[prop(optional, into)] body: Option<String>,
    /// Buttons or links.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            {icon.map(Icon::view)}
            <h2>{title}</h2>
            {body.map(|body| view! { <p>{body}</p> })}
            {children.map(|children| view! { <div class="empty-actions">{children()}</div> })}
        </div>
    }
    .into_any()
}

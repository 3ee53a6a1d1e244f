//! Names and values, one pair per line.

use leptos::prelude::*;

#[component]
pub fn Facts(children: Children, #[prop(optional)] from_start: bool) -> impl IntoView {
    view! { <dl class=if from_start { "facts facts-start" } else { "facts" }>{children()}</dl> }.into_any()
}

#[component]
pub fn Fact(#[prop(into)] name: String, children: Children) -> impl IntoView {
    view! { <dt>{name}</dt><dd>{children()}</dd> }.into_any()
}

//! A word about a thing (type, tag, version), never a state.

use leptos::prelude::*;

use super::icon::Icon;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Accent,
    Good,
    Warn,
    Bad,
    Change,
}

#[component]
pub fn Badge(
    #[prop(optional)] tone: Tone,
    #[prop(optional, into)] icon: Option<Icon>,
    #[prop(optional, into)] title: Option<String>,
    children: Children,
) -> impl IntoView {
    let class = match tone {
        Tone::Plain => "badge",
        Tone::Accent => "badge badge-accent",
        Tone::Good => "badge badge-good",
        Tone::Warn => "badge badge-warn",
        Tone::Bad => "badge badge-bad",
        Tone::Change => "badge badge-change",
    };
    view! { <span class=class title=title>{icon.map(Icon::small)}{children()}</span> }.into_any()
}

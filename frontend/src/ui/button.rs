//! Buttons. One primary per view. A disabled one keeps its place, can be reached, and says why.

use leptos::prelude::*;

use super::icon::Icon;
use super::id;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Plain,
    Primary,
    Quiet,
    Danger,
    DangerQuiet,
}

impl Kind {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Kind::Plain => "",
            Kind::Primary => " button-primary",
            Kind::Quiet => " button-quiet",
            Kind::Danger => " button-danger",
            Kind::DangerQuiet => " button-danger-quiet",
        }
    }
}

#[component]
pub fn Button(
    #[prop(optional)] kind: Kind,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] icon: Option<Icon>,
    /// A chevron at the end: a menu follows.
    #[prop(optional)]
    opens_menu: bool,
    /// Why it cannot be used now; `None` when it can.
    #[prop(optional, into)]
    reason: MaybeProp<String>,
    /// The work it started goes on; it cannot be pressed again.
    #[prop(optional, into)]
    busy: Signal<bool>,
    #[prop(optional, into)] pressed: MaybeProp<bool>,
    /// Sends the form it stands in, which then has the handler.
    #[prop(optional)]
    submits: bool,
    #[prop(optional, into)] title: MaybeProp<String>,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let why = id::next("why");
    let refuses = move || reason.get().is_some() || busy.get();
    let press = move |event: leptos::ev::MouseEvent| {
        if untrack(refuses) {
            event.prevent_default();
            event.stop_propagation();
        } else if let Some(on_press) = on_press {
            on_press.run(());
        }
    };
    let size = if small { " button-small" } else { "" };
    let class = format!("button{}{size}", kind.class());
    let described = {
        let why = why.clone();
        move || reason.get().map(|_| why.clone())
    };
    view! {
        <button
            type=if submits { "submit" } else { "button" }
            class=class
            title=move || reason.get().or_else(|| title.get())
            aria-disabled=move || refuses().then_some("true")
            aria-busy=move || busy.get().then_some("true")
            aria-pressed=move || pressed.get().map(|pressed| pressed.to_string())
            aria-haspopup=opens_menu.then_some("menu")
            aria-describedby=described
            on:click=press
        >
            {icon.map(Icon::view)}
            {children()}
            {opens_menu.then(|| Icon::Down.view())}
            {move || reason.get().map(|reason| view! { <span class="visually-hidden" id=why.clone()>{reason}</span> })}
        </button>
    }
    .into_any()
}

/// An icon alone, with a name for those who do not see it.
#[component]
pub fn IconButton(
    icon: Icon,
    #[prop(into)] label: Signal<String>,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] reason: MaybeProp<String>,
    #[prop(optional, into)] pressed: MaybeProp<bool>,
    #[prop(optional, into)] expanded: MaybeProp<bool>,
    #[prop(into)] on_press: Callback<()>,
) -> impl IntoView {
    let class = if small { "icon-button icon-button-small" } else { "icon-button" };
    view! {
        <button
            type="button"
            class=class
            aria-label=move || label.get()
            title=move || reason.get().unwrap_or_else(|| label.get())
            aria-disabled=move || reason.get().map(|_| "true")
            aria-pressed=move || pressed.get().map(|pressed| pressed.to_string())
            aria-expanded=move || expanded.get().map(|expanded| expanded.to_string())
            on:click=move |_| {
                if reason.get_untracked().is_none() {
                    on_press.run(());
                }
            }
        >
            {icon.view()}
        </button>
    }
    .into_any()
}

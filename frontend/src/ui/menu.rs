//! A button that opens a list of actions. Arrow keys move, Esc closes and gives the focus back.

use leptos::prelude::*;
use leptos::web_sys;
use leptos::{ev, html};
use wasm_bindgen::JsCast;

use super::icon::Icon;
use super::id;

#[derive(Clone)]
pub struct MenuItem {
    pub label: String,
    pub icon: Option<Icon>,
    /// Why it cannot be chosen now.
    pub reason: Option<String>,
    pub act: MenuAct,
}

#[derive(Clone)]
pub enum MenuAct {
    Run(Callback<()>),
    Go(String),
    /// A hairline; the label is not shown.
    Rule,
    /// What those that follow have in common.
    Heading,
}

impl MenuItem {
    pub fn run(label: impl Into<String>, icon: Option<Icon>, act: impl Fn() + Send + Sync + 'static) -> MenuItem {
        MenuItem { label: label.into(), icon, reason: None, act: MenuAct::Run(Callback::new(move |()| act())) }
    }

    pub fn go(label: impl Into<String>, icon: Option<Icon>, href: impl Into<String>) -> MenuItem {
        MenuItem { label: label.into(), icon, reason: None, act: MenuAct::Go(href.into()) }
    }

    pub fn rule() -> MenuItem {
        MenuItem { label: String::new(), icon: None, reason: None, act: MenuAct::Rule }
    }

    pub fn heading(label: impl Into<String>) -> MenuItem {
        MenuItem { label: label.into(), icon: None, reason: None, act: MenuAct::Heading }
    }

    pub fn unless(mut self, reason: Option<String>) -> MenuItem {
        self.reason = reason;
        self
    }
}

#[component]
pub fn Menu(
    /// The name of the button.
    #[prop(into)]
    label: Signal<String>,
    /// The class of the button.
    #[prop(optional, into)]
    class: Option<String>,
    /// The edge of the list that stays with the button.
    #[prop(optional)]
    from_start: bool,
    /// The button has words in it; the name is read after them.
    #[prop(optional)]
    worded: bool,
    items: Signal<Vec<MenuItem>>,
    /// What stands in the button.
    children: Children,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let list = id::next("menu");
    let button = NodeRef::<html::Button>::new();
    let wrapper = NodeRef::<html::Div>::new();
    let close = move |give_back: bool| {
        let _ = open.try_set(false);
        if give_back && let Some(button) = button.try_get_untracked().flatten() {
            let _ = button.focus();
        }
    };
    let on_key = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "Escape" if open.get_untracked() => {
            event.stop_propagation();
            close(true);
        }
        "ArrowDown" | "ArrowUp" => {
            event.prevent_default();
            if open.get_untracked() {
                move_focus(wrapper, if event.key() == "ArrowDown" { 1 } else { -1 });
            } else {
                open.set(true);
            }
        }
        _ => {}
    };
    let on_focus_out = move |event: ev::FocusEvent| {
        let inside = event
            .related_target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok())
            // The menu may be going away, which is why it loses the focus.
            .zip(wrapper.try_get_untracked().flatten())
            .is_some_and(|(target, wrapper)| wrapper.contains(Some(&target)));
        if !inside {
            close(false);
        }
    };
    Effect::new(move |_| {
        if open.get() {
            request_animation_frame(move || move_focus(wrapper, 1));
        }
    });
    let edge = if from_start { "popover menu-list menu-list-start" } else { "popover menu-list" };
    let list_id = list.clone();
    view! {
        <div class="menu-anchor" node_ref=wrapper on:keydown=on_key on:focusout=on_focus_out>
            <button
                type="button"
                node_ref=button
                class=class.unwrap_or_else(|| "icon-button".to_owned())
                aria-label=move || (!worded).then(|| label.get())
                title=move || label.get()
                aria-haspopup="menu"
                aria-expanded=move || open.get().to_string()
                aria-controls=move || open.get().then(|| list.clone())
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {children()}
                {worded.then(|| view! { <span class="visually-hidden">", "{move || label.get()}</span> })}
            </button>
            {move || open.get().then(|| view! {
                <div class=edge role="menu" id=list_id.clone() aria-label=move || label.get()>
                    {move || items.get().into_iter().map(|item| entry(item, Callback::new(move |()| close(true)))).collect_view()}
                </div>
            })}
        </div>
    }
    .into_any()
}

fn entry(item: MenuItem, close: Callback<()>) -> AnyView {
    let MenuItem { label, icon, reason, act } = item;
    let disabled = reason.is_some().then_some("true");
    if matches!(act, MenuAct::Heading) {
        return view! { <span role="presentation" class="menu-heading">{label}</span> }.into_any();
    }
    let content = view! { {icon.map(Icon::view)}<span>{label}</span> };
    match act {
        MenuAct::Rule | MenuAct::Heading => view! { <hr role="separator"/> }.into_any(),
        MenuAct::Go(href) => view! {
            <a role="menuitem" tabindex="-1" href=href title=reason aria-disabled=disabled on:click=move |_| close.run(())>{content}</a>
        }
        .into_any(),
        MenuAct::Run(act) => view! {
            <div
                role="menuitem"
                tabindex="-1"
                title=reason
                aria-disabled=disabled
                on:click=move |_| if disabled.is_none() { close.run(()); act.run(()) }
                on:keydown=move |event| if matches!(event.key().as_str(), "Enter" | " ") && disabled.is_none() {
                    event.prevent_default();
                    close.run(());
                    act.run(());
                }
            >
                {content}
            </div>
        }
        .into_any(),
    }
}

fn move_focus(wrapper: NodeRef<html::Div>, step: i32) {
    let Some(wrapper) = wrapper.try_get_untracked().flatten() else { return };
    let Ok(found) = wrapper.query_selector_all("[role=menuitem]") else { return };
    let count = i32::try_from(found.length()).unwrap_or(0);
    if count == 0 {
        return;
    }
    let active = document().active_element();
    let at = (0..count).find(|index| {
        u32::try_from(*index).ok().and_then(|index| found.item(index)).as_ref()
            == active.as_ref().map(AsRef::<web_sys::Node>::as_ref)
    });
    let next = match at {
        Some(at) => (at + step).rem_euclid(count),
        None if step < 0 => count - 1,
        None => 0,
    };
    let node = u32::try_from(next).ok().and_then(|index| found.item(index));
    if let Some(element) = node.and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

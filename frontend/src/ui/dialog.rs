//! A dialog over the page, by the browser's own `<dialog>`: it keeps the focus, and Esc closes it.

use leptos::html;
use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Icon;
use crate::i18n::words;

#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// Buttons at the foot; the last one is the one that acts.
    #[prop(optional, into)]
    foot: ViewFn,
    #[prop(optional, into)] class: Option<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let heading = super::id::next("dialog");
    let labelled = heading.clone();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if open.get() {
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    let children = StoredValue::new(children);
    let foot = StoredValue::new(foot);
    let class = format!("dialog {}", class.unwrap_or_default());
    view! {
        <dialog class=class node_ref=node aria-labelledby=labelled on:close=move |_| open.set(false)>
            {move || open.get().then(|| view! {
                <div class="dialog-head">
                    <h2 id=heading.clone()>{move || title.get()}</h2>
                    <IconButton icon=Icon::Close label=words::close().to_owned() on_press=move |()| open.set(false)/>
                </div>
                <div class="dialog-body">{children.with_value(|children| children())}</div>
                <div class="dialog-foot">{foot.with_value(|foot| foot.run())}</div>
            })}
        </dialog>
    }
    .into_any()
}

//! The filter of a list: `/` leads here, Esc empties it.

use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Icon;
use crate::i18n::words;

#[component]
pub fn SearchField(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(optional)] small: bool,
) -> impl IntoView {
    let input = NodeRef::<leptos::html::Input>::new();
    let class = if small { "input-box input-box-small" } else { "input-box" };
    let clear = Callback::new(move |()| {
        on_input.run(String::new());
        if let Some(input) = input.get_untracked() {
            let _ = input.focus();
        }
    });
    let landmark = label.clone();
    view! {
        <div class=class role="search" aria-label=landmark>
            {Icon::Search.view()}
            <input
                node_ref=input
                type="text"
                role="searchbox"
                data-filter="page"
                autocomplete="off"
                spellcheck="false"
                placeholder=label.clone()
                aria-label=label
                prop:value=move || value.get()
                on:input=move |event| on_input.run(event_target_value(&event))
                on:keydown=move |event| if event.key() == "Escape" && !value.get_untracked().is_empty() {
                    event.stop_propagation();
                    on_input.run(String::new());
                }
            />
            {move || (!value.get().is_empty()).then(|| view! {
                <IconButton icon=Icon::Close small=true label=words::clear_search().to_owned() on_press=clear/>
            })}
        </div>
    }
    .into_any()
}

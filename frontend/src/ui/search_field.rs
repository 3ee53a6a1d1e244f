//! The filter of a list: `/` leads here, Esc empties it.

use std::time::Duration;

use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Icon;
use crate::i18n::words;

/// Where a server answers, it is asked once typing rests for this long.
const REST: Duration = Duration::from_millis(250);

#[component]
pub fn SearchField(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(optional)] small: bool,
    /// A server is asked for the words: they are told once typing rests, or by Enter.
    #[prop(optional)]
    rests: bool,
) -> impl IntoView {
    let input = NodeRef::<leptos::html::Input>::new();
    let class = if small { "input-box input-box-small" } else { "input-box" };
    let typed = RwSignal::new(value.get_untracked());
    let pause = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || match pause.try_update_value(Option::take).flatten() {
        Some(handle) => {
            handle.clear();
            true
        }
        None => false,
    };
    on_cleanup(move || {
        stop();
    });
    // Words that come from elsewhere, by a link or by emptying the filter, are shown; not while somebody types others.
    Effect::new(move |_| {
        let value = value.get();
        if pause.with_value(Option::is_none) && typed.with_untracked(|typed| *typed != value) {
            typed.set(value);
        }
    });
    let tell = move |words: String| {
        stop();
        typed.set(words.clone());
        if !rests || words.is_empty() {
            on_input.run(words);
            return;
        }
        let now = move || {
            let _ = pause.try_set_value(None);
            on_input.run(words);
        };
        pause.set_value(set_timeout_with_handle(now, REST).ok());
    };
    let clear = Callback::new(move |()| {
        tell(String::new());
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
                prop:value=move || typed.get()
                on:input=move |event| tell(event_target_value(&event))
                on:keydown=move |event| match event.key().as_str() {
                    "Escape" if !typed.with_untracked(String::is_empty) => {
                        event.stop_propagation();
                        tell(String::new());
                    }
                    "Enter" if stop() => on_input.run(typed.get_untracked()),
                    _ => {}
                }
            />
            {move || typed.with(|typed| !typed.is_empty()).then(|| view! {
                <IconButton icon=Icon::Close small=true label=words::clear_search().to_owned() on_press=clear/>
            })}
        </div>
    }
    .into_any()
}

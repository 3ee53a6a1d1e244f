//! On or off, at once.

use leptos::prelude::*;

#[component]
pub fn Switch(#[prop(into)] label: String, value: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                role="switch"
                class="switch"
                prop:checked=move || value.get()
                on:change=move |event| value.set(event_target_checked(&event))
            />
            {label}
        </label>
    }
    .into_any()
}

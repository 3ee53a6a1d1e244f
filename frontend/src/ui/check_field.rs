//! A box to tick, with its words beside it.

use leptos::prelude::*;

#[component]
pub fn CheckField(
    #[prop(into)] label: String,
    value: RwSignal<bool>,
    #[prop(optional, into)] help: Option<String>,
) -> impl IntoView {
    let note = super::id::next("note");
    let described = help.is_some().then(|| note.clone());
    view! {
        <div class="field">
            <label class="check">
                <input
                    type="checkbox"
                    aria-describedby=described
                    prop:checked=move || value.get()
                    on:change=move |event| value.set(event_target_checked(&event))
                />
                {label}
            </label>
            {help.map(|help| view! { <span class="field-help" id=note>{help}</span> })}
        </div>
    }
    .into_any()
}

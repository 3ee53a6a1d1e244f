//! One of a list, with its label.

use leptos::prelude::*;

use super::field::{Field, FieldIds};
use super::field_error::FieldError;

#[component]
pub fn SelectField(
    #[prop(into)] label: Signal<String>,
    value: RwSignal<String>,
    /// Value and words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    #[prop(optional, into)] help: MaybeProp<String>,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(optional)] is_optional: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let error = FieldError::new(error);
    let (control, note) = (ids.control.clone(), ids.note.clone());
    view! {
        <Field ids label help error=error.shown is_optional>
            <select
                class="select"
                id=control
                aria-describedby=note
                aria-invalid=move || error.invalid()
                disabled=move || disabled.get()
                on:change=move |event| {
                    value.set(event_target_value(&event));
                    error.changed();
                }
            >
                {move || options.get().into_iter().map(|(option, words)| {
                    let own = option.clone();
                    view! { <option value=option selected=move || value.with(|value| *value == own)>{words}</option> }
                }).collect_view()}
            </select>
        </Field>
    }
    .into_any()
}

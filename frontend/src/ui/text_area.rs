//! Several lines of text with their label.

use leptos::prelude::*;

use super::field::{Field, FieldIds};
use super::field_error::FieldError;

#[component]
pub fn TextArea(
    #[prop(into)] label: Signal<String>,
    value: RwSignal<String>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional, into)] help: MaybeProp<String>,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(optional)] is_optional: bool,
    #[prop(optional)] code: bool,
) -> impl IntoView {
    let ids = FieldIds::new();
    let error = FieldError::new(error);
    let (control, note) = (ids.control.clone(), ids.note.clone());
    view! {
        <Field ids label help error=error.shown is_optional>
            <textarea
                class=if code { "textarea input-code" } else { "textarea" }
                id=control
                rows=rows
                aria-describedby=note
                aria-invalid=move || error.invalid()
                prop:value=move || value.get()
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    error.changed();
                }
            ></textarea>
        </Field>
    }
    .into_any()
}

//! Several lines of text with their label.

use leptos::prelude::*;

use super::field::{Field, FieldIds};

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
    let (control, note) = (ids.control.clone(), ids.note.clone());
    view! {
        <Field ids label help error is_optional>
            <textarea
                class=if code { "textarea input-code" } else { "textarea" }
                id=control
                rows=rows
                aria-describedby=note
                aria-invalid=move || error.get().is_some().then_some("true")
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            ></textarea>
        </Field>
    }
    .into_any()
}

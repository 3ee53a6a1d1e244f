//! One line of text with its label.

use leptos::prelude::*;

use super::field::{Field, FieldIds};
use super::field_error::FieldError;

#[component]
pub fn TextField(
    #[prop(into)] label: Signal<String>,
    value: RwSignal<String>,
    /// `text`, `password`, `email`, `number`, `datetime-local`
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional, into)] help: MaybeProp<String>,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(optional, into)] placeholder: MaybeProp<String>,
    #[prop(optional)] is_optional: bool,
    /// In the font of code: names, addresses, expressions.
    #[prop(optional)]
    code: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Words to choose from while typing.
    #[prop(optional, into)]
    suggestions: Signal<Vec<String>>,
    /// The person left the field.
    #[prop(optional, into)]
    on_blur: Option<Callback<()>>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let error = FieldError::new(error);
    let list = format!("{}-list", ids.control);
    let (control, note) = (ids.control.clone(), ids.note.clone());
    let list_id = list.clone();
    let node = NodeRef::<leptos::html::Input>::new();
    if autofocus {
        Effect::new(move |_| {
            if let Some(input) = node.get() {
                let _ = input.focus();
            }
        });
    }
    view! {
        <Field ids label help error=error.shown is_optional>
            <input
                node_ref=node
                class=if code { "input input-code" } else { "input" }
                id=control
                type=kind
                spellcheck="false"
                autofocus=autofocus
                autocomplete=autocomplete.unwrap_or_else(|| "off".to_owned())
                placeholder=move || placeholder.get()
                list=move || suggestions.with(|all| !all.is_empty()).then(|| list.clone())
                aria-describedby=note
                aria-invalid=move || error.invalid()
                aria-required=(!is_optional).then_some("true")
                disabled=move || disabled.get()
                prop:value=move || value.get()
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    error.changed();
                }
                on:blur=move |_| if let Some(on_blur) = on_blur { on_blur.run(()) }
            />
            {move || suggestions.with(|all| (!all.is_empty()).then(|| view! {
                <datalist id=list_id.clone()>
                    {all.iter().map(|word| view! { <option value=word.clone()></option> }).collect_view()}
                </datalist>
            }))}
        </Field>
    }
    .into_any()
}

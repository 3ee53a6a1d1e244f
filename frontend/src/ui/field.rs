//! The frame of a field: label above, help below, and the error in place of the help.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::i18n::words;

/// The ids that tie a control to its words.
#[derive(Clone)]
pub struct FieldIds {
    pub control: String,
    pub note: String,
}

impl FieldIds {
    pub fn new() -> FieldIds {
        let control = super::id::next("field");
        FieldIds { note: format!("{control}-note"), control }
    }
}

impl Default for FieldIds {
    fn default() -> Self {
        FieldIds::new()
    }
}

#[component]
pub fn Field(
    ids: FieldIds,
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] help: MaybeProp<String>,
    #[prop(optional, into)] error: MaybeProp<String>,
    #[prop(optional)] is_optional: bool,
    children: Children,
) -> impl IntoView {
    let note = ids.note.clone();
    view! {
        <div class="field">
            <label for=ids.control>
                {move || label.get()}
                {is_optional.then(|| view! { <span class="field-optional">{words::optional()}</span> })}
            </label>
            {children()}
            <span id=note class=move || if error.get().is_some() { "field-error" } else { "field-help" } aria-live="polite">
                {move || error.get().or_else(|| help.get())}
            </span>
        </div>
    }
    .into_any()
}

/// Leads the person to the first field that is wrong, once the page shows it so.
pub fn go_to_first_error() {
    request_animation_frame(|| {
        let wrong = document().query_selector("#main [aria-invalid=true], dialog[open] [aria-invalid=true]");
        let field = wrong.ok().flatten().and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok());
        if let Some(field) = field {
            let _ = field.focus();
        }
    });
}

//! Controls that stand in a line with others: their names are read, not shown.

use leptos::prelude::*;
use leptos::{html, web_sys};
use wasm_bindgen::JsCast;

use crate::ui::id;

#[component]
pub(super) fn Choose(
    #[prop(into)] label: Signal<String>,
    /// Value and words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    #[prop(into)] value: Signal<String>,
    on_choose: Callback<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let note = id::next("note");
    let described = note.clone();
    view! {
        <span class="builder-control">
            <select class="select select-small" aria-label=move || label.get()
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=move || error.get().is_some().then(|| described.clone())
                on:change=move |event| on_choose.run(event_target_value(&event))>
                {move || options.get().into_iter().map(|(option, words)| {
                    let own = option.clone();
                    view! { <option value=option prop:selected=move || value.with(|value| *value == own)>{words}</option> }
                }).collect_view()}
            </select>
            <Note id=note error/>
        </span>
    }
    .into_any()
}

#[component]
pub(super) fn Line(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Signal<String>,
    on_input: Callback<String>,
    #[prop(optional, into)] placeholder: Signal<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let note = id::next("note");
    let described = note.clone();
    view! {
        <span class="builder-control">
            <input class="input input-small" type="text" autocomplete="off" spellcheck="false"
                aria-label=move || label.get() placeholder=move || placeholder.get() disabled=move || disabled.get()
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=move || error.get().is_some().then(|| described.clone())
                prop:value=move || value.get() on:input=move |event| on_input.run(event_target_value(&event))/>
            <Note id=note error/>
        </span>
    }
    .into_any()
}

#[component]
fn Note(id: String, error: Signal<Option<String>>) -> impl IntoView {
    view! { <span id=id class="field-error" aria-live="polite">{move || error.get()}</span> }.into_any()
}

#[component]
pub(super) fn Tick(
    #[prop(into)] label: String,
    #[prop(into)] checked: Signal<bool>,
    on_change: Callback<bool>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" prop:checked=move || checked.get()
                on:change=move |event| on_change.run(event_target_checked(&event))/>
            {label}
        </label>
    }
    .into_any()
}

/// Leads the focus to the first such control of the last such part, once it is drawn.
pub(super) fn focus_last(place: NodeRef<html::Div>, part: &'static str, control: &'static str) {
    request_animation_frame(move || {
        let Some(place) = place.try_get_untracked().flatten() else { return };
        let Ok(parts) = place.query_selector_all(part) else { return };
        let last = parts.length().checked_sub(1).and_then(|last| parts.item(last));
        let found = last
            .and_then(|part| part.dyn_into::<web_sys::Element>().ok())
            .and_then(|part| part.query_selector(control).ok().flatten());
        if let Some(control) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = control.focus();
        }
    });
}

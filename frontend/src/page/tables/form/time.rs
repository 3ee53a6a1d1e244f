//! Step five: which column is the event time, how late rows may come, and which columns are the key.

use leptos::prelude::*;

use super::Step;
use super::draft::Form;
use crate::i18n::tables as text;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

#[component]
pub(super) fn TimeStep() -> impl IntoView {
    let form = expect_context::<Form>();
    let names = Memo::new(move |_| column_names(form));
    let times = Signal::derive(move || {
        let mut options = vec![(String::new(), text::event_none().to_owned())];
        let chosen = form.event_column.get();
        let fitting = names
            .get()
            .into_iter()
            .filter(|(name, data_type)| data_type.to_ascii_uppercase().starts_with("TIMESTAMP") || *name == chosen);
        options.extend(fitting.map(|(name, _)| (name.clone(), name)));
        options
    });
    // A watermark that was not written by hand follows the column.
    Effect::new(move |before: Option<String>| {
        let column = form.event_column.get();
        let old = before.unwrap_or_default();
        let is_own = form.watermark.with_untracked(|watermark| watermark.is_empty() || *watermark == usual(&old));
        if is_own {
            form.watermark.set(usual(&column));
        }
        column
    });
    let has_time = Memo::new(move |_| !form.event_column.with(String::is_empty));
    view! {
        <Step number=5 title=text::step_time() help=text::step_time_help().to_owned()>
            <div class="form-pair">
                <SelectField label=text::event_column().to_owned() value=form.event_column options=times is_optional=true
                    error=form.error_signal("event_time.column")/>
                {move || has_time.get().then(|| view! {
                    <TextField label=text::watermark_field().to_owned() value=form.watermark code=true help=text::watermark_help().to_owned()
                        error=form.error_signal("event_time.watermark") on_blur=move |()| form.touch("event_time.watermark")/>
                })}
            </div>
            <fieldset class="field">
                <legend class="field-label">{text::key_columns()}<span class="field-optional">{crate::i18n::words::optional()}</span></legend>
                <div class="row key-columns">
                    {move || names.get().into_iter().map(|(name, _)| key_box(form, name)).collect_view()}
                </div>
                <span class=move || if form.error("primary_key").is_some() { "field-error" } else { "field-help" }>
                    {move || form.error("primary_key").unwrap_or_else(|| text::key_help().to_owned())}
                </span>
            </fieldset>
        </Step>
    }
    .into_any()
}

fn key_box(form: Form, name: String) -> AnyView {
    let own = StoredValue::new(name.clone());
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || form.key.with(|key| own.with_value(|own| key.contains(own)))
                on:change=move |event| {
                    let on = event_target_checked(&event);
                    form.key.update(|key| {
                        if on { key.insert(own.get_value()); } else { key.remove(&own.get_value()); }
                    });
                }
            />
            {name}
        </label>
    }
    .into_any()
}

/// Name and type of every column, with types derived by the server where it knows more.
fn column_names(form: Form) -> Vec<(String, String)> {
    let resolved = form.check.with(|check| check.as_ref().map(|check| check.resolved.clone()).unwrap_or_default());
    let fixed = form.schema().map(|schema| schema.fixed_columns).unwrap_or_default();
    if !fixed.is_empty() {
        return fixed.into_iter().map(|column| (column.name, column.data_type)).collect();
    }
    form.columns
        .get()
        .iter()
        .map(|row| {
            let name = row.name.get().trim().to_owned();
            let derived = resolved.iter().find(|known| known.name == name).map(|known| known.data_type.clone());
            let data_type = derived.unwrap_or_else(|| row.data_type.get());
            (name, data_type)
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

fn usual(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!("`{column}` - INTERVAL '5' SECOND") }
}

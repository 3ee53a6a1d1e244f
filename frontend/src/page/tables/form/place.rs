//! Step three: which topic or path, in which format, with which options.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::connection::{ExternalObject, Topic};
use millrace_wire::connector::OptionSchema;
use millrace_wire::page::Page;

use super::Step;
use super::draft::{FILLED_IN, Form};
use crate::api;
use crate::format::text::sql_name;
use crate::i18n::tables as text;
use crate::load::load;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::widget::schema_form::{SchemaForm, Surroundings};

/// More would make the list of suggestions slow; the field takes any name.
const MOST_OBJECTS: &str = "1000";

#[component]
pub(super) fn PlaceStep(
    /// Options of each connection, by its id.
    platform: BTreeMap<String, BTreeMap<String, String>>,
) -> impl IntoView {
    let form = expect_context::<Form>();
    let platform = StoredValue::new(platform);
    let topics = load(
        move || form.connection.get(),
        move |connection| async move {
            if connection.is_empty() || form.is_filled_in() {
                return Ok(Vec::new());
            }
            let path = form.team.with_value(|team| api::path::team(team, &format!("connections/{connection}/topics")));
            let page = api::pages::all::<Topic>(&path).await?;
            Ok(page.items.into_iter().filter(|topic| !topic.internal).map(|topic| topic.name).collect::<Vec<_>>())
        },
    );
    let around = Surroundings {
        values: form.options,
        error_of: Callback::new(move |name: String| form.error(&format!("options.{name}"))),
        touched: Callback::new(move |name: String| {
            form.touch(&format!("options.{name}"));
            suggest_name(form);
        }),
        stored: form.stored,
        topics: Signal::derive(move || topics.with(Clone::clone).unwrap_or_default()),
        platform: Signal::derive(move || {
            let connection = form.connection.get();
            platform.with_value(|all| all.get(&connection).cloned().unwrap_or_default())
        }),
    };
    let connector = Memo::new(move |_| form.schema());
    let filled_in = Memo::new(move |_| form.is_filled_in());
    let format = Memo::new(move |_| form.format_schema());
    let formats = Signal::derive(move || {
        let names = connector.with(|schema| schema.as_ref().map(|schema| schema.formats.clone()).unwrap_or_default());
        form.catalog.with_value(|catalog| {
            names
                .into_iter()
                .map(|name| {
                    let title =
                        catalog.formats.iter().find(|known| known.name == name).map(|known| known.title.clone());
                    (name.clone(), title.unwrap_or(name))
                })
                .collect::<Vec<_>>()
        })
    });
    let has_formats = Memo::new(move |_| !formats.with(Vec::is_empty));
    view! {
        <Step number=3 title=text::step_place() help=text::step_place_help().to_owned()>
            {move || filled_in.get().then(|| view! { <Objects/> })}
            {move || connector.get().map(|schema| view! { <SchemaForm options=asked(schema.options, filled_in.get()) around/> })}
            {move || has_formats.get().then(|| view! {
                <div class="form-pair">
                    <SelectField label=text::format().to_owned() value=form.format options=formats error=form.error_signal("format")/>
                </div>
                {move || format.get().filter(|format| !format.options.is_empty()).map(|format| view! {
                    <SchemaForm options=format.options around of_format=true/>
                })}
            })}
        </Step>
    }
    .into_any()
}

/// Without what has a field of its own in the form, and what the connection fills in.
fn asked(mut options: Vec<OptionSchema>, filled_in: bool) -> Vec<OptionSchema> {
    options.retain(|option| !matches!(option.name.as_str(), "connector" | "format"));
    options.retain(|option| !filled_in || !FILLED_IN.contains(&option.name.as_str()));
    options
}

/// The tables and views behind the connection, to choose one from.
#[component]
fn Objects() -> impl IntoView {
    let form = expect_context::<Form>();
    let chosen = RwSignal::new(String::new());
    let objects = load(
        move || form.connection.get(),
        move |connection| async move {
            let path = form.team.with_value(|team| api::path::team(team, &format!("connections/{connection}/objects")));
            let page =
                api::get::<Page<ExternalObject>>(&api::path::with_query(&path, &[("limit", MOST_OBJECTS)])).await?;
            Ok(page.items)
        },
    );
    let names = Signal::derive(move || objects.with(|all| all.iter().map(full_name).collect()).unwrap_or_default());
    Effect::new(move |_| {
        let name = chosen.get();
        let found = objects.with(|all| all.iter().find(|object| full_name(object) == name).cloned()).flatten();
        if let Some(object) = found {
            take_object(form, &object);
        }
    });
    let help = Signal::derive(move || {
        objects.with(|all| text::objects_found(all.len())).unwrap_or_else(|| text::objects_loading().to_owned())
    });
    view! {
        <TextField label=text::choose_object().to_owned() value=chosen is_optional=true code=true help suggestions=names/>
        {move || objects.failure().get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

fn full_name(object: &ExternalObject) -> String {
    if object.schema.is_empty() { object.name.clone() } else { format!("{}.{}", object.schema, object.name) }
}

fn take_object(form: Form, object: &ExternalObject) {
    let named_apart =
        form.schema().is_some_and(|schema| schema.options.iter().any(|option| option.name == "schema-name"));
    form.options.update(|options| {
        if named_apart && !object.schema.is_empty() {
            options.insert("table-name".to_owned(), object.name.clone());
            options.insert("schema-name".to_owned(), object.schema.clone());
        } else {
            options.insert("table-name".to_owned(), full_name(object));
        }
    });
    if form.name.with_untracked(String::is_empty) {
        form.name.set(sql_name(&object.name));
    }
    if form.comment.with_untracked(String::is_empty) {
        form.comment.set(object.comment.clone());
    }
}

/// A table without a name gets the one of its topic or file.
fn suggest_name(form: Form) {
    if !form.name.with_untracked(String::is_empty) {
        return;
    }
    let place = form.options.with_untracked(|options| options.get("topic").or_else(|| options.get("path")).cloned());
    if let Some(place) = place {
        let last = place.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        form.name.set(sql_name(last));
    }
}

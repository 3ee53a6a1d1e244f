//! Step four: the columns, fetched from the stream or written by hand.

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind, ExternalObject};
use millrace_wire::table::{ColumnKind, FetchedSchema, ResolvedColumn};

use super::Step;
use super::draft::{ColumnRow, Form};
use crate::api::{self, Failure};
use crate::i18n::tables as text;
use crate::load::load;
use crate::page::tables::table::ColumnTable;
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;

const TYPES: [&str; 16] = [
    "STRING",
    "BIGINT",
    "INT",
    "SMALLINT",
    "TINYINT",
    "DOUBLE",
    "FLOAT",
    "DECIMAL(18, 2)",
    "BOOLEAN",
    "TIMESTAMP(3)",
    "TIMESTAMP_LTZ(3)",
    "DATE",
    "TIME",
    "BYTES",
    "ARRAY<STRING>",
    "MAP<STRING, STRING>",
];

#[component]
pub(super) fn ColumnsStep() -> impl IntoView {
    let form = expect_context::<Form>();
    let schema = Memo::new(move |_| form.schema());
    let fixed = Memo::new(move |_| {
        schema.with(|schema| {
            schema
                .iter()
                .flat_map(|schema| schema.fixed_columns.iter())
                .map(|column| ResolvedColumn {
                    name: column.name.clone(),
                    data_type: column.data_type.clone(),
                    kind: ColumnKind::Physical,
                    event_time: false,
                    key: false,
                    comment: String::new(),
                })
                .collect::<Vec<_>>()
        })
    });
    let is_fixed = Memo::new(move |_| !fixed.with(Vec::is_empty));
    let fetches = Memo::new(move |_| schema.with(|schema| schema.as_ref().is_some_and(|schema| schema.fetches_schema)));
    view! {
        <Step number=4 title=text::step_schema()>
            {move || if is_fixed.get() {
                view! {
                    <p class="muted">{text::fixed()}</p>
                    <ColumnTable columns=Signal::derive(move || fixed.get())/>
                }
                .into_any()
            } else {
                view! {
                    {move || fetches.get().then(|| view! { <Fetch/> })}
                    <ColumnEditor/>
                }
                .into_any()
            }}
        </Step>
    }
    .into_any()
}

#[component]
fn Fetch() -> impl IntoView {
    let form = expect_context::<Form>();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let found = RwSignal::new(None::<String>);
    let is_kafka = form.connector.with_untracked(|name| name.contains("kafka"));
    let fetch = move |()| {
        busy.set(true);
        failure.set(None);
        found.set(None);
        let path = form.team.with_value(|team| api::path::team(team, "tables/fetch"));
        let request = form.fetch_request();
        leptos::task::spawn_local(async move {
            let answer = api::post::<FetchedSchema>(&path, &request).await;
            // The page may have been left meanwhile.
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(fetched) => {
                    found.set(Some(text::fetched(fetched.columns.len(), &fetched.origin)));
                    take(form, fetched);
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
        });
    };
    view! {
        <div class="row">
            <Button icon=Icon::Download busy=busy on_press=fetch>{text::fetch()}</Button>
            <span class="muted" role="status">{move || found.get().unwrap_or_else(|| text::fetch_help().to_owned())}</span>
        </div>
        {is_kafka.then(|| view! { <Registry/> })}
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

/// Where a schema registry is connected, columns can come from it.
#[component]
fn Registry() -> impl IntoView {
    let form = expect_context::<Form>();
    let path = move |rest: &str| form.team.with_value(|team| api::path::team(team, rest));
    let registries = load(
        || (),
        move |()| async move {
            let all = api::pages::all::<Connection>(&path("connections")).await?.items;
            Ok(all.into_iter().filter(|known| known.kind == ConnectionKind::SchemaRegistry).collect::<Vec<_>>())
        },
    );
    let subjects = load(
        move || form.registry.get(),
        move |registry| async move {
            if registry.is_empty() {
                return Ok(Vec::new());
            }
            let all = api::pages::all::<ExternalObject>(&path(&format!("connections/{registry}/objects"))).await?.items;
            Ok(all.into_iter().map(|subject| subject.name).collect::<Vec<_>>())
        },
    );
    let options = Signal::derive(move || {
        let mut options = vec![(String::new(), text::fetch_from_stream().to_owned())];
        let known =
            registries.with(|all| all.iter().map(|one| (one.id.to_string(), one.name.clone())).collect::<Vec<_>>());
        options.extend(known.unwrap_or_default());
        options
    });
    let any = Memo::new(move |_| registries.with(|all| !all.is_empty()).unwrap_or(false));
    let names = Signal::derive(move || subjects.with(Clone::clone).unwrap_or_default());
    view! {
        {move || any.get().then(|| view! {
            <div class="form-pair">
                <SelectField label=text::fetch_from().to_owned() value=form.registry options/>
                {move || (!form.registry.with(String::is_empty)).then(|| view! {
                    <TextField label=text::subject().to_owned() value=form.subject code=true is_optional=true
                        help=text::subject_help().to_owned() suggestions=names/>
                })}
            </div>
        })}
        {move || subjects.failure().get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

fn take(form: Form, fetched: FetchedSchema) {
    form.set_columns(&fetched.columns);
    if !fetched.format.is_empty() {
        form.format.set(fetched.format);
    }
    if !fetched.primary_key.is_empty() {
        form.key.set(fetched.primary_key.into_iter().collect());
    }
    if !fetched.comment.is_empty() && form.comment.with_untracked(String::is_empty) {
        form.comment.set(fetched.comment);
    }
    form.options.update(|options| options.extend(fetched.options));
    if let Some(time) = fetched.event_time {
        form.event_column.set(time.column);
        form.watermark.set(time.watermark);
    }
}

#[component]
fn ColumnEditor() -> impl IntoView {
    let form = expect_context::<Form>();
    let none = Memo::new(move |_| form.columns.with(Vec::is_empty));
    view! {
        {move || if none.get() {
            view! { <p class="muted">{text::no_columns()}</p> }.into_any()
        } else {
            view! {
                <table class="table columns-edit" aria-label=text::columns()>
                    <thead>
                        <tr>
                            <th scope="col" class="cell-name">{text::column()}</th>
                            <th scope="col" class="cell-type">{text::type_()}</th>
                            <th scope="col" class="cell-kind">{text::kind()}</th>
                            <th scope="col">{text::comment()}</th>
                            <th scope="col"><span class="visually-hidden">{text::remove_column("")}</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || form.columns.get() key=|row| row.key let(row)>
                            {column_row(form, row)}
                        </For>
                    </tbody>
                </table>
                <datalist id="column-types">{TYPES.iter().map(|name| view! { <option value=*name></option> }).collect_view()}</datalist>
            }
            .into_any()
        }}
        {move || form.error("columns").map(|error| view! { <span class="field-error">{error}</span> })}
        <div class="row"><Button small=true kind=Kind::Quiet icon=Icon::Plus on_press=move |()| form.add_column()>{text::add_column()}</Button></div>
    }
    .into_any()
}

fn column_row(form: Form, row: ColumnRow) -> AnyView {
    let index =
        Memo::new(move |_| form.columns.with(|all| all.iter().position(|known| known.key == row.key)).unwrap_or(0));
    let error = Signal::derive(move || {
        let at = index.get();
        ["name", "data_type", "type", "source", "kind"]
            .iter()
            .find_map(|part| form.error(&format!("columns[{at}].{part}")))
            .or_else(|| form.error(&format!("columns[{at}]")))
    });
    let is = move |kind: ColumnKind| row.kind.with(|known| known == kind.as_str());
    let remove = move |()| {
        let name = row.name.get_untracked();
        form.columns.update(|all| all.retain(|known| known.key != row.key));
        form.key.update(|key| {
            key.remove(&name);
        });
        if form.event_column.get_untracked() == name {
            form.event_column.set(String::new());
        }
    };
    let kinds = [
        (ColumnKind::Physical, text::physical()),
        (ColumnKind::Computed, text::computed()),
        (ColumnKind::Metadata, text::metadata()),
    ];
    let touch = move |part: &'static str| form.touch(&format!("columns[{}].{part}", index.get_untracked()));
    view! {
        <tr>
            <td>
                <input class="input input-code" aria-label=text::column() spellcheck="false" autocomplete="off"
                    aria-invalid=move || error.get().map(|_| "true")
                    prop:value=move || row.name.get() on:input=move |event| row.name.set(event_target_value(&event))
                    on:blur=move |_| touch("name")/>
                {move || error.get().map(|error| view! { <span class="field-error">{error}</span> })}
            </td>
            <td>
                {move || if is(ColumnKind::Computed) {
                    view! {
                        <input class="input input-code" aria-label=text::expression() placeholder=text::expression() spellcheck="false"
                            prop:value=move || row.source.get() on:input=move |event| row.source.set(event_target_value(&event))
                            on:blur=move |_| touch("source")/>
                    }
                    .into_any()
                } else {
                    view! {
                        <input class="input input-code" aria-label=text::type_() list="column-types" spellcheck="false" autocomplete="off"
                            prop:value=move || row.data_type.get() on:input=move |event| row.data_type.set(event_target_value(&event))
                            on:blur=move |_| { touch("data_type"); touch("type"); }/>
                    }
                    .into_any()
                }}
                {move || is(ColumnKind::Metadata).then(|| view! {
                    <input class="input input-code" aria-label=text::metadata_key() placeholder=text::metadata_key() spellcheck="false"
                        prop:value=move || row.source.get() on:input=move |event| row.source.set(event_target_value(&event))
                        on:blur=move |_| touch("source")/>
                })}
            </td>
            <td>
                <select class="select" aria-label=text::kind() on:change=move |event| row.kind.set(event_target_value(&event))>
                    {kinds.into_iter().map(|(kind, words)| view! {
                        <option value=kind.as_str() selected=move || is(kind)>{words}</option>
                    }).collect_view()}
                </select>
            </td>
            <td>
                <input class="input" aria-label=text::comment() autocomplete="off"
                    prop:value=move || row.comment.get() on:input=move |event| row.comment.set(event_target_value(&event))/>
            </td>
            <td>
                <IconButton icon=Icon::Trash small=true label=Signal::derive(move || text::remove_column(row.name.get())) on_press=remove/>
            </td>
        </tr>
    }
    .into_any()
}

//! Databases: counters that filter, the dialog that makes one, and the one that deletes an empty one.

use leptos::prelude::*;
use millrace_wire::table::{Database, NewDatabase};

use super::Catalog;
use crate::address::Address;
use crate::api::{self, Failure};
use crate::format::percent;
use crate::i18n::{table_versions as version_text, tables as text, words};
use crate::load::Loaded;
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

/// "all 12 · ods 7 · rpt 5": each one a filter.
pub(super) fn counters(catalog: &Catalog, chosen: Option<String>, address: Address) -> AnyView {
    let counter = |name: Option<String>, count: u64| {
        let pressed = (name == chosen).to_string();
        let label = name.clone().unwrap_or_else(|| text::all().to_owned());
        view! {
            <button type="button" class="count" aria-pressed=pressed on:click=move |_| address.set_query("database", name.as_deref())>
                {label}<b>{count}</b>
            </button>
        }
    };
    let all = counter(None, catalog.all());
    let each =
        catalog.databases.iter().map(|database| counter(Some(database.name.clone()), database.tables)).collect_view();
    view! { <div class="counts" role="group" aria-label=text::database()>{all}{each}</div> }.into_any()
}

/// Each tag a filter, where there are any.
pub(super) fn tags(tags: &[String], chosen: Option<String>, address: Address) -> AnyView {
    if tags.is_empty() {
        return ().into_any();
    }
    let each = tags.iter().cloned().map(|tag| {
        let is_chosen = chosen.as_ref() == Some(&tag);
        let next = (!is_chosen).then(|| tag.clone());
        view! {
            <button type="button" class="count" aria-pressed=is_chosen.to_string()
                on:click=move |_| address.set_query("tag", next.as_deref())>{tag}</button>
        }
    });
    view! { <div class="counts" role="group" aria-label=version_text::tags()>{each.collect_view()}</div> }.into_any()
}

#[component]
pub(super) fn NewDatabaseDialog(open: RwSignal<bool>, catalog: Loaded<Catalog>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let description = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let session = use_session();
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            name.set(String::new());
            description.set(String::new());
            failure.set(None);
        }
    });
    let save = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let path = api::path::team(&session.team_now(), "databases");
        let body = NewDatabase {
            name: name.get_untracked().trim().to_owned(),
            description: description.get_untracked().trim().to_owned(),
        };
        leptos::task::spawn_local(async move {
            match api::post::<Database>(&path, &body).await {
                Ok(made) => {
                    toasts.good(text::database_made(&made.name));
                    catalog.update(|catalog| catalog.databases.push(made));
                    open.set(false);
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    let error =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("name"))));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["name"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=move |()| save()>{words::create()}</Button>
        }
    };
    view! {
        <Dialog open title=text::new_database().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save(); }>
                <TextField label=text::name().to_owned() value=name code=true autofocus=true help=text::sql_name_help().to_owned() error=error/>
                <TextField label=text::description().to_owned() value=description is_optional=true/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}

#[component]
pub(super) fn DeleteDatabase(deleting: RwSignal<Option<Database>>, catalog: Loaded<Catalog>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if deleting.with(Option::is_some) {
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            deleting.set(None);
        }
    });
    let name = Signal::derive(move || {
        deleting.with(|database| database.as_ref().map(|database| database.name.clone()).unwrap_or_default())
    });
    let confirm = Callback::new(move |()| {
        let name = name.get_untracked();
        let path = api::path::team(&session.team_now(), &format!("databases/{}", percent::encode(&name)));
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::deleted(&name));
                    open.set(false);
                    catalog.reload();
                }
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    });
    view! {
        <Confirm
            open
            title=Signal::derive(move || text::delete_database_title(name.get()))
            action=words::delete()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::delete_database_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}

//! The table form, for a new table and for one that is changed: numbered steps, the statement beside them.

mod breaking;
mod columns;
mod connector;
mod draft;
mod identity;
mod place;
mod side;
mod test;
mod time;

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::connection::Connection;
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::ids::TableId;
use millrace_wire::table::{Database, Table};
use millrace_wire::table_version::{SaveTable, TableImpact};

use crate::address::use_address;
use crate::api::{self, Failure};
use crate::i18n::{table_versions as version_text, tables as text, words};
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::{TableTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::failure::FailureNote;
use crate::ui::field::go_to_first_error;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toast, use_toasts};
use draft::Form;

/// What the form chooses from, and the table it changes.
#[derive(Clone, PartialEq)]
struct Ground {
    catalog: ConnectorCatalog,
    connections: Vec<Connection>,
    databases: Vec<Database>,
    table: Option<Table>,
}

#[component]
pub fn TableNewPage(team: String) -> impl IntoView {
    view! { <TableForm team table=None/> }.into_any()
}

#[component]
pub fn TableEditPage(team: String, table: TableId) -> impl IntoView {
    view! { <TableForm team table=Some(table)/> }.into_any()
}

#[component]
fn TableForm(team: String, table: Option<TableId>) -> impl IntoView {
    let asked = team.clone();
    let ground = load(
        || (),
        move |()| {
            let team = asked.clone();
            async move {
                let path = |rest: &str| api::path::team(&team, rest);
                Ok(Ground {
                    catalog: api::get("/connectors").await?,
                    connections: api::pages::all::<Connection>(&path("connections")).await?.items,
                    databases: api::pages::all::<Database>(&path("databases")).await?.items,
                    table: match table {
                        Some(id) => Some(api::get(&path(&format!("tables/{id}"))).await?),
                        None => None,
                    },
                })
            }
        },
    );
    ground.show(Shape::Page, move |ground| view! { <Body team=team.clone() ground=ground.get_untracked()/> }.into_any())
}

#[component]
fn Body(team: String, ground: Ground) -> impl IntoView {
    let Ground { catalog, connections, databases, table } = ground;
    let form = Form::provide(&team, &catalog, &databases, table.as_ref());
    let address = use_address();
    if table.is_none() {
        let asked = |name| untrack(|| address.query(name).get());
        form.preset(asked("connector"), asked("connection"), asked("topic"), asked("database"), &connections);
        if let Some(object) = asked("object") {
            form.preset_object(&object);
        }
    }
    address.guard(move || form.is_changed().then(|| words::leave_unsaved().to_owned()));

    let tables = TeamRoute::Tables.of(&team).href();
    let (title, back) = match &table {
        Some(table) => {
            (text::edit_title(&table.draft.name), TeamRoute::Table(table.id, TableTab::Schema).of(&team).href())
        }
        None => (text::new_title().to_owned(), tables.clone()),
    };
    let steps = vec![(text::title().to_owned(), tables)];
    let uses = table.as_ref().map_or(0, |table| table.producers.len() + table.consumers.len());
    let platform: BTreeMap<String, BTreeMap<String, String>> =
        connections.iter().map(|connection| (connection.id.to_string(), connection.options.clone())).collect();
    let team = StoredValue::new(team);
    let chosen = Memo::new(move |_| !form.connector.with(String::is_empty));
    view! {
        <PageHead title=title steps=steps/>
        <div class="page columns form-columns">
            <form on:submit=|event| event.prevent_default() novalidate>
                {(uses > 0).then(|| view! {
                    <p class="callout callout-warn"><span></span>
                        {text::used_warning(crate::format::number::counted(uses as u64, "job", "jobs"))}
                    </p>
                })}
                <connector::ConnectorStep/>
                {move || chosen.get().then(|| view! {
                    <connector::ConnectionStep connections=connections.clone() team=team.get_value()/>
                    <place::PlaceStep platform=platform.clone()/>
                    <columns::ColumnsStep/>
                    <time::TimeStep/>
                    <identity::NameStep databases=databases.clone()/>
                    <test::TestStep/>
                })}
                <Foot team=team.get_value() back/>
            </form>
            <side::Side/>
        </div>
    }
    .into_any()
}

/// Whether the person has seen what saving breaks.
#[derive(Clone, Copy, PartialEq)]
enum Saving {
    Asked,
    Confirmed,
}

#[component]
fn Foot(team: String, back: String) -> impl IntoView {
    let form = expect_context::<Form>();
    let address = use_address();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let refused = form.refused;
    let no_edit = refusal(Right::Edit);
    let reason = Signal::derive(move || {
        no_edit.get().or_else(|| form.connector.with(String::is_empty).then(|| text::choose_connector().to_owned()))
    });
    let impact = RwSignal::new(None::<TableImpact>);
    let comment = RwSignal::new(String::new());
    let breaking_team = team.clone();
    let send = Callback::new(move |saving: Saving| {
        form.tried.set(true);
        busy.set(true);
        refused.set(None);
        let draft = form.draft_now();
        let (path, is_new) = match form.editing.get_value() {
            Some(id) => (api::path::team(&team, &format!("tables/{id}")), false),
            None => (api::path::team(&team, "tables"), true),
        };
        let team = team.clone();
        let version_comment = comment.get_untracked().trim().to_owned();
        let revision = form.revision.get_value();
        leptos::task::spawn_local(async move {
            let answer: Result<Table, Failure> = if is_new {
                api::post(&path, &draft).await
            } else {
                let accept_breaking = saving == Saving::Confirmed;
                let request = SaveTable { draft, version_comment, accept_breaking, revision };
                if saving == Saving::Asked
                    && let Ok(found) = api::post::<TableImpact>(&format!("{path}/impact"), &request).await
                    && found.breaks
                {
                    // What it would break is shown first; other problems the answer to saving tells.
                    busy.set(false);
                    impact.set(Some(found));
                    return;
                }
                api::put(&path, &request).await
            };
            busy.set(false);
            impact.set(None);
            match answer {
                Ok(table) => {
                    form.saved.set(true);
                    let href = TeamRoute::Table(table.id, TableTab::Schema).of(&team).href();
                    toasts.push(Toast {
                        good: true,
                        title: text::saved(&table.draft.name),
                        body: String::new(),
                        link: Some((text::open_table().to_owned(), href.clone())),
                    });
                    address.go_to(&href);
                }
                Err(refusal) => {
                    refused.set(Some(refusal));
                    go_to_first_error();
                }
            }
        });
    });
    let is_new = form.editing.get_value().is_none();
    view! {
        // What belongs to fields stands at them, and in the list of what is to be done.
        {move || refused.get().filter(|failure| failure.error.details.is_empty()).map(|failure| view! { <FailureNote failure/> })}
        {(!is_new).then(|| view! {
            <TextField label=version_text::version_comment().to_owned() value=comment is_optional=true error=form.error_signal("version_comment")/>
            <breaking::Breaking team=breaking_team impact busy=busy on_confirm=Callback::new(move |()| send.run(Saving::Confirmed))/>
        })}
        <div class="form-foot">
            <Button kind=Kind::Primary reason=reason busy=busy on_press=move |()| send.run(Saving::Asked)>
                {if is_new { text::save_new() } else { text::save_edit() }}
            </Button>
            <LinkButton href=back>{words::cancel()}</LinkButton>
        </div>
    }
    .into_any()
}

/// The frame of one step.
#[component]
fn Step(
    number: u32,
    #[prop(into)] title: String,
    #[prop(optional, into)] help: MaybeProp<String>,
    children: Children,
) -> impl IntoView {
    let heading = crate::ui::id::next("step");
    let labelled = heading.clone();
    view! {
        <section class="form-step" aria-labelledby=labelled>
            <span class="begin-mark" aria-hidden="true">{number}</span>
            <div class="form-step-head"><h2 id=heading>{title}</h2>{move || help.get().map(|help| view! { <p>{help}</p> })}</div>
            <div class="form-step-body">{children()}</div>
        </section>
    }
    .into_any()
}

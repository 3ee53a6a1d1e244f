//! The form of a connection, for a new one and for one that is changed. Secrets are written, never read.

mod draft;
mod other;
mod security;
mod server;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind, ConnectionTest};
use millrace_wire::ids::ConnectionId;

use super::kind_words;
use crate::address::use_address;
use crate::api::{self, Failure};
use crate::i18n::{connections as text, words};
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::{ConnectionTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::field::go_to_first_error;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toast, use_toasts};
use crate::widget::test_result::TestResult;
use draft::{FIELDS, Fields};
use other::{MailServer, ObjectStore, WebServer};
use security::Security;
use server::{DatabaseServer, RegistryServer};

#[component]
pub fn ConnectionNewPage(team: String) -> impl IntoView {
    view! { <Body team connection=None/> }.into_any()
}

#[component]
pub fn ConnectionEditPage(team: String, connection: ConnectionId) -> impl IntoView {
    let path = api::path::team(&team, &format!("connections/{connection}"));
    let loaded = load(
        || (),
        move |()| {
            let path = path.clone();
            async move { api::get::<Connection>(&path).await }
        },
    );
    loaded.show(Shape::Page, move |connection| {
        view! { <Body team=team.clone() connection=Some(connection.get_untracked())/> }.into_any()
    })
}

#[component]
fn Body(team: String, connection: Option<Connection>) -> impl IntoView {
    let address = use_address();
    let asked = address.query("kind").get_untracked().and_then(|word| word.parse().ok());
    let fields = Fields::of(connection.as_ref(), asked.unwrap_or(ConnectionKind::Kafka));
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let refused = RwSignal::new(None::<Failure>);
    let saved = RwSignal::new(false);
    address.guard(move || (fields.is_changed() && !saved.get_untracked()).then(|| words::leave_unsaved().to_owned()));

    let connections = TeamRoute::Connections.of(&team).href();
    let id = connection.as_ref().map(|connection| connection.id);
    let (title, back) = match &connection {
        Some(known) => {
            (text::edit_title(&known.name), TeamRoute::Connection(known.id, ConnectionTab::Topics).of(&team).href())
        }
        None => (text::new().to_owned(), connections.clone()),
    };
    let steps = vec![(text::title().to_owned(), connections)];

    let owner = team.clone();
    let save = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        refused.set(None);
        let team = owner.clone();
        let draft = fields.draft();
        leptos::task::spawn_local(async move {
            let answer: Result<Connection, Failure> = match id {
                Some(id) => api::put(&api::path::team(&team, &format!("connections/{id}")), &draft).await,
                None => api::post(&api::path::team(&team, "connections"), &draft).await,
            };
            busy.set(false);
            match answer {
                Ok(made) => {
                    saved.set(true);
                    let href = TeamRoute::Connection(made.id, ConnectionTab::Topics).of(&team).href();
                    let link = Some((text::open_it().to_owned(), href.clone()));
                    toasts.push(Toast { good: true, title: text::saved(&made.name), body: String::new(), link });
                    address.go_to(&href);
                }
                Err(refusal) => {
                    refused.set(Some(refusal));
                    go_to_first_error();
                }
            }
        });
    };
    let at = move |field: &'static str| {
        Signal::derive(move || refused.with(|refused| refused.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || refused.get().filter(|failure| !failure.is_only_at(FIELDS));
    let error = Callback::new(move |field: &'static str| at(field).get());
    let on_submit = {
        let save = save.clone();
        move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            save();
        }
    };
    view! {
        <PageHead title=title steps=steps/>
        <div class="page connection-form">
            <form class="form" on:submit=on_submit novalidate>
                {if id.is_some() {
                    view! { <Facts from_start=true><Fact name=text::kind()>{kind_words(fields.kind())}</Fact></Facts> }.into_any()
                } else {
                    let kinds: Vec<(String, String)> =
                        ConnectionKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), kind_words(*kind).to_owned())).collect();
                    view! { <SelectField label=text::kind().to_owned() value=fields.kind options=kinds/> }.into_any()
                }}
                <TextField label=text::name().to_owned() value=fields.name autofocus=id.is_none() error=at("name")/>
                {move || match fields.kind() {
                    ConnectionKind::Kafka => view! {
                        <TextField label=text::bootstrap().to_owned() value=fields.bootstrap code=true placeholder="kafka-1:9092, kafka-2:9092".to_owned()
                            help=text::bootstrap_help().to_owned() error=at("options.bootstrap.servers")/>
                        <Security fields error/>
                    }
                    .into_any(),
                    ConnectionKind::Postgresql => view! { <DatabaseServer fields error port="5432"/> }.into_any(),
                    ConnectionKind::Mysql => view! { <DatabaseServer fields error port="3306"/> }.into_any(),
                    ConnectionKind::SchemaRegistry => view! { <RegistryServer fields error/> }.into_any(),
                    ConnectionKind::ObjectStore => view! { <ObjectStore fields error/> }.into_any(),
                    ConnectionKind::Smtp => view! { <MailServer fields error/> }.into_any(),
                    ConnectionKind::Http => view! { <WebServer fields error/> }.into_any(),
                }}
                <TextField label=text::description().to_owned() value=fields.description is_optional=true error=at("description")/>
                <TestDraft team=team.clone() fields/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <div class="form-foot">
                    <Button kind=Kind::Primary submits=true busy=busy reason=refusal(Right::Edit)>
                        {if id.is_some() { text::save_edit() } else { text::save_new() }}
                    </Button>
                    <LinkButton href=back>{words::cancel()}</LinkButton>
                </div>
            </form>
        </div>
    }
    .into_any()
}

#[component]
fn TestDraft(team: String, fields: Fields) -> impl IntoView {
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let result = RwSignal::new(None::<ConnectionTest>);
    // Stored secrets do not leave the server, so a test of what is written here needs them again.
    let reason = Signal::derive(move || fields.lacks_a_secret().then(|| text::needs_password_to_test().to_owned()));
    let run = move |()| {
        busy.set(true);
        failure.set(None);
        result.set(None);
        let path = api::path::team(&team, "connections/test");
        let draft = fields.draft();
        leptos::task::spawn_local(async move {
            match api::post::<ConnectionTest>(&path, &draft).await {
                Ok(test) => result.set(Some(test)),
                Err(refusal) => failure.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    view! {
        <div class="row">
            <Button icon=Icon::Test busy=busy reason=reason on_press=run>{text::test()}</Button>
            <span class="muted" role="status">
                {move || result.with(|test| match test {
                    Some(test) if test.ok => text::test_passed(),
                    Some(_) => text::test_failed(),
                    None => text::test_new_help(),
                })}
            </span>
        </div>
        {move || result.get().map(|test| view! { <TestResult test/> })}
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

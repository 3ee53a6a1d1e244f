//! The connections of a team.

pub mod connection;
pub mod form;
pub mod topic;

use std::cmp::Ordering;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind};
use millrace_wire::kafka::BOOTSTRAP;
use millrace_wire::live::LiveEvent;

use crate::address::use_address;
use crate::api;
use crate::format::number::{counted, grouped};
use crate::format::text::matches;
use crate::i18n::{connections as text, words};
use crate::live::use_live;
use crate::load::load_all;
use crate::rights::{Right, refusal};
use crate::route::{ConnectionTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::badge::{Badge, Tone};
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::order::{Order, by_words};
use crate::ui::page_head::PageHead;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

#[component]
pub fn ConnectionsPage(team: String) -> impl IntoView {
    let address = use_address();
    let path = api::path::team(&team, "connections");
    let loaded = load_all::<Connection>(path);
    use_live().on(move |event| {
        if matches!(event, LiveEvent::ConnectionsChanged | LiveEvent::Broker { .. } | LiveEvent::Reset) {
            loaded.reload();
        }
    });
    let query = address.query("q");
    let order = address.order();
    let new_href = TeamRoute::ConnectionNew.of(&team).href();
    let head_href = new_href.clone();
    let count = move || loaded.with(|all| counted(all.len() as u64, "connection", "connections"));
    view! {
        <PageHead
            title=text::title().to_owned()
            beside=move || view! { <span class="subtle">{count}</span> }
            actions=move || view! {
                <LinkButton kind=Kind::Primary small=true icon=Icon::Plus href=head_href.clone() reason=refusal(Right::Edit)>{text::new()}</LinkButton>
            }
        />
        <div class="filters">
            <SearchField
                label=text::search()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
        </div>
        <div class="page">
            {loaded.show(Shape::Rows(4), move |all| {
                let (team, new_href) = (team.clone(), new_href.clone());
                (move || {
                    let words = query.get().unwrap_or_default();
                    let mut shown: Vec<Connection> = all.with(|all| all.iter().filter(|known| is_hit(known, &words)).cloned().collect());
                    order.sort(&mut shown, compare);
                    let new_href = new_href.clone();
                    if all.with(Vec::is_empty) {
                        view! {
                            <EmptyState icon=Icon::Connections title=text::none() body=text::none_body()>
                                <LinkButton kind=Kind::Primary href=new_href reason=refusal(Right::Edit)>{text::new()}</LinkButton>
                            </EmptyState>
                        }
                        .into_any()
                    } else if shown.is_empty() {
                        view! {
                            <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                                <Button on_press=move |()| address.set_query("q", None)>{words::clear_filter()}</Button>
                            </EmptyState>
                        }
                        .into_any()
                    } else {
                        list(&team, shown, order)
                    }
                })
                .into_any()
            })}
        </div>
    }
    .into_any()
}

fn is_hit(connection: &Connection, words: &str) -> bool {
    let addresses = place_of(connection);
    matches(&format!("{} {addresses} {}", connection.name, connection.description), words)
}

fn compare(column: &str, a: &Connection, b: &Connection) -> Ordering {
    let by_column = match column {
        "tables" => b.tables.cmp(&a.tables),
        "changed" => b.updated_at.cmp(&a.updated_at),
        _ => Ordering::Equal,
    };
    by_column.then_with(|| by_words(&a.name, &b.name))
}

fn list(team: &str, shown: Vec<Connection>, order: Order) -> AnyView {
    let heads = vec![
        Head::text(text::name()).fit().sorts("name"),
        Head::text(text::kind()).fit(),
        Head::text(text::addresses()).fit(),
        Head::text(text::description()),
        Head::number(text::tables()).sorts("tables"),
        Head::number(text::changed()).sorts("changed"),
    ];
    let rows: Vec<AnyView> = shown.into_iter().map(|connection| row(team, connection)).collect();
    view! { <Table label=text::title() heads order>{rows}</Table> }.into_any()
}

fn row(team: &str, connection: Connection) -> AnyView {
    let href = TeamRoute::Connection(connection.id, ConnectionTab::Topics).of(team).href();
    let addresses = place_of(&connection);
    view! {
        <tr>
            <th scope="row" class="cell-fit">
                <span class="row"><a href=href>{connection.name.clone()}</a>{marks(&connection)}</span>
            </th>
            <td class="cell-fit">{kind_words(connection.kind)}</td>
            <td class="cell-fit code">{addresses}</td>
            <td class="muted cell-clip" title=connection.description.clone()>{connection.description.clone()}</td>
            <td class="num cell-fit">{grouped(connection.tables)}</td>
            <td class="num cell-fit subtle"><Ago at=connection.updated_at/></td>
        </tr>
    }
    .into_any()
}

/// Where it leads.
pub(super) fn place_of(connection: &Connection) -> String {
    let option = |name: &str| connection.options.get(name).map(String::as_str).filter(|value| !value.is_empty());
    match (option(BOOTSTRAP), option("url"), option("hostname"), option("bucket")) {
        (Some(place), ..) | (None, Some(place), ..) => place.to_owned(),
        (None, None, Some(host), _) => {
            let port = option("port").map(|port| format!(":{port}")).unwrap_or_default();
            let database = option("database-name").map(|name| format!("/{name}")).unwrap_or_default();
            format!("{host}{port}{database}")
        }
        (None, None, None, Some(bucket)) => {
            let prefix = option("prefix").map(|prefix| format!("/{prefix}")).unwrap_or_default();
            let store = option("endpoint").map(|endpoint| format!(" ({endpoint})")).unwrap_or_default();
            format!("s3://{bucket}{prefix}{store}")
        }
        (None, None, None, None) => String::new(),
    }
}

/// Says what is special about a connection.
pub(super) fn marks(connection: &Connection) -> AnyView {
    if connection.demo {
        view! { <Badge tone=Tone::Warn title=text::demo_body()>{text::demo()}</Badge> }.into_any()
    } else if connection.built_in {
        view! { <Badge title=text::built_in_tip()>{text::built_in()}</Badge> }.into_any()
    } else {
        ().into_any()
    }
}

pub(super) fn kind_words(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::Kafka => text::kafka(),
        ConnectionKind::Postgresql => text::postgresql(),
        ConnectionKind::Mysql => text::mysql(),
        ConnectionKind::SchemaRegistry => text::schema_registry(),
        ConnectionKind::ObjectStore => text::object_store(),
        ConnectionKind::Smtp => text::smtp(),
        ConnectionKind::Http => text::http(),
    }
}

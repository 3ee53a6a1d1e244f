//! What lies behind a connection that is no cluster: tables and views of a database, subjects of a registry.

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind, ExternalObject};
use millrace_wire::page::Page;

use crate::address::use_address;
use crate::api;
use crate::api::path::with_query;
use crate::format::number::grouped;
use crate::i18n::{connections as text, words};
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};

const SHOWN: &str = "200";

#[component]
pub(super) fn ObjectsTab(team: String, path: String, connection: Signal<Connection>) -> impl IntoView {
    let address = use_address();
    let query = address.query("q");
    let found = load(
        move || query.get().unwrap_or_default(),
        move |words| {
            let path = with_query(&format!("{path}/objects"), &[("q", &words), ("limit", SHOWN)]);
            async move { api::get::<Page<ExternalObject>>(&path).await }
        },
    );
    let count = move || found.with(|page| words::shown_of(grouped(page.items.len() as u64), grouped(page.total)));
    let connector = move || match connection.with(|connection| connection.kind) {
        ConnectionKind::Postgresql => Some("postgres"),
        ConnectionKind::Mysql => Some("mysql"),
        ConnectionKind::Kafka
        | ConnectionKind::SchemaRegistry
        | ConnectionKind::ObjectStore
        | ConnectionKind::Smtp
        | ConnectionKind::Http => None,
    };
    view! {
        <div class="filters filters-inset">
            <SearchField
                rests=true
                label=text::search_objects()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
            <span class="subtle" role="status">{count}</span>
        </div>
        {found.show(Shape::Rows(8), move |page| {
            let team = team.clone();
            (move || {
                let items = page.get().items;
                if items.is_empty() {
                    return view! { <EmptyState title=text::no_objects() body=text::no_objects_body()/> }.into_any();
                }
                let connector = connector();
                let id = connection.with(|connection| connection.id.to_string());
                let describe = |object: &ExternalObject| {
                    let new = TeamRoute::TableNew.of(&team).href();
                    connector.map(|connector| {
                        let full = full_name(object);
                        with_query(&new, &[("connector", connector), ("connection", &id), ("object", &full)])
                    })
                };
                let rows = items.iter().map(|object| row(object, describe(object))).collect_view();
                let heads = vec![
                    Head::text(text::name()).fit(),
                    Head::text(text::kind()).fit(),
                    Head::text(text::description()),
                    Head::text(text::describe()).silent(),
                ];
                view! { <Table label=text::objects() heads compact=true>{rows}</Table> }.into_any()
            })
            .into_any()
        })}
    }
    .into_any()
}

fn full_name(object: &ExternalObject) -> String {
    if object.schema.is_empty() { object.name.clone() } else { format!("{}.{}", object.schema, object.name) }
}

fn row(object: &ExternalObject, describe: Option<String>) -> AnyView {
    view! {
        <tr>
            <th scope="row" class="cell-fit code">{full_name(object)}</th>
            <td class="cell-fit">{object.kind.clone()}</td>
            <td class="muted cell-clip" title=object.comment.clone()>{object.comment.clone()}</td>
            <td class="num cell-fit">
                {describe.map(|href| view! {
                    <LinkButton small=true icon=Icon::Plus href=href reason=refusal(Right::Edit)>{text::describe()}</LinkButton>
                })}
            </td>
        </tr>
    }
    .into_any()
}

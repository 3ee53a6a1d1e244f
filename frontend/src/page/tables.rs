//! The tables of a team, by database. Search and database are in the address.

mod databases;
pub mod form;
mod list;
pub mod table;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use millrace_wire::table::{Database, TableSummary};

use crate::address::use_address;
use crate::api;
use crate::format::number::{counted, grouped};
use crate::format::text::matches;
use crate::i18n::{tables as text, words};
use crate::live::use_live;
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::button::{Button, Kind};
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;

/// What the page shows, fetched together.
#[derive(Clone, PartialEq)]
pub(super) struct Catalog {
    databases: Vec<Database>,
    tables: Vec<TableSummary>,
    total: u64,
}

#[component]
pub fn TablesPage(team: String) -> impl IntoView {
    let address = use_address();
    let team_name = team.clone();
    let catalog = load(
        || (),
        move |()| {
            let team = team_name.clone();
            async move {
                let databases = api::pages::all::<Database>(&api::path::team(&team, "databases")).await?;
                let tables = api::pages::all::<TableSummary>(&api::path::team(&team, "tables")).await?;
                Ok(Catalog { databases: databases.items, total: tables.total, tables: tables.items })
            }
        },
    );
    use_live().on(move |event| {
        if matches!(event, LiveEvent::TablesChanged { .. } | LiveEvent::Reset) {
            catalog.reload();
        }
    });
    let query = address.query("q");
    let database = address.query("database");
    let shown = Memo::new(move |_| {
        let words = query.get().unwrap_or_default();
        let only = database.get();
        catalog
            .with(|catalog| {
                catalog
                    .tables
                    .iter()
                    .filter(|table| only.as_ref().is_none_or(|only| table.database == *only) && is_hit(table, &words))
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let filtered = move || query.get().is_some() || database.get().is_some();
    let is_filtered = Signal::derive(filtered);
    let new_database = RwSignal::new(false);
    let deleting = RwSignal::new(None::<Database>);
    let new_table = TeamRoute::TableNew.of(&team).href();
    let new_href = new_table.clone();
    let count = move || {
        catalog.with(|catalog| {
            if filtered() {
                words::shown_of(grouped(shown.with(|shown| shown.len() as u64)), grouped(catalog.total))
            } else {
                counted(catalog.total, "table", "tables")
            }
        })
    };
    view! {
        <PageHead
            title=text::title().to_owned()
            beside=move || view! { <span class="subtle">{count}</span> }
            actions=move || view! {
                <Button small=true icon=Icon::Database reason=refusal(Right::Edit) on_press=move |()| new_database.set(true)>
                    {text::new_database()}
                </Button>
                <LinkButton kind=Kind::Primary small=true icon=Icon::Plus href=new_href.clone() reason=refusal(Right::Edit)>
                    {text::new()}
                </LinkButton>
            }
        />
        <div class="filters">
            <SearchField
                label=text::search()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
            {move || catalog.with(|catalog| databases::counters(catalog, database.get(), address))}
        </div>
        <div class="page">
            {catalog.show(Shape::Rows(10), move |catalog| {
                let team = team.clone();
                let new_table = new_table.clone();
                (move || {
                    let none = shown.with(Vec::is_empty);
                    let new_table = new_table.clone();
                    if none && catalog.with(|catalog| catalog.tables.is_empty()) {
                        view! {
                            <EmptyState icon=Icon::Tables title=text::no_tables() body=text::no_tables_body()>
                                <LinkButton kind=Kind::Primary href=new_table.clone() reason=refusal(Right::Edit)>{text::new()}</LinkButton>
                            </EmptyState>
                        }
                        .into_any()
                    } else if none {
                        view! {
                            <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()>
                                <Button on_press=move |()| {
                                    address.set_query("q", None);
                                    address.set_query("database", None);
                                }>{words::clear_filter()}</Button>
                            </EmptyState>
                        }
                        .into_any()
                    } else {
                        let only_built_in =
                            !is_filtered.get() && catalog.with(|catalog| catalog.tables.iter().all(|table| table.built_in));
                        view! {
                            <list::TableList team=team.clone() catalog shown is_filtered deleting/>
                            {only_built_in.then(|| view! { <EmptyState title=text::no_own_tables() body=text::no_tables_body()/> })}
                        }
                        .into_any()
                    }
                })
                .into_any()
            })}
        </div>
        <databases::NewDatabaseDialog open=new_database catalog/>
        <databases::DeleteDatabase deleting catalog/>
    }
    .into_any()
}

fn is_hit(table: &TableSummary, words: &str) -> bool {
    if words.is_empty() {
        return true;
    }
    let columns: String = table.columns.iter().map(|column| format!(" {}", column.name)).collect();
    matches(&format!("{}.{} {} {}{columns}", table.database, table.name, table.connector, table.comment), words)
}

//! The tables of a team, by database. Search, database, tag and order are in the address; the server cuts and sorts,
//! since there may be thousands.

mod databases;
mod export;
pub mod form;
pub mod import;
mod list;
pub mod table;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use millrace_wire::page::Page;
use millrace_wire::table::{Database, TableSummary};

use crate::address::use_address;
use crate::api;
use crate::format::number::{counted, grouped};
use crate::format::percent;
use crate::i18n::{table_script as script_text, tables as text, words};
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

/// Tables fetched at once.
const PART: &str = "200";

/// What the page shows, fetched together.
#[derive(Clone, PartialEq)]
pub(super) struct Catalog {
    databases: Vec<Database>,
    tags: Vec<String>,
    tables: Vec<TableSummary>,
    /// How many fit the filter.
    total: u64,
    /// Where the next part begins.
    next: Option<String>,
}

impl Catalog {
    fn all(&self) -> u64 {
        self.databases.iter().map(|database| database.tables).sum()
    }
}

/// What the list is narrowed down to and ordered by.
#[derive(Clone, Copy)]
struct Wanted {
    words: Memo<Option<String>>,
    database: Memo<Option<String>>,
    tag: Memo<Option<String>>,
    order: Memo<Option<String>>,
}

impl Wanted {
    fn path(&self, team: &str, cursor: &str) -> String {
        let value = |memo: Memo<Option<String>>| memo.get().unwrap_or_default();
        let (words, database, tag, order) =
            (value(self.words), value(self.database), value(self.tag), value(self.order));
        let pairs = [("q", words), ("database", database), ("tag", tag), ("sort", order)];
        let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.extend([("limit", PART), ("cursor", cursor)]);
        api::path::with_query(&api::path::team(team, "tables"), &pairs)
    }
}

#[component]
pub fn TablesPage(team: String) -> impl IntoView {
    let address = use_address();
    let query = address.query("q");
    let database = address.query("database");
    let tag = address.query("tag");
    let wanted = Wanted { words: query, database, tag, order: address.query("sort") };
    let team_name = team.clone();
    let catalog = load(
        || (),
        move |()| {
            let (team, path) = (team_name.clone(), wanted.path(&team_name, ""));
            async move {
                let databases = api::pages::all::<Database>(&api::path::team(&team, "databases")).await?.items;
                let tags = api::get::<Page<String>>(&api::path::team(&team, "tables/tags")).await?.items;
                let Page { items: tables, total, next } = api::get::<Page<TableSummary>>(&path).await?;
                Ok(Catalog { databases, tags, tables, total, next })
            }
        },
    );
    // What is there stays until the answer comes, so that typing does not make the page flicker.
    let asked = team.clone();
    let path = Memo::new(move |_| wanted.path(&asked, ""));
    Effect::new(move |before: Option<()>| {
        // Read and not only tracked: a memo that nobody reads follows nothing.
        path.with(|_| ());
        if before.is_some() {
            catalog.reload();
        }
    });
    use_live().on(move |event| {
        if matches!(event, LiveEvent::TablesChanged { .. } | LiveEvent::Reset) {
            catalog.reload();
        }
    });
    let shown = Memo::new(move |_| catalog.with(|catalog| catalog.tables.clone()).unwrap_or_default());
    let filtered = move || query.get().is_some() || database.get().is_some() || tag.get().is_some();
    let more_team = StoredValue::new(team.clone());
    let loading_more = RwSignal::new(false);
    let more = Callback::new(move |cursor: String| {
        loading_more.set(true);
        let path = more_team.with_value(|team| untrack(|| wanted.path(team, &cursor)));
        leptos::task::spawn_local(async move {
            let answer = api::get::<Page<TableSummary>>(&path).await;
            let _ = loading_more.try_set(false);
            match answer {
                // Unless the list was asked for anew meanwhile.
                Ok(page) => catalog.update(|catalog| {
                    if catalog.next.as_ref() == Some(&cursor) {
                        catalog.tables.extend(page.items);
                        catalog.next = page.next;
                    }
                }),
                Err(_) => catalog.reload(),
            }
        });
    });
    let is_filtered = Signal::derive(filtered);
    let new_database = RwSignal::new(false);
    let exporting = RwSignal::new(false);
    let export_team = team.clone();
    let export_query = Signal::derive(move || {
        database.get().map(|name| format!("database={}", percent::encode(&name))).unwrap_or_default()
    });
    let import_href = TeamRoute::TableImport.of(&team).href();
    let deleting = RwSignal::new(None::<Database>);
    let new_table = TeamRoute::TableNew.of(&team).href();
    let new_href = new_table.clone();
    let count = move || {
        catalog.with(|catalog| {
            if filtered() {
                words::shown_of(grouped(catalog.total), grouped(catalog.all()))
            } else {
                counted(catalog.all(), "table", "tables")
            }
        })
    };
    view! {
        <PageHead
            title=text::title().to_owned()
            beside=move || view! { <span class="subtle">{count}</span> }
            actions=move || view! {
                <Button small=true icon=Icon::Download on_press=move |()| exporting.set(true)>{script_text::export()}</Button>
                <LinkButton small=true href=import_href.clone() reason=refusal(Right::Edit)>{script_text::import()}</LinkButton>
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
                rests=true
                label=text::search()
                value=Signal::derive(move || query.get().unwrap_or_default())
                on_input=move |words: String| address.set_query("q", Some(&words))
            />
            {move || catalog.with(|catalog| databases::counters(catalog, database.get(), address))}
            {move || catalog.with(|catalog| databases::tags(&catalog.tags, tag.get(), address))}
        </div>
        <div class="page">
            {catalog.show(Shape::Rows(10), move |catalog| {
                let team = team.clone();
                let new_table = new_table.clone();
                (move || {
                    let none = shown.with(Vec::is_empty);
                    let new_table = new_table.clone();
                    if none && catalog.with(|catalog| catalog.all() == 0) {
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
                                    address.set_query("tag", None);
                                }>{words::clear_filter()}</Button>
                            </EmptyState>
                        }
                        .into_any()
                    } else {
                        let only_built_in =
                            !is_filtered.get() && catalog.with(|catalog| catalog.tables.iter().all(|table| table.built_in));
                        view! {
                            <list::TableList team=team.clone() catalog shown is_filtered deleting more busy=loading_more/>
                            {only_built_in.then(|| view! { <EmptyState title=text::no_own_tables() body=text::no_tables_body()/> })}
                        }
                        .into_any()
                    }
                })
                .into_any()
            })}
        </div>
        <export::ExportDialog open=exporting team=export_team query=export_query/>
        <databases::NewDatabaseDialog open=new_database catalog/>
        <databases::DeleteDatabase deleting catalog/>
    }
    .into_any()
}

//! The team's databases and tables as far as somebody looked at them: a database's tables come when it is opened, a
//! table's columns when it is, and searches are answered by the server. There may be thousands of tables.

use std::collections::BTreeMap;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::live::LiveEvent;
use millrace_wire::page::Page;
use millrace_wire::table::{Database, ResolvedColumn, Table, TableSummary};

use crate::api;
use crate::live::use_live;
use crate::load::{Loaded, load_all};
use crate::widget::sql_editor::KnownTable;

/// A search waits until typing rests.
const REST: Duration = Duration::from_millis(200);
/// More than these nobody reads in a tree; further words find the others.
const MOST_FOUND: &str = "200";
const PART: &str = "1000";

/// The tables of a database as far as they were fetched: there may be thousands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) tables: Vec<TableSummary>,
    pub(super) total: u64,
    /// Where the next ones begin.
    pub(super) next: Option<String>,
}

impl Part {
    /// How many are not here yet.
    pub(super) fn missing(&self) -> u64 {
        if self.next.is_some() { self.total.saturating_sub(self.tables.len() as u64) } else { 0 }
    }
}

/// What a search found, and for which words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) tables: Vec<TableSummary>,
    /// How many match; those beyond are found by further words.
    pub(super) total: u64,
}

/// What was fetched so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shelf {
    /// By database.
    pub(super) tables: BTreeMap<String, Part>,
    /// By `database.table`.
    pub(super) columns: BTreeMap<String, Vec<ResolvedColumn>>,
    pub(super) found: Option<Found>,
}

#[derive(Clone, Copy)]
pub(super) struct Catalog {
    team: StoredValue<String>,
    databases: Loaded<Vec<Database>>,
    shelf: RwSignal<Shelf>,
    pause: StoredValue<Option<TimeoutHandle>>,
    /// What is searched for now.
    wanted: StoredValue<String>,
}

impl Catalog {
    pub(super) fn of_team(team: &str) -> Catalog {
        let catalog = Catalog {
            team: StoredValue::new(team.to_owned()),
            databases: load_all(api::path::team(team, "databases")),
            shelf: RwSignal::new(Shelf::default()),
            pause: StoredValue::new(None),
            wanted: StoredValue::new(String::new()),
        };
        use_live().on(move |event| {
            if matches!(event, LiveEvent::TablesChanged { .. } | LiveEvent::Reset) {
                catalog.refresh();
            }
        });
        on_cleanup(move || {
            if let Some(handle) = catalog.pause.try_get_value().flatten() {
                handle.clear();
            }
        });
        catalog
    }

    pub(super) fn databases(&self) -> Vec<Database> {
        self.databases.with(Clone::clone).unwrap_or_default()
    }

    pub(super) fn shelf(&self) -> RwSignal<Shelf> {
        self.shelf
    }

    /// For completion without asking: what was fetched.
    pub(super) fn known(&self) -> Memo<Vec<KnownTable>> {
        let shelf = self.shelf;
        Memo::new(move |_| {
            shelf.with(|shelf| {
                let known = |table: &TableSummary| KnownTable {
                    columns: shelf.columns.get(&full_name(table)).cloned().unwrap_or_default(),
                    database: table.database.clone(),
                    name: table.name.clone(),
                    connector: table.connector.clone(),
                };
                shelf.tables.values().flat_map(|part| &part.tables).map(known).collect()
            })
        })
    }

    /// Fetches the tables of a database, unless they are there.
    pub(super) fn open_database(&self, name: &str) {
        if self.shelf.with_untracked(|shelf| shelf.tables.contains_key(name)) {
            return;
        }
        let (catalog, name) = (*self, name.to_owned());
        spawn_local(async move {
            if let Some(part) = catalog.fetch(&name, Part::default(), 1).await {
                let _ = catalog.shelf.try_update(|shelf| shelf.tables.insert(name, part));
            }
        });
    }

    /// Fetches the next tables of a database.
    pub(super) fn more(&self, name: &str) {
        let Some(part) = self.shelf.with_untracked(|shelf| shelf.tables.get(name).cloned()) else { return };
        if part.next.is_none() {
            return;
        }
        let (catalog, name, before) = (*self, name.to_owned(), part.tables.len());
        spawn_local(async move {
            let Some(part) = catalog.fetch(&name, part, before + 1).await else { return };
            let _ = catalog.shelf.try_update(|shelf| match shelf.tables.get_mut(&name) {
                // Unless they were asked for twice, or all of them anew.
                Some(there) if there.tables.len() == before => *there = part,
                _ => {}
            });
        });
    }

    /// Goes on where the part ends until it holds at least so many, or all there are.
    async fn fetch(self, database: &str, mut part: Part, least: usize) -> Option<Part> {
        loop {
            let cursor = part.next.take().unwrap_or_default();
            let path = self.path(&[("database", database), ("limit", PART), ("cursor", &cursor)]);
            let page = api::get::<Page<TableSummary>>(&path).await.ok()?;
            part.tables.extend(page.items);
            (part.total, part.next) = (page.total, page.next);
            if part.next.is_none() || part.tables.len() >= least {
                return Some(part);
            }
        }
    }

    /// Fetches the columns of a table, unless they are there.
    pub(super) fn open_table(&self, full: &str) {
        let found = self.shelf.with_untracked(|shelf| {
            if shelf.columns.contains_key(full) {
                return None;
            }
            let all = shelf
                .tables
                .values()
                .flat_map(|part| &part.tables)
                .chain(shelf.found.iter().flat_map(|found| &found.tables));
            all.into_iter().find(|table| full_name(table) == full).map(|table| table.id)
        });
        let Some(id) = found else { return };
        let (catalog, full) = (*self, full.to_owned());
        let path = self.team.with_value(|team| api::path::team(team, &format!("tables/{id}")));
        spawn_local(async move {
            if let Ok(table) = api::get::<Table>(&path).await {
                let _ = catalog.shelf.try_update(|shelf| shelf.columns.insert(full, table.resolved));
            }
        });
    }

    /// Asks the server once typing rests; no words end the search.
    pub(super) fn search(&self, words: &str) {
        if let Some(handle) = self.pause.get_value() {
            handle.clear();
        }
        let words = words.trim().to_owned();
        self.wanted.set_value(words.clone());
        if words.is_empty() {
            self.shelf.update(|shelf| shelf.found = None);
            return;
        }
        let catalog = *self;
        self.pause.set_value(set_timeout_with_handle(move || catalog.ask(words), REST).ok());
    }

    fn ask(self, words: String) {
        let path = self.path(&[("q", &words), ("limit", MOST_FOUND)]);
        spawn_local(async move {
            let answer = api::get::<Page<TableSummary>>(&path).await;
            // Other words may be searched for by now.
            if self.wanted.try_with_value(|wanted| *wanted == words) != Some(true) {
                return;
            }
            if let Ok(page) = answer {
                let _ = self
                    .shelf
                    .try_update(|shelf| shelf.found = Some(Found { words, tables: page.items, total: page.total }));
            }
        });
    }

    /// Asks again for what is shown.
    fn refresh(&self) {
        let Some((opened, columns, words)) = self.shelf.try_with_untracked(|shelf| {
            let opened: Vec<(String, usize)> =
                shelf.tables.iter().map(|(name, part)| (name.clone(), part.tables.len())).collect();
            let columns: Vec<String> = shelf.columns.keys().cloned().collect();
            (opened, columns, shelf.found.as_ref().map(|found| found.words.clone()))
        }) else {
            return;
        };
        self.databases.reload();
        let catalog = *self;
        spawn_local(async move {
            // What cannot be had now stays as it was.
            let shown = catalog.shelf.try_with_untracked(|shelf| shelf.tables.clone());
            let Some(mut tables) = shown else { return };
            for (name, shown) in opened {
                if let Some(part) = catalog.fetch(&name, Part::default(), shown).await {
                    tables.insert(name, part);
                }
            }
            // Columns that are shown stay until they are asked for again; the others are forgotten.
            let there = catalog.shelf.try_update(|shelf| {
                shelf.tables = tables;
                shelf.columns.clear();
            });
            if there.is_none() {
                return;
            }
            for full in columns {
                catalog.open_table(&full);
            }
            if let Some(words) = words {
                catalog.ask(words);
            }
        });
    }

    fn path(&self, pairs: &[(&str, &str)]) -> String {
        let path = self.team.try_with_value(|team| api::path::team(team, "tables")).unwrap_or_default();
        api::path::with_query(&path, pairs)
    }
}

pub(super) fn full_name(table: &TableSummary) -> String {
    format!("{}.{}", table.database, table.name)
}

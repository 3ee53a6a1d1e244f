//! Databases, tables and columns: searched, walked by the arrow keys, inserted by a click or Enter.

use std::collections::BTreeSet;

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::{ev, html, web_sys};
use millrace_wire::table::{Database, TableSummary};
use wasm_bindgen::JsCast;

use super::catalog::{Catalog, Shelf, full_name};
use super::names;
use crate::format::number;
use crate::i18n::editor as text;
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;

/// One row of the tree, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    /// `dw`, `dw.clicks`, `dw.clicks.user_id`
    path: String,
    level: u8,
    name: String,
    end: String,
    /// What a click puts into the text; a database has nothing.
    insert: Option<String>,
    open: Option<bool>,
    connector: String,
}

#[component]
pub(super) fn Tree(catalog: Catalog, #[prop(into)] on_insert: Callback<String>) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let opened = RwSignal::new(BTreeSet::<String>::new());
    let active = RwSignal::new(None::<String>);
    let node = NodeRef::<html::Ul>::new();
    let shelf = catalog.shelf();
    let rows = Memo::new(move |_| {
        let databases = catalog.databases();
        shelf.with(|shelf| opened.with(|opened| nodes(&databases, shelf, opened)))
    });
    Effect::new(move |_| catalog.search(&words.read()));
    // What is open is fetched.
    Effect::new(move |_| {
        opened.with(|opened| {
            for path in opened {
                if path.contains('.') { catalog.open_table(path) } else { catalog.open_database(path) }
            }
        });
    });
    // A team with one database sees its tables at once.
    Effect::new(move |done: Option<bool>| {
        let with_tables = |database: &Database| !database.built_in && database.tables > 0;
        let mut names: Vec<String> =
            catalog.databases().into_iter().filter(with_tables).map(|database| database.name).collect();
        let first = if names.len() == 1 { names.pop() } else { None };
        let done = done.unwrap_or(false);
        if let (false, Some(first)) = (done, first) {
            opened.update(|opened| {
                opened.insert(first);
            });
            return true;
        }
        done
    });
    let toggle = move |path: &str| {
        opened.update(|opened| {
            if !opened.remove(path) {
                opened.insert(path.to_owned());
            }
        });
    };
    let key = move |event: ev::KeyboardEvent| {
        let rows = rows.get_untracked();
        let at =
            active.with_untracked(|active| rows.iter().position(|row| Some(&row.path) == active.as_ref())).unwrap_or(0);
        let Some(row) = rows.get(at) else { return };
        let next = match event.key().as_str() {
            "ArrowDown" => Some(at + 1),
            "ArrowUp" => at.checked_sub(1),
            "Home" => Some(0),
            "End" => rows.len().checked_sub(1),
            "ArrowRight" if row.open == Some(false) => {
                toggle(&row.path);
                None
            }
            "ArrowRight" if row.open == Some(true) => Some(at + 1),
            "ArrowLeft" if row.open == Some(true) => {
                toggle(&row.path);
                None
            }
            "ArrowLeft" => rows.iter().take(at).rposition(|other| other.level < row.level),
            "Enter" | " " => {
                match &row.insert {
                    Some(insert) => on_insert.run(insert.clone()),
                    None => toggle(&row.path),
                }
                None
            }
            _ => return,
        };
        event.prevent_default();
        if let Some(target) = next.and_then(|next| rows.get(next)) {
            active.set(Some(target.path.clone()));
            if let Some(list) = node.get_untracked() {
                focus(&list, next.unwrap_or(0));
            }
        }
    };
    view! {
        <div class="ide-search">
            <SearchField small=true label=text::search_tables() value=words on_input=move |value: String| words.set(value)/>
        </div>
        <ul class="tree" role="tree" aria-label=text::databases() node_ref=node on:keydown=key>
            {move || {
                let rows = rows.get();
                let current = active.get().filter(|path| rows.iter().any(|row| row.path == *path))
                    .or_else(|| rows.first().map(|row| row.path.clone()));
                rows.into_iter().map(|row| {
                    let focusable = Some(&row.path) == current.as_ref();
                    drawn(row, focusable, active, opened, on_insert)
                }).collect_view()
            }}
        </ul>
        {move || rows.with(Vec::is_empty).then(|| {
            let none = words.with(|words| words.trim().is_empty());
            view! { <p class="subtle tree-empty">{if none { text::no_tables() } else { text::no_table_matches() }}</p> }
        })}
    }
    .into_any()
}

fn drawn(
    row: Node,
    focusable: bool,
    active: RwSignal<Option<String>>,
    opened: RwSignal<BTreeSet<String>>,
    on_insert: Callback<String>,
) -> AnyView {
    let icon = match (row.level, row.connector.as_str()) {
        (1, _) => Some(Icon::Database),
        (2, "filesystem") => Some(Icon::Lake),
        (2, _) => Some(Icon::Topic),
        _ => None,
    };
    let path = row.path.clone();
    let (own, insert) = (row.path.clone(), row.insert.clone());
    let toggle = move || {
        opened.update(|opened| {
            if !opened.remove(&path) {
                opened.insert(path.clone());
            }
        });
    };
    let has_children = row.open.is_some();
    let click = move |event: ev::MouseEvent| {
        active.set(Some(own.clone()));
        let on_chevron = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("[data-chevron]").ok().flatten())
            .is_some();
        match &insert {
            Some(insert) if !on_chevron => on_insert.run(insert.clone()),
            _ if has_children => toggle(),
            _ => {}
        }
    };
    let chosen = row.path.clone();
    let selected = move || active.with(|active| (active.as_deref() == Some(chosen.as_str())).to_string());
    let tip = row.insert.as_ref().map(text::click_inserts);
    view! {
        <li role="treeitem" {..custom_attribute("aria-level", row.level.to_string())} aria-expanded=row.open.map(|open| open.to_string())
            aria-selected=selected tabindex=if focusable { "0" } else { "-1" }
            class=format!("tree-row tree-level-{}", row.level) title=tip on:click=click>
            {row.open.map(|open| view! {
                <span class="tree-chevron" data-chevron="">{if open { Icon::Down } else { Icon::Right }.small()}</span>
            })}
            {icon.map(Icon::small)}
            <span class="truncate" title=row.name.clone()>{row.name.clone()}</span>
            <span class="tree-end">{row.end}</span>
        </li>
    }
    .into_any()
}

fn focus(list: &web_sys::HtmlUListElement, index: usize) {
    // After the row has become the one that takes the focus.
    let list = list.clone();
    request_animation_frame(move || {
        let item = u32::try_from(index).ok().and_then(|index| list.children().item(index));
        if let Some(item) = item.and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = item.focus();
        }
    });
}

/// The rows to draw. A search opens what it finds: tables by name, and the columns that match.
fn nodes(databases: &[Database], shelf: &Shelf, opened: &BTreeSet<String>) -> Vec<Node> {
    let mut rows = Vec::new();
    for database in databases {
        let name = database.name.as_str();
        let found = shelf.found.as_ref();
        let own: Vec<&TableSummary> = match found {
            Some(found) => found.tables.iter().filter(|table| table.database == name).collect(),
            None => shelf.tables.get(name).map(|tables| tables.iter().collect()).unwrap_or_default(),
        };
        // Searched for, or without anything in it: nothing to open.
        let nothing = if found.is_some() { own.is_empty() } else { database.tables == 0 };
        if nothing {
            continue;
        }
        let open = found.is_some() || opened.contains(name);
        rows.push(Node {
            path: name.to_owned(),
            level: 1,
            name: name.to_owned(),
            end: number::grouped(if found.is_some() { own.len() as u64 } else { database.tables }),
            insert: None,
            open: Some(open),
            connector: String::new(),
        });
        if open {
            for table in own {
                push_table(&mut rows, table, shelf, opened);
            }
        }
    }
    rows
}

fn push_table(rows: &mut Vec<Node>, table: &TableSummary, shelf: &Shelf, opened: &BTreeSet<String>) {
    let path = full_name(table);
    let is_opened = opened.contains(&path);
    let open = is_opened || (shelf.found.is_some() && !table.found.is_empty());
    rows.push(Node {
        level: 2,
        name: table.name.clone(),
        end: table.connector.clone(),
        insert: Some(names::table(&table.database, &table.name)),
        open: Some(open),
        connector: table.connector.clone(),
        path: path.clone(),
    });
    if !open {
        return;
    }
    // Only those that were searched for, until all of them are asked for.
    let all = shelf.columns.get(&path).filter(|_| is_opened).unwrap_or(&table.found);
    rows.extend(all.iter().map(|column| Node {
        path: format!("{path}.{}", column.name),
        level: 3,
        name: column.name.clone(),
        end: column.data_type.clone(),
        insert: Some(names::identifier(&column.name)),
        open: None,
        connector: String::new(),
    }));
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;

//! Databases, tables and columns: searched, walked by the arrow keys, inserted by a click or Enter.

use std::collections::{BTreeSet, HashMap};

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use leptos::{ev, html, web_sys};
use millrace_wire::table::{Database, TableSummary};
use wasm_bindgen::JsCast;

use super::catalog::{Catalog, Part, Shelf, full_name};
use super::names;
use crate::format::number;
use crate::i18n::editor as text;
use crate::ui::cut::Cut;
use crate::ui::icon::Icon;
use crate::ui::search_field::SearchField;

/// One row of the tree, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    /// `dw`, `dw.clicks`, `dw.clicks.user_id`; no two rows share it.
    path: String,
    level: u8,
    name: String,
    end: String,
    /// What a click puts into the text; a database has nothing.
    insert: Option<String>,
    open: Option<bool>,
    connector: String,
    /// Brings the next tables of this database.
    brings: Option<String>,
}

#[derive(Clone, Copy)]
struct Rows {
    catalog: Catalog,
    list: Memo<Vec<Node>>,
    by_path: Memo<HashMap<String, Node>>,
    opened: RwSignal<BTreeSet<String>>,
    /// The path of the row that takes the focus.
    active: RwSignal<Option<String>>,
    on_insert: Callback<String>,
}

impl Rows {
    fn toggle(self, path: &str) {
        self.opened.update(|opened| {
            if !opened.remove(path) {
                opened.insert(path.to_owned());
            }
        });
    }

    fn press(self, row: &Node) {
        match (&row.insert, &row.brings) {
            (Some(insert), _) => self.on_insert.run(insert.clone()),
            (None, Some(database)) => self.catalog.more(database),
            (None, None) => self.toggle(&row.path),
        }
    }

    /// The row that Tab leads to: the one that had the focus last, or the first.
    fn is_entry(self, path: &str) -> bool {
        self.active.with(|active| match active {
            Some(active) if self.by_path.with(|rows| rows.contains_key(active)) => active == path,
            _ => self.list.with(|rows| rows.first().is_some_and(|row| row.path == path)),
        })
    }
}

#[component]
pub(super) fn Tree(catalog: Catalog, #[prop(into)] on_insert: Callback<String>) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let opened = RwSignal::new(BTreeSet::<String>::new());
    let node = NodeRef::<html::Ul>::new();
    let shelf = catalog.shelf();
    let list = Memo::new(move |_| {
        let databases = catalog.databases();
        shelf.with(|shelf| opened.with(|opened| nodes(&databases, shelf, opened)))
    });
    let by_path =
        Memo::new(move |_| list.with(|rows| rows.iter().map(|row| (row.path.clone(), row.clone())).collect()));
    let rows = Rows { catalog, list, by_path, opened, active: RwSignal::new(None), on_insert };
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
    let unseen = move || {
        shelf.with(|shelf| {
            let found = shelf.found.as_ref()?;
            let shown = found.tables.len() as u64;
            (shown < found.total).then(|| text::first_found(number::grouped(shown), number::grouped(found.total)))
        })
    };
    view! {
        <div class="ide-search">
            <SearchField small=true label=text::search_tables() value=words on_input=move |value: String| words.set(value)/>
        </div>
        <ul class="tree" role="tree" aria-label=text::databases() node_ref=node on:keydown=move |event| key(rows, node, &event)
           >
            <For each=move || list.get() key=|row| row.path.clone() let:row><Row rows row/></For>
        </ul>
        {move || list.with(Vec::is_empty).then(|| {
            let none = words.with(|words| words.trim().is_empty());
            view! { <p class="subtle tree-empty">{if none { text::no_tables() } else { text::no_table_matches() }}</p> }
        })}
        {move || unseen().map(|words| view! { <p class="subtle tree-empty" role="status">{words}</p> })}
    }
    .into_any()
}

fn key(rows: Rows, list: NodeRef<html::Ul>, event: &ev::KeyboardEvent) {
    let all = rows.list.get_untracked();
    let at = rows.active.with_untracked(|active| all.iter().position(|row| Some(&row.path) == active.as_ref()));
    let at = at.unwrap_or(0);
    let Some(row) = all.get(at) else { return };
    let next = match event.key().as_str() {
        "ArrowDown" => Some(at + 1),
        "ArrowUp" => at.checked_sub(1),
        "Home" => Some(0),
        "End" => all.len().checked_sub(1),
        "ArrowRight" if row.open == Some(false) => {
            rows.toggle(&row.path);
            None
        }
        "ArrowRight" if row.open == Some(true) => Some(at + 1),
        "ArrowLeft" if row.open == Some(true) => {
            rows.toggle(&row.path);
            None
        }
        "ArrowLeft" => all.iter().take(at).rposition(|other| other.level < row.level),
        "Enter" | " " => {
            rows.press(row);
            None
        }
        _ => return,
    };
    event.prevent_default();
    let item = next.filter(|next| *next < all.len()).and_then(|next| u32::try_from(next).ok());
    let item = item.and_then(|index| list.get_untracked().and_then(|list| list.children().item(index)));
    if let Some(item) = item.and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = item.focus();
    }
}

/// Stays the same row, with its focus, while others come and go.
#[component]
fn Row(rows: Rows, row: Node) -> impl IntoView {
    let path = StoredValue::new(row.path.clone());
    let icon = match (row.level, row.connector.as_str(), row.brings.is_some()) {
        (1, ..) => Some(Icon::Database),
        (2, _, true) => Some(Icon::Plus),
        (2, "filesystem", _) => Some(Icon::Lake),
        (2, ..) => Some(Icon::Topic),
        _ => None,
    };
    let (level, name, insert) = (row.level, row.name.clone(), row.insert.clone());
    let now = Memo::new(move |before: Option<&Node>| {
        let found = path.with_value(|path| rows.by_path.with(|rows| rows.get(path).cloned()));
        found.or_else(|| before.cloned()).unwrap_or_else(|| row.clone())
    });
    let open = Memo::new(move |_| now.with(|row| row.open));
    let click = move |event: ev::MouseEvent| {
        let on_chevron = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("[data-chevron]").ok().flatten())
            .is_some();
        now.with_untracked(|row| if on_chevron { rows.toggle(&row.path) } else { rows.press(row) });
    };
    let has_focus = move |_| rows.active.set(Some(path.get_value()));
    let selected = move || path.with_value(|path| rows.active.with(|active| active.as_ref() == Some(path)));
    let entry = move || path.with_value(|path| rows.is_entry(path));
    let tip = insert.as_ref().map(text::click_inserts);
    view! {
        <li role="treeitem" {..custom_attribute("aria-level", level.to_string())}
            aria-expanded=move || open.get().map(|open| open.to_string())
            aria-selected=move || selected().to_string() tabindex=move || if entry() { "0" } else { "-1" }
            class=format!("tree-row tree-level-{level}") title=tip on:click=click on:focus=has_focus>
            {move || open.get().map(|open| view! {
                <span class="tree-chevron" data-chevron="">{if open { Icon::Down } else { Icon::Right }.small()}</span>
            })}
            {icon.map(Icon::small)}
            <Cut text=name/>
            <span class="tree-end">{move || now.with(|row| row.end.clone())}</span>
        </li>
    }
    .into_any()
}

/// The rows to draw. A search opens what it finds: tables by name, and the columns that match.
fn nodes(databases: &[Database], shelf: &Shelf, opened: &BTreeSet<String>) -> Vec<Node> {
    let mut rows = Vec::new();
    for database in databases {
        let name = database.name.as_str();
        let found = shelf.found.as_ref();
        let own: Vec<&TableSummary> = match found {
            Some(found) => found.tables.iter().filter(|table| table.database == name).collect(),
            None => shelf.tables.get(name).map(|part| part.tables.iter().collect()).unwrap_or_default(),
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
            brings: None,
        });
        if !open {
            continue;
        }
        for table in own {
            push_table(&mut rows, table, shelf, opened);
        }
        let missing = if found.is_some() { 0 } else { shelf.tables.get(name).map_or(0, Part::missing) };
        if missing > 0 {
            rows.push(Node {
                // No table's name holds a line break.
                path: format!("{name}\nmore"),
                level: 2,
                name: text::more_tables().to_owned(),
                end: number::grouped(missing),
                insert: None,
                open: None,
                connector: String::new(),
                brings: Some(name.to_owned()),
            });
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
        brings: None,
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
        brings: None,
    }));
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;

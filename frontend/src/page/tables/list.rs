//! Tables below the database they belong to.

use leptos::prelude::*;
use millrace_wire::table::{Database, TableSummary};

use super::Catalog;
use crate::address::use_address;
use crate::format::number::grouped;
use crate::i18n::tables as text;
use crate::rights::{Right, may};
use crate::route::{TableTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, IconButton};
use crate::ui::icon::Icon;
use crate::ui::table::{Head, Table};
use crate::widget::permissions::open_badges;

#[component]
pub(super) fn TableList(
    team: String,
    catalog: Signal<Catalog>,
    shown: Memo<Vec<TableSummary>>,
    #[prop(into)] is_filtered: Signal<bool>,
    /// The database somebody wants to delete.
    deleting: RwSignal<Option<Database>>,
    /// Fetches the part that begins there.
    more: Callback<String>,
    #[prop(into)] busy: Signal<bool>,
) -> impl IntoView {
    let heads = vec![
        Head::text(text::name()).sorts("name"),
        Head::text(text::connector()).fit().sorts("connector"),
        Head::number(text::columns()).sorts("columns"),
        Head::text(text::comment()),
        Head::number(text::written_by()).sorts("written"),
        Head::number(text::read_by()).sorts("read"),
        Head::number(text::changed()).sorts("changed"),
    ];
    // Within each database, by the server.
    let order = use_address().order();
    let rest = move || {
        catalog.with(|catalog| {
            let held = catalog.tables.len() as u64;
            catalog.next.clone().map(|next| (next, text::more_than_shown(grouped(held), grouped(catalog.total))))
        })
    };
    view! {
        <Table label=text::title() heads sticky=true order>
            {move || {
                let groups = catalog.with(|catalog| grouped_by(&catalog.databases, shown.get(), is_filtered.get()));
                groups.into_iter().map(|(database, tables)| group(&team, &database, tables, deleting)).collect_view()
            }}
        </Table>
        {move || rest().map(|(next, rest)| view! {
            <p class="pager">{rest}" "<Button small=true busy=busy on_press=move |()| more.run(next.clone())>{text::show_more()}</Button></p>
        })}
    }
    .into_any()
}

/// In the order of the databases; a database without hits is left out, an empty one only while something is looked for.
fn grouped_by(
    databases: &[Database],
    tables: Vec<TableSummary>,
    is_filtered: bool,
) -> Vec<(Database, Vec<TableSummary>)> {
    let mut groups: Vec<(Database, Vec<TableSummary>)> =
        databases.iter().map(|database| (database.clone(), Vec::new())).collect();
    for table in tables {
        if let Some((_, group)) = groups.iter_mut().find(|(database, _)| database.name == table.database) {
            group.push(table);
        }
    }
    groups.retain(|(database, tables)| !tables.is_empty() || (!is_filtered && database.tables == 0));
    groups
}

fn group(team: &str, database: &Database, tables: Vec<TableSummary>, deleting: RwSignal<Option<Database>>) -> AnyView {
    let may_edit = may(Right::Edit);
    let is_empty = database.tables == 0 && !database.built_in;
    let label = text::delete_database(&database.name);
    let own = StoredValue::new(database.clone());
    let delete = move || {
        let label = label.clone();
        (is_empty && may_edit.get()).then(|| {
            view! { <IconButton icon=Icon::Trash small=true label=label on_press=move |()| deleting.set(Some(own.get_value()))/> }
        })
    };
    let rows = tables.into_iter().map(|table| row(team, table)).collect_view();
    view! {
        <tr class="table-group">
            <th scope="rowgroup" colspan="7">
                <span class="row">
                    <span class="medium">{database.name.clone()}</span>
                    <span>{grouped(database.tables)}</span>
                    <span>{database.description.clone()}</span>
                    {delete}
                </span>
            </th>
        </tr>
        {rows}
    }
    .into_any()
}

fn row(team: &str, table: TableSummary) -> AnyView {
    let href = TeamRoute::Table(table.id, TableTab::Schema).of(team).href();
    let used = TeamRoute::Table(table.id, TableTab::UsedBy).of(team).href();
    let uses = move |count: u64| match count {
        0 => view! { <span class="subtle">"0"</span> }.into_any(),
        count => view! { <a class="link" href=used.clone()>{grouped(count)}</a> }.into_any(),
    };
    let tags = table.tags.clone();
    view! {
        <tr>
            <th scope="row" class="cell-fit">
                <span class="row">
                    <a href=href>{table.name}</a>
                    {table.built_in.then(|| view! { <Badge title=text::built_in_tip()>{text::built_in()}</Badge> })}
                    {tags.into_iter().map(|tag| view! { <Badge>{tag}</Badge> }).collect_view()}
                    {open_badges(table.restricted, table.shared)}
                </span>
            </th>
            <td class="cell-fit">{table.connector}</td>
            <td class="num cell-fit">{grouped(table.columns)}</td>
            <td class="muted cell-clip" title=table.comment.clone()>{table.comment.clone()}</td>
            <td class="num cell-fit">{uses(table.producers)}</td>
            <td class="num cell-fit">{uses(table.consumers)}</td>
            <td class="num cell-fit subtle"><Ago at=table.updated_at/></td>
        </tr>
    }
    .into_any()
}

//! One table: its columns, rows of it, its DDL, who uses it, and the facts beside.

mod about;
mod bad_record;
mod bad_records;
mod rail;
mod sample;
mod schema;
pub use schema::ColumnTable;
mod used_by;
mod versions;

use std::time::Duration;

use leptos::prelude::*;
use millrace_wire::access::ObjectKind;
use millrace_wire::bad_record::BadRecordCause;
use millrace_wire::ids::TableId;
use millrace_wire::live::LiveEvent;
use millrace_wire::page::Page;
use millrace_wire::table::Table;

use super::export::ExportDialog;
use crate::address::use_address;
use crate::api::path::with_query;
use crate::api::{self, Failure};
use crate::format::number::grouped;
use crate::i18n::{
    bad_records as bad_text, permissions as permission_text, rights as right_text, table_script as script_text,
    table_versions as version_text, tables as text, words,
};
use crate::live::use_live;
use crate::load::{Loaded, load};
use crate::rights::{OfObject, Right, refusal};
use crate::route::{Route, TableTab, TeamRoute};
use crate::ui::badge::Badge;
use crate::ui::button::Kind;
use crate::ui::code_block::CodeBlock;
use crate::ui::confirm::Confirm;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::menu::{Menu, MenuItem};
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};
use crate::ui::toast::use_toasts;
use crate::widget::permissions::{PermissionsView, badges};

/// How soon bad records that come are counted.
const LOOK_EVERY: Duration = Duration::from_secs(5);

#[component]
pub fn TablePage(team: String, table: TableId) -> impl IntoView {
    let path = api::path::team(&team, &format!("tables/{table}"));
    let own = path.clone();
    let loaded = load(
        || (),
        move |()| {
            let path = own.clone();
            async move { api::get::<Table>(&path).await }
        },
    );
    provide_context(OfObject(Signal::derive(move || loaded.with(|table| table.access.clone()))));
    // What is being deleted is not asked for again.
    let leaving = StoredValue::new(false);
    use_live().on(move |event| {
        if leaving.try_get_value() != Some(false) {
            return;
        }
        if matches!(event, LiveEvent::TablesChanged { table: changed } if *changed == table)
            || matches!(event, LiveEvent::Reset)
        {
            loaded.reload();
        }
    });
    let bad_records = bad_records::load_causes(&path);
    if let Ok(handle) = set_interval_with_handle(move || bad_records.reload(), LOOK_EVERY) {
        on_cleanup(move || handle.clear());
    }
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Table(_, tab)) => tab,
        _ => TableTab::Schema,
    });
    view! {
        {loaded.show(Shape::Page, move |table| {
            let team = team.clone();
            let path = path.clone();
            view! {
                <Head team=team.clone() path=path.clone() table leaving/>
                <TableTabs team=team.clone() table tab bad_records/>
                <div class="page columns columns-rail">
                    <div>{tab_content(team.clone(), path, table, tab, bad_records)}</div>
                    <rail::Rail team table tab/>
                </div>
            }
            .into_any()
        })}
    }
    .into_any()
}

fn tab_content(
    team: String,
    path: String,
    table: Signal<Table>,
    tab: Memo<TableTab>,
    bad_records: Loaded<Page<BadRecordCause>>,
) -> AnyView {
    (move || match tab.get() {
        TableTab::Schema => view! { <schema::SchemaPanel table/> }.into_any(),
        TableTab::Versions => view! { <versions::VersionsPanel path=path.clone() table/> }.into_any(),
        TableTab::Sample => view! { <sample::SamplePanel path=path.clone()/> }.into_any(),
        TableTab::Ddl => view! {
            <div class="table-ddl"><CodeBlock label=text::ddl() text=Signal::derive(move || table.with(|table| table.ddl.clone()))/></div>
        }
        .into_any(),
        TableTab::Permissions => {
            let name = Signal::derive(move || table.with(|table| table.draft.name.clone()));
            view! { <PermissionsView kind=ObjectKind::Table path=path.clone() name/> }.into_any()
        }
        TableTab::BadRecords => view! {
            <bad_records::BadRecordsPanel team=team.clone() path=path.clone() table causes=bad_records/>
        }
        .into_any(),
        TableTab::UsedBy => view! { <used_by::UsedBy team=team.clone() table/> }.into_any(),
    })
    .into_any()
}

#[component]
fn Head(team: String, path: String, table: Signal<Table>, leaving: StoredValue<bool>) -> impl IntoView {
    let name = Signal::derive(move || table.with(|table| table.draft.name.clone()));
    let tables = TeamRoute::Tables.of(&team).href();
    let steps = Signal::derive(move || {
        let database = table.with(|table| table.draft.database.clone());
        let of_database = with_query(&tables, &[("database", &database)]);
        vec![(text::title().to_owned(), tables.clone()), (database, of_database)]
    });
    let built_in = Signal::derive(move || table.with(|table| table.built_in));
    let tags = Memo::new(move |_| table.with(|table| table.tags.clone()));
    let no_edit = refusal(Right::Edit);
    let reason =
        Signal::derive(move || if built_in.get() { Some(right_text::built_in().to_owned()) } else { no_edit.get() });
    let editor = TeamRoute::Editor(None).of(&team).href();
    let query = Signal::derive(move || {
        let sql = table.with(|table| format!("SELECT * FROM `{}`.`{}`;", table.draft.database, table.draft.name));
        with_query(&editor, &[("sql", &sql)])
    });
    let edit_team = team.clone();
    let edit = Signal::derive(move || TeamRoute::TableEdit(table.with(|table| table.id)).of(&edit_team).href());
    let deleting = RwSignal::new(false);
    let about = RwSignal::new(false);
    let exporting = RwSignal::new(false);
    let export_team = team.clone();
    let export_query = Signal::derive(move || format!("table={}", table.with(|table| table.id)));
    let items = Signal::derive(move || {
        vec![
            MenuItem::run(version_text::about_edit(), Some(Icon::Key), move || about.set(true)).unless(reason.get()),
            MenuItem::run(script_text::export(), Some(Icon::Download), move || exporting.set(true)),
            MenuItem::run(words::delete(), Some(Icon::Trash), move || deleting.set(true)).unless(reason.get()),
        ]
    });
    let note = move || {
        table.with(|table| {
            if table.draft.comment.is_empty() { text::no_comment().to_owned() } else { table.draft.comment.clone() }
        })
    };
    view! {
        <PageHead
            title=name
            steps=steps
            beside=move || view! {
                <Badge>{move || table.with(|table| table.draft.connector.clone())}</Badge>
                {move || built_in.get().then(|| view! { <Badge title=text::built_in_tip()>{text::built_in()}</Badge> })}
                {move || tags.get().into_iter().map(|tag| view! { <Badge>{tag}</Badge> }).collect_view()}
                {move || table.with(|table| badges(&table.access))}
            }
            note=move || view! { {note} }
            actions=move || view! {
                <LinkButton small=true icon=Icon::Settings href=edit reason=reason>{words::edit()}</LinkButton>
                <LinkButton small=true kind=Kind::Primary icon=Icon::Play href=query>{text::query()}</LinkButton>
                <Menu label=words::more_actions().to_owned() items>{Icon::More.view()}</Menu>
            }
        />
        <ExportDialog open=exporting team=export_team query=export_query/>
        <about::AboutDialog open=about path=path.clone() table/>
        <DeleteTable open=deleting team path table leaving/>
    }
    .into_any()
}

#[component]
fn DeleteTable(
    open: RwSignal<bool>,
    team: String,
    path: String,
    table: Signal<Table>,
    leaving: StoredValue<bool>,
) -> impl IntoView {
    let address = use_address();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let title = Signal::derive(move || text::delete_title(table.with(|table| table.draft.name.clone())));
    let confirm = Callback::new(move |()| {
        busy.set(true);
        leaving.set_value(true);
        failure.set(None);
        let (path, team) = (path.clone(), team.clone());
        let deleted = text::deleted(table.with_untracked(|table| table.draft.name.clone()));
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    open.set(false);
                    toasts.good(deleted);
                    address.go(&TeamRoute::Tables.of(&team));
                }
                Err(refusal) => {
                    let _ = leaving.try_set_value(false);
                    failure.set(Some(refusal));
                }
            }
            busy.set(false);
        });
    });
    let error = Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)));
    view! {
        <Confirm open title action=words::delete() busy=busy error=error on_confirm=confirm
            consequences=Signal::derive(|| vec![text::delete_body().to_owned(), text::delete_saved().to_owned()])/>
    }
    .into_any()
}

#[component]
fn TableTabs(
    team: String,
    table: Signal<Table>,
    tab: Memo<TableTab>,
    bad_records: Loaded<Page<BadRecordCause>>,
) -> impl IntoView {
    let bad = Memo::new(move |_| {
        bad_records.with(|page| page.items.iter().map(|cause| cause.kept).sum::<u64>()).filter(|bad| *bad > 0)
    });
    let tabs = Signal::derive(move || {
        let (id, columns, revision, jobs) = table.with(|table| {
            (table.id, table.resolved.len(), table.revision, table.producers.len() + table.consumers.len())
        });
        TableTab::ALL
            .iter()
            .map(|known| {
                let (label, count) = match known {
                    TableTab::Schema => (text::schema(), Some(columns.to_string())),
                    TableTab::Versions => (version_text::versions(), Some(revision.to_string())),
                    TableTab::Sample => (text::sample(), None),
                    TableTab::Ddl => (text::ddl(), None),
                    TableTab::BadRecords => (bad_text::title(), bad.get().map(grouped)),
                    TableTab::UsedBy => (text::used_by(), Some(jobs.to_string())),
                    TableTab::Permissions => (permission_text::title(), None),
                };
                Tab {
                    label: label.to_owned(),
                    href: TeamRoute::Table(id, *known).of(&team).href(),
                    count,
                    bad: *known == TableTab::BadRecords && bad.get().is_some(),
                    current: tab.get() == *known,
                }
            })
            .collect::<Vec<_>>()
    });
    view! { <Tabs label=text::title() tabs/> }.into_any()
}

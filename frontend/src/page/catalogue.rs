//! Listed tables of all teams, and asking for access to them.

mod ask_dialog;
mod ingestion_dialog;

use leptos::prelude::*;
use millrace_wire::request::CatalogueEntry;

use crate::address::use_address;
use crate::format::text::matches;
use crate::i18n::{catalogue as text, words};
use crate::load::load_all;
use crate::route::{TableTab, TeamRoute};
use crate::ui::button::Button;
use crate::ui::empty_state::EmptyState;
use crate::ui::icon::Icon;
use crate::ui::page_head::PageHead;
use crate::ui::search_field::SearchField;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use ask_dialog::AskDialog;
use ingestion_dialog::IngestionDialog;

#[component]
pub fn CataloguePage() -> impl IntoView {
    let address = use_address();
    let entries = load_all::<CatalogueEntry>("/catalogue".to_owned());
    let query = address.query("q");
    let asking = RwSignal::new(None::<CatalogueEntry>);
    let ingesting = RwSignal::new(false);
    view! {
        <PageHead
            title=text::title().to_owned()
            note=move || view! { {text::note()} }
            actions=move || view! {
                <Button small=true icon=Icon::Plus title=text::ask_ingestion_note().to_owned() on_press=move |()| ingesting.set(true)>
                    {text::ask_ingestion()}
                </Button>
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
            {entries.show(Shape::Rows(8), move |entries| (move || {
                let words = query.get().unwrap_or_default();
                let all = entries.get();
                if all.is_empty() {
                    return view! { <EmptyState icon=Icon::Tables title=text::nothing() body=text::nothing_body()/> }.into_any();
                }
                let shown: Vec<CatalogueEntry> = all.into_iter().filter(|entry| is_hit(entry, &words)).collect();
                if shown.is_empty() {
                    return view! { <EmptyState icon=Icon::Search title=words::no_match() body=words::no_match_body()/> }.into_any();
                }
                let heads = vec![
                    Head::text(text::table()),
                    Head::text(text::team()).fit(),
                    Head::text(text::description()),
                    Head::text(text::columns()),
                    Head::text(text::access()).fit(),
                ];
                view! { <Table label=text::title() heads>{shown.into_iter().map(|entry| row(entry, asking)).collect_view()}</Table> }.into_any()
            }).into_any())}
        </div>
        <AskDialog asking/>
        <IngestionDialog open=ingesting/>
    }
    .into_any()
}

fn is_hit(entry: &CatalogueEntry, words: &str) -> bool {
    let columns: String = entry.columns.iter().map(|column| format!(" {} {}", column.name, column.comment)).collect();
    let (team, slug) = (&entry.team_name, &entry.team_slug);
    words.is_empty()
        || matches(&format!("{}.{} {team} {slug} {}{columns}", entry.database, entry.name, entry.description), words)
}

fn row(entry: CatalogueEntry, asking: RwSignal<Option<CatalogueEntry>>) -> AnyView {
    let name = format!("{}.{}", entry.database, entry.name);
    let names: Vec<&str> = entry.columns.iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    let typed: Vec<String> = entry
        .columns
        .iter()
        .map(|column| format!("{} {} {}", column.name, column.data_type, column.comment).trim_end().to_owned())
        .collect();
    let typed = typed.join("\n");
    let href = TeamRoute::Table(entry.id, TableTab::Schema).of(&entry.team_slug).href();
    let own = StoredValue::new(entry.clone());
    let access = if entry.open {
        view! { <span class="subtle">{text::open()}</span> }.into_any()
    } else {
        view! { <Button small=true on_press=move |()| asking.set(Some(own.get_value()))>{text::ask()}</Button> }
            .into_any()
    };
    let title = if entry.open { view! { <a href=href>{name}</a> }.into_any() } else { name.into_any() };
    view! {
        <tr>
            <th scope="row">{title}</th>
            <td class="cell-fit">{entry.team_name}</td>
            <td class="muted cell-clip" title=entry.description.clone()>{entry.description.clone()}</td>
            <td class="muted cell-clip" title=typed>{names}</td>
            <td class="cell-fit">{access}</td>
        </tr>
    }
    .into_any()
}

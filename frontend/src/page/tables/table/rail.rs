//! Facts on a table, beside its tabs.

use leptos::prelude::*;
use millrace_wire::connection::JobRef;
use millrace_wire::table::Table;

use super::used_by::JobLinks;
use crate::i18n::{table_versions as version_text, tables as text, words};
use crate::route::{ConnectionTab, TableTab, TeamRoute, TopicTab};
use crate::ui::age::Ago;
use crate::ui::facts::{Fact, Facts};
use crate::ui::panel::Panel;

#[component]
pub(super) fn Rail(team: String, table: Signal<Table>, tab: Memo<TableTab>) -> impl IntoView {
    view! {
        <aside class="rail" aria-label=text::facts()>
            {move || {
                let team = team.clone();
                // The tab of the uses says the same at length; twice under one name would be told apart by nobody.
                let with_jobs = tab.get() != TableTab::UsedBy;
                table.with(|table| {
                    let (facts, options) = (facts(&team, table.clone()), options(&team, table.clone()));
                    view! {
                        <Panel title=text::facts().to_owned()>{facts}</Panel>
                        <Panel title=text::options().to_owned()>{options}</Panel>
                        {with_jobs.then(|| jobs(&team, text::written_by(), &table.producers))}
                        {with_jobs.then(|| jobs(&team, text::read_by(), &table.consumers))}
                    }
                })
            }}
        </aside>
    }
    .into_any()
}

fn jobs(team: &str, title: &'static str, jobs: &[JobRef]) -> Option<AnyView> {
    let (team, jobs) = (team.to_owned(), jobs.to_vec());
    let count = jobs.len().to_string();
    (!jobs.is_empty())
        .then(|| view! { <Panel title=title.to_owned() count=count><JobLinks team jobs/></Panel> }.into_any())
}

fn facts(team: &str, table: Table) -> AnyView {
    let draft = table.draft;
    let connection = draft.connection.map(|id| {
        let href = TeamRoute::Connection(id, ConnectionTab::Topics).of(team).href();
        let name = table.connection_name;
        view! { <Fact name=text::connection()><a class="link" href=href>{name}</a></Fact> }
    });
    let key = if draft.primary_key.is_empty() { text::no_key().to_owned() } else { draft.primary_key.join(", ") };
    let (at, made, revision) = (table.updated_at, table.created_at, table.revision);
    let owner = if table.owner.is_empty() { version_text::no_owner().to_owned() } else { table.owner };
    let sharers = (!table.sharers.is_empty()).then(|| table.sharers.join(", "));
    let mode = table.compatibility.as_str();
    let by = if table.updated_by.is_empty() { words::not_known().to_owned() } else { table.updated_by };
    let watermark = match draft.event_time {
        Some(time) => view! { <span class="code fact-long">{time.watermark}</span> }.into_any(),
        None => view! { <span class="subtle">{text::no_event_time()}</span> }.into_any(),
    };
    view! {
        <Facts>
            <Fact name=text::connector()>{draft.connector}</Fact>
            {connection}
            {draft.format.map(|format| view! { <Fact name=text::format()>{format}</Fact> })}
            <Fact name=text::watermark()>{watermark}</Fact>
            <Fact name=text::primary_key()>{key}</Fact>
            <Fact name=version_text::owner()>{owner}</Fact>
            {sharers.map(|sharers| view! { <Fact name=version_text::sharers()>{sharers}</Fact> })}
            <Fact name=version_text::compatibility()>{mode}</Fact>
            <Fact name=text::revision()>{revision}</Fact>
            <Fact name=text::changed()><Ago at=at/></Fact>
            <Fact name=text::changed_by()>{by}</Fact>
            <Fact name=text::made()><Ago at=made/></Fact>
        </Facts>
    }
    .into_any()
}

fn options(team: &str, table: Table) -> AnyView {
    let draft = table.draft;
    if draft.options.is_empty() {
        return view! { <p class="subtle rail-note">{text::no_options()}</p> }.into_any();
    }
    let value = |name: &str, value: String| match (name, draft.connection) {
        ("topic", Some(connection)) => {
            let href = TeamRoute::Topic(connection, value.clone(), TopicTab::Messages).of(team).href();
            view! { <a class="link" href=href title=value.clone()>{value.clone()}</a> }.into_any()
        }
        _ => view! { <span class="code" title=value.clone()>{value.clone()}</span> }.into_any(),
    };
    let rows: Vec<(String, AnyView)> =
        draft.options.into_iter().map(|(name, set)| (name.clone(), value(&name, set))).collect();
    view! {
        <Facts>
            {rows.into_iter().map(|(name, value)| view! { <Fact name=name>{value}</Fact> }).collect_view()}
        </Facts>
    }
    .into_any()
}

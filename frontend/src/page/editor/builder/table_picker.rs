//! A table of the team, found by words and chosen from a list.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::live::LiveEvent;
use millrace_wire::page::Page;
use millrace_wire::table::{ColumnKind, ResolvedColumn, Table, TableSummary};

use super::model::{Column, Source};
use crate::api::{self, Failure};
use crate::i18n::builder as text;
use crate::live::use_live;
use crate::ui::failure::FailureNote;
use crate::ui::id;
use crate::ui::search_field::SearchField;

/// A search waits until typing rests.
const REST_MS: u32 = 200;
/// More than these nobody looks through; words find the others.
const MOST: usize = 100;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    Read,
    /// The platform's own tables are not written by jobs.
    Write,
}

#[component]
pub(super) fn TablePicker(
    team: StoredValue<String>,
    purpose: Use,
    /// `database.table`
    #[prop(into)]
    chosen: Signal<Option<String>>,
    on_choose: Callback<Source>,
) -> impl IntoView {
    let label = if purpose == Use::Read { text::source_table() } else { text::target_table() };
    let words = RwSignal::new(String::new());
    let found = RwSignal::new(None::<Page<TableSummary>>);
    let failure = RwSignal::new(None::<Failure>);
    let again = RwSignal::new(0_u32);
    let asked = StoredValue::new(0_u32);
    use_live().on(move |event| {
        if matches!(event, LiveEvent::TablesChanged { .. } | LiveEvent::Reset) {
            let _ = again.try_update(|count| *count = count.wrapping_add(1));
        }
    });
    Effect::new(move |before: Option<()>| {
        again.track();
        let wanted = words.get().trim().to_owned();
        let number = next(asked);
        let rest = if before.is_some() { REST_MS } else { 0 };
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(rest).await;
            if number.is_none() || asked.try_get_value() != number {
                return;
            }
            let most = MOST.to_string();
            let mut pairs = vec![("limit", most.as_str())];
            if !wanted.is_empty() {
                pairs.push(("q", wanted.as_str()));
            }
            let Some(path) = team.try_with_value(|team| api::path::team(team, "tables")) else { return };
            let answer = api::get::<Page<TableSummary>>(&api::path::with_query(&path, &pairs)).await;
            // Other words may be searched for by now.
            if asked.try_get_value() != number {
                return;
            }
            match answer {
                Ok(page) => {
                    let _ = failure.try_set(None);
                    let _ = found.try_set(Some(page));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let fits = move |table: &TableSummary| purpose == Use::Read || !table.built_in;
    let rows = Memo::new(move |_| {
        found.with(|page| {
            page.as_ref().map(|page| page.items.iter().filter(|table| fits(table)).cloned().collect::<Vec<_>>())
        })
    });
    let has_more = Memo::new(move |_| found.with(|page| page.as_ref().is_some_and(|page| page.items.len() >= MOST)));
    let none = move || {
        let is_empty = rows.with(|rows| rows.as_ref().is_some_and(Vec::is_empty));
        let words =
            if words.with(|words| words.trim().is_empty()) { text::no_table() } else { text::no_table_matches() };
        is_empty.then_some(words)
    };
    let picked = StoredValue::new(0_u32);
    let choose = Callback::new(move |table: TableSummary| {
        let number = next(picked);
        let path = team.with_value(|team| api::path::team(team, &format!("tables/{}", table.id)));
        spawn_local(async move {
            let answer = api::get::<Table>(&path).await;
            // Another one may be chosen by now.
            if number.is_none() || picked.try_get_value() != number {
                return;
            }
            match answer {
                Ok(table) => {
                    let _ = failure.try_set(None);
                    on_choose.run(source(table));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let group = id::next("table");
    let search = format!("{}: {}", label, text::search_tables());
    view! {
        <fieldset class="builder-tables">
            <legend class="visually-hidden">{label}</legend>
            <SearchField small=true label=search value=words on_input=move |value: String| words.set(value)/>
            <div class="builder-list">
                <For each=move || rows.get().unwrap_or_default() key=|table| table.id let(table)>
                    {row(table, group.clone(), chosen, choose)}
                </For>
            </div>
            <p class="subtle" role="status">
                {none}
                {move || has_more.get().then(|| text::more_tables(MOST))}
            </p>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </fieldset>
    }
    .into_any()
}

fn row(table: TableSummary, group: String, chosen: Signal<Option<String>>, choose: Callback<TableSummary>) -> AnyView {
    let full = format!("{}.{}", table.database, table.name);
    let own = full.clone();
    let (connector, comment) = (table.connector.clone(), table.comment.clone());
    view! {
        <label class="check" title=comment>
            <input type="radio" name=group prop:checked=move || chosen.with(|chosen| chosen.as_ref() == Some(&own))
                on:change=move |_| choose.run(table.clone())/>
            <span class="truncate">{full}</span>
            <span class="subtle builder-end">{connector}</span>
        </label>
    }
    .into_any()
}

fn next(asked: StoredValue<u32>) -> Option<u32> {
    asked.try_update_value(|asked| {
        *asked += 1;
        *asked
    })
}

fn source(table: Table) -> Source {
    let column = |column: ResolvedColumn| Column {
        name: column.name,
        data_type: column.data_type,
        event_time: column.event_time,
        physical: column.kind == ColumnKind::Physical,
    };
    Source {
        database: table.draft.database,
        name: table.draft.name,
        columns: table.resolved.into_iter().map(column).collect(),
    }
}

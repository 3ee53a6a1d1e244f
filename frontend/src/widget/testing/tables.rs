//! The tables that a script reads and writes, with their columns. A team may have thousands: only those that are named
//! are asked for, each once.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::page::Page;
use millrace_wire::table::{Table, TableSummary};

use crate::api::{self, Failure};

/// By `database.table`, as far as they have arrived.
pub fn named_tables(
    team: StoredValue<String>,
    reads: Signal<Vec<String>>,
    writes: Signal<Vec<String>>,
) -> Signal<BTreeMap<String, Table>> {
    let known = RwSignal::new(BTreeMap::new());
    let asked = StoredValue::new(Vec::<String>::new());
    Effect::new(move |_| {
        let names = reads.get().into_iter().chain(writes.get());
        let fresh: Vec<String> = names.filter(|name| asked.with_value(|asked| !asked.contains(name))).collect();
        for name in fresh {
            asked.update_value(|asked| asked.push(name.clone()));
            let team = team.get_value();
            spawn_local(async move {
                // One that cannot be had leaves its rows without a hint at the columns.
                if let Ok(Some(table)) = find(&team, &name).await {
                    let _ = known.try_update(|known| known.insert(name, table));
                }
            });
        }
    });
    known.into()
}

/// The table of this name, `database.table`.
pub(super) async fn find(team: &str, name: &str) -> Result<Option<Table>, Failure> {
    let Some((database, table)) = name.split_once('.') else { return Ok(None) };
    let list = api::path::team(team, "tables");
    let query = [("database", database), ("q", table), ("limit", "100")];
    let page = api::get::<Page<TableSummary>>(&api::path::with_query(&list, &query)).await?;
    let found = page.items.into_iter().find(|found| found.database == database && found.name == table);
    match found {
        Some(found) => api::get::<Table>(&format!("{list}/{}", found.id)).await.map(Some),
        None => Ok(None),
    }
}

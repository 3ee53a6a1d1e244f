//! Bad records that a worker reports: kept beside their tables.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::bad_record::{BadRecordReport, UndecodedRecord};
use millrace_wire::ids::{BadRecordId, JobId, RunId, TableId, TeamId};
use sha2::{Digest as _, Sha256};

use crate::access::secret::hex;
use crate::clock::{new_id, now_ms};
use crate::error::Result;
use crate::store::bad_record::{self, BadRecordRow, clean};
use crate::store::{self, Store, is_foreign_key_violation};
use crate::transact;

/// Whose records they are: known from the worker's token, whatever it says.
#[derive(Clone, Copy)]
pub(super) struct MetBy {
    pub(super) team: TeamId,
    pub(super) job: JobId,
    pub(super) run: RunId,
    pub(super) attempt: u32,
    pub(super) version: u32,
}

/// Records of tables that the version does not read, or that are gone, are left out.
pub(super) async fn keep(store: &Store, met: MetBy, report: BadRecordReport) -> Result<()> {
    let Some(version) = store::version::get(store, met.job, met.version).await? else { return Ok(()) };
    let names: BTreeSet<&str> = report.records.iter().map(|record| record.table.as_str()).collect();
    let counted = report.not_kept.iter().map(|told| told.table.as_str());
    let mut tables = BTreeMap::new();
    for name in names.into_iter().chain(counted) {
        if !tables.contains_key(name)
            && version.reads.iter().any(|read| read == name)
            && let Some(id) = table_named(store, met.team, name).await?
        {
            tables.insert(name.to_owned(), id);
        }
    }
    let rows = report.records.into_iter().filter_map(|record| {
        let table = *tables.get(&record.table)?;
        let digest = digest(&record);
        Some((row(met, table, record), digest))
    });
    let rows: Vec<(BadRecordRow, String)> = rows.collect();
    let causes: BTreeSet<(TableId, &str)> = rows.iter().map(|(row, _)| (row.table, row.cause.as_str())).collect();
    let now = now_ms();
    let stored = transact!(store, tx => {
        for (row, digest) in &rows {
            bad_record::put(tx, row, digest).await?;
        }
        for told in &report.not_kept {
            if let Some(table) = tables.get(&told.table) {
                bad_record::put_not_kept(tx, *table, met.run, met.attempt, told).await?;
            }
        }
        for (table, cause) in &causes {
            bad_record::make_room(tx, *table, cause, now).await?;
        }
        Ok(())
    });
    match stored {
        // Deleted since it was looked up: its records go with it.
        Err(error) if is_foreign_key_violation(&error) => Ok(()),
        stored => stored,
    }
}

/// A name with two dots is of another team's table.
async fn table_named(store: &Store, team: TeamId, name: &str) -> Result<Option<TableId>> {
    let row = match name.split_once('.') {
        Some((_, rest)) if rest.contains('.') => store::table::of_any_team(store, name).await?,
        Some((database, table)) => store::table::by_name(store, team, database, table).await?,
        None => None,
    };
    Ok(row.map(|row| row.id))
}

fn row(met: MetBy, table: TableId, record: UndecodedRecord) -> BadRecordRow {
    BadRecordRow {
        id: BadRecordId(new_id()),
        table,
        split: clean(&record.split),
        offset: record.offset,
        job: met.job,
        run: met.run,
        attempt: met.attempt,
        seen_at: record.at,
        cause: clean(&record.cause),
        reason: clean(&record.reason),
        key: record.key,
        value: record.value,
        key_bytes: record.key_bytes,
        value_bytes: record.value_bytes,
        replayed: None,
    }
}

fn digest(record: &UndecodedRecord) -> String {
    let part = |text: &Option<String>, length: u64| format!("{}:{length}", text.as_deref().unwrap_or("none"));
    let parts = [part(&record.key, record.key_bytes), part(&record.value, record.value_bytes)];
    hex(&Sha256::digest(parts.join("/").as_bytes()))
}

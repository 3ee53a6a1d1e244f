//! Bad records of a table as objects: looked at, decoded again, replayed, dismissed.
//!
//! They are rows of the table and follow its rights: who may read it sees them, who may write it replays and dismisses.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use millrace_wire::bad_record::{
    BadRecord, BadRecordCause, BadRecordDetail, DecodeRecord, DecodedCause, DecodedRecord, RecordBytes, ReplayRecord,
    ReplayedTo,
};
use millrace_wire::connection::JobRef;
use millrace_wire::ids::{BadRecordId, ConnectionId, JobId, TableId, TeamId};
use millrace_wire::link::TableSource;

use super::{catalog, connection, table};
use crate::access::identity::TeamCaller;
use crate::access::secret::hex;
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::engine::RawRecord;
use crate::error::{Code, Error, Result};
use crate::kafka::produce::{self, NewRecord};
use crate::state::App;
use crate::store;
use crate::store::bad_record::{BadRecordFilter, BadRecordRow};
use crate::store::table::TableRow;
use crate::transact;

const KEEP_MS: i64 = 14 * 24 * 3600 * 1000;
/// Of a value, in a list.
const EXCERPT: usize = 160;
/// Records that are read and decoded at once.
const AT_ONCE: i64 = 100;
/// What a record may have that a person writes.
const LARGEST_EDIT: usize = 1024 * 1024;

/// Newest first.
pub async fn list(
    app: &App,
    sight: &Sight,
    table: TableId,
    filter: &BadRecordFilter,
    part: (usize, usize),
) -> Result<(Vec<BadRecord>, u64)> {
    table::row(app, sight.team, table).await?;
    let (rows, total) = store::bad_record::page(&app.store, table, filter, part).await?;
    Ok((shown(app, sight, &rows).await?, total))
}

pub async fn causes(app: &App, team: TeamId, table: TableId) -> Result<Vec<BadRecordCause>> {
    table::row(app, team, table).await?;
    store::bad_record::causes(&app.store, table).await
}

pub async fn get(app: &App, sight: &Sight, table: TableId, id: BadRecordId) -> Result<BadRecordDetail> {
    let of_table = table::row(app, sight.team, table).await?;
    let row = row(app, table, id).await?;
    detail(app, sight, &row, target(&of_table, &row).err()).await
}

/// Some behind the one with this id, oldest first, with their bytes; none is before all.
pub async fn next(
    app: &App,
    sight: &Sight,
    table: TableId,
    filter: &BadRecordFilter,
    after: &str,
) -> Result<Vec<BadRecordDetail>> {
    table::row(app, sight.team, table).await?;
    let rows = store::bad_record::after(&app.store, table, filter, after, AT_ONCE).await?;
    let mut details = Vec::with_capacity(rows.len());
    for row in &rows {
        details.push(detail(app, sight, row, None).await?);
    }
    Ok(details)
}

async fn row(app: &App, table: TableId, id: BadRecordId) -> Result<BadRecordRow> {
    store::bad_record::get(&app.store, table, id).await?.ok_or_else(|| Error::not_found("bad record"))
}

async fn shown(app: &App, sight: &Sight, rows: &[BadRecordRow]) -> Result<Vec<BadRecord>> {
    let mut names: HashMap<JobId, Option<String>> = HashMap::new();
    for row in rows {
        if let Entry::Vacant(unknown) = names.entry(row.job) {
            unknown.insert(store::job::name_of(&app.store, sight, row.job).await?);
        }
    }
    let shown = rows.iter().map(|row| {
        let value = opened(row.value.as_deref()).unwrap_or_default();
        BadRecord {
            id: row.id,
            at: row.seen_at,
            split: row.split.clone(),
            offset: row.offset,
            cause: row.cause.clone(),
            reason: row.reason.clone(),
            job: names.get(&row.job).cloned().flatten().map(|name| JobRef { id: row.job, name }),
            run: row.run,
            attempt: row.attempt,
            key_bytes: row.key_bytes,
            value_bytes: row.value_bytes,
            excerpt: String::from_utf8_lossy(value.get(..EXCERPT).unwrap_or(&value)).into_owned(),
            replayed: row.replayed.clone(),
        }
    });
    Ok(shown.collect())
}

async fn detail(app: &App, sight: &Sight, row: &BadRecordRow, refusal: Option<Error>) -> Result<BadRecordDetail> {
    let record = shown(app, sight, std::slice::from_ref(row)).await?.pop();
    Ok(BadRecordDetail {
        record: record.ok_or_else(|| Error::not_found("bad record"))?,
        key: opened(row.key.as_deref()).map(|bytes| in_forms(&bytes, row.key_bytes)),
        value: opened(row.value.as_deref()).map(|bytes| in_forms(&bytes, row.value_bytes)),
        no_replay: refusal.map(|error| error.message().to_owned()),
    })
}

fn opened(text: Option<&str>) -> Option<Vec<u8>> {
    BASE64.decode(text?).ok()
}

fn in_forms(bytes: &[u8], length: u64) -> RecordBytes {
    let cut = (bytes.len() as u64) < length;
    let is_text = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // Cut in the middle of a character.
        Err(cause) => cut && cause.error_len().is_none(),
    };
    RecordBytes {
        base64: BASE64.encode(bytes),
        text: String::from_utf8_lossy(bytes).into_owned(),
        is_text,
        hex: hex(bytes),
        length,
        cut,
    }
}

fn is_cut(row: &BadRecordRow) -> bool {
    let cut =
        |part: &Option<String>, length: u64| opened(part.as_deref()).is_some_and(|bytes| (bytes.len() as u64) < length);
    cut(&row.key, row.key_bytes) || cut(&row.value, row.value_bytes)
}

/// The bytes that a person gave.
fn edited(value: Option<&str>) -> Result<Option<Vec<u8>>> {
    let Some(text) = value else { return Ok(None) };
    let bytes = BASE64.decode(text).map_err(|_| Error::field("value", "This is no base64."))?;
    if bytes.len() > LARGEST_EDIT {
        return Err(Error::field("value", "Use at most 1 MB."));
    }
    Ok(Some(bytes))
}

fn raw(row: &BadRecordRow) -> RawRecord {
    RawRecord {
        split: row.split.clone(),
        offset: row.offset,
        key: opened(row.key.as_deref()),
        value: opened(row.value.as_deref()),
    }
}

async fn source(app: &App, caller: &TeamCaller, id: TableId) -> Result<TableSource> {
    let row = table::row(app, caller.team, id).await?;
    let name = catalog::full_name(&row);
    let mut running = catalog::for_running(app, caller.team, &BTreeSet::from([name.clone()])).await?;
    running.remove(&name).ok_or_else(|| Error::not_found("table"))
}

/// With the table as it is now.
pub async fn decode(
    app: &App,
    caller: &TeamCaller,
    table: TableId,
    id: BadRecordId,
    request: DecodeRecord,
) -> Result<DecodedRecord> {
    let source = source(app, caller, table).await?;
    let row = row(app, table, id).await?;
    let mut record = raw(&row);
    match edited(request.value.as_deref())? {
        Some(value) => record.value = Some(value),
        None if is_cut(&row) => return Err(Error::bad_request(CUT)),
        None => {}
    }
    let roots = app.config.file_roots.of_team(&caller.slug);
    let decoded = app.engine.decode(source, vec![record], roots).await?;
    decoded.into_iter().next().ok_or_else(|| Error::not_found("bad record"))
}

const CUT: &str = "Only the first 64 KB of this record are kept.";

/// All that are kept of a cause.
pub async fn decode_cause(app: &App, caller: &TeamCaller, table: TableId, cause: String) -> Result<DecodedCause> {
    let source = source(app, caller, table).await?;
    let filter = BadRecordFilter { cause: Some(cause), ..BadRecordFilter::default() };
    let mut answer = DecodedCause { decoded: 0, failed: 0, cut: 0, reason: None };
    let mut after = String::new();
    loop {
        let rows = store::bad_record::after(&app.store, table, &filter, &after, AT_ONCE).await?;
        let Some(last) = rows.last() else { return Ok(answer) };
        after = last.id.to_string();
        let (cut, whole): (Vec<_>, Vec<_>) = rows.iter().partition(|row| is_cut(row));
        answer.cut += cut.len() as u64;
        let records = whole.into_iter().map(raw).collect();
        let roots = app.config.file_roots.of_team(&caller.slug);
        for decoded in app.engine.decode(source.clone(), records, roots).await? {
            match decoded.reason {
                None => answer.decoded += 1,
                Some(reason) => {
                    answer.failed += 1;
                    answer.reason.get_or_insert(reason);
                }
            }
        }
    }
}

/// Where a replay of a record is written.
struct Target {
    connection: ConnectionId,
    topic: String,
    partition: i32,
}

/// The error says why it can be written nowhere.
fn target(table: &TableRow, row: &BadRecordRow) -> Result<Target> {
    let refuse = |message: String| Error::conflict(Code::WrongState, message);
    if table.built_in {
        return Err(refuse("The platform writes this table itself, so nothing is replayed to it.".to_owned()));
    }
    let of_kafka = matches!(table.draft.connector.as_str(), "kafka" | "upsert-kafka");
    let Some(connection) = table.draft.connection.filter(|_| of_kafka) else {
        let message = format!(
            "Records of {} tables cannot be replayed: only a Kafka topic takes single records again. Download them, \
             correct the source, and let the job read it.",
            table.draft.connector
        );
        return Err(refuse(message));
    };
    let place = row.split.rsplit_once('/').and_then(|(topic, number)| Some((topic, number.parse::<i32>().ok()?)));
    let topics = table.draft.options.get("topic").map(String::as_str).unwrap_or_default();
    match place {
        Some((topic, partition)) if topics.split(';').any(|known| known.trim() == topic) => {
            Ok(Target { connection, topic: topic.to_owned(), partition })
        }
        _ => Err(refuse("The table reads another topic now than the one this record came from.".to_owned())),
    }
}

/// What was replayed, for the audit trail; without the bytes.
pub struct Replay {
    pub before: BadRecord,
    pub to: ReplayedTo,
    pub edited: bool,
}

/// Writes the record to its topic again, with where it came from in a header.
pub async fn replay(
    app: &App,
    caller: &TeamCaller,
    table: TableId,
    id: BadRecordId,
    request: ReplayRecord,
) -> Result<Replay> {
    let sight = caller.sight();
    let of_table = table::row(app, caller.team, table).await?;
    let row = row(app, table, id).await?;
    let target = target(&of_table, &row)?;
    if let Some(replayed) = row.replayed.as_ref().filter(|_| !request.again) {
        let message = format!("{} replayed this record already.", replayed.by);
        return Err(Error::conflict(Code::Conflict, message).hint("Say that it is to be done again."));
    }
    let value = edited(request.value.as_deref())?;
    let mut record = raw(&row);
    let kept = record.value.clone();
    let is_edited = value.as_ref().is_some_and(|value| Some(value) != kept.as_ref());
    match value {
        Some(value) => record.value = Some(value),
        None if is_cut(&row) => return Err(Error::conflict(Code::WrongState, CUT)),
        None => {}
    }
    let cluster = connection::cluster(app, caller.team, target.connection).await?;
    // Marked first, so that of two who ask at once one writes.
    let by = caller.caller.name.as_str();
    let now = now_ms();
    if !transact!(app.store, tx => { store::bad_record::mark_replayed(tx, &row, by, is_edited, now).await })? {
        return Err(Error::conflict(Code::Conflict, "Somebody replayed or dismissed this record meanwhile."));
    }
    let headers = vec![
        ("millrace-replayed-from", format!("{}/{}", row.split, row.offset)),
        ("millrace-replayed-by", by.to_owned()),
        ("millrace-replayed-edited", is_edited.to_string()),
    ];
    let new = NewRecord {
        topic: target.topic.clone(),
        partition: target.partition,
        key: record.key,
        value: record.value,
        headers,
    };
    let offset = match produce::write(&cluster, new).await {
        Ok(offset) => offset,
        Err(error) => {
            transact!(app.store, tx => { store::bad_record::unmark_replayed(tx, &row).await })?;
            return Err(error);
        }
    };
    let before = shown(app, &sight, std::slice::from_ref(&row)).await?.pop();
    let before = before.ok_or_else(|| Error::not_found("bad record"))?;
    let to = ReplayedTo { topic: target.topic, partition: target.partition, offset };
    Ok(Replay { before, to, edited: is_edited })
}

pub async fn dismiss(app: &App, team: TeamId, table: TableId, id: BadRecordId) -> Result<BadRecordRow> {
    table::row(app, team, table).await?;
    let row = row(app, table, id).await?;
    transact!(app.store, tx => { store::bad_record::delete(tx, table, id).await })?;
    Ok(row)
}

/// Tells how many records were kept of it.
pub async fn dismiss_cause(app: &App, team: TeamId, table: TableId, cause: &str) -> Result<u64> {
    table::row(app, team, table).await?;
    let removed = transact!(app.store, tx => { store::bad_record::delete_cause(tx, table, cause).await })?;
    removed.ok_or_else(|| Error::not_found("cause"))
}

/// What is older than two weeks goes.
pub async fn purge(app: &App, now: i64) -> Result<u64> {
    transact!(app.store, tx => { store::bad_record::delete_old(tx, now - KEEP_MS).await })
}

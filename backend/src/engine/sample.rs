//! Some decoded rows of a table, the newest where the source can be asked for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_engine::catalog::{TableDef, TableRef};
use millrace_engine::collect::{RowWriter, column_type};
use millrace_engine::connector::{ConnectorContext, SourceEvent, SplitStart, registry};
use millrace_engine::sql::bind_table;
use millrace_wire::link::TableSource;
use millrace_wire::preview::ResultColumn;
use millrace_wire::table::Sample;
use serde_json::Value;

use super::embedded::{error, looking};
use crate::error::{Error, Result};
use crate::kafka::cluster::Trust;
use crate::kafka::{Cluster, topics};

/// A source that gives nothing for so long has nothing to show.
const READ_FOR: Duration = Duration::from_secs(6);
const WAIT: Duration = Duration::from_millis(100);

pub(super) async fn sample(source: TableSource, limit: u32, file_roots: Vec<PathBuf>) -> Result<Sample> {
    let bound = bind_table("table", &source).map_err(|problems| {
        let message = problems.first().map_or_else(String::new, |problem| problem.message.clone());
        Error::bad_request(format!("The table cannot be read: {message}"))
    })?;
    let newest_first = bound.connector() == "kafka";
    let table = if newest_first { from_the_newest(bound, limit).await? } else { bound };
    let context = looking(file_roots);
    let reading = tokio::task::spawn_blocking(move || read(&table, limit, &context));
    let mut sample = reading.await.map_err(Error::internal)??;
    if newest_first {
        sample.rows.reverse();
    }
    Ok(sample)
}

/// The same table, read from `limit` records before the end of each partition up to the end.
async fn from_the_newest(table: TableRef, limit: u32) -> Result<TableRef> {
    let mut def = TableDef::clone(&table);
    let mut settings = std::collections::BTreeMap::new();
    for (name, value) in &def.options {
        if let Some(client) = name.strip_prefix("properties.") {
            settings.insert(client.to_owned(), value.clone());
        }
    }
    let topic = def.option("topic").unwrap_or_default().to_owned();
    // The address was checked when the connection's settings were opened; they say what may be announced.
    let cluster = Cluster::new(settings, Trust::Own).await?;
    let partitions = topics::partitions(&cluster, &topic).await?;
    let starts: Vec<String> = partitions
        .iter()
        .map(|partition| {
            let start = partition.high.saturating_sub(i64::from(limit)).max(partition.low);
            format!("partition:{},offset:{start}", partition.partition)
        })
        .collect();
    def.options.insert("scan.startup.mode".to_owned(), "specific-offsets".to_owned());
    def.options.insert("scan.startup.specific-offsets".to_owned(), starts.join(";"));
    def.options.insert("scan.bounded.mode".to_owned(), "latest-offset".to_owned());
    Ok(Arc::new(def))
}

fn read(table: &TableRef, limit: u32, context: &ConnectorContext) -> Result<Sample> {
    let mut def = TableDef::clone(table);
    // One broken record must not hide the others.
    def.options.insert("decode.on-error".to_owned(), "skip".to_owned());
    let table: TableRef = Arc::new(def);
    let connector =
        registry::find(table.connector()).ok_or_else(|| Error::bad_request("There is no such connector."))?;
    if !connector.schema().source {
        return Err(Error::bad_request("This table can only be written, so there is nothing to show."));
    }
    let wanted = table.read_columns();
    let all: Vec<usize> = (0..wanted.len()).collect();
    let source = connector.source(&table, &all, context).map_err(error)?;
    let splits = source.splits().map_err(error)?;
    let mut open = splits.len();
    let starts = splits.into_iter().map(|split| SplitStart { split, position: None }).collect();
    let mut reader = source.reader(starts).map_err(error)?;

    let schema = table.schema_of(&wanted);
    let writer = RowWriter::new(&schema);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    // Partitions are read one behind the other: all of the newest ones are wanted before some are dropped.
    let enough = if table.connector() == "kafka" { most.saturating_mul(open.max(1)) } else { most };
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let deadline = Instant::now() + READ_FOR;
    while open > 0 && rows.len() < enough && Instant::now() < deadline {
        match reader.next(WAIT).map_err(error)? {
            SourceEvent::Batch { batch, .. } => rows.extend((0..batch.len()).map(|row| writer.row(&batch, row))),
            SourceEvent::Idle => {}
            SourceEvent::SplitEnd { .. } => open -= 1,
            SourceEvent::End => break,
        }
    }
    if enough > most {
        rows.drain(..rows.len().saturating_sub(most));
    } else {
        rows.truncate(most);
    }
    let key = |index: &usize| table.primary_key.contains(index);
    let columns = wanted.iter().zip(&schema.fields).map(|(index, field)| ResultColumn {
        name: field.name.clone(),
        data_type: column_type(&field.ty.logical),
        key: key(index),
    });
    let note = note(reader.bad_records(), wanted.len() < table.columns.len());
    Ok(Sample { columns: columns.collect(), rows, note })
}

fn note(bad_records: u64, computed: bool) -> String {
    let mut sentences = Vec::new();
    if bad_records > 0 {
        sentences.push(format!("{bad_records} record(s) could not be decoded and are left out."));
    }
    if computed {
        sentences.push("Computed columns are not shown here; a preview shows them.".to_owned());
    }
    sentences.join(" ")
}

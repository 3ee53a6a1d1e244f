//! `filesystem`: files of a path as a table.
//!
//! Source: a file or a folder with all files below it, names beginning with `.` or `_` left out, in the order of their
//! paths. It ends when all files are read, or with `source.monitor-interval` looks for new files for ever; a file is read
//! once, as far as it goes then. Each file is a split; a position is the byte (JSON, CSV, raw) or row (Parquet, Avro) that comes
//! next, so that reading goes on exactly there after a restart.
//!
//! Lookup: all files, kept in memory.
//!
//! Sink: a folder. Rows are written under hidden names and get their final names when the checkpoint is durable, which
//! makes the sink exactly-once. A new part begins with each checkpoint and at `sink.rolling-policy.file-size`. Hidden files
//! of an attempt that failed are removed at the first commit of the next one.
//!
//! A table that is `PARTITIONED BY` columns has a folder per value, `day=2020-01-02/hour=3`; these columns are not in the
//! files. Folders that no query asks for are not read. `sink.partition-commit.*` marks whole partitions, see [`commit`].
//!
//! Paths stay below the configured roots: links and `..` that lead out are refused.

mod apart;
mod avro;
mod commit;
mod facts;
mod fetch;
mod lookup;
mod overwrite;
mod parquet;
mod part;
mod partition;
mod path;
mod reader;
mod records;
mod sink;
mod source;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionKind, OptionSchema, OptionSide};
use millrace_wire::table::FetchedSchema;

pub use apart::{overlap, place_of};
pub(crate) use path::file_below;
pub(super) use path::folder_to_write;

use super::option::{on_side, one_of, required};
use super::{Accepts, Apart, Connector, ConnectorContext, Lookup, LookupColumns, Records, Sink, Source, TableUse};
use crate::catalog::TableRef;
use crate::error::Result;
use crate::format::{self, defaulted};
use crate::sql::Problem;

pub struct Filesystem;

/// The formats that are read and written as whole files.
pub(super) const PARQUET: &str = "parquet";
pub(super) const AVRO: &str = "avro";

fn file_formats() -> Vec<String> {
    crate::format::all().iter().filter(|format| format.in_files()).map(|format| format.schema().name).collect()
}

#[async_trait]
impl Connector for Filesystem {
    fn schema(&self) -> ConnectorSchema {
        let source = |option| on_side(option, OptionSide::Source);
        ConnectorSchema {
            name: "filesystem".to_owned(),
            title: "Files".to_owned(),
            summary: "Files of a folder, read once or as they appear.".to_owned(),
            connection: None,
            takes: Vec::new(),
            source: true,
            sink: true,
            lookup: true,
            bounded: true,
            formats: file_formats(),
            options: vec![
                required("path", "Path", "A file or a folder.", OptionKind::Path),
                required("format", "Format", "How rows are written in the files.", OptionKind::Text),
                source(defaulted(
                    "source.monitor-interval",
                    "Look for new files",
                    "How often; without it the source ends after the files there are.",
                    OptionKind::Duration,
                    "",
                )),
                source(defaulted(
                    "source.path.regex-pattern",
                    "File names",
                    "A regular expression that paths have to match.",
                    OptionKind::Text,
                    "",
                )),
            ]
            .into_iter()
            .chain(partition_options())
            .collect(),
            fixed_columns: Vec::new(),
            fetches_schema: true,
        }
    }

    fn takes_partitions(&self) -> bool {
        true
    }

    fn overwrites(&self) -> bool {
        true
    }

    fn finds_by_key(&self) -> bool {
        false
    }

    fn validate(&self, table: &TableRef, use_: TableUse) -> Vec<Problem> {
        source::problems(table, use_)
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(source::FileSource::new(table, columns, context)?))
    }

    fn sink(&self, table: &TableRef, context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(sink::FileSink::new(table, context)?))
    }

    fn takes(&self, table: &TableRef) -> Accepts {
        let format = table.option("format").and_then(format::find);
        if format.is_some_and(|format| format.changelog()) { Accepts::Retract } else { Accepts::Append }
    }

    fn lookup(&self, table: &TableRef, columns: &LookupColumns, context: &ConnectorContext) -> Result<Arc<dyn Lookup>> {
        Ok(Arc::new(lookup::FileLookup::new(table, columns, context)))
    }

    fn records(&self, table: &TableRef, _context: &ConnectorContext) -> Result<Option<Box<dyn Records>>> {
        records::records(table)
    }

    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
        fetch::fetch(options.clone(), context).await
    }

    async fn make(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::make(apart, context)
    }

    async fn remove(&self, apart: &Apart, context: &ConnectorContext) -> Result<()> {
        apart::remove(apart, context)
    }

    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
        fetch::test(table, context).await
    }
}

/// How files end, and what tells that a partition is whole.
fn partition_options() -> Vec<OptionSchema> {
    let sink = |option| on_side(option, OptionSide::Sink);
    let trigger = defaulted(
        "sink.partition-commit.trigger",
        "A partition is finished",
        "process-time: some time after its first row. partition-time: when the watermark has passed its time.",
        OptionKind::Choice,
        "process-time",
    );
    vec![
        sink(defaulted(
            "sink.rolling-policy.file-size",
            "Size of a file",
            "A larger one is closed and the next begun.",
            OptionKind::MemorySize,
            "128 mb",
        )),
        sink(defaulted(
            "sink.rolling-policy.rollover-interval",
            "Age of a file",
            "An older one is closed and the next begun; each checkpoint does that too.",
            OptionKind::Duration,
            "30 min",
        )),
        sink(defaulted(
            "sink.rolling-policy.inactivity-interval",
            "Silence of a file",
            "One without new rows for so long is closed.",
            OptionKind::Duration,
            "30 min",
        )),
        sink(defaulted(
            "sink.rolling-policy.check-interval",
            "Look at files",
            "Accepted for scripts from Flink; files are looked at all the time.",
            OptionKind::Duration,
            "1 min",
        )),
        defaulted(
            "partition.default-name",
            "Partition of NULL",
            "The value in the folder's name that stands for NULL.",
            OptionKind::Text,
            "__DEFAULT_PARTITION__",
        ),
        sink(one_of(trigger, &["process-time", "partition-time"])),
        sink(defaulted(
            "sink.partition-commit.delay",
            "Wait for a partition",
            "So long after the trigger a partition is marked as finished.",
            OptionKind::Duration,
            "0 s",
        )),
        sink(defaulted(
            "sink.partition-commit.policy.kind",
            "Mark of a finished partition",
            "success-file adds an empty file; without it nothing is marked.",
            OptionKind::Text,
            "",
        )),
        sink(defaulted(
            "sink.partition-commit.success-file.name",
            "Name of the mark",
            "The empty file in a finished partition.",
            OptionKind::Text,
            "_SUCCESS",
        )),
        sink(defaulted(
            "partition.time-extractor.timestamp-pattern",
            "Time of a partition",
            "For partition-time: $day $hour:00:00. Without it the first partition column.",
            OptionKind::Text,
            "",
        )),
    ]
}

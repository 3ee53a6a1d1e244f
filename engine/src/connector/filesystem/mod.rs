//! `filesystem`: files of a path as a table.
//!
//! Source: a file or a folder with all files below it, names beginning with `.` or `_` left out, in the order of their
//! paths. It ends when all files are read, or with `source.monitor-interval` looks for new files for ever; a file is read
//! once, as far as it goes then. Each file is a split; a position is the byte (JSON, CSV, raw) or row (Parquet) that comes
//! next, so that reading goes on exactly there after a restart.
//!
//! Sink: a folder. Rows are written under hidden names and get their final names when the checkpoint is durable, which
//! makes the sink exactly-once. A new part begins with each checkpoint and at `sink.rolling-policy.file-size`. Hidden files
//! of an attempt that failed are removed at the first commit of the next one.
//!
//! Paths stay below the configured roots: links and `..` that lead out are refused.

mod facts;
mod fetch;
mod parquet;
mod part;
mod path;
mod reader;
mod sink;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, OptionKind, OptionSide};
use millrace_wire::table::FetchedSchema;

pub(super) use path::folder_to_write;

use super::option::{on_side, required};
use super::{Connector, ConnectorContext, Sink, Source, TableUse};
use crate::catalog::TableRef;
use crate::error::Result;
use crate::format::defaulted;
use crate::sql::Problem;

pub struct Filesystem;

/// The format that is read and written as whole files.
pub(super) const PARQUET: &str = "parquet";

#[async_trait]
impl Connector for Filesystem {
    fn schema(&self) -> ConnectorSchema {
        let source = |option| on_side(option, OptionSide::Source);
        let sink = |option| on_side(option, OptionSide::Sink);
        ConnectorSchema {
            name: "filesystem".to_owned(),
            title: "Files".to_owned(),
            summary: "Files of a folder, read once or as they appear.".to_owned(),
            connection: None,
            source: true,
            sink: true,
            lookup: false,
            bounded: true,
            formats: crate::format::all().iter().map(|format| format.schema().name).collect(),
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
                sink(defaulted(
                    "sink.rolling-policy.file-size",
                    "Size of a file",
                    "A larger one is closed and the next begun.",
                    OptionKind::MemorySize,
                    "128 mb",
                )),
            ],
            fixed_columns: Vec::new(),
            fetches_schema: true,
        }
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

    async fn fetch(&self, options: &BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
        fetch::fetch(options.clone(), context).await
    }

    async fn test(&self, table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
        fetch::test(table, context).await
    }
}

//! The files of a table as splits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use regex::Regex;

use super::super::layout::{ReadLayout, physical_fields};
use super::super::option::Options;
use super::super::registry::problem;
use super::super::{
    ConnectorContext, PartitionFilter, RangeLimit, Source, SourceReader, SplitId, SplitStart, TableUse,
};
use super::avro::AvroOpener;
use super::commit::CommitRules;
use super::parquet::ParquetOpener;
use super::partition::{FileColumns, can_partition};
use super::reader::{FileReader, Opener, WholeFiles};
use super::{AVRO, PARQUET, path};
use crate::catalog::{ColumnKind, TableRef};
use crate::error::{EngineError, Result};
use crate::format::bad_record::OnError;
use crate::format::bad_record_queue::TableInbox;
use crate::format::{self, FormatOptions};
use crate::sql::Problem;

/// Keys of metadata columns, as in Flink.
pub(super) const METADATA: [&str; 4] = ["file.path", "file.name", "file.size", "file.modification-time"];

pub(super) fn problems(table: &TableRef, use_: TableUse) -> Vec<Problem> {
    let mut found = Vec::new();
    let options = Options(&table.options);
    if let Some(Err(error)) = options.text("path").map(path::of_option) {
        found.push(problem("unsupported", format!("'path': {}", error.message)));
    }
    if let Some(Err(error)) = options.text("source.path.regex-pattern").map(Regex::new) {
        found
            .push(problem("wrong-arguments", format!("'source.path.regex-pattern' is no regular expression: {error}")));
    }
    let dead_letter = OnError::of_table(&table.options) == OnError::DeadLetter;
    if use_ != TableUse::Write && dead_letter && options.text("decode.dead-letter.path").is_none() {
        found.push(problem("missing-option", "'decode.dead-letter.path' is missing for dead-letter."));
    }
    for column in table.partition_keys.iter().filter_map(|index| table.columns.get(*index)) {
        if !can_partition(&column.ty.logical) {
            let message =
                format!("A column of type {} cannot partition a table: '{}'.", column.ty.logical, column.name);
            found.push(problem("unsupported", message));
        }
    }
    if !table.partition_keys.is_empty() && table.partition_keys.len() == physical_fields(table).len() {
        found.push(problem("sink-schema", "A table needs a column beside those that it is partitioned by."));
    }
    if let Err(error) = CommitRules::of_table(table) {
        found.push(problem("wrong-arguments", error.message));
    }
    for column in &table.columns {
        if let ColumnKind::Metadata { key, .. } = &column.kind
            && (use_ == TableUse::Write || !METADATA.contains(&key.as_str()))
        {
            found.push(problem(
                "unsupported",
                format!("Files have no metadata '{key}' here. Known: {}.", METADATA.join(", ")),
            ));
        }
    }
    found
}

pub(super) struct FileSource {
    table: TableRef,
    path: PathBuf,
    filter: Option<Arc<dyn PartitionFilter>>,
    pattern: Option<Regex>,
    monitor: Option<Duration>,
    listed: Mutex<Option<Instant>>,
    opener: Arc<Opener>,
}

impl FileSource {
    pub(super) fn new(table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Self> {
        let options = Options(&table.options);
        let columns = FileColumns::new(table, ReadLayout::new(table, columns)?);
        let format_name = options.required("format")?;
        let pattern = options.text("source.path.regex-pattern").map(Regex::new).transpose();
        let pattern = pattern
            .map_err(|error| EngineError::user("bad_option", format!("'source.path.regex-pattern': {error}")))?;
        let format_options = FormatOptions::of_table(&table.options, "", format_name);
        let format = format::find(format_name);
        let format = format
            .ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{format_name}'.")))?;
        let monitor = options.duration("source.monitor-interval")?.filter(|interval| !interval.is_zero());
        let dead_letters = options.text("decode.dead-letter.path").map(path::of_option).transpose()?;
        let opener = Opener {
            whole: match format_name {
                PARQUET => Some(WholeFiles::Parquet(ParquetOpener::new(&columns.fields, &columns.wanted))),
                AVRO => Some(WholeFiles::Avro(AvroOpener::new(&columns.fields, &columns.wanted))),
                _ => None,
            },
            columns,
            format,
            format_options,
            on_error: OnError::of_table(&table.options),
            inbox: TableInbox::of(context.bad_records.as_ref(), table),
            dead_letters: dead_letters.filter(|_| !context.read_only),
            roots: context.file_roots.clone(),
            batch_rows: context.batch_rows.max(1),
            bounded: monitor.is_none(),
            listing: Mutex::default(),
        };
        Ok(FileSource {
            table: Arc::clone(table),
            filter: None,
            path: path::of_option(options.required("path")?)?,
            pattern,
            // A preview looks at what is there.
            monitor,
            listed: Mutex::new(None),
            opener: Arc::new(opener),
        })
    }
}

impl FileSource {
    /// Files of a partitioned table are those in the folders of its partitions, as far as anybody asks for these.
    fn wants(&self, file: &Path) -> Result<bool> {
        let partitions = &self.opener.columns.partitions;
        if partitions.is_empty() {
            return Ok(true);
        }
        let Some(values) = partitions.of_file(file) else { return Ok(false) };
        match &self.filter {
            Some(filter) => filter.keeps(&partitions.row(&self.table, &values)?),
            None => Ok(true),
        }
    }
}

impl Source for FileSource {
    fn bounded(&self) -> bool {
        self.monitor.is_none()
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.opener.columns.layout.schema)
    }

    fn changelog(&self) -> bool {
        self.opener.format.changelog()
    }

    fn restricted(&self, filter: Arc<dyn PartitionFilter>) -> Option<Arc<dyn Source>> {
        if self.opener.columns.partitions.is_empty() {
            return None;
        }
        Some(Arc::new(FileSource {
            table: Arc::clone(&self.table),
            path: self.path.clone(),
            filter: Some(filter),
            pattern: self.pattern.clone(),
            monitor: self.monitor,
            listed: Mutex::new(None),
            opener: Arc::clone(&self.opener),
        }))
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        let mut listed = self.listed.lock();
        let fresh = |at: &Instant| self.monitor.is_none_or(|interval| at.elapsed() < interval);
        if listed.as_ref().is_some_and(fresh) {
            return Ok(self.opener.listing.lock().to_vec());
        }
        let files = path::list(&self.path, &self.opener.roots, self.pattern.as_ref())?;
        let mut splits: Vec<SplitId> = Vec::new();
        for file in files {
            if self.wants(&file)? {
                splits.push(file.to_string_lossy().into());
            }
        }
        *listed = Some(Instant::now());
        *self.opener.listing.lock() = splits.as_slice().into();
        Ok(splits)
    }

    /// Its splits, each as a whole.
    fn settled(&self, _limit: RangeLimit) -> Result<Option<Vec<SplitStart>>> {
        let whole = |split| SplitStart { split, position: None };
        Ok(self.bounded().then_some(self.splits()?.into_iter().map(whole).collect()))
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(FileReader::new(Arc::clone(&self.opener), splits)?))
    }
}

//! Rows into part files that appear when their checkpoint is durable.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use super::super::option::Options;
use super::super::{Accepts, ConnectorContext, Sink, SinkWriter};
use super::part::{Part, PartName, PartWriter};
use super::{PARQUET, path};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::{self, Format, FormatOptions};
use crate::types::Field;

const DEFAULT_FILE_SIZE: u64 = 128 << 20;

pub(super) struct FileSink {
    folder: PathBuf,
    shape: Arc<Shape>,
}

/// What all writers of a sink share.
pub(super) struct Shape {
    pub(super) format: &'static dyn Format,
    pub(super) format_name: String,
    pub(super) options: FormatOptions,
    pub(super) fields: Vec<Field>,
    pub(super) schema: SchemaRef,
    pub(super) max_bytes: u64,
    identity: String,
}

impl FileSink {
    pub(super) fn new(table: &TableRef, context: &ConnectorContext) -> Result<Self> {
        let options = Options(&table.options);
        let format_name = options.required("format")?;
        let format = format::find(format_name);
        let format = format
            .ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{format_name}'.")))?;
        let columns = table.write_columns();
        let schema = table.schema_of(&columns);
        let folder = path::of_option(options.required("path")?)?;
        let shape = Shape {
            format,
            format_name: format_name.to_owned(),
            options: FormatOptions::of_table(&table.options, "", format_name),
            schema: schema.to_arrow(),
            fields: schema.fields,
            max_bytes: options.memory("sink.rolling-policy.file-size")?.unwrap_or(DEFAULT_FILE_SIZE),
            identity: file_safe(&context.identity),
        };
        if context.read_only {
            return Err(EngineError::internal("a preview must not open a sink"));
        }
        Ok(FileSink { folder: path::folder_to_write(&folder, &context.file_roots)?, shape: Arc::new(shape) })
    }
}

impl Sink for FileSink {
    fn accepts(&self) -> Accepts {
        if self.shape.format.changelog() { Accepts::Retract } else { Accepts::Append }
    }

    fn guarantee(&self) -> Guarantee {
        let reason = "Files get their names when the checkpoint is durable.".to_owned();
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason }
    }

    fn writer(&self, task: usize, _tasks: usize, restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let mut restored_parts = Vec::new();
        for bytes in restored.iter().filter(|bytes| !bytes.is_empty()) {
            let parts: Vec<Part> = serde_json::from_slice(bytes).map_err(|error| {
                EngineError::internal("the stored state of a file sink cannot be read").with_detail(error)
            })?;
            restored_parts.extend(parts);
        }
        // The checkpoint that named these parts is durable: finish what may have been interrupted.
        publish(&self.folder, &restored_parts)?;
        Ok(Box::new(FileWriter {
            folder: self.folder.clone(),
            shape: Arc::clone(&self.shape),
            task,
            next_part: 0,
            open: None,
            finished: Vec::new(),
            prepared: VecDeque::new(),
            cleaned: false,
        }))
    }
}

struct FileWriter {
    folder: PathBuf,
    shape: Arc<Shape>,
    task: usize,
    next_part: u64,
    open: Option<PartWriter>,
    /// Closed since the last barrier.
    finished: Vec<Part>,
    /// Waiting for their checkpoint to be durable.
    prepared: VecDeque<(u64, Vec<Part>)>,
    cleaned: bool,
}

impl FileWriter {
    fn finish_open(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            self.finished.push(open.finish()?);
        }
        Ok(())
    }
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let open = match &mut self.open {
            Some(open) => open,
            slot => {
                let extension =
                    if self.shape.format_name == PARQUET { PARQUET } else { extension(&self.shape.format_name) };
                let name = PartName {
                    identity: &self.shape.identity,
                    attempt: attempt(),
                    task: self.task,
                    number: self.next_part,
                    extension,
                };
                self.next_part += 1;
                slot.insert(PartWriter::create(&self.folder, &name, &self.shape)?)
            }
        };
        open.write(batch)?;
        if open.bytes() >= self.shape.max_bytes {
            self.finish_open()?;
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<()> {
        Ok(())
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        self.finish_open()?;
        if !self.finished.is_empty() {
            self.prepared.push_back((checkpoint, std::mem::take(&mut self.finished)));
        }
        // A part stays in the state until it was published, also over several checkpoints.
        let parts: Vec<&Part> = self.prepared.iter().flat_map(|(_, parts)| parts).collect();
        if !parts.is_empty() {
            sync_folder(&self.folder)?;
        }
        serde_json::to_vec(&parts)
            .map_err(|error| EngineError::internal("a sink's state cannot be written").with_detail(error))
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        while let Some((number, parts)) = self.prepared.front() {
            if *number > checkpoint {
                break;
            }
            publish(&self.folder, parts)?;
            self.prepared.pop_front();
        }
        if !self.cleaned && self.task == 0 {
            remove_leftovers(&self.folder, &self.shape.identity)?;
            self.cleaned = true;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.finish_open()?;
        let rest = std::mem::take(&mut self.finished);
        publish(&self.folder, &rest)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        // What belongs to no checkpoint is of no use to anybody.
        let open = self.open.take().map(PartWriter::into_hidden_path);
        let finished = self.finished.iter().map(|part| self.folder.join(&part.hidden));
        for hidden in open.into_iter().chain(finished) {
            let _ = std::fs::remove_file(hidden);
        }
    }
}

/// Gives parts their final names. Doing it again does nothing.
fn publish(folder: &Path, parts: &[Part]) -> Result<()> {
    for part in parts {
        let (hidden, last) = (folder.join(&part.hidden), folder.join(&part.name));
        match std::fs::rename(&hidden, &last) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && last.exists() => {}
            Err(error) => return Err(path::failed("published", &last, &error)),
        }
    }
    if parts.is_empty() { Ok(()) } else { sync_folder(folder) }
}

fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|handle| handle.sync_all());
    synced.map_err(|error| path::failed("synchronised", folder, &error))
}

/// Removes hidden parts of this job that an earlier attempt left. All restored parts were published before.
fn remove_leftovers(folder: &Path, identity: &str) -> Result<()> {
    let prefix = PartName::hidden_prefix(identity);
    let own = format!("{prefix}{}-", attempt());
    let entries = std::fs::read_dir(folder).map_err(|error| path::failed("listed", folder, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && !name.starts_with(&own) {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(file = %entry.path().display(), %error, "a leftover part cannot be removed");
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Tells the files of this process from those of earlier attempts.
fn attempt() -> &'static str {
    static ATTEMPT: OnceLock<String> = OnceLock::new();
    ATTEMPT.get_or_init(|| uuid::Uuid::now_v7().simple().to_string())
}

fn extension(format: &str) -> &str {
    match format {
        "csv" => "csv",
        "raw" => "txt",
        _ => "json",
    }
}

fn file_safe(identity: &str) -> String {
    identity.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' }).collect()
}

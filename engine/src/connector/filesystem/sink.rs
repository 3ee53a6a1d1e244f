//! Rows into part files that appear when their checkpoint is durable.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use millrace_wire::graph::{DeliveryGuarantee, Guarantee};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::super::option::Options;
use super::super::{Accepts, ConnectorContext, OVERWRITE, Sink, SinkWriter};
use super::commit::{CommitBoard, CommitRules, Now, Pending, PendingPartitions, mark};
use super::overwrite::Replacement;
use super::part::{Part, PartName, PartWriter};
use super::partition::{Partitions, Values};
use super::split::split;
use super::{AVRO, PARQUET, path};
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::{self, Format, FormatOptions};
use crate::time::{END_OF_TIME, NO_WATERMARK};
use crate::types::Field;

const DEFAULT_FILE_SIZE: u64 = 128 << 20;
const DEFAULT_ROLLOVER: Duration = Duration::from_secs(30 * 60);

pub(super) struct FileSink {
    folder: PathBuf,
    shape: Arc<Shape>,
    board: Mutex<Option<Arc<CommitBoard>>>,
    overwrites: bool,
    replacement: Mutex<Option<Arc<Replacement>>>,
}

/// What all writers of a sink share.
pub(super) struct Shape {
    pub(super) format: &'static dyn Format,
    pub(super) format_name: String,
    pub(super) options: FormatOptions,
    /// What stands in the files.
    pub(super) fields: Vec<Field>,
    pub(super) schema: SchemaRef,
    /// Places of these fields, and of the partition columns, among the columns written.
    pub(super) in_file: Vec<usize>,
    pub(super) in_folder: Vec<usize>,
    pub(super) partitions: Partitions,
    commit: Option<CommitRules>,
    roll: Roll,
    roots: Vec<PathBuf>,
    identity: String,
}

/// When a part ends before the checkpoint does.
struct Roll {
    bytes: u64,
    age: Duration,
    silence: Duration,
}

impl FileSink {
    pub(super) fn new(table: &TableRef, context: &ConnectorContext) -> Result<Self> {
        let options = Options(&table.options);
        let format_name = options.required("format")?;
        let format = format::find(format_name);
        let format = format
            .ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{format_name}'.")))?;
        let columns = table.write_columns();
        let partitions = Partitions::of_table(table);
        let name = |place: &usize| columns.get(*place).and_then(|index| Some(table.columns.get(*index)?.name.as_str()));
        let in_file: Vec<usize> =
            (0..columns.len()).filter(|place| !name(place).is_some_and(|name| partitions.has(name))).collect();
        let place_of = |key: &usize| columns.iter().position(|column| column == key);
        let in_folder: Vec<usize> = table.partition_keys.iter().filter_map(place_of).collect();
        let kept: Vec<usize> = in_file.iter().filter_map(|place| columns.get(*place).copied()).collect();
        let schema = table.schema_of(&kept);
        let folder = path::of_option(options.required("path")?)?;
        let age = options.duration("sink.rolling-policy.rollover-interval")?.unwrap_or(DEFAULT_ROLLOVER);
        let shape = Shape {
            format,
            format_name: format_name.to_owned(),
            options: FormatOptions::of_table(&table.options, "", format_name),
            schema: schema.to_arrow(),
            fields: schema.fields,
            in_file,
            in_folder,
            partitions,
            commit: CommitRules::of_table(table)?,
            roll: Roll {
                bytes: options.memory("sink.rolling-policy.file-size")?.unwrap_or(DEFAULT_FILE_SIZE),
                age,
                silence: options.duration("sink.rolling-policy.inactivity-interval")?.unwrap_or(DEFAULT_ROLLOVER),
            },
            roots: context.file_roots.clone(),
            identity: file_safe(&context.identity),
        };
        if context.read_only {
            return Err(EngineError::internal("a preview must not open a sink"));
        }
        // Made with the first writer: who only plans leaves nothing behind.
        let folder = path::folder_allowed(&folder, &context.file_roots)?;
        Ok(FileSink {
            folder,
            shape: Arc::new(shape),
            board: Mutex::new(None),
            overwrites: table.options.contains_key(OVERWRITE),
            replacement: Mutex::new(None),
        })
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

    fn writer(&self, task: usize, tasks: usize, restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let folder = path::folder_to_write(&self.folder, &self.shape.roots)?;
        let mut restored_parts = Vec::new();
        let mut pending = PendingPartitions::default();
        for bytes in restored.iter().filter(|bytes| !bytes.is_empty()) {
            let kept: Kept = serde_json::from_slice(bytes).map_err(|error| {
                EngineError::internal("the stored state of a file sink cannot be read").with_detail(error)
            })?;
            let kept = kept.into_now();
            restored_parts.extend(kept.parts);
            pending.restore(kept.partitions);
        }
        let replacement = self.overwrites.then(|| {
            let fresh = || Replacement::new(tasks, !self.shape.in_folder.is_empty(), &self.shape.identity);
            Arc::clone(self.replacement.lock().get_or_insert_with(|| Arc::new(fresh())))
        });
        let mut prepared = VecDeque::new();
        if replacement.is_some() {
            prepared.push_back((0, restored_parts));
        } else {
            // The checkpoint that named these parts is durable: finish what may have been interrupted.
            publish(&folder, &restored_parts)?;
        }
        let board = Arc::clone(self.board.lock().get_or_insert_with(|| Arc::new(CommitBoard::new(tasks))));
        Ok(Box::new(FileWriter {
            folder,
            shape: Arc::clone(&self.shape),
            board,
            task,
            open: BTreeMap::new(),
            finished: Vec::new(),
            prepared,
            replacement,
            pending,
            watermark: NO_WATERMARK,
            cleaned: false,
        }))
    }
}

/// What a checkpoint keeps; before there were partitions, only the parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Now(KeptNow),
    Before(Vec<Part>),
}

#[derive(Default, Serialize, Deserialize)]
struct KeptNow {
    parts: Vec<Part>,
    partitions: BTreeMap<String, Pending>,
}

impl Kept {
    fn into_now(self) -> KeptNow {
        match self {
            Self::Now(kept) => kept,
            Self::Before(parts) => KeptNow { parts, ..KeptNow::default() },
        }
    }
}

struct OpenPart {
    writer: PartWriter,
    since: Instant,
    touched: Instant,
}

struct FileWriter {
    folder: PathBuf,
    shape: Arc<Shape>,
    board: Arc<CommitBoard>,
    task: usize,
    /// By the folder of the partition, relative to the table's.
    open: BTreeMap<String, OpenPart>,
    /// Closed since the last barrier.
    finished: Vec<Part>,
    /// Waiting for their checkpoint to be durable.
    prepared: VecDeque<(u64, Vec<Part>)>,
    /// With it, parts wait for the end of the input.
    replacement: Option<Arc<Replacement>>,
    pending: PendingPartitions,
    watermark: i64,
    cleaned: bool,
}

impl FileWriter {
    fn finish_open(&mut self, is_over: impl Fn(&OpenPart) -> bool) -> Result<()> {
        let over: Vec<String> =
            self.open.iter().filter(|(_, open)| is_over(open)).map(|(folder, _)| folder.clone()).collect();
        for folder in over {
            if let Some(open) = self.open.remove(&folder) {
                self.finished.push(open.writer.finish()?);
            }
        }
        Ok(())
    }

    fn roll(&mut self) -> Result<()> {
        let roll = Arc::clone(&self.shape);
        let roll = &roll.roll;
        self.finish_open(|open| {
            open.writer.bytes() >= roll.bytes
                || open.since.elapsed() >= roll.age
                || open.touched.elapsed() >= roll.silence
        })
    }

    fn write_to(&mut self, values: &Values, batch: &ChangeBatch) -> Result<()> {
        let folder = self.shape.partitions.folder(values);
        if self.shape.commit.is_some() {
            self.pending.saw(&folder, values, clock_ms());
        }
        if !self.open.contains_key(&folder) {
            if !folder.is_empty() {
                path::folder_to_write(&self.folder.join(&folder), &self.shape.roots)?;
            }
            let name = PartName {
                folder: &folder,
                identity: &self.shape.identity,
                attempt: attempt(),
                task: self.task,
                number: next_part(),
                extension: extension(&self.shape.format_name),
            };
            let writer = PartWriter::create(&self.folder, &name, &self.shape)?;
            let now = Instant::now();
            self.open.insert(folder.clone(), OpenPart { writer, since: now, touched: now });
        }
        if let Some(open) = self.open.get_mut(&folder) {
            open.writer.write(batch)?;
            open.touched = Instant::now();
        }
        Ok(())
    }

    fn mark(&self, partitions: &BTreeSet<String>) -> Result<()> {
        match &self.shape.commit {
            Some(rules) => mark(&self.folder, partitions, rules),
            None => Ok(()),
        }
    }
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let shape = Arc::clone(&self.shape);
        for (values, rows) in split(batch, &shape.in_folder, &shape.in_file)? {
            self.write_to(&values, &rows)?;
        }
        self.roll()
    }

    fn poll(&mut self) -> Result<()> {
        self.roll()
    }

    fn watermark(&mut self, watermark: i64) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        Ok(())
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        self.finish_open(|_| true)?;
        if !self.finished.is_empty() {
            self.prepared.push_back((checkpoint, std::mem::take(&mut self.finished)));
        }
        if let Some(rules) = &self.shape.commit {
            let now = Now { clock_ms: clock_ms(), watermark: self.watermark };
            self.pending.settle(checkpoint, rules, &self.shape.partitions, now)?;
        }
        // A part stays in the state until it was published, also over several checkpoints.
        let parts: Vec<Part> = self.prepared.iter().flat_map(|(_, parts)| parts).cloned().collect();
        sync_folders(&self.folder, &parts)?;
        serde_json::to_vec(&KeptNow { parts, partitions: self.pending.kept() })
            .map_err(|error| EngineError::internal("a sink's state cannot be written").with_detail(error))
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        if self.replacement.is_some() {
            return Ok(());
        }
        while let Some((number, parts)) = self.prepared.front() {
            if *number > checkpoint {
                break;
            }
            publish(&self.folder, parts)?;
            self.prepared.pop_front();
        }
        if self.shape.commit.is_some() {
            let due = self.pending.take_due(checkpoint);
            self.mark(&self.board.report(self.task, checkpoint, due))?;
        }
        if !self.cleaned && self.task == 0 {
            remove_leftovers(&self.folder, &self.shape.identity)?;
            self.cleaned = true;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.finish_open(|_| true)?;
        let ended = self.watermark == END_OF_TIME;
        match &self.replacement {
            None => publish(&self.folder, &std::mem::take(&mut self.finished))?,
            Some(replacement) if ended => {
                let prepared = std::mem::take(&mut self.prepared).into_iter().flat_map(|(_, parts)| parts);
                let parts: Vec<Part> = prepared.chain(std::mem::take(&mut self.finished)).collect();
                sync_folders(&self.folder, &parts)?;
                replacement.close(&self.folder, parts)?;
            }
            // Stopped: what was prepared is in the state, the rest comes again.
            Some(_) => return Ok(()),
        }
        // Only when the input has really ended is every partition whole.
        let finished = if ended { self.pending.take_all() } else { BTreeSet::new() };
        self.mark(&self.board.close(self.task, finished))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        // What belongs to no checkpoint is of no use to anybody.
        let open = std::mem::take(&mut self.open).into_values().map(|open| open.writer.into_hidden_path());
        let finished = self.finished.iter().map(|part| self.folder.join(&part.hidden));
        for hidden in open.chain(finished) {
            let _ = std::fs::remove_file(hidden);
        }
    }
}

fn clock_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Gives parts their final names. Doing it again does nothing.
pub(super) fn publish(folder: &Path, parts: &[Part]) -> Result<()> {
    for part in parts {
        let (hidden, last) = (folder.join(&part.hidden), folder.join(&part.name));
        match std::fs::rename(&hidden, &last) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && last.exists() => {}
            Err(error) => return Err(path::failed("published", &last, &error)),
        }
    }
    sync_folders(folder, parts)
}

/// Those of the parts.
fn sync_folders(folder: &Path, parts: &[Part]) -> Result<()> {
    let folders: BTreeSet<PathBuf> =
        parts.iter().filter_map(|part| folder.join(&part.name).parent().map(Path::to_owned)).collect();
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|handle| handle.sync_all());
    synced.map_err(|error| path::failed("synchronised", folder, &error))
}

/// Removes hidden parts of this job that an earlier attempt left. All restored parts were published before.
pub(super) fn remove_leftovers(folder: &Path, identity: &str) -> Result<()> {
    let prefix = PartName::hidden_prefix(identity);
    let own = format!("{prefix}{}-", attempt());
    let entries = std::fs::read_dir(folder).map_err(|error| path::failed("listed", folder, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains('=') && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_leftovers(&entry.path(), identity)?;
        }
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

/// Several sinks of a process may write into one folder.
fn next_part() -> u64 {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    PARTS.fetch_add(1, Relaxed)
}

fn extension(format: &str) -> &str {
    match format {
        PARQUET | AVRO | "csv" => format,
        "raw" => "txt",
        _ => "json",
    }
}

fn file_safe(identity: &str) -> String {
    identity.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' }).collect()
}

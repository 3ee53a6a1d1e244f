//! Reads the files of a task one after the other, batch by batch.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use super::super::dead_letter::DeadLetterFile;
use super::super::waiting::rest;
use super::super::{SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use super::avro::{AvroFile, AvroOpener};
use super::facts::FileFacts;
use super::parquet::{ParquetFile, ParquetOpener};
use super::partition::FileColumns;
use super::path;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::bad_record::{BadRecords, OnError, RecordOrigin};
use crate::format::bad_record_queue::TableInbox;
use crate::format::{BadRecord, Decoder, Format, FormatOptions, Framing, RECORD_LIMIT};

/// Read from the disk at once.
const CHUNK: usize = 1 << 20;
/// A batch ends after so much text, so that memory stays bounded with wide rows.
const BATCH_BYTES: usize = 8 << 20;

/// What all readers of a source share.
pub(super) struct Opener {
    /// Of formats that are no sequence of records.
    pub(super) whole: Option<WholeFiles>,
    pub(super) columns: FileColumns,
    pub(super) format: &'static dyn Format,
    pub(super) format_options: FormatOptions,
    pub(super) on_error: OnError,
    pub(super) inbox: Option<Arc<TableInbox>>,
    pub(super) dead_letters: Option<PathBuf>,
    pub(super) roots: Vec<PathBuf>,
    pub(super) batch_rows: usize,
    pub(super) bounded: bool,
    /// The files that were there when the folder was looked at last.
    pub(super) listing: Mutex<Arc<[SplitId]>>,
}

pub(super) enum WholeFiles {
    Parquet(ParquetOpener),
    Avro(AvroOpener),
}

impl Opener {
    fn bad_records(&self) -> Result<BadRecords> {
        let policy = match (self.on_error, &self.dead_letters) {
            (OnError::Fail, _) => BadRecords::failing(),
            (OnError::DeadLetter, Some(file)) => {
                BadRecords::dead_lettering(Box::new(DeadLetterFile::open(file, &self.roots)?))
            }
            (OnError::Skip | OnError::DeadLetter, _) => BadRecords::skipping(),
        };
        Ok(policy.kept_in(self.inbox.clone()))
    }
}

pub(super) struct FileReader {
    opener: Arc<Opener>,
    decoder: Option<Box<dyn Decoder>>,
    bad: BadRecords,
    waiting: VecDeque<(SplitId, Place)>,
    open: Option<OpenFile>,
    /// Files that were read to their end; kept in positions so that they are not read again, for as long as they are
    /// in the folder.
    done: Vec<(SplitId, Place)>,
    /// The listing by which `done` was cleaned up last.
    listing: Arc<[SplitId]>,
}

/// How far a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Byte of a text file, row of a Parquet or Avro file.
    next: u64,
    size: u64,
    done: bool,
}

struct OpenFile {
    split: SplitId,
    facts: FileFacts,
    place: Place,
    body: Body,
}

enum Body {
    Text(TextFile),
    Parquet(Box<ParquetFile>),
    Avro(Box<AvroFile>),
}

struct TextFile {
    file: File,
    framing: Framing,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    at: usize,
    ended: bool,
    /// The first line names the fields and is no record.
    header: bool,
}

impl FileReader {
    pub(super) fn new(opener: Arc<Opener>, splits: Vec<SplitStart>) -> Result<Self> {
        let bad = opener.bad_records()?;
        let decoder = match opener.whole {
            Some(_) => None,
            None => {
                let columns = &opener.columns;
                Some(opener.format.decoder(&columns.fields, &columns.wanted, &opener.format_options)?)
            }
        };
        let listing = Arc::clone(&opener.listing.lock());
        let (waiting, done) = (VecDeque::new(), Vec::new());
        let mut reader = FileReader { opener, decoder, bad, waiting, open: None, done, listing };
        reader.add_splits(splits)?;
        Ok(reader)
    }

    /// Forgets finished files that are gone from a watched folder, so that positions do not grow for ever.
    fn forget_gone(&mut self) {
        let listing = Arc::clone(&self.opener.listing.lock());
        if self.opener.bounded || Arc::ptr_eq(&listing, &self.listing) {
            return;
        }
        let there: HashSet<&str> = listing.iter().map(|split| &**split).collect();
        self.done.retain(|(split, _)| there.contains(&**split));
        self.listing = listing;
    }

    fn finish(&mut self, split: SplitId, place: Place) -> SourceEvent {
        self.done.push((Arc::clone(&split), Place { done: true, ..place }));
        self.forget_gone();
        SourceEvent::SplitEnd { split }
    }

    fn open(&self, split: SplitId, mut place: Place) -> Result<OpenFile> {
        let named = Path::new(&*split);
        let real = path::existing(named, &self.opener.roots)?;
        let file = File::open(&real).map_err(|error| path::failed("opened", named, &error))?;
        let metadata = file.metadata().map_err(|error| path::failed("read", named, &error))?;
        let partition = self.opener.columns.partitions.of_file(named).unwrap_or_default();
        let facts = FileFacts::new(named, &metadata, partition);
        if let Some(whole) = &self.opener.whole {
            let body = match whole {
                WholeFiles::Parquet(parquet) => {
                    let opened = parquet.open(file, place.next, self.opener.batch_rows, named)?;
                    place.size = opened.rows();
                    Body::Parquet(Box::new(opened))
                }
                WholeFiles::Avro(avro) => {
                    Body::Avro(Box::new(avro.open(file, place.next, self.opener.batch_rows, named)?))
                }
            };
            return Ok(OpenFile { split, facts, place, body });
        }
        place.size = metadata.len();
        let mut file = file;
        file.seek(SeekFrom::Start(place.next)).map_err(|error| path::failed("read", named, &error))?;
        let text = TextFile {
            file,
            framing: self.opener.format.framing(&self.opener.format_options),
            buffer: Vec::new(),
            at: 0,
            ended: false,
            header: place.next == 0 && self.opener.format_options.is_true("header"),
        };
        Ok(OpenFile { split, facts, place, body: Body::Text(text) })
    }
}

/// What is left of a file that cannot be read follows the policy as one record without bytes; other errors stay.
fn leave_out(bad: &mut BadRecords, split: &str, place: Place, error: EngineError) -> Result<()> {
    if error.code != "bad_record" || bad.fails() {
        return Err(error);
    }
    let offset = i64::try_from(place.next).unwrap_or(i64::MAX);
    let origin = RecordOrigin { split, offset, key: None, value: None };
    let message = error.message.trim_end_matches('.');
    bad.handle(&origin, &BadRecord(format!("{message}; the rest of the file is left out")))?;
    bad.flush()
}

impl SourceReader for FileReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        if self.open.is_none() {
            let Some((split, place)) = self.waiting.pop_front() else {
                if self.opener.bounded {
                    return Ok(SourceEvent::End);
                }
                self.forget_gone();
                rest(wait);
                return Ok(SourceEvent::Idle);
            };
            match self.open(Arc::clone(&split), place) {
                Ok(open) => self.open = Some(open),
                Err(error) => {
                    leave_out(&mut self.bad, &split, place, error)?;
                    return Ok(self.finish(split, place));
                }
            }
        }
        let Some(open) = &mut self.open else { return Ok(SourceEvent::Idle) };
        let before = open.place.next;
        let read = match (&mut open.body, &mut self.decoder) {
            (Body::Text(text), Some(decoder)) => {
                let mut batches = TextBatches { opener: &self.opener, decoder: &mut **decoder, bad: &mut self.bad };
                batches.next(&open.split, &open.facts, &mut open.place, text)
            }
            (Body::Parquet(file), _) => file.next(&self.opener.columns, &open.facts, &mut open.place.next),
            (Body::Avro(file), _) => {
                file.next(&open.split, &self.opener.columns, &open.facts, &mut self.bad, &mut open.place.next)
            }
            (Body::Text(_), None) => return Err(EngineError::internal("a text file has no decoder")),
        };
        let batch = match read {
            Ok(batch) => batch,
            Err(error) if matches!(open.body, Body::Text(_)) => return Err(error),
            Err(error) => {
                leave_out(&mut self.bad, &open.split, open.place, error)?;
                None
            }
        };
        if let Some(batch) = batch {
            let bytes = match &open.body {
                Body::Text(_) => open.place.next - before,
                Body::Parquet(_) | Body::Avro(_) => batch.bytes() as u64,
            };
            return Ok(SourceEvent::Batch { split: Arc::clone(&open.split), batch, bytes });
        }
        let (split, place) = (Arc::clone(&open.split), open.place);
        self.open = None;
        Ok(self.finish(split, place))
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        let open = self.open.iter().map(|open| (&open.split, &open.place));
        let rest = self.waiting.iter().chain(&self.done).map(|(split, place)| (split, place));
        open.chain(rest).map(|(split, place)| (Arc::clone(split), place.to_position())).collect()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        for start in splits {
            let place = match start.position {
                Some(position) => Place::from_position(&position)?,
                None => Place::default(),
            };
            if place.done {
                self.done.push((start.split, place));
            } else {
                self.waiting.push_back((start.split, place));
            }
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        let open = self.open.iter().map(|open| (&open.split, open.place));
        let waiting = self.waiting.iter().map(|(split, place)| (split, *place));
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let lag = |(split, place): (&SplitId, Place)| SplitLag {
            split: Arc::clone(split),
            position: number(place.next),
            end: (place.size > 0).then(|| number(place.size)),
        };
        open.chain(waiting).map(lag).collect()
    }

    fn bad_records(&self) -> u64 {
        self.bad.count()
    }
}

impl Place {
    fn to_position(self) -> SplitPosition {
        SplitPosition(json!({ "next": self.next, "done": self.done }))
    }

    fn from_position(position: &SplitPosition) -> Result<Self> {
        let next = position.0.get("next").and_then(serde_json::Value::as_u64);
        let done = position.0.get("done").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let next = next.ok_or_else(|| EngineError::internal("a stored position of a file cannot be read"))?;
        Ok(Place { next, size: 0, done })
    }
}

/// Frames and decodes records until a batch is full.
struct TextBatches<'a> {
    opener: &'a Opener,
    decoder: &'a mut dyn Decoder,
    bad: &'a mut BadRecords,
}

impl TextBatches<'_> {
    /// `None` at the end of the file.
    fn next(
        &mut self,
        split: &str,
        facts: &FileFacts,
        place: &mut Place,
        text: &mut TextFile,
    ) -> Result<Option<ChangeBatch>> {
        let first = place.next;
        let bad_before = self.bad.count();
        while self.decoder.rows() < self.opener.batch_rows && place.next - first < BATCH_BYTES as u64 {
            let Some(frame) = text.framing.frame(&text.buffer, text.at, text.ended) else {
                if text.ended {
                    break;
                }
                text.fill(split)?;
                continue;
            };
            let record = text.buffer.get(frame.start..frame.end).unwrap_or_default();
            if std::mem::take(&mut text.header) {
                // The names of the fields.
            } else if let Err(bad) = self.decoder.push(record) {
                let offset = i64::try_from(place.next).unwrap_or(i64::MAX);
                self.bad.handle(&RecordOrigin { split, offset, key: None, value: Some(record) }, &bad)?;
            }
            place.next += (frame.next - text.at) as u64;
            text.at = frame.next;
        }
        if self.bad.count() > bad_before {
            self.bad.flush()?;
        }
        let rows = self.decoder.rows();
        if rows == 0 && text.ended && text.at >= text.buffer.len() {
            return Ok(None);
        }
        self.opener.columns.batch(facts, rows, self.decoder.finish()?).map(Some)
    }
}

impl TextFile {
    /// Reads on, after moving the unread rest to the front.
    fn fill(&mut self, split: &str) -> Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.buffer.len() > RECORD_LIMIT {
            return Err(EngineError::user("bad_record", format!("The file {split} has a record of more than 64 MB.")));
        }
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let space = self.buffer.get_mut(length..).unwrap_or_default();
        let read = self.file.read(space).map_err(|error| path::failed("read", Path::new(split), &error))?;
        self.buffer.truncate(length + read);
        self.ended = read == 0;
        Ok(())
    }
}

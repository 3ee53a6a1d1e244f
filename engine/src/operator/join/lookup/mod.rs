//! Rows meet what a table outside holds when they come: the table is asked by key.
//!
//! A batch becomes a piece: its rows, and the distinct keys that no cache knows. Keys are asked for in requests that run
//! on the connector's runtime, so many at a time; a piece whose keys are all answered is joined and leaves. Pieces leave
//! in the order they came, or as they are answered but never across a watermark. Rows that wait at a barrier belong to
//! the checkpoint and are asked for again after a restore.

mod cache;
mod full;
mod piece;
mod requests;
mod right;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;

use self::cache::Cache;
pub use self::full::FullTable;
use self::piece::{Entry, Piece};
use self::requests::{Request, Requests};
pub use self::right::{RightSide, RightStep};
use super::pairs::{Beside, Joined, Others};
use super::{JoinSpec, LEFT, both_sides, is_outer};
use crate::change::{ChangeBatch, RowKind};
use crate::connector::{Found, OpenLookup};
use crate::error::{EngineError, Result};
use crate::expr::Value;
use crate::operator::stored_rows::RowCodec;
use crate::operator::{CHUNK_ROWS, Operator, Output};
use crate::plan::logical::{LookupHint, LookupRetry};
use crate::state::{KeyEncoder, KeyedState, Reader, StateSize, write_bytes};

/// Rows of one piece at most: what one slow key holds back.
const PIECE_ROWS: usize = 512;
/// Rows that wait for answers, beyond which no more are taken.
const WAITING_ROWS: usize = 16_384;
/// How often a wait looks whether the run is over.
const LOOK: Duration = Duration::from_millis(20);

/// The rows of one key, as bytes of the right side.
pub(super) type Answer = Arc<[Arc<[u8]>]>;

/// Where the value of a key column comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    Left(usize),
    Constant(Value),
}

/// What the options of the table say.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupSettings {
    pub hint: LookupHint,
    pub cache: CacheMode,
    /// Requests that fail are made so many times again.
    pub max_retries: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheMode {
    None,
    Partial(PartialCache),
    Full { reload: Option<Duration> },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialCache {
    pub max_rows: Option<u64>,
    pub after_write: Option<Duration>,
    pub after_access: Option<Duration>,
    /// Keys without rows are kept too.
    pub missing: bool,
}

/// Figures of one task. Times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupFigures {
    pub hits: u64,
    pub misses: u64,
    pub entries: u64,
    pub bytes: u64,
    pub requests: u64,
    pub retries: u64,
    /// How long loading the whole table took, and when it was done, since 1970.
    pub load_ms: Option<u64>,
    pub loaded_at: Option<i64>,
}

pub struct LookupJoinSpec {
    pub join: JoinSpec,
    pub keys: Vec<KeySource>,
    /// Types of the key columns.
    pub key_schema: SchemaRef,
    pub open: OpenLookup,
    pub right: RightSide,
    pub settings: LookupSettings,
    /// The table itself, with [`CacheMode::Full`].
    pub full: Option<Arc<FullTable>>,
    /// A key hash of a group that this task holds.
    pub own_group: u64,
}

pub struct LookupJoin {
    spec: LookupJoinSpec,
    both: SchemaRef,
    encoder: KeyEncoder,
    left: RowCodec,
    right: RowCodec,
    cache: Option<Cache>,
    requests: Requests,
    entries: VecDeque<Entry>,
    /// Rows of a checkpoint that have not been taken up again.
    restored: Vec<(RowKind, Arc<[u8]>)>,
    rows: usize,
    pieces: u64,
    figures: LookupFigures,
    waited: Duration,
}

impl LookupJoin {
    pub fn new(spec: LookupJoinSpec) -> Result<Self> {
        let all: Vec<usize> = (0..spec.key_schema.fields().len()).collect();
        let cache = match &spec.settings.cache {
            CacheMode::Partial(partial) => Some(Cache::new(*partial)),
            CacheMode::None | CacheMode::Full { .. } => None,
        };
        Ok(LookupJoin {
            both: both_sides(&spec.join),
            encoder: KeyEncoder::new(&spec.key_schema, &all)?,
            left: RowCodec::new(&spec.join.left)?,
            right: RowCodec::new(&spec.join.right)?,
            cache,
            requests: Requests::new(&spec.open, &spec.settings),
            entries: VecDeque::new(),
            restored: Vec::new(),
            rows: 0,
            pieces: 0,
            figures: LookupFigures::default(),
            waited: Duration::ZERO,
            spec,
        })
    }

    /// The key columns of a batch.
    fn keys_of(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let column = |source: &KeySource| -> Result<ArrayRef> {
            match source {
                KeySource::Left(column) => Ok(Arc::clone(rows.column(*column))),
                KeySource::Constant(value) => Ok(value.0.to_array_of_size(rows.num_rows())?),
            }
        };
        let columns = self.spec.keys.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.spec.key_schema), columns, &options)?)
    }

    /// Queues the rows of a batch behind those that wait.
    fn take(&mut self, batch: &ChangeBatch) -> Result<()> {
        let full = self.spec.full.as_ref().map(|full| full.table()).transpose()?.flatten();
        let now = Instant::now();
        for start in (0..batch.len()).step_by(PIECE_ROWS) {
            let rows = batch.slice(start, PIECE_ROWS.min(batch.len() - start));
            let keys = self.keys_of(&rows.rows)?;
            self.pieces += 1;
            let mut piece = Piece::new(self.pieces, rows, &keys, &self.encoder)?;
            let mut unknown = Vec::new();
            for place in 0..piece.keys.len() {
                let known = match (&full, &mut self.cache) {
                    (Some(full), _) => Some(full.answer(&piece.keys[place])),
                    (None, Some(cache)) => cache.get(&piece.keys[place], now),
                    (None, None) => None,
                };
                match known {
                    Some(answer) => piece.answer(place, answer),
                    None => unknown.push(place as u32),
                }
            }
            if self.cache.is_some() || full.is_some() {
                self.figures.hits += (piece.keys.len() - unknown.len()) as u64;
                self.figures.misses += unknown.len() as u64;
            }
            for places in unknown.chunks(self.spec.open.lookup.keys_per_request().max(1)) {
                let rows = places.iter().map(|place| piece.first_row[*place as usize]);
                let keys = arrow::compute::take_record_batch(&keys, &rows.collect::<UInt32Array>())?;
                let places = places.to_vec();
                self.requests.ask(Request { piece: piece.number, places, keys, attempt: 0, delay: Duration::ZERO });
            }
            self.rows += piece.batch.len();
            self.entries.push_back(Entry::Piece(piece));
        }
        Ok(())
    }

    /// Takes the answers that have come; with `wait`, at least one if any is on its way.
    fn answers(&mut self, wait: Duration) -> Result<bool> {
        let mut came = false;
        while let Some((request, result)) = self.requests.answered(if came { Duration::ZERO } else { wait }) {
            came = true;
            let found = result?;
            self.answered(request, &found)?;
        }
        Ok(came)
    }

    fn answered(&mut self, request: Request, found: &Found) -> Result<()> {
        let by_key = self.spec.right.by_key(found, request.keys.num_rows())?;
        let mut missed: Vec<u32> = Vec::new();
        let retry = self.spec.settings.hint.retry;
        let now = Instant::now();
        let is_number = |entry: &&mut Entry| matches!(entry, Entry::Piece(piece) if piece.number == request.piece);
        let Some(Entry::Piece(piece)) = self.entries.iter_mut().find(is_number) else { return Ok(()) };
        for (index, place) in request.places.iter().enumerate() {
            let (answer, there) = &by_key[index];
            if let Some(LookupRetry { attempts, .. }) = retry.filter(|_| !there)
                && request.attempt < attempts
            {
                missed.push(index as u32);
                continue;
            }
            if let Some(cache) = &mut self.cache {
                cache.put(&piece.keys[*place as usize], answer, now);
            }
            piece.answer(*place as usize, Arc::clone(answer));
        }
        if let Some(retry) = retry.filter(|_| !missed.is_empty()) {
            let places = missed.iter().filter_map(|index| request.places.get(*index as usize).copied()).collect();
            let keys = arrow::compute::take_record_batch(&request.keys, &UInt32Array::from(missed))?;
            let attempt = request.attempt + 1;
            self.requests.ask(Request { piece: request.piece, places, keys, attempt, delay: retry.delay });
        }
        Ok(())
    }

    /// Gives what may leave.
    fn leave(&mut self, out: &mut dyn Output) -> Result<()> {
        loop {
            match self.entries.front() {
                Some(Entry::Piece(piece)) if !piece.is_answered() => break,
                None => break,
                Some(_) => {}
            }
            match self.entries.pop_front() {
                Some(Entry::Piece(piece)) => self.give(&piece, out)?,
                Some(Entry::Watermark(watermark)) => out.watermark(watermark)?,
                Some(Entry::Idle) => out.idle_input()?,
                None => {}
            }
        }
        if self.spec.settings.hint.unordered {
            let mut at = 0;
            while let Some(Entry::Piece(piece)) = self.entries.get(at) {
                if !piece.is_answered() {
                    at += 1;
                } else if let Some(Entry::Piece(piece)) = self.entries.remove(at) {
                    self.give(&piece, out)?;
                }
            }
        }
        Ok(())
    }

    fn give(&mut self, piece: &Piece, out: &mut dyn Output) -> Result<()> {
        self.rows -= piece.batch.len();
        let mut others = Others::default();
        let ranges: Vec<std::ops::Range<usize>> = piece
            .answers()
            .map(|rows| {
                let start = others.rows.len();
                others.rows.extend(rows.iter().cloned());
                start..others.rows.len()
            })
            .collect();
        let range = |key: &Option<u32>| key.and_then(|key| ranges.get(key as usize).cloned()).unwrap_or(0..0);
        others.of_row.extend(piece.key_of.iter().map(range));
        let beside = Beside::new(&piece.batch.rows, &others, &self.right, true)?;
        let matching = beside.matching(&others, self.spec.join.condition.as_ref(), &self.both)?;
        let mut joined = Joined::default();
        let mut pair = 0;
        for (row, range) in others.of_row.iter().enumerate() {
            let (kind, mut met) = (piece.batch.kind(row), false);
            for other in range.clone() {
                if matching.as_ref().is_none_or(|matching| matching[pair]) {
                    met = true;
                    joined.push(kind, Some(row as u32), Some(other as u32), 1);
                }
                pair += 1;
            }
            if !met && is_outer(self.spec.join.kind, LEFT) {
                joined.push(kind, Some(row as u32), None, 1);
            }
        }
        joined.give(&beside, &self.spec.join.output, out)
    }

    /// Waits until no more than so many rows wait for answers.
    fn wait(&mut self, rows: usize, out: &mut dyn Output) -> Result<()> {
        self.answers(Duration::ZERO)?;
        self.leave(out)?;
        let since = Instant::now();
        while self.rows > rows && !self.requests.is_idle() {
            if out.cancelled() {
                return Err(EngineError { code: "cancelled", ..EngineError::internal("the run was cancelled") });
            }
            self.answers(LOOK)?;
            self.leave(out)?;
        }
        self.waited += since.elapsed();
        Ok(())
    }

    /// Before anything else: the table that is loaded whole, and the rows that waited when the checkpoint was taken.
    fn begin(&mut self, out: &mut dyn Output) -> Result<()> {
        if let Some(full) = &self.spec.full {
            let since = Instant::now();
            while full.table()?.is_none() {
                if out.cancelled() {
                    return Err(EngineError { code: "cancelled", ..EngineError::internal("the run was cancelled") });
                }
                full.wait(LOOK);
            }
            self.waited += since.elapsed();
        }
        for rows in std::mem::take(&mut self.restored).chunks(CHUNK_ROWS) {
            let columns = self.left.decode(rows.iter().map(|(_, row)| &**row))?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&self.spec.join.left), columns, &options)?;
            self.take(&ChangeBatch::with_kinds(batch, rows.iter().map(|(kind, _)| *kind).collect()))?;
        }
        Ok(())
    }
}

impl Operator for LookupJoin {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        self.begin(out)?;
        self.take(&batch)?;
        self.wait(WAITING_ROWS, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.begin(out)?;
        match self.entries.back_mut() {
            Some(Entry::Watermark(last)) => *last = watermark,
            _ => self.entries.push_back(Entry::Watermark(watermark)),
        }
        self.leave(out)
    }

    fn idle_input(&mut self, out: &mut dyn Output) -> Result<()> {
        self.entries.push_back(Entry::Idle);
        self.leave(out)
    }

    fn passes_time(&self) -> bool {
        false
    }

    fn waits(&self) -> bool {
        self.rows > 0 || !self.restored.is_empty()
    }

    fn poll(&mut self, out: &mut dyn Output) -> Result<()> {
        self.begin(out)?;
        self.wait(usize::MAX, out)
    }

    fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        self.begin(out)?;
        self.wait(0, out)
    }

    /// One key group of this task: kind and bytes of every row that waits, in order.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        let out = state.group(self.spec.own_group);
        for (kind, row) in &self.restored {
            out.push(*kind as u8);
            write_bytes(out, row);
        }
        for entry in &self.entries {
            let Entry::Piece(piece) = entry else { continue };
            let rows = self.left.encode(&piece.batch.rows)?;
            for row in 0..piece.batch.len() {
                out.push(piece.batch.kind(row) as u8);
                write_bytes(out, rows.row(row).data());
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let kind = RowKind::from_byte(reader.u8()?).ok_or_else(|| {
                    let message = "The state of a lookup join in the checkpoint is damaged.";
                    EngineError::external("checkpoint_corrupt", message).without_retry()
                })?;
                self.restored.push((kind, reader.bytes()?.into()));
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let bytes = |entry: &Entry| match entry {
            Entry::Piece(piece) => piece.batch.bytes() as u64,
            Entry::Watermark(_) | Entry::Idle => 0,
        };
        StateSize { rows: self.rows as u64, bytes: self.entries.iter().map(bytes).sum() }
    }

    fn lookup_figures(&self) -> Option<LookupFigures> {
        let (entries, bytes) = self.cache.as_ref().map_or((0, 0), Cache::size);
        let mut figures = LookupFigures {
            entries,
            bytes,
            requests: self.requests.made(),
            retries: self.requests.retries(),
            ..self.figures
        };
        if let Some(full) = &self.spec.full {
            full.figures(&mut figures);
        }
        Some(figures)
    }
}

//! `sink.buffer-flush.*`: rows of an upsert sink wait a while, and of each key only the last one is written.

use std::time::{Duration, Instant};

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use hashbrown::HashMap;

use super::super::SinkWriter;
use super::super::option::Options;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::state::KeyEncoder;

/// How much waits, and for how long at most.
#[derive(Clone)]
pub(super) struct Buffering {
    rows: usize,
    interval: Duration,
    /// Places of the primary key among the columns written.
    key: Vec<usize>,
}

impl Buffering {
    /// Both options make it so; neither means none. One alone is refused.
    pub(super) fn of_options(options: &Options<'_>) -> Result<Option<Self>> {
        let rows = options.count("sink.buffer-flush.max-rows")?.unwrap_or(0);
        let interval = options.duration("sink.buffer-flush.interval")?.unwrap_or_default();
        match (rows, interval.is_zero()) {
            (0, true) => Ok(None),
            (0, false) | (_, true) => {
                let message =
                    "'sink.buffer-flush.max-rows' and 'sink.buffer-flush.interval' have to be given together.";
                Err(EngineError::user("bad_option", message))
            }
            (rows, false) => {
                let rows = usize::try_from(rows).unwrap_or(usize::MAX);
                Ok(Some(Buffering { rows, interval, key: Vec::new() }))
            }
        }
    }

    #[must_use]
    pub(super) fn by(self, key: Vec<usize>) -> Self {
        Buffering { key, ..self }
    }
}

pub(super) struct BufferedWriter {
    below: Box<dyn SinkWriter>,
    buffering: Buffering,
    keys: Option<KeyEncoder>,
    waiting: Vec<ChangeBatch>,
    rows: usize,
    since: Instant,
}

impl BufferedWriter {
    pub(super) fn new(below: Box<dyn SinkWriter>, buffering: Buffering) -> Self {
        BufferedWriter { below, buffering, keys: None, waiting: Vec::new(), rows: 0, since: Instant::now() }
    }

    fn is_due(&self) -> bool {
        self.rows >= self.buffering.rows || self.rows > 0 && self.since.elapsed() >= self.buffering.interval
    }

    /// Writes the last row of each key.
    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.rows = 0;
        let Some(first) = waiting.first() else { return Ok(()) };
        let schema = first.rows.schema();
        let rows = concat_batches(&schema, waiting.iter().map(|batch| &batch.rows))?;
        let kinds: Vec<_> = waiting.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.kind(row))).collect();
        let encoder = match &mut self.keys {
            Some(encoder) => encoder,
            none => none.insert(KeyEncoder::new(&schema, &self.buffering.key)?),
        };
        let keys = encoder.encode(&rows)?;
        let mut last: HashMap<&[u8], usize, foldhash::fast::RandomState> = HashMap::default();
        for row in 0..rows.num_rows() {
            last.insert(keys.key(row), row);
        }
        let mut kept: Vec<usize> = last.into_values().collect();
        kept.sort_unstable();
        let left = kept.iter().filter_map(|row| kinds.get(*row).copied()).collect();
        let places: UInt32Array = kept.iter().map(|row| u32::try_from(*row).ok()).collect();
        self.below.write(&ChangeBatch::with_kinds(take_record_batch(&rows, &places)?, left))
    }
}

impl SinkWriter for BufferedWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if self.rows == 0 {
            self.since = Instant::now();
        }
        self.rows += batch.len();
        self.waiting.push(batch.clone());
        if self.is_due() { self.flush() } else { Ok(()) }
    }

    fn poll(&mut self) -> Result<()> {
        if self.is_due() {
            self.flush()?;
        }
        self.below.poll()
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        self.flush()?;
        self.below.prepare(checkpoint)
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        self.below.commit(checkpoint)
    }

    fn close(&mut self) -> Result<()> {
        self.flush()?;
        self.below.close()
    }
}

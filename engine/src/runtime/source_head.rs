//! The head of a source task: reads, completes columns, makes watermarks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use arrow::array::Array;
use arrow::compute::max;
use arrow::datatypes::TimestampMillisecondType;
use datafusion_physical_expr::PhysicalExpr;

use super::chain::Fan;
use super::event::Barrier;
use super::metrics::{NodeMetrics, SourceMetrics};
use super::splits::SplitBoard;
use crate::change::{ChangeBatch, RowKind};
use crate::checkpoint::SourcePart;
use crate::connector::{SourceEvent, SourceReader, SplitId, SplitPosition, SplitStart};
use crate::error::{EngineError, Result};
use crate::operator::{Output, TableColumns};
use crate::time::alignment::Aligned;
use crate::time::watermark::{Advance, SplitWatermarks};
use crate::time::{END_OF_TIME, NO_WATERMARK};

/// How long a source that is ahead of others stands still before it looks around.
const STAND_STILL: Duration = Duration::from_millis(20);

/// How often lag and idleness are looked at.
const LOOK_AFTER: Duration = Duration::from_millis(500);

pub(super) struct SourceHead {
    pub(super) id: Arc<str>,
    pub(super) reader: Box<dyn SourceReader>,
    /// `None` for `VALUES`.
    pub(super) columns: Option<TableColumns>,
    pub(super) event_time: Option<EventTime>,
    pub(super) marks: SplitWatermarks,
    /// Set where the table waits for others.
    pub(super) aligned: Option<Aligned>,
    pub(super) board: Arc<SplitBoard>,
    pub(super) task: usize,
    pub(super) metrics: Arc<NodeMetrics>,
    pub(super) source_metrics: Arc<SourceMetrics>,
    pub(super) looked: Instant,
    pub(super) phase: Phase,
    /// Watermarks per split of the checkpoint that the run was restored from, told once.
    pub(super) restored: Vec<(SplitId, i64)>,
    /// Positions at barriers whose checkpoints are not complete yet.
    pub(super) snapshots: HashMap<u64, Vec<(SplitId, SplitPosition)>>,
}

pub(super) struct EventTime {
    pub(super) column: usize,
    pub(super) table: String,
    pub(super) watermark: Arc<dyn PhysicalExpr>,
    /// The source gives deletions of which only the key counts.
    pub(super) deletes_by_key: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Reading,
    /// The last barrier was sent: no more rows.
    Paused,
    Ended,
}

impl SourceHead {
    /// Reads once, and passes on what came. Tells whether anything did.
    pub(super) fn read(&mut self, wait: Duration, out: &mut Fan) -> Result<bool> {
        self.tell_restored(out)?;
        self.open_new_splits()?;
        if self.is_ahead(wait) {
            return Ok(false);
        }
        let event = self.reader.next(wait).map_err(|error| error.in_operator(&self.id))?;
        let now = Instant::now();
        let worked = match event {
            SourceEvent::Batch { split, batch, bytes } => {
                self.source_metrics.bytes.fetch_add(bytes, Relaxed);
                self.metrics.bytes_in.fetch_add(bytes, Relaxed);
                let rows = batch.len() as u64;
                let result = self.rows(&split, batch, now, out);
                let (behind, waited) = out.take_times();
                out.take_counts();
                self.metrics.records_in.fetch_add(rows, Relaxed);
                self.metrics.records_out.fetch_add(rows, Relaxed);
                self.metrics.busy(now.elapsed().saturating_sub(behind));
                self.metrics.blocked(waited);
                result.map_err(|error| error.in_operator(&self.id))?;
                true
            }
            SourceEvent::Idle => {
                self.advance(now, out)?;
                false
            }
            SourceEvent::SplitEnd { split } => {
                self.marks.end(&split);
                self.advance(now, out)?;
                true
            }
            SourceEvent::End => {
                self.end(out)?;
                true
            }
        };
        if now.saturating_duration_since(self.looked) >= LOOK_AFTER {
            self.look(now);
        }
        Ok(worked)
    }

    /// As if the source were bounded and had given its last row.
    pub(super) fn end(&mut self, out: &mut Fan) -> Result<()> {
        if self.phase != Phase::Ended {
            self.phase = Phase::Ended;
            // Nobody waits for it any longer.
            self.aligned = None;
            self.look(Instant::now());
            self.metrics.watermark.store(END_OF_TIME, Relaxed);
            out.watermark(END_OF_TIME)?;
            out.end()?;
        }
        Ok(())
    }

    pub(super) fn snapshot(&mut self, barrier: Barrier) -> SourcePart {
        let positions = self.reader.positions();
        if barrier.last && self.phase == Phase::Reading {
            self.phase = Phase::Paused;
        }
        let splits = positions.iter().map(|(split, position)| (split.clone(), position.clone(), self.marks.of(split)));
        let part = SourcePart { splits: splits.collect() };
        self.snapshots.insert(barrier.checkpoint, positions);
        part
    }

    pub(super) fn complete(&mut self, checkpoint: u64) -> Result<()> {
        self.snapshots.retain(|number, _| *number >= checkpoint);
        match self.snapshots.remove(&checkpoint) {
            Some(positions) => self.reader.checkpoint_complete(&positions).map_err(|error| error.in_operator(&self.id)),
            None => Ok(()),
        }
    }

    fn rows(&mut self, split: &SplitId, batch: ChangeBatch, now: Instant, out: &mut Fan) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let batch = match &mut self.columns {
            Some(columns) => columns.apply(batch)?,
            None => batch,
        };
        let watermark =
            self.event_time.as_ref().map(|time| time.watermark_of(&batch, &self.source_metrics)).transpose()?;
        out.emit(batch)?;
        self.marks.rows(split, watermark.flatten().unwrap_or(NO_WATERMARK), now);
        self.advance(now, out)
    }

    fn advance(&mut self, now: Instant, out: &mut Fan) -> Result<()> {
        match self.marks.advance(now) {
            Advance::Nothing => Ok(()),
            Advance::To(watermark) => {
                if let Some(aligned) = &mut self.aligned {
                    aligned.watermark(watermark);
                }
                self.metrics.watermark.store(watermark, Relaxed);
                out.watermark(watermark)
            }
            Advance::Idle => {
                if let Some(aligned) = &self.aligned {
                    aligned.idle();
                }
                out.idle_input()
            }
        }
    }

    /// Whether the sources that this one is aligned with have to catch up; waits a little then.
    fn is_ahead(&mut self, wait: Duration) -> bool {
        let now = Instant::now();
        if !self.aligned.as_mut().is_some_and(|aligned| aligned.is_ahead(now)) {
            return false;
        }
        self.marks.stands_still(now);
        std::thread::park_timeout(wait.min(STAND_STILL));
        if now.saturating_duration_since(self.looked) >= LOOK_AFTER {
            self.look(now);
        }
        true
    }

    fn tell_restored(&mut self, out: &mut Fan) -> Result<()> {
        if self.restored.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        for (split, watermark) in std::mem::take(&mut self.restored) {
            self.marks.rows(&split, watermark, now);
        }
        self.advance(now, out)
    }

    fn open_new_splits(&mut self) -> Result<()> {
        let fresh = self.board.fetch(self.task);
        if fresh.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        fresh.iter().for_each(|split| self.marks.add(split.clone(), now));
        self.reader.add_splits(fresh.into_iter().map(|split| SplitStart { split, position: None }).collect())
    }

    fn look(&mut self, now: Instant) {
        self.looked = now;
        let lag = self.reader.lag();
        let with_idle = lag.into_iter().map(|lag| {
            let idle = self.marks.is_idle(&lag.split, now);
            (lag, idle)
        });
        *self.source_metrics.splits.lock() = with_idle.collect();
        self.source_metrics.bad_records.store(self.reader.bad_records(), Relaxed);
        if self.event_time.is_none()
            && let Some(newest) = self.reader.newest_record()
        {
            self.source_metrics.newest_event.fetch_max(newest, Relaxed);
        }
    }
}

impl EventTime {
    /// The highest watermark of the rows. A NULL event time fails the job, as in Flink.
    fn watermark_of(&self, batch: &ChangeBatch, metrics: &SourceMetrics) -> Result<Option<i64>> {
        let rows = &batch.rows;
        let wrong_type = || EngineError::internal("an event-time column is no TIMESTAMP(3)");
        let times = rows.columns().get(self.column).ok_or_else(wrong_type)?;
        // Of a deletion by key only the key is known.
        let counts = |row: usize| !self.deletes_by_key || batch.kind(row) != RowKind::Delete;
        if times.logical_null_count() > 0 && (0..batch.len()).any(|row| times.is_null(row) && counts(row)) {
            let message = format!(
                "{} has a row whose event time is NULL. Filter such rows out where they are written, or compute the column with COALESCE.",
                self.table
            );
            return Err(EngineError::user("null_event_time", message));
        }
        let highest = |array: &arrow::array::ArrayRef| {
            let times =
                arrow::array::AsArray::as_primitive_opt::<TimestampMillisecondType>(array).ok_or_else(wrong_type)?;
            Ok::<_, EngineError>(max(times))
        };
        if let Some(newest) = highest(times)? {
            metrics.newest_event.fetch_max(newest, Relaxed);
        }
        let marks = self.watermark.evaluate(rows)?.into_array(rows.num_rows())?;
        highest(&marks)
    }
}

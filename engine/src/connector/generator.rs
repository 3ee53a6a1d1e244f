//! Sources that make their rows up: row n is the same whenever it is asked for, so that positions restore exactly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use serde_json::json;

use super::waiting::rest;
use super::{RangeLimit, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};

/// A source with a rate is looked at no more often: a row at a time would cost more than what is done with it.
const PACE: Duration = Duration::from_millis(20);

/// Makes rows by their numbers.
pub(super) trait RowMaker: Send + Sync {
    fn schema(&self) -> SchemaRef;

    /// Rows `first`, `first + step`, … `count` of them.
    fn make(&self, first: u64, step: u64, count: usize) -> Result<ChangeBatch>;
}

pub(super) struct GeneratorSource {
    pub(super) maker: Arc<dyn RowMaker>,
    /// `None`: without end.
    pub(super) rows: Option<u64>,
    /// Of all splits together; `None`: as fast as it goes.
    pub(super) rows_per_second: Option<u64>,
    /// Row n belongs to split n modulo this.
    pub(super) splits: u64,
    pub(super) batch_rows: usize,
}

impl Source for GeneratorSource {
    fn bounded(&self) -> bool {
        self.rows.is_some()
    }

    fn schema(&self) -> SchemaRef {
        self.maker.schema()
    }

    fn changelog(&self) -> bool {
        false
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok((0..self.splits).map(|split| split.to_string().into()).collect())
    }

    /// Its splits, each as a whole.
    fn settled(&self, _limit: RangeLimit) -> Result<Option<Vec<SplitStart>>> {
        let whole = |split| SplitStart { split, position: None };
        Ok(self.bounded().then_some(self.splits()?.into_iter().map(whole).collect()))
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let mut reader = GeneratorReader {
            maker: Arc::clone(&self.maker),
            rows: self.rows,
            rate_per_split: self.rows_per_second.map(|rate| rate as f64 / self.splits as f64),
            step: self.splits,
            batch_rows: self.batch_rows.max(1),
            splits: Vec::new(),
            turn: 0,
        };
        reader.add_splits(splits)?;
        Ok(Box::new(reader))
    }
}

struct GeneratorReader {
    maker: Arc<dyn RowMaker>,
    rows: Option<u64>,
    rate_per_split: Option<f64>,
    step: u64,
    batch_rows: usize,
    splits: Vec<SplitState>,
    turn: usize,
}

struct SplitState {
    split: SplitId,
    number: u64,
    /// Rows of this split that were made.
    made: u64,
    started: Instant,
    made_at_start: u64,
    ended: bool,
}

impl GeneratorReader {
    /// Rows that a split may give now.
    fn allowed(&self, state: &SplitState) -> u64 {
        let left = self.total_of(state).map_or(u64::MAX, |total| total.saturating_sub(state.made));
        let Some(rate) = self.rate_per_split else { return left };
        // One row is due at once, so that a slow source shows that it lives.
        let due = 1 + (state.started.elapsed().as_secs_f64() * rate) as u64;
        left.min(due.saturating_sub(state.made - state.made_at_start))
    }

    fn total_of(&self, state: &SplitState) -> Option<u64> {
        self.rows.map(|rows| rows.saturating_sub(state.number).div_ceil(self.step))
    }

    /// How long until some split has its next row.
    fn until_due(&self, wait: Duration) -> Duration {
        let Some(rate) = self.rate_per_split.filter(|rate| *rate > 0.0) else { return wait };
        let due = |state: &SplitState| {
            let at = (state.made - state.made_at_start) as f64 / rate;
            Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX).saturating_sub(state.started.elapsed())
        };
        let soonest = self.splits.iter().filter(|state| !state.ended).map(due).min().unwrap_or(wait);
        let longest = wait.max(Duration::from_millis(1));
        soonest.clamp(PACE.min(longest), longest)
    }
}

impl SourceReader for GeneratorReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        for _ in 0..self.splits.len() {
            self.turn = (self.turn + 1) % self.splits.len();
            let Some(state) = self.splits.get(self.turn).filter(|state| !state.ended) else { continue };
            let ended = self.total_of(state).is_some_and(|total| state.made >= total);
            let count = self.allowed(state).min(self.batch_rows as u64);
            let (first, step) = (state.number + state.made * self.step, self.step);
            let maker = Arc::clone(&self.maker);
            let Some(state) = self.splits.get_mut(self.turn) else { continue };
            if ended {
                state.ended = true;
                return Ok(SourceEvent::SplitEnd { split: Arc::clone(&state.split) });
            }
            if count == 0 {
                continue;
            }
            let batch = maker.make(first, step, usize::try_from(count).unwrap_or(1))?;
            state.made += count;
            let bytes = batch.bytes() as u64;
            return Ok(SourceEvent::Batch { split: Arc::clone(&state.split), batch, bytes });
        }
        if self.rows.is_some() && self.splits.iter().all(|state| state.ended) {
            return Ok(SourceEvent::End);
        }
        rest(self.until_due(wait));
        Ok(SourceEvent::Idle)
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        let position = |state: &SplitState| (Arc::clone(&state.split), SplitPosition(json!({ "rows": state.made })));
        self.splits.iter().map(position).collect()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        for start in splits {
            let stored =
                start.position.as_ref().map(|position| position.0.get("rows").and_then(serde_json::Value::as_u64));
            let made = match stored {
                None => 0,
                Some(Some(rows)) => rows,
                Some(None) => return Err(EngineError::internal("a stored position of a generator cannot be read")),
            };
            let number = start.split.parse();
            let number = number.map_err(|_| EngineError::internal("a generator has no such split"))?;
            self.splits.push(SplitState {
                split: start.split,
                number,
                made,
                started: Instant::now(),
                made_at_start: made,
                ended: false,
            });
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let lag = |state: &SplitState| SplitLag {
            split: Arc::clone(&state.split),
            position: number(state.made),
            end: self.total_of(state).map(number),
        };
        self.splits.iter().map(lag).collect()
    }

    fn bad_records(&self) -> u64 {
        0
    }
}

/// A stream of numbers that depends on nothing but its seed (SplitMix64, public domain algorithm of Vigna).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, stream: u64, row: u64) -> Self {
        let mut dice = Dice(seed ^ stream.wrapping_mul(0xA076_1D64_78BD_642F));
        dice.0 = dice.next().wrapping_add(row.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        dice.next();
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 up to, without, `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        (((u128::from(self.next())) * u128::from(bound)) >> 64) as u64
    }

    /// Evenly from 0.0 up to, without, 1.0.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

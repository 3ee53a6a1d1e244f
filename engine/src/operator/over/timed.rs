//! Over a stream, in the order of event time: `SUM(v) OVER (PARTITION BY k ORDER BY ts)`.
//!
//! Rows wait for the watermark. Those that are ripe make steps, rows of a key that get the same result; accumulators and
//! functions of their own go from step to step. State may be larger than memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use foldhash::fast::FixedState;

use super::kept::Frames;
use super::running::Running;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::operator::aggregate::{AccumulatorSet, Step};
use crate::operator::stored_rows::RowCodec;
use crate::operator::window_aggregate::event_times;
use crate::operator::{CHUNK_ROWS, Chunks, Operator, Output};
use crate::plan::logical::{AggregateCall, Frame, OverCall};
use crate::state::{KeyEncoder, Keyed, KeyedState, LogPart, Reader, StatePlace, StateSize, write_i64};
use crate::time::NO_WATERMARK;

pub struct OverAggregateSpec {
    pub partition: Vec<usize>,
    pub time_column: usize,
    pub frame: Frame,
    pub calls: Vec<OverCall>,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

/// Who computes a call, and its number there.
#[derive(Clone, Copy)]
enum By {
    Accumulator(usize),
    Running(usize),
}

pub struct OverAggregate {
    spec: OverAggregateSpec,
    keys: KeyEncoder,
    codec: RowCodec,
    /// In the order of the calls.
    by: Vec<By>,
    state: Keyed<Frames>,
    watermark: i64,
    now_ms: i64,
    late: u64,
}

impl OverAggregate {
    pub fn new(spec: OverAggregateSpec) -> Result<Self> {
        let retracts = matches!(spec.frame, Frame::Rows(_) | Frame::Range(_));
        let (mut by, mut calls, mut running): (Vec<By>, Vec<AggregateCall>, Vec<Running>) = Default::default();
        for call in &spec.calls {
            match (Running::new(call, &spec.input, retracts)?, call) {
                (Some(one), _) => {
                    by.push(By::Running(running.len()));
                    running.push(one);
                }
                (None, OverCall::Aggregate(call)) => {
                    by.push(By::Accumulator(calls.len()));
                    calls.push(call.clone());
                }
                (None, other) => {
                    return Err(EngineError::internal(format!("{other:?} over a stream")));
                }
            }
        }
        Ok(OverAggregate {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            codec: RowCodec::new(&spec.input)?,
            by,
            state: Keyed::new(Frames::new(AccumulatorSet::apart(&calls, &spec.input, retracts)?, running)),
            spec,
            watermark: NO_WATERMARK,
            now_ms: 0,
            late: 0,
        })
    }

    /// Works through the rows up to a time, those of keys in memory.
    fn ripen(&mut self, up_to: i64, out: &mut dyn Output) -> Result<()> {
        let mut rows: Vec<Arc<[u8]>> = Vec::new();
        let mut steps = self.steps(up_to, &mut rows);
        if rows.is_empty() {
            return Ok(());
        }
        let gone = self.leave(&mut steps, &rows);
        let (ripe, gone) = (self.batch(&rows)?, self.batch(&gone)?);
        let accumulated = self.accumulate(&steps, &ripe, &gone)?;
        let running = self.state.values.running.iter_mut().map(|running| running.run(&steps, &ripe, &gone));
        let running: Vec<ArrayRef> = running.collect::<Result<_>>()?;
        let mut columns = ripe.columns().to_vec();
        for by in &self.by {
            let column = match by {
                By::Accumulator(call) => accumulated.get(*call),
                By::Running(call) => running.get(*call),
            };
            columns.push(Arc::clone(column.ok_or_else(|| EngineError::internal("a call gave no result"))?));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Chunks::emit(&RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?, out)
    }

    fn batch(&self, rows: &[Arc<[u8]>]) -> Result<RecordBatch> {
        let columns = self.codec.decode(rows.iter().map(|row| &**row))?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.spec.input), columns, &options)?)
    }

    /// The rows up to a time, and their steps.
    fn steps(&mut self, up_to: i64, rows: &mut Vec<Arc<[u8]>>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        // The last step of each key: in a range, rows of one time share it.
        let mut last: HashMap<u32, usize, FixedState> = HashMap::default();
        let by_range = matches!(self.spec.frame, Frame::Range(_) | Frame::RangeUnbounded);
        while let Some((time, slot, row)) = self.state.values.next_ripe(up_to) {
            self.state.touch(slot);
            self.state.values.by_key[slot as usize].used_ms = self.now_ms;
            let number = rows.len() as u32;
            rows.push(row);
            match last.get(&slot).and_then(|step| steps.get_mut(*step)) {
                Some(step) if by_range && step.time == time => step.rows.push(number),
                _ => {
                    last.insert(slot, steps.len());
                    steps.push(Step { slot, time, rows: vec![number], gone: 0..0 });
                }
            }
        }
        steps
    }

    /// Holds the rows that come, where they leave the frame again, and gives those that do.
    fn leave(&mut self, steps: &mut [Step], rows: &[Arc<[u8]>]) -> Vec<Arc<[u8]>> {
        let mut gone: Vec<Arc<[u8]>> = Vec::new();
        if !matches!(self.spec.frame, Frame::Rows(_) | Frame::Range(_)) {
            return gone;
        }
        let frames = &mut self.state.values;
        for step in steps {
            let first = gone.len();
            for row in &step.rows {
                frames.hold(step.slot, step.time, Arc::clone(&rows[*row as usize]));
            }
            let leaves = |held: &VecDeque<(i64, Arc<[u8]>)>| match self.spec.frame {
                Frame::Rows(before) => held.len() as u64 > before.saturating_add(1),
                Frame::Range(span) => held.front().is_some_and(|(time, _)| *time < step.time.saturating_sub(span)),
                _ => false,
            };
            while leaves(&frames.by_key[step.slot as usize].held) {
                gone.extend(frames.let_go(step.slot));
            }
            step.gone = first..gone.len();
        }
        gone
    }

    /// The results of the accumulators for every row.
    fn accumulate(&mut self, steps: &[Step], ripe: &RecordBatch, gone: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let mut step_of = vec![0_u32; ripe.num_rows()];
        for (index, step) in steps.iter().enumerate() {
            step.rows.iter().for_each(|row| step_of[*row as usize] = index as u32);
        }
        let step_of = UInt32Array::from(step_of);
        let results = self.state.values.values.walk(steps, ripe, gone)?;
        results.iter().map(|result| Ok(take(result, &step_of, None)?)).collect()
    }
}

impl Operator for OverAggregate {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.codec.encode(&batch.rows)?;
        let times = event_times(&batch.rows, self.spec.time_column)?;
        for index in 0..batch.len() {
            let time = times.value(index);
            if time <= self.watermark {
                self.late += 1;
                continue;
            }
            let (slot, _) = self.state.slot(keys.key(index))?;
            self.state.touch(slot);
            self.state.values.wait(slot, time, rows.row(index).data().into());
        }
        self.state.settle()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Output) -> Result<()> {
        self.watermark = self.watermark.max(watermark);
        self.ripen(watermark, out)?;
        let mut waking = self.state.waking(watermark)?;
        while self.state.wake(&mut waking, CHUNK_ROWS)? {
            self.ripen(watermark, out)?;
        }
        self.state.settle()
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |frames, slot| frames.is_over(slot, now_ms, ttl_ms));
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key group the watermark; per key: key bytes, and what [`Frames`] writes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let (mut state, watermark) = (KeyedState::default(), self.watermark);
        self.state.snapshot_behind(|out| write_i64(out, watermark), &mut state)?;
        Ok(Some(state))
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        vec![self.state.parts()]
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        tables.into_iter().next().map_or(Ok(()), |parts| self.state.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            self.watermark = self.watermark.max(reader.i64()?);
            while !reader.is_empty() {
                self.state.restore(&mut reader)?;
            }
        }
        Ok(())
    }

    /// Keys, and rows in memory.
    fn size(&self) -> StateSize {
        let size = self.state.size();
        StateSize { rows: size.rows + self.state.values.rows, ..size }
    }

    fn late(&self) -> u64 {
        self.late
    }
}

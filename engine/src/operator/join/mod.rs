//! Joins of two streams that keep both sides, with retraction.
//!
//! Rows are kept by key with how often they are there and how many rows of the other side they match, so that a padded
//! row of an outer join, or a row of a semi or anti join, comes and goes with its first and last match. NULL in a key
//! matches nothing, unless the key says otherwise. Which row kinds leave follows Flink: an inner join passes on the kind
//! of the row that came; what touches padded rows is `+I` and `-D`.
//!
//! Over bounded input rows without match are only known at the end, and leave there.

mod interval;
mod lookup;
mod pairs;
mod side;
mod temporal;
#[cfg(test)]
mod temporal_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
mod window;

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;

pub use self::interval::IntervalJoin;
pub use self::lookup::{
    CacheMode, FullTable, KeySource, LookupFigures, LookupJoin, LookupJoinSpec, LookupSettings, PartialCache,
    RightSide, RightStep,
};
use self::pairs::{Beside, Joined, Others, give_padded};
use self::side::Side;
pub use self::temporal::{TemporalJoin, TemporalJoinSpec};
pub use self::window::{WindowJoin, WindowJoinSpec};
use super::state_clean::CleanTest;
use super::stored_rows::{Change, RowCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::{JoinKey, JoinKind};
use crate::state::{KeyEncoder, KeyedState, LogPart, Reader, StatePlace, StateSize};

#[derive(Clone)]
pub struct JoinSpec {
    pub kind: JoinKind,
    pub keys: Vec<JoinKey>,
    /// Over left columns followed by right ones.
    pub condition: Option<Arc<dyn PhysicalExpr>>,
    pub left: SchemaRef,
    pub right: SchemaRef,
    pub output: SchemaRef,
    /// Milliseconds after which a row of the left or right side that was not written again is forgotten; 0 keeps it.
    pub ttl_ms: [i64; 2],
    pub at_end: bool,
}

pub struct Join {
    spec: JoinSpec,
    both: SchemaRef,
    keys: [KeyEncoder; 2],
    codecs: [RowCodec; 2],
    sides: [Side; 2],
    /// When rows of a side are not kept any longer.
    clean: [Option<CleanTest>; 2],
    now_ms: i64,
}

const LEFT: usize = 0;
const RIGHT: usize = 1;

/// Whether rows of this side leave padded when they match nothing.
const fn is_outer(kind: JoinKind, side: usize) -> bool {
    match kind {
        JoinKind::Left => side == LEFT,
        JoinKind::Right => side == RIGHT,
        JoinKind::Full => true,
        JoinKind::Inner | JoinKind::Semi | JoinKind::Anti => false,
    }
}

/// What the condition reads: all columns of both.
fn both_sides(spec: &JoinSpec) -> SchemaRef {
    let fields = spec.left.fields().iter().chain(spec.right.fields());
    Arc::new(ArrowSchema::new(fields.cloned().collect::<Vec<_>>()))
}

/// Rows with a NULL in a key that takes none match nothing.
fn may_match(keys: &[JoinKey], side: usize, rows: &RecordBatch) -> Vec<bool> {
    let mut may = vec![true; rows.num_rows()];
    for key in keys.iter().filter(|key| !key.null_safe) {
        let column = rows.column(if side == LEFT { key.left } else { key.right });
        if let Some(nulls) = column.logical_nulls() {
            may.iter_mut().enumerate().for_each(|(row, may)| *may &= nulls.is_valid(row));
        }
    }
    may
}

impl Join {
    pub fn new(spec: JoinSpec) -> Result<Self> {
        let left: Vec<usize> = spec.keys.iter().map(|key| key.left).collect();
        let right: Vec<usize> = spec.keys.iter().map(|key| key.right).collect();
        Ok(Join {
            both: both_sides(&spec),
            keys: [KeyEncoder::new(&spec.left, &left)?, KeyEncoder::new(&spec.right, &right)?],
            codecs: [RowCodec::new(&spec.left)?, RowCodec::new(&spec.right)?],
            sides: [Side::new(), Side::new()],
            clean: [None, None],
            spec,
            now_ms: 0,
        })
    }

    #[must_use]
    pub fn with_clean(self, clean: [Option<CleanTest>; 2]) -> Self {
        Join { clean, ..self }
    }

    /// A row that matches nothing need not be kept, unless it may have to leave at the end.
    const fn keeps_unmatchable(&self, side: usize) -> bool {
        let waits = match self.spec.kind {
            JoinKind::Anti => side == LEFT,
            kind => is_outer(kind, side),
        };
        waits && self.spec.at_end
    }

    /// One row of an inner or outer join.
    fn joined(
        &mut self,
        side: usize,
        row: u32,
        kind: RowKind,
        matched: &[u32],
        others: &Others,
        out: &mut Joined,
    ) -> u64 {
        let (own_outer, other_outer) = (is_outer(self.spec.kind, side), is_outer(self.spec.kind, 1 - side));
        let pads = !self.spec.at_end;
        let adds = kind.is_accumulate();
        let kind = match (own_outer || (other_outer && adds), adds) {
            (false, _) => kind,
            (true, true) => RowKind::Insert,
            (true, false) => RowKind::Delete,
        };
        let mut matches = 0;
        if !adds {
            for other in matched {
                let count = self.count(side, *other, others);
                out.push(kind, Some(row), Some(*other), count);
            }
        }
        for other in matched {
            let (slot, place) = others.places[*other as usize];
            let Some(entry) = self.sides[1 - side].entry_mut(slot, place) else { continue };
            matches += entry.count;
            let before = entry.matches;
            entry.matches = if adds { before + 1 } else { before.saturating_sub(1) };
            if other_outer && pads && adds && before == 0 {
                out.push(RowKind::Delete, None, Some(*other), entry.count);
            }
            if other_outer && pads && !adds && before == 1 {
                out.push(RowKind::Insert, None, Some(*other), entry.count);
            }
        }
        if adds {
            for other in matched {
                let count = self.count(side, *other, others);
                out.push(kind, Some(row), Some(*other), count);
            }
        }
        if matches == 0 && own_outer && pads {
            out.push(if adds { RowKind::Insert } else { RowKind::Delete }, Some(row), None, 1);
        }
        matches
    }

    fn count(&self, side: usize, other: u32, others: &Others) -> u64 {
        let (slot, place) = others.places[other as usize];
        self.sides[1 - side].bucket(slot).get(place).map_or(0, |entry| entry.count)
    }

    /// One row of a semi or anti join.
    fn tested(
        &mut self,
        side: usize,
        row: u32,
        kind: RowKind,
        matched: &[u32],
        others: &Others,
        out: &mut Joined,
    ) -> u64 {
        let anti = self.spec.kind == JoinKind::Anti;
        let tells = !self.spec.at_end;
        if side == LEFT {
            let matches = matched.iter().map(|other| self.count(side, *other, others)).sum();
            if tells && (matches == 0) == anti {
                out.push(kind, Some(row), None, 1);
            }
            return matches;
        }
        let adds = kind.is_accumulate();
        for other in matched {
            let (slot, place) = others.places[*other as usize];
            let Some(entry) = self.sides[LEFT].entry_mut(slot, place) else { continue };
            let before = entry.matches;
            entry.matches = if adds { before + 1 } else { before.saturating_sub(1) };
            if tells && ((adds && before == 0) || (!adds && before == 1)) {
                let kind = match (anti, adds) {
                    (false, _) => kind,
                    (true, true) => RowKind::Delete,
                    (true, false) => RowKind::Insert,
                };
                out.push(kind, None, Some(*other), entry.count);
            }
        }
        0
    }

    /// Rows of a side leave at the end of bounded input: those with matches, or those without.
    fn give_rest(&mut self, side: usize, matched: bool, out: &mut dyn Output) -> Result<()> {
        let (spec, codec) = (&self.spec, &self.codecs[side]);
        let padded = is_outer(spec.kind, side);
        self.sides[side].each_chunk(|entries| {
            let wanted = entries.filter(|entry| (entry.matches > 0) == matched);
            let repeated =
                wanted.flat_map(|entry| (0..entry.count).map(move |_| (RowKind::Insert, Arc::clone(&entry.row))));
            let rows: Vec<Change> = repeated.collect();
            if padded {
                give_padded(codec, &rows, &spec.output, spec.left.fields().len(), side, out)
            } else {
                codec.give_plain(&rows, out)
            }
        })
    }
}

impl Operator for Join {
    fn process(&mut self, input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let side = input.min(RIGHT);
        let keys = self.keys[side].encode(&batch.rows)?;
        let rows = self.codecs[side].encode(&batch.rows)?;
        let may = may_match(&self.spec.keys, side, &batch.rows);
        let mut others = Others::default();
        for (row, may) in may.iter().enumerate() {
            if *may {
                others.with_key(keys.key(row), &mut self.sides[1 - side])?;
            } else {
                others.none();
            }
        }
        let beside = Beside::new(&batch.rows, &others, &self.codecs[1 - side], side == LEFT)?;
        let matching = beside.matching(&others, self.spec.condition.as_ref(), &self.both)?;
        let gone = self.clean[side].as_ref().map(|clean| clean.holds(&batch.rows)).transpose()?;
        let mut joined = Joined::default();
        let mut pair = 0;
        let mut matched: Vec<u32> = Vec::new();
        for (row, may) in may.iter().enumerate() {
            matched.clear();
            for other in others.of_row[row].clone() {
                if matching.as_ref().is_none_or(|matching| matching[pair]) {
                    matched.push(other as u32);
                }
                pair += 1;
            }
            let kind = batch.kind(row);
            let keeps = *may || self.keeps_unmatchable(side);
            let (key, bytes) = (keys.key(row), rows.row(row));
            // A row that is not there cannot be taken back.
            if keeps && !kind.is_accumulate() && !self.sides[side].remove(key, bytes.data())? {
                continue;
            }
            let matches = match self.spec.kind {
                JoinKind::Semi | JoinKind::Anti => self.tested(side, row as u32, kind, &matched, &others, &mut joined),
                _ => self.joined(side, row as u32, kind, &matched, &others, &mut joined),
            };
            let stays = gone.as_ref().is_none_or(|gone| !gone.value(row));
            if keeps && stays && kind.is_accumulate() {
                self.sides[side].add(key, bytes.data(), matches, self.now_ms)?;
            }
        }
        joined.give(&beside, &self.spec.output, out)?;
        self.sides.iter_mut().try_for_each(Side::settle)
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        match self.spec.kind {
            JoinKind::Semi => self.give_rest(LEFT, true, out),
            JoinKind::Anti => self.give_rest(LEFT, false, out),
            kind => {
                let outer = [LEFT, RIGHT].into_iter().filter(|side| is_outer(kind, *side));
                outer.into_iter().try_for_each(|side| self.give_rest(side, false, out))
            }
        }
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        for (side, ttl_ms) in self.sides.iter_mut().zip(self.spec.ttl_ms).filter(|(_, ttl_ms)| *ttl_ms > 0) {
            side.expire(now_ms, ttl_ms);
        }
    }

    fn sweep(&mut self) -> Result<()> {
        for ((side, clean), codec) in self.sides.iter_mut().zip(&self.clean).zip(&self.codecs) {
            if let Some(clean) = clean.as_ref().filter(|clean| clean.changes) {
                side.clean(clean, codec)?;
            }
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        self.sides[LEFT].snapshot(LEFT as u64, &mut state)?;
        self.sides[RIGHT].snapshot(RIGHT as u64, &mut state)?;
        Ok(Some(state))
    }

    fn attach(&mut self, place: StatePlace) {
        self.sides.iter_mut().for_each(|side| side.attach(place.clone()));
    }

    fn segments(&self) -> Vec<Vec<LogPart>> {
        self.sides.iter().map(Side::parts).collect()
    }

    fn adopt(&mut self, tables: Vec<Vec<LogPart>>) -> Result<()> {
        self.sides.iter_mut().zip(tables).try_for_each(|(side, parts)| side.adopt(parts))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let side = usize::from(reader.u64()? != 0);
                self.sides[side].restore(&mut reader)?;
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let [left, right] = &self.sides;
        let (left, right) = (left.size(), right.size());
        StateSize { rows: left.rows + right.rows, bytes: left.bytes + right.bytes }
    }
}

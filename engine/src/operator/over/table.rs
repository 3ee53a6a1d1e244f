//! OVER in any order: the rows of each partition are kept, sorted.
//!
//! Over bounded input all results come once, at the end. Otherwise a batch changes some partitions: their results before
//! and after it are compared, and what differs is given. That costs time in the size of the partition per batch that
//! touches it, for a row may change the results of all behind it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use foldhash::fast::FixedState;

use super::frames::Layout;
use super::whole::Whole;
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::operator::stored_rows::{RowCodec, SortCodec};
use crate::operator::{CHUNK_ROWS, Chunks, Operator, Output};
use crate::plan::logical::{Frame, OverCall, SortKey};
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u64};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 64;

pub struct OverTableSpec {
    pub partition: Vec<usize>,
    pub sort: Vec<SortKey>,
    pub frame: Frame,
    pub calls: Vec<OverCall>,
    pub input: SchemaRef,
    /// The input followed by one column per call.
    pub output: SchemaRef,
    /// Milliseconds of not being touched after which a partition is forgotten; 0 keeps it.
    pub ttl_ms: i64,
    pub at_end: bool,
}

/// Sort key, then arrival.
type Place = (Box<[u8]>, u64);

#[derive(Default)]
struct Partition {
    rows: BTreeMap<Place, Arc<[u8]>>,
    used_ms: i64,
}

pub struct OverTable {
    spec: OverTableSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    codec: RowCodec,
    whole: Whole,
    /// Results as bytes, to be compared.
    results: RowConverter,
    table: KeyTable,
    /// By slot.
    partitions: Vec<Partition>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
    now_ms: i64,
}

/// Some partitions with their results.
struct View {
    /// The columns of the output.
    columns: Vec<ArrayRef>,
    results: Rows,
    arrivals: Vec<u64>,
    layout: Layout,
}

impl OverTable {
    pub fn new(spec: OverTableSpec) -> Result<Self> {
        let results = spec.output.fields().iter().skip(spec.input.fields().len());
        let results = results.map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(OverTable {
            keys: KeyEncoder::new(&spec.input, &spec.partition)?,
            sort: SortCodec::new(&spec.sort, &spec.input)?,
            codec: RowCodec::new(&spec.input)?,
            whole: Whole::new(spec.frame, &spec.sort, &spec.calls, &spec.input),
            results: RowConverter::new(results)?,
            spec,
            table: KeyTable::default(),
            partitions: Vec::new(),
            arrivals: 0,
            rows: 0,
            bytes: 0,
            now_ms: 0,
        })
    }

    fn slot(&mut self, key: &[u8]) -> u32 {
        let (slot, new) = self.table.find_or_insert(0, hash_key(key), key);
        if new {
            let at = slot as usize;
            self.partitions.resize_with(self.partitions.len().max(at + 1), Partition::default);
            self.partitions[at] = Partition::default();
        }
        slot
    }

    fn add(&mut self, slot: u32, place: Place, row: &[u8]) {
        self.rows += 1;
        self.bytes += (place.0.len() + row.len()) as u64;
        self.arrivals = self.arrivals.max(place.1 + 1);
        self.partitions[slot as usize].rows.insert(place, row.into());
    }

    /// One equal row goes. What is not there cannot be taken back.
    fn take_back(&mut self, slot: u32, key: &[u8], row: &[u8]) {
        let rows = &mut self.partitions[slot as usize].rows;
        let (low, high): (Place, Place) = ((key.into(), 0), (key.into(), u64::MAX));
        let equal = rows.range(low..=high).find(|(_, held)| ***held == *row);
        if let Some(place) = equal.map(|(place, _)| place.clone())
            && let Some(gone) = rows.remove(&place)
        {
            self.rows -= 1;
            self.bytes -= (place.0.len() + gone.len()) as u64;
        }
    }

    fn view(&self, slots: &[u32]) -> Result<View> {
        let (mut layout, mut arrivals) = (Layout::default(), Vec::new());
        let partitions = || slots.iter().filter_map(|slot| self.partitions.get(*slot as usize));
        for partition in partitions() {
            layout.push(partition.rows.keys().map(|(key, _)| &**key));
            arrivals.extend(partition.rows.keys().map(|(_, arrival)| *arrival));
        }
        let mut columns =
            self.codec.decode(partitions().flat_map(|partition| partition.rows.values().map(|row| &**row)))?;
        let options = RecordBatchOptions::new().with_row_count(Some(arrivals.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.input), columns.clone(), &options)?;
        let results = self.whole.evaluate(&rows, &layout)?;
        columns.extend(results.iter().cloned());
        let results = self.results.convert_columns(&results)?;
        Ok(View { columns, results, arrivals, layout })
    }

    fn give_changes(&self, before: &View, after: &View, out: &mut dyn Output) -> Result<()> {
        // Which of before and after, and row of it.
        let (mut picks, mut kinds): (Vec<(usize, usize)>, Vec<RowKind>) = Default::default();
        for (was, is) in before.layout.partitions.iter().zip(&after.layout.partitions) {
            let known: HashMap<u64, usize, FixedState> = was.clone().map(|row| (before.arrivals[row], row)).collect();
            let stays: HashSet<u64, FixedState> = is.clone().map(|row| after.arrivals[row]).collect();
            for row in was.clone().filter(|row| !stays.contains(&before.arrivals[*row])) {
                picks.push((0, row));
                kinds.push(RowKind::Delete);
            }
            for row in is.clone() {
                match known.get(&after.arrivals[row]) {
                    Some(old) if before.results.row(*old).data() == after.results.row(row).data() => {}
                    Some(old) => {
                        picks.extend([(0, *old), (1, row)]);
                        kinds.extend([RowKind::UpdateBefore, RowKind::UpdateAfter]);
                    }
                    None => {
                        picks.push((1, row));
                        kinds.push(RowKind::Insert);
                    }
                }
            }
        }
        for (picks, kinds) in picks.chunks(CHUNK_ROWS).zip(kinds.chunks(CHUNK_ROWS)) {
            let columns = before.columns.iter().zip(&after.columns);
            let columns = columns.map(|(before, after)| interleave(&[before.as_ref(), after.as_ref()], picks));
            let rows = RecordBatch::try_new(Arc::clone(&self.spec.output), columns.collect::<Result<_, _>>()?)?;
            out.emit(ChangeBatch::with_kinds(rows, kinds.to_vec()))?;
        }
        Ok(())
    }

    fn forget(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        self.rows -= gone.rows.len() as u64;
        self.bytes -= gone.rows.iter().map(|((key, _), row)| (key.len() + row.len()) as u64).sum::<u64>();
        self.table.remove(slot);
    }
}

impl Operator for OverTable {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.codec.encode(&batch.rows)?);
        let slots: Vec<u32> = (0..batch.len()).map(|row| self.slot(keys.key(row))).collect();
        // In the order of their first row.
        let mut known: HashSet<u32, FixedState> = HashSet::default();
        let touched: Vec<u32> = slots.iter().copied().filter(|slot| known.insert(*slot)).collect();
        let before = if self.spec.at_end { None } else { Some(self.view(&touched)?) };
        for (index, slot) in slots.iter().enumerate() {
            if batch.kind(index).is_accumulate() {
                let place = (sort.key(index).into(), self.arrivals);
                self.add(*slot, place, rows.row(index).data());
            } else {
                self.take_back(*slot, sort.key(index), rows.row(index).data());
            }
        }
        if let Some(before) = before {
            let after = self.view(&touched)?;
            self.give_changes(&before, &after, out)?;
        }
        for slot in touched {
            self.partitions[slot as usize].used_ms = self.now_ms;
            if self.partitions[slot as usize].rows.is_empty() {
                self.forget(slot);
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let all: Vec<u32> = self.table.used().collect();
        let (mut some, mut rows): (Vec<u32>, usize) = Default::default();
        for (index, slot) in all.iter().enumerate() {
            rows += self.partitions[*slot as usize].rows.len();
            some.push(*slot);
            if rows >= CHUNK_ROWS || index + 1 == all.len() {
                let view = self.view(&some)?;
                Chunks::emit(&RecordBatch::try_new(Arc::clone(&self.spec.output), view.columns)?, out)?;
                some.drain(..).for_each(|slot| self.forget(slot));
                rows = 0;
            }
        }
        Ok(())
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| now_ms.saturating_sub(self.partitions[*slot as usize].used_ms) >= self.spec.ttl_ms;
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        gone.into_iter().for_each(|slot| self.forget(slot));
    }

    /// Per partition: key bytes, last use, number of rows; per row: arrival, sort key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let partition = &self.partitions[slot as usize];
            let out = state.group(self.table.hash(slot));
            write_bytes(out, self.table.key(slot));
            write_i64(out, partition.used_ms);
            write_u64(out, partition.rows.len() as u64);
            for ((key, arrival), row) in &partition.rows {
                write_u64(out, *arrival);
                write_bytes(out, key);
                write_bytes(out, row);
            }
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let slot = self.slot(reader.bytes()?);
                self.partitions[slot as usize].used_ms = reader.i64()?;
                for _ in 0..reader.u64()? {
                    let (arrival, key) = (reader.u64()?, reader.bytes()?);
                    self.add(slot, (key.into(), arrival), reader.bytes()?);
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let partitions = (self.partitions.len() * size_of::<Partition>()) as u64;
        let bytes = self.bytes + self.rows * PER_ROW as u64 + self.table.bytes() + partitions;
        StateSize { rows: self.rows, bytes }
    }
}

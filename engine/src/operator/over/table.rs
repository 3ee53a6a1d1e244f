//! OVER in any order: the rows of each partition are kept, sorted.
//!
//! Over bounded input all results come once, at the end. Otherwise a batch changes some partitions: their results before
//! and after it are compared, and what differs is given. That costs time in the size of the partition per batch that
//! touches it, for a row may change the results of all behind it. State may be larger than
//! memory.

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
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64, write_u64,
};

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

/// By slot.
#[derive(Default)]
struct Partitions {
    partitions: SlotColumn<Partition>,
    arrivals: u64,
    rows: u64,
    bytes: u64,
}

impl Partitions {
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
}

impl SlotValues for Partitions {
    fn grow(&mut self, capacity: usize) {
        self.partitions.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.partitions[slot as usize]);
        self.rows -= gone.rows.len() as u64;
        self.bytes -= gone.rows.iter().map(|((key, _), row)| (key.len() + row.len()) as u64).sum::<u64>();
    }

    /// Last use, number of rows; per row: arrival, sort key, row bytes.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let partition = &self.partitions[slot as usize];
        write_i64(out, partition.used_ms);
        write_u64(out, partition.rows.len() as u64);
        for ((key, arrival), row) in &partition.rows {
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, row);
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.partitions[slot as usize].used_ms = from.i64()?;
        for _ in 0..from.u64()? {
            let (arrival, key) = (from.u64()?, from.bytes()?);
            self.add(slot, (key.into(), arrival), from.bytes()?);
        }
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.partitions[slot as usize].used_ms
    }

    fn bytes(&self) -> u64 {
        let partitions = (self.partitions.len() * size_of::<Partition>()) as u64;
        self.bytes + self.rows * PER_ROW as u64 + partitions
    }
}

pub struct OverTable {
    spec: OverTableSpec,
    keys: KeyEncoder,
    sort: SortCodec,
    results: Results,
    state: Keyed<Partitions>,
    now_ms: i64,
}

/// How results come from rows.
struct Results {
    input: SchemaRef,
    codec: RowCodec,
    whole: Whole,
    /// Results as bytes, to be compared.
    converter: RowConverter,
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
            results: Results {
                input: Arc::clone(&spec.input),
                codec: RowCodec::new(&spec.input)?,
                whole: Whole::new(spec.frame, &spec.sort, &spec.calls, &spec.input),
                converter: RowConverter::new(results)?,
            },
            spec,
            state: Keyed::new(Partitions::default()),
            now_ms: 0,
        })
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
}

impl Results {
    fn view(&self, held: &Partitions, slots: &[u32]) -> Result<View> {
        let (mut layout, mut arrivals) = (Layout::default(), Vec::new());
        let partitions = || slots.iter().filter_map(|slot| held.partitions.get(*slot as usize));
        for partition in partitions() {
            layout.push(partition.rows.keys().map(|(key, _)| &**key));
            arrivals.extend(partition.rows.keys().map(|(_, arrival)| *arrival));
        }
        let mut columns =
            self.codec.decode(partitions().flat_map(|partition| partition.rows.values().map(|row| &**row)))?;
        let options = RecordBatchOptions::new().with_row_count(Some(arrivals.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.input), columns.clone(), &options)?;
        let results = self.whole.evaluate(&rows, &layout)?;
        columns.extend(results.iter().cloned());
        let results = self.converter.convert_columns(&results)?;
        Ok(View { columns, results, arrivals, layout })
    }

    /// The rows of some partitions with their results, a few at a time.
    fn give(&self, held: &Partitions, slots: &[u32], output: &SchemaRef, out: &mut dyn Output) -> Result<()> {
        let (mut first, mut rows) = (0, 0);
        for (index, slot) in slots.iter().enumerate() {
            rows += held.partitions[*slot as usize].rows.len();
            if rows >= CHUNK_ROWS || index + 1 == slots.len() {
                let view = self.view(held, &slots[first..=index])?;
                Chunks::emit(&RecordBatch::try_new(Arc::clone(output), view.columns)?, out)?;
                (first, rows) = (index + 1, 0);
            }
        }
        Ok(())
    }
}

impl Operator for OverTable {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let (sort, rows) = (self.sort.encode(&batch.rows)?, self.results.codec.encode(&batch.rows)?);
        let slots = (0..batch.len()).map(|row| Ok(self.state.slot(keys.key(row))?.0)).collect::<Result<Vec<u32>>>()?;
        // In the order of their first row.
        let mut known: HashSet<u32, FixedState> = HashSet::default();
        let touched: Vec<u32> = slots.iter().copied().filter(|slot| known.insert(*slot)).collect();
        let before = if self.spec.at_end { None } else { Some(self.results.view(&self.state.values, &touched)?) };
        for (index, slot) in slots.iter().enumerate() {
            let held = &mut self.state.values;
            if batch.kind(index).is_accumulate() {
                let place = (sort.key(index).into(), held.arrivals);
                held.add(*slot, place, rows.row(index).data());
            } else {
                held.take_back(*slot, sort.key(index), rows.row(index).data());
            }
        }
        if let Some(before) = before {
            let after = self.results.view(&self.state.values, &touched)?;
            self.give_changes(&before, &after, out)?;
        }
        for slot in touched {
            self.state.touch(slot);
            let partition = &mut self.state.values.partitions[slot as usize];
            partition.used_ms = self.now_ms;
            if partition.rows.is_empty() {
                self.state.remove(slot);
            }
        }
        self.state.settle()
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let (results, output) = (&self.results, &self.spec.output);
        self.state.each_chunk(CHUNK_ROWS, |state, slots| results.give(&state.values, slots, output, out))
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |held, slot| now_ms.saturating_sub(held.used_ms(slot)) >= ttl_ms);
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per partition: key bytes, last use, number of rows; per row: arrival, sort key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        self.state.snapshot(&[], &mut state)?;
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
            while !reader.is_empty() {
                self.state.restore(&mut reader)?;
            }
        }
        Ok(())
    }

    /// Rows in memory, and at least one for each partition that is on disk only.
    fn size(&self) -> StateSize {
        let size = self.state.size();
        StateSize { rows: self.state.values.rows.max(size.rows), ..size }
    }
}

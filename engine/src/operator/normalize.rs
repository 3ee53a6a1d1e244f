//! Turns rows that replace each other by key into a changelog with the old rows: what stands behind an upsert source.
//!
//! As Flink's ChangelogNormalize: the first row of a key is `+I`, a later one `-U` and `+U`, a deletion `-D` with the row
//! as it was. A row that is there already gives nothing, and neither does the deletion of what is not there. With a time
//! to live, an equal row is given again, so that state behind this one lives as long. State may be larger than memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64,
};

pub struct NormalizeSpec {
    pub keys: Vec<usize>,
    /// The columns that somebody reads; the others are NULL and are not kept.
    pub columns: Vec<usize>,
    pub schema: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

#[derive(Default)]
struct Kept {
    row: Option<Arc<[u8]>>,
    used_ms: i64,
}

/// By slot.
#[derive(Default)]
struct Rows {
    kept: SlotColumn<Kept>,
    bytes: u64,
}

impl Rows {
    fn put(&mut self, slot: u32, kept: Kept) -> Option<Arc<[u8]>> {
        let length = |row: &Option<Arc<[u8]>>| row.as_ref().map_or(0, |row| row.len() as u64);
        self.bytes += length(&kept.row);
        let old = std::mem::replace(&mut self.kept[slot as usize], kept).row;
        self.bytes -= length(&old);
        old
    }
}

impl SlotValues for Rows {
    fn grow(&mut self, capacity: usize) {
        self.kept.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.put(slot, Kept::default());
    }

    /// Last use, row.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let kept = &self.kept[slot as usize];
        write_i64(out, kept.used_ms);
        write_bytes(out, kept.row.as_deref().unwrap_or_default());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let used_ms = from.i64()?;
        self.put(slot, Kept { row: Some(from.bytes()?.into()), used_ms });
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.kept[slot as usize].used_ms
    }

    fn bytes(&self) -> u64 {
        self.bytes + (self.kept.len() * size_of::<Kept>()) as u64
    }
}

pub struct Normalize {
    spec: NormalizeSpec,
    keys: KeyEncoder,
    rows: RowCodec,
    state: Keyed<Rows>,
    now_ms: i64,
}

impl Normalize {
    pub fn new(spec: NormalizeSpec) -> Result<Self> {
        let read = Arc::new(spec.schema.project(&spec.columns)?);
        Ok(Normalize {
            keys: KeyEncoder::new(&spec.schema, &spec.keys)?,
            rows: RowCodec::new(&read)?,
            spec,
            state: Keyed::new(Rows::default()),
            now_ms: 0,
        })
    }

    fn upsert(&mut self, key: &[u8], row: &[u8], changes: &mut Vec<Change>) -> Result<()> {
        let (slot, _) = self.state.slot(key)?;
        let kept = &self.state.values.kept[slot as usize];
        if self.spec.ttl_ms <= 0 && kept.row.as_deref() == Some(row) {
            return Ok(());
        }
        let row: Arc<[u8]> = row.into();
        self.state.touch(slot);
        match self.state.values.put(slot, Kept { row: Some(Arc::clone(&row)), used_ms: self.now_ms }) {
            None => changes.push((RowKind::Insert, row)),
            Some(old) => changes.extend([(RowKind::UpdateBefore, old), (RowKind::UpdateAfter, row)]),
        }
        Ok(())
    }

    fn delete(&mut self, key: &[u8], changes: &mut Vec<Change>) -> Result<()> {
        let Some(slot) = self.state.find(key)? else { return Ok(()) };
        let old = self.state.values.put(slot, Kept::default());
        self.state.remove(slot);
        changes.extend(old.map(|old| (RowKind::Delete, old)));
        Ok(())
    }
}

impl Operator for Normalize {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.rows.encode(&batch.rows.project(&self.spec.columns)?)?;
        let mut changes = Vec::new();
        for index in 0..batch.len() {
            if batch.kind(index).is_accumulate() {
                self.upsert(keys.key(index), rows.row(index).data(), &mut changes)?;
            } else {
                self.delete(keys.key(index), &mut changes)?;
            }
        }
        let complete = |range: std::ops::Range<usize>, columns: &mut Vec<ArrayRef>| {
            let whole = self.spec.schema.fields().iter().enumerate().map(|(index, field)| {
                let place = self.spec.columns.iter().position(|column| *column == index);
                let read = place.and_then(|place| columns.get(place)).cloned();
                read.unwrap_or_else(|| new_null_array(field.data_type(), range.len()))
            });
            *columns = whole.collect();
        };
        self.rows.give(&changes, &self.spec.schema, complete, out)?;
        self.state.settle()
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.spec.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |rows, slot| now_ms.saturating_sub(rows.used_ms(slot)) >= ttl_ms);
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key: key bytes, last use, row.
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

    fn size(&self) -> StateSize {
        self.state.size()
    }
}

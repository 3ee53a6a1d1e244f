//! Turns rows that replace each other by key into a changelog with the old rows: what stands behind an upsert source.
//!
//! As Flink's ChangelogNormalize: the first row of a key is `+I`, a later one `-U` and `+U`, a deletion `-D` with the row
//! as it was. A row that is there already gives nothing, and neither does the deletion of what is not there. With a time
//! to live, an equal row is given again, so that state behind this one lives as long.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64};

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

pub struct Normalize {
    spec: NormalizeSpec,
    keys: KeyEncoder,
    rows: RowCodec,
    table: KeyTable,
    /// By slot.
    kept: Vec<Kept>,
    bytes: u64,
    now_ms: i64,
}

impl Normalize {
    pub fn new(spec: NormalizeSpec) -> Result<Self> {
        let read = Arc::new(spec.schema.project(&spec.columns)?);
        Ok(Normalize {
            keys: KeyEncoder::new(&spec.schema, &spec.keys)?,
            rows: RowCodec::new(&read)?,
            spec,
            table: KeyTable::default(),
            kept: Vec::new(),
            bytes: 0,
            now_ms: 0,
        })
    }

    fn put(&mut self, key: &[u8], row: Arc<[u8]>) -> Option<Arc<[u8]>> {
        let (slot, _) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        self.kept.resize_with(self.kept.len().max(at + 1), Kept::default);
        self.bytes += row.len() as u64;
        let old = std::mem::replace(&mut self.kept[at], Kept { row: Some(row), used_ms: self.now_ms }).row;
        self.bytes -= old.as_ref().map_or(0, |old| old.len() as u64);
        old
    }

    fn remove(&mut self, slot: u32) -> Option<Arc<[u8]>> {
        let old = std::mem::take(&mut self.kept[slot as usize]).row;
        self.bytes -= old.as_ref().map_or(0, |old| old.len() as u64);
        self.table.remove(slot);
        old
    }

    fn upsert(&mut self, key: &[u8], row: &[u8], changes: &mut Vec<Change>) {
        let same = self.table.find(0, hash_key(key), key).map(|slot| &self.kept[slot as usize]);
        if self.spec.ttl_ms <= 0 && same.is_some_and(|kept| kept.row.as_deref() == Some(row)) {
            return;
        }
        let row: Arc<[u8]> = row.into();
        match self.put(key, Arc::clone(&row)) {
            None => changes.push((RowKind::Insert, row)),
            Some(old) => changes.extend([(RowKind::UpdateBefore, old), (RowKind::UpdateAfter, row)]),
        }
    }

    fn delete(&mut self, key: &[u8], changes: &mut Vec<Change>) {
        let slot = self.table.find(0, hash_key(key), key);
        let old = slot.and_then(|slot| self.remove(slot));
        changes.extend(old.map(|old| (RowKind::Delete, old)));
    }
}

impl Operator for Normalize {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.rows.encode(&batch.rows.project(&self.spec.columns)?)?;
        let mut changes = Vec::new();
        for index in 0..batch.len() {
            if batch.kind(index).is_accumulate() {
                self.upsert(keys.key(index), rows.row(index).data(), &mut changes);
            } else {
                self.delete(keys.key(index), &mut changes);
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
        self.rows.give(&changes, &self.spec.schema, complete, out)
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.spec.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| now_ms.saturating_sub(self.kept[*slot as usize].used_ms) >= self.spec.ttl_ms;
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        gone.into_iter().for_each(|slot| drop(self.remove(slot)));
    }

    /// Per key: key bytes, last use, row.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let kept = &self.kept[slot as usize];
            let out = state.group(self.table.hash(slot));
            write_bytes(out, self.table.key(slot));
            write_i64(out, kept.used_ms);
            write_bytes(out, kept.row.as_deref().unwrap_or_default());
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let key = reader.bytes()?;
                let used_ms = reader.i64()?;
                self.put(key, reader.bytes()?.into());
                if let Some(slot) = self.table.find(0, hash_key(key), key) {
                    self.kept[slot as usize].used_ms = used_ms;
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let kept = (self.kept.len() * size_of::<Kept>()) as u64;
        StateSize { rows: self.table.len() as u64, bytes: self.table.bytes() + self.bytes + kept }
    }
}

//! Before a sink that keeps one row per key, where the query's rows are not known by that key: several of them may have
//! the same one, and taking one back must not delete the others.
//!
//! As Flink's SinkUpsertMaterializer: the rows of each key in the order in which they came; the last one is what the sink
//! holds.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes, write_i64, write_u32};

pub struct UpsertMaterializeSpec {
    /// Those of the sink.
    pub keys: Vec<usize>,
    pub schema: SchemaRef,
    /// Milliseconds of not being touched after which a key is forgotten; 0 keeps it.
    pub ttl_ms: i64,
}

#[derive(Default)]
struct Held {
    rows: Vec<Arc<[u8]>>,
    used_ms: i64,
}

pub struct UpsertMaterialize {
    keys: KeyEncoder,
    rows: RowCodec,
    table: KeyTable,
    /// By slot.
    held: Vec<Held>,
    bytes: u64,
    ttl_ms: i64,
    now_ms: i64,
}

impl UpsertMaterialize {
    pub fn new(spec: &UpsertMaterializeSpec) -> Result<Self> {
        Ok(UpsertMaterialize {
            keys: KeyEncoder::new(&spec.schema, &spec.keys)?,
            rows: RowCodec::new(&spec.schema)?,
            table: KeyTable::default(),
            held: Vec::new(),
            bytes: 0,
            ttl_ms: spec.ttl_ms,
            now_ms: 0,
        })
    }

    fn held(&mut self, key: &[u8]) -> &mut Held {
        let (slot, _) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        self.held.resize_with(self.held.len().max(at + 1), Held::default);
        &mut self.held[at]
    }

    fn add(&mut self, key: &[u8], row: Arc<[u8]>, changes: &mut Vec<Change>) {
        let now_ms = self.now_ms;
        self.bytes += row.len() as u64;
        let held = self.held(key);
        held.used_ms = now_ms;
        let kind = if held.rows.is_empty() { RowKind::Insert } else { RowKind::UpdateAfter };
        held.rows.push(Arc::clone(&row));
        changes.push((kind, row));
    }

    fn take(&mut self, key: &[u8], row: &[u8], changes: &mut Vec<Change>) {
        let Some(slot) = self.table.find(0, hash_key(key), key) else { return };
        let held = &mut self.held[slot as usize];
        held.used_ms = self.now_ms;
        // What was never given, or was forgotten, cannot be taken back.
        let Some(at) = held.rows.iter().position(|held| **held == *row) else { return };
        let gone = held.rows.remove(at);
        self.bytes -= gone.len() as u64;
        match held.rows.last() {
            None => {
                changes.push((RowKind::Delete, gone));
                self.table.remove(slot);
            }
            Some(last) if at == held.rows.len() => changes.push((RowKind::UpdateAfter, Arc::clone(last))),
            Some(_) => {}
        }
    }
}

impl Operator for UpsertMaterialize {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let keys = self.keys.encode(&batch.rows)?;
        let rows = self.rows.encode(&batch.rows)?;
        let mut changes = Vec::new();
        for index in 0..batch.len() {
            let (key, row) = (keys.key(index), rows.row(index));
            if batch.kind(index).is_accumulate() {
                self.add(key, row.data().into(), &mut changes);
            } else {
                self.take(key, row.data(), &mut changes);
            }
        }
        self.rows.give_plain(&changes, out)
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        if self.ttl_ms <= 0 {
            return;
        }
        let old = |slot: &u32| now_ms.saturating_sub(self.held[*slot as usize].used_ms) >= self.ttl_ms;
        let gone: Vec<u32> = self.table.used().filter(old).collect();
        for slot in gone {
            let held = std::mem::take(&mut self.held[slot as usize]);
            self.bytes -= held.rows.iter().map(|row| row.len() as u64).sum::<u64>();
            self.table.remove(slot);
        }
    }

    /// Per key: key bytes, last use, number of rows, rows.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.table.used() {
            let held = &self.held[slot as usize];
            let out = state.group(self.table.hash(slot));
            write_bytes(out, self.table.key(slot));
            write_i64(out, held.used_ms);
            write_u32(out, u32::try_from(held.rows.len()).unwrap_or(u32::MAX));
            held.rows.iter().for_each(|row| write_bytes(out, row));
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let (key, used_ms, count) = (reader.bytes()?, reader.i64()?, reader.u32()?);
                let rows = (0..count).map(|_| Ok(reader.bytes()?.into())).collect::<Result<Vec<Arc<[u8]>>>>()?;
                self.bytes += rows.iter().map(|row| row.len() as u64).sum::<u64>();
                *self.held(key) = Held { rows, used_ms };
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let held: usize = self.held.iter().map(|held| size_of::<Held>() + held.rows.len() * 16).sum();
        StateSize { rows: self.table.len() as u64, bytes: self.table.bytes() + self.bytes + held as u64 }
    }
}

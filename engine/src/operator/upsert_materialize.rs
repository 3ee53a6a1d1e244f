//! Before a sink that keeps one row per key, where the query's rows are not known by that key: several of them may have
//! the same one, and taking one back must not delete the others.
//!
//! As Flink's SinkUpsertMaterializer: the rows of each key in the order in which they came; the last one is what the sink
//! holds. State may be larger than memory.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::stored_rows::{Change, RowCodec};
use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::state::{
    KeyEncoder, Keyed, KeyedState, LogPart, Reader, SlotColumn, SlotValues, StatePlace, StateSize, write_bytes,
    write_i64, write_u32,
};

/// Bookkeeping per row beside its bytes.
const PER_ROW: usize = 32;

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

/// By slot.
#[derive(Default)]
struct Lists {
    held: SlotColumn<Held>,
    rows: u64,
    bytes: u64,
}

impl Lists {
    fn push(&mut self, slot: u32, row: Arc<[u8]>) {
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.held[slot as usize].rows.push(row);
    }

    fn remove(&mut self, slot: u32, at: usize) -> Arc<[u8]> {
        let gone = self.held[slot as usize].rows.remove(at);
        self.rows -= 1;
        self.bytes -= gone.len() as u64;
        gone
    }
}

impl SlotValues for Lists {
    fn grow(&mut self, capacity: usize) {
        self.held.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        let gone = std::mem::take(&mut self.held[slot as usize]).rows;
        self.rows -= gone.len() as u64;
        self.bytes -= gone.iter().map(|row| row.len() as u64).sum::<u64>();
    }

    /// Last use, number of rows, rows.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let held = &self.held[slot as usize];
        write_i64(out, held.used_ms);
        write_u32(out, u32::try_from(held.rows.len()).unwrap_or(u32::MAX));
        held.rows.iter().for_each(|row| write_bytes(out, row));
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.held[slot as usize].used_ms = from.i64()?;
        for _ in 0..from.u32()? {
            self.push(slot, from.bytes()?.into());
        }
        Ok(())
    }

    fn used_ms(&self, slot: u32) -> i64 {
        self.held[slot as usize].used_ms
    }

    fn bytes(&self) -> u64 {
        self.bytes + self.rows * PER_ROW as u64 + (self.held.len() * size_of::<Held>()) as u64
    }
}

pub struct UpsertMaterialize {
    keys: KeyEncoder,
    rows: RowCodec,
    state: Keyed<Lists>,
    ttl_ms: i64,
    now_ms: i64,
}

impl UpsertMaterialize {
    pub fn new(spec: &UpsertMaterializeSpec) -> Result<Self> {
        Ok(UpsertMaterialize {
            keys: KeyEncoder::new(&spec.schema, &spec.keys)?,
            rows: RowCodec::new(&spec.schema)?,
            state: Keyed::new(Lists::default()),
            ttl_ms: spec.ttl_ms,
            now_ms: 0,
        })
    }

    fn add(&mut self, key: &[u8], row: Arc<[u8]>, changes: &mut Vec<Change>) -> Result<()> {
        let (slot, _) = self.state.slot(key)?;
        self.state.touch(slot);
        let held = &mut self.state.values.held[slot as usize];
        held.used_ms = self.now_ms;
        let kind = if held.rows.is_empty() { RowKind::Insert } else { RowKind::UpdateAfter };
        self.state.values.push(slot, Arc::clone(&row));
        changes.push((kind, row));
        Ok(())
    }

    fn take(&mut self, key: &[u8], row: &[u8], changes: &mut Vec<Change>) -> Result<()> {
        let Some(slot) = self.state.find(key)? else { return Ok(()) };
        self.state.touch(slot);
        let held = &mut self.state.values.held[slot as usize];
        held.used_ms = self.now_ms;
        // What was never given, or was forgotten, cannot be taken back.
        let Some(at) = held.rows.iter().position(|held| **held == *row) else { return Ok(()) };
        let gone = self.state.values.remove(slot, at);
        let rows = &self.state.values.held[slot as usize].rows;
        match rows.last() {
            None => {
                changes.push((RowKind::Delete, gone));
                self.state.remove(slot);
            }
            Some(last) if at == rows.len() => changes.push((RowKind::UpdateAfter, Arc::clone(last))),
            Some(_) => {}
        }
        Ok(())
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
                self.add(key, row.data().into(), &mut changes)?;
            } else {
                self.take(key, row.data(), &mut changes)?;
            }
        }
        self.rows.give_plain(&changes, out)?;
        self.state.settle()
    }

    fn expire(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        let ttl_ms = self.ttl_ms;
        self.state.expire(now_ms, ttl_ms, |lists, slot| now_ms.saturating_sub(lists.used_ms(slot)) >= ttl_ms);
    }

    fn attach(&mut self, place: StatePlace) {
        self.state.attach(place);
    }

    /// Per key: key bytes, last use, number of rows, rows.
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

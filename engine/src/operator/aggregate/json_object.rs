//! JSON_OBJECTAGG: keys with texts of JSON, given in the order of the keys. A key that is there twice fails the job.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};

use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::format::json::write_text;
use crate::plan::logical::Nulls;
use crate::state::{Reader, SlotColumn, write_bytes, write_u32};

/// Bookkeeping per entry beside its bytes.
const PER_ENTRY: usize = 48;

pub(super) struct JsonObject {
    nulls: Nulls,
    objects: SlotColumn<Object>,
    heap: usize,
}

#[derive(Default)]
struct Object {
    entries: BTreeMap<Box<str>, Box<str>>,
    /// Taken back before they came.
    owed: Vec<(Box<str>, Box<str>)>,
}

impl Object {
    fn heap(&self) -> usize {
        let size = |key: &str, value: &str| key.len() + value.len() + PER_ENTRY;
        let entries: usize = self.entries.iter().map(|(key, value)| size(key, value)).sum();
        entries + self.owed.iter().map(|(key, value)| size(key, value)).sum::<usize>()
    }
}

impl JsonObject {
    pub(super) fn new(nulls: Nulls) -> Self {
        JsonObject { nulls, objects: SlotColumn::default(), heap: 0 }
    }

    fn add(&mut self, slot: usize, key: &str, value: &str) -> Result<()> {
        let object = &mut self.objects[slot];
        let size = key.len() + value.len() + PER_ENTRY;
        if let Some(owed) = object.owed.iter().position(|owed| (&*owed.0, &*owed.1) == (key, value)) {
            object.owed.swap_remove(owed);
            self.heap -= size;
            return Ok(());
        }
        if object.entries.contains_key(key) {
            return Err(EngineError::user(
                "duplicate_key",
                format!("JSON_OBJECTAGG has the key '{key}' twice in one group."),
            ));
        }
        object.entries.insert(key.into(), value.into());
        self.heap += size;
        Ok(())
    }

    fn remove(&mut self, slot: usize, key: &str, value: &str) {
        let object = &mut self.objects[slot];
        let size = key.len() + value.len() + PER_ENTRY;
        if object.entries.get(key).is_some_and(|held| **held == *value) {
            object.entries.remove(key);
            self.heap -= size;
        } else {
            object.owed.push((key.into(), value.into()));
            self.heap += size;
        }
    }
}

impl Accumulator for JsonObject {
    fn grow(&mut self, capacity: usize) {
        self.objects.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.heap -= std::mem::take(&mut self.objects[slot as usize]).heap();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let text = |arg: usize| -> Result<&StringArray> {
            let arg = args.get(arg).and_then(|arg| arg.as_string_opt::<i32>());
            arg.ok_or_else(|| EngineError::internal("JSON_OBJECTAGG got no text"))
        };
        let (keys, values) = (text(0)?, text(1)?);
        let nulls = if self.nulls == Nulls::LeftOut { values.nulls() } else { None };
        let mut failed = None;
        update.each(nulls, |row, slot, retract| {
            if keys.is_null(row) {
                failed = Some(EngineError::user("null_key", "A key of JSON_OBJECTAGG is NULL."));
                return;
            }
            let value = if values.is_valid(row) { values.value(row) } else { "null" };
            if retract {
                self.remove(slot, keys.value(row), value);
            } else if let Err(error) = self.add(slot, keys.value(row), value) {
                failed = Some(error);
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let (entries, owed) = {
                let other = &self.objects[*from as usize];
                (other.entries.clone(), other.owed.clone())
            };
            owed.iter().for_each(|(key, value)| self.remove(*into as usize, key, value));
            for (key, value) in &entries {
                self.add(*into as usize, key, value)?;
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let mut texts = StringBuilder::new();
        let mut text = Vec::new();
        for slot in slots {
            text.clear();
            text.push(b'{');
            for (place, (key, value)) in self.objects[*slot as usize].entries.iter().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                write_text(key, &mut text);
                text.push(b':');
                text.extend_from_slice(value.as_bytes());
            }
            text.push(b'}');
            texts.append_value(String::from_utf8_lossy(&text));
        }
        Ok(Arc::new(texts.finish()))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let object = &self.objects[slot as usize];
        let entry = |out: &mut Vec<u8>, key: &str, value: &str| {
            write_bytes(out, key.as_bytes());
            write_bytes(out, value.as_bytes());
        };
        write_u32(out, object.entries.len() as u32);
        object.entries.iter().for_each(|(key, value)| entry(out, key, value));
        write_u32(out, object.owed.len() as u32);
        object.owed.iter().for_each(|(key, value)| entry(out, key, value));
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        fn entry(from: &mut Reader<'_>) -> Result<(Box<str>, Box<str>)> {
            let (key, value) = (from.bytes()?, from.bytes()?);
            Ok((String::from_utf8_lossy(key).into(), String::from_utf8_lossy(value).into()))
        }
        let mut object = Object::default();
        for _ in 0..from.u32()? {
            let (key, value) = entry(from)?;
            object.entries.insert(key, value);
        }
        for _ in 0..from.u32()? {
            object.owed.push(entry(from)?);
        }
        self.clear(slot);
        self.heap += object.heap();
        self.objects[slot as usize] = object;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.objects.len() * size_of::<Object>() + self.heap) as u64
    }
}

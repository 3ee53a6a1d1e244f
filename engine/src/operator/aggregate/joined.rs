//! LISTAGG over rows that are never taken back: the text so far.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};

use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_bytes};

pub(super) struct Joined {
    separator: String,
    texts: SlotColumn<Option<String>>,
    heap: usize,
}

impl Joined {
    pub(super) fn new(separator: String) -> Self {
        Joined { separator, texts: SlotColumn::default(), heap: 0 }
    }

    fn add(&mut self, slot: usize, value: &str) {
        let held = &mut self.texts[slot];
        self.heap -= held.as_ref().map_or(0, String::len);
        match held {
            Some(text) => {
                text.push_str(&self.separator);
                text.push_str(value);
            }
            None => *held = Some(value.to_owned()),
        }
        self.heap += held.as_ref().map_or(0, String::len);
    }
}

impl Accumulator for Joined {
    fn grow(&mut self, capacity: usize) {
        self.texts.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.heap -= self.texts[slot as usize].take().map_or(0, |text| text.len());
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let texts = args.first().and_then(|arg| arg.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| EngineError::internal("LISTAGG got no text"))?;
        update.each(texts.nulls(), |row, slot, _| self.add(slot, texts.value(row)));
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            if let Some(text) = self.texts[*from as usize].clone() {
                self.add(*into as usize, &text);
            }
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        let texts: StringArray = slots.iter().map(|slot| self.texts[*slot as usize].as_deref()).collect();
        Ok(Arc::new(texts))
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        let text = self.texts[slot as usize].as_deref();
        out.push(u8::from(text.is_some()));
        write_bytes(out, text.unwrap_or_default().as_bytes());
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let there = from.u8()? == 1;
        let text = String::from_utf8_lossy(from.bytes()?).into_owned();
        self.clear(slot);
        if there {
            self.add(slot as usize, &text);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.texts.len() * size_of::<Option<String>>() + self.heap) as u64
    }
}

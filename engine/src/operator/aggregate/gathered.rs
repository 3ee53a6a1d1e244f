//! What gathers values in the order in which they came: ARRAY_AGG and JSON_ARRAYAGG, and over rows that may be taken
//! back LISTAGG, FIRST_VALUE and LAST_VALUE.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use arrow::row::Rows;

use super::encoded::Encoded;
use super::sequence::Sequence;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::plan::logical::Nulls;
use crate::state::{Reader, SlotColumn};

/// What is given of the values.
pub(super) enum Give {
    First,
    Last,
    /// All, in an array of this type; NULL when there are none.
    Array(DataType),
    /// All texts with this between them; NULL when there are none.
    Joined(String),
    /// All texts of JSON as one array.
    JsonArray,
}

pub(super) struct Gathered {
    give: Give,
    values_are: Kept,
    nulls: Nulls,
    values: SlotColumn<Sequence>,
    heap: usize,
}

enum Kept {
    Encoded(Encoded),
    /// As they are.
    Text,
}

/// The values of one batch.
enum Coming<'a> {
    Encoded(Rows),
    Text(&'a arrow::array::StringArray),
}

impl Coming<'_> {
    fn value(&self, row: usize) -> &[u8] {
        match self {
            Coming::Encoded(rows) => rows.row(row).data(),
            Coming::Text(texts) if texts.is_valid(row) => texts.value(row).as_bytes(),
            Coming::Text(_) => b"null",
        }
    }
}

impl Gathered {
    pub(super) fn new(give: Give, ty: &DataType, nulls: Nulls) -> Result<Self> {
        let values_are = match give {
            Give::Joined(_) | Give::JsonArray => Kept::Text,
            _ => Kept::Encoded(Encoded::new(ty)?),
        };
        Ok(Gathered { give, values_are, nulls, values: SlotColumn::default(), heap: 0 })
    }

    fn one(&self, slots: &[u32], which: impl Fn(&Sequence) -> Option<&[u8]>) -> Result<ArrayRef> {
        let encoded = self.encoded()?;
        encoded.decode(slots.iter().map(|slot| which(&self.values[*slot as usize]).unwrap_or(encoded.null())))
    }

    fn array(&self, slots: &[u32], ty: &DataType) -> Result<ArrayRef> {
        let DataType::List(item) = ty else { return Err(EngineError::internal("an array is wanted as another type")) };
        let of_slots = || slots.iter().map(|slot| &self.values[*slot as usize]);
        let items = self.encoded()?.decode(of_slots().flat_map(Sequence::iter))?;
        let offsets = OffsetBuffer::from_lengths(of_slots().map(Sequence::len));
        let there: NullBuffer = of_slots().map(|values| values.len() > 0).collect::<Vec<bool>>().into();
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, Some(there))?))
    }

    fn joined(&self, slots: &[u32], separator: &str) -> Result<ArrayRef> {
        let mut texts = StringBuilder::new();
        let mut text = Vec::new();
        for slot in slots {
            let values = &self.values[*slot as usize];
            text.clear();
            join(values, separator, &mut text);
            match values.len() {
                0 => texts.append_null(),
                _ => texts.append_value(utf8(&text)?),
            }
        }
        Ok(Arc::new(texts.finish()))
    }

    fn json(&self, slots: &[u32]) -> Result<ArrayRef> {
        let mut texts = StringBuilder::new();
        let mut text = Vec::new();
        for slot in slots {
            text.clear();
            text.push(b'[');
            join(&self.values[*slot as usize], ",", &mut text);
            text.push(b']');
            texts.append_value(utf8(&text)?);
        }
        Ok(Arc::new(texts.finish()))
    }

    fn encoded(&self) -> Result<&Encoded> {
        match &self.values_are {
            Kept::Encoded(encoded) => Ok(encoded),
            Kept::Text => Err(EngineError::internal("texts are wanted as values")),
        }
    }

    fn put(&mut self, slot: usize, values: Sequence) {
        self.heap += values.bytes();
        self.heap -= std::mem::replace(&mut self.values[slot], values).bytes();
    }
}

impl Accumulator for Gathered {
    fn grow(&mut self, capacity: usize) {
        self.values.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.put(slot as usize, Sequence::default());
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let coming = match &self.values_are {
            Kept::Encoded(encoded) => Coming::Encoded(encoded.encode(arg)?),
            Kept::Text => Coming::Text(
                arg.as_string_opt::<i32>().ok_or_else(|| EngineError::internal("an aggregate of texts got no text"))?,
            ),
        };
        let nulls = if self.nulls == Nulls::LeftOut { arg.logical_nulls() } else { None };
        let (values, heap) = (&mut self.values, &mut self.heap);
        update.each(nulls.as_ref(), |row, slot, retract| {
            let sequence = &mut values[slot];
            *heap -= sequence.bytes();
            if retract {
                sequence.remove(coming.value(row))
            } else {
                sequence.add(coming.value(row))
            }
            *heap += sequence.bytes();
        });
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let mut merged = std::mem::take(&mut self.values[*into as usize]);
            self.heap -= merged.bytes();
            merged.append(&self.values[*from as usize]);
            self.put(*into as usize, merged);
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        match &self.give {
            Give::First => self.one(slots, Sequence::first),
            Give::Last => self.one(slots, Sequence::last),
            Give::Array(ty) => self.array(slots, ty),
            Give::Joined(separator) => self.joined(slots, separator),
            Give::JsonArray => self.json(slots),
        }
    }

    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        self.values[slot as usize].write(out);
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let values = Sequence::read(from)?;
        self.put(slot as usize, values);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.values.len() * size_of::<Sequence>() + self.heap) as u64
    }
}

fn join(values: &Sequence, separator: &str, out: &mut Vec<u8>) {
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(value);
    }
}

fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| EngineError::internal("a text in the state of an aggregate is none"))
}

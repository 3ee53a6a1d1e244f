//! Messages into columns.
//!
//! Fields come in any order and as often as they like: the last one of a single field counts, those of a repeated one
//! follow each other, and parts of a message are put together. So the fields of a message are found first, and then each
//! column is filled from its own.

use hashbrown::HashMap;

use super::model::{Enum, Kind, Label};
use super::plan::{DefaultValue, FieldPlan, Form, Item, MessagePlan, unzigzag};
use super::text::Parsed;
use super::wire::{Input, Value};
use crate::error::Result;
use crate::format::column::{Column, Data, offset_of};
use crate::format::{BadRecord, Decoded, Decoder, RECORD_LIMIT};

/// What a record may hold, in elements of lists; a field costs as much as four of them, and a message as many as it has
/// columns. Broken bytes may claim more than they have room for.
const VALUES: usize = 1 << 24;
const FIELD_COST: usize = 4;

pub(super) struct ProtobufDecoder {
    plan: MessagePlan,
    columns: Vec<Column>,
    rows: usize,
}

impl ProtobufDecoder {
    pub(super) const fn new(plan: MessagePlan, columns: Vec<Column>) -> Self {
        ProtobufDecoder { plan, columns, rows: 0 }
    }
}

impl Decoder for ProtobufDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        if record.len() > RECORD_LIMIT {
            return Err(BadRecord(format!("the record has {} bytes, more than the limit", record.len())));
        }
        let mut budget = Budget(VALUES);
        if let Err(why) = self.plan.read(record, &mut self.columns, &mut budget) {
            self.truncate(self.rows);
            return Err(BadRecord(why));
        }
        self.rows += 1;
        Ok(1)
    }

    /// No bytes are a message of defaults, a record without a value is none.
    fn push_absent(&mut self) -> Result<usize, BadRecord> {
        Ok(0)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = self.rows.min(rows);
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        Ok(Decoded { columns, kinds: None })
    }
}

struct Budget(usize);

impl Budget {
    fn spend(&mut self, values: usize) -> Parsed<()> {
        self.0 = self.0.checked_sub(values).ok_or("it holds more values than a record may")?;
        Ok(())
    }
}

struct Found<'a> {
    column: usize,
    number: u32,
    choice: Option<usize>,
    value: Value<'a>,
}

impl MessagePlan {
    fn read(&self, bytes: &[u8], columns: &mut [Column], budget: &mut Budget) -> Parsed<()> {
        budget.spend(self.fields.len())?;
        let found = self.find(bytes, budget)?;
        let mut rest = found.as_slice();
        for (at, (field, column)) in self.fields.iter().zip(columns).enumerate() {
            let count = rest.iter().take_while(|found| found.column == at).count();
            let (mine, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = others;
            field.read(mine, column, budget)?;
        }
        Ok(())
    }

    /// Those that belong to a column, by column and then as they came.
    fn find<'a>(&self, bytes: &'a [u8], budget: &mut Budget) -> Parsed<Vec<Found<'a>>> {
        let mut found = Vec::with_capacity(self.fields.len());
        let mut chosen = vec![0; self.choices];
        let mut input = Input::new(bytes);
        while !input.is_empty() {
            let (number, value) = input.field()?;
            let (Some(known), Some(value)) = (self.known(number), value) else { continue };
            if let Some(slot) = known.choice.and_then(|choice| chosen.get_mut(choice)) {
                *slot = number;
            }
            let Some(column) = known.column else { continue };
            // A value of another kind than the field's is one of an unknown field.
            if self.fields.get(column).is_some_and(|field| field.form.takes(value)) {
                budget.spend(FIELD_COST)?;
                found.push(Found { column, number, choice: known.choice, value });
            }
        }
        if self.choices > 0 {
            found.retain(|field| field.choice.is_none_or(|choice| chosen.get(choice) == Some(&field.number)));
        }
        if !found.is_sorted_by_key(|field| field.column) {
            found.sort_by_key(|field| field.column);
        }
        Ok(found)
    }
}

impl FieldPlan {
    fn read(&self, found: &[Found<'_>], column: &mut Column, budget: &mut Budget) -> Parsed<()> {
        match &self.form {
            Form::One(Item::Message(message)) => self.read_message(message, found, column, budget),
            Form::One(item) => match found.iter().rev().find(|field| item.knows(field.value)) {
                Some(last) => item.read(last.value, column, budget),
                None => self.read_absent(item, column),
            },
            Form::Many(item) => {
                let Data::List { offsets, items } = column.data() else { return Err(other_shape()) };
                found.iter().try_for_each(|field| item.read_all(field.value, items, budget))?;
                let end = offset_of(items.len());
                self.end_of_list(offsets.last() == Some(&end), end, column)
            }
            Form::Map(key, value) => {
                let Data::Map { offsets, keys, values } = column.data() else { return Err(other_shape()) };
                read_entries(found, (key, value), (keys, values), budget)?;
                let end = offset_of(keys.len());
                self.end_of_list(offsets.last() == Some(&end), end, column)
            }
        }
    }

    fn read_message(
        &self,
        message: &MessagePlan,
        found: &[Found<'_>],
        column: &mut Column,
        budget: &mut Budget,
    ) -> Parsed<()> {
        let parts: Vec<&[u8]> = found.iter().filter_map(|field| bytes_of(field.value)).collect();
        match parts.as_slice() {
            [] if !self.absent_is_default => {
                self.must_be_there()?;
                column.push_null();
                Ok(())
            }
            [] => read_row(message, &[], column, budget),
            [only] => read_row(message, only, column, budget),
            several => read_row(message, &several.concat(), column, budget),
        }
    }

    fn read_absent(&self, item: &Item, column: &mut Column) -> Parsed<()> {
        self.must_be_there()?;
        if !self.absent_is_default {
            column.push_null();
            return Ok(());
        }
        match &self.default {
            DefaultValue::Number(bits) => item.push_number(*bits, column),
            DefaultValue::Bytes(bytes) => push_bytes(bytes, column),
        }
    }

    fn must_be_there(&self) -> Parsed<()> {
        if self.label == Label::Required {
            Err(format!("the required field '{}' is missing", self.name))
        } else {
            Ok(())
        }
    }

    /// No elements are NULL, as in Flink, unless defaults are read.
    fn end_of_list(&self, empty: bool, end: i32, column: &mut Column) -> Parsed<()> {
        if empty && !self.absent_is_default {
            column.push_null();
            return Ok(());
        }
        if let Data::List { offsets, .. } | Data::Map { offsets, .. } = column.data() {
            offsets.push(end);
        }
        column.accept();
        Ok(())
    }
}

impl Form {
    fn takes(&self, value: Value<'_>) -> bool {
        match self {
            Self::One(item) => item.takes(value),
            Self::Many(item) => item.takes(value) || item.packs() && matches!(value, Value::Bytes(_)),
            Self::Map(..) => matches!(value, Value::Bytes(_)),
        }
    }
}

impl Item {
    fn takes(&self, value: Value<'_>) -> bool {
        match self {
            Self::Message(_) | Self::Scalar(Kind::String | Kind::Bytes) => matches!(value, Value::Bytes(_)),
            Self::Scalar(Kind::Fixed32 | Kind::Sfixed32 | Kind::Float) => matches!(value, Value::Fixed32(_)),
            Self::Scalar(Kind::Fixed64 | Kind::Sfixed64 | Kind::Double) => matches!(value, Value::Fixed64(_)),
            Self::Scalar(_) | Self::Enum(_) => matches!(value, Value::Varint(_)),
        }
    }

    fn packs(&self) -> bool {
        match self {
            Self::Message(_) => false,
            Self::Enum(_) => true,
            Self::Scalar(kind) => kind.packs(),
        }
    }

    /// Whether the value counts: proto2 treats a number without a name as if its field were unknown.
    fn knows(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Enum(known), Value::Varint(bits)) => known.open || name_of(known, bits).is_some(),
            _ => true,
        }
    }

    /// One element, or several that stand together.
    fn read_all(&self, value: Value<'_>, items: &mut Column, budget: &mut Budget) -> Parsed<()> {
        let packed = match value {
            Value::Bytes(bytes) if self.packs() => bytes,
            single => {
                budget.spend(1)?;
                return if self.knows(single) { self.read(single, items, budget) } else { Ok(()) };
            }
        };
        let mut input = Input::new(packed);
        while !input.is_empty() {
            budget.spend(1)?;
            let next = match self {
                Self::Scalar(Kind::Fixed32 | Kind::Sfixed32 | Kind::Float) => Value::Fixed32(input.fixed32()?),
                Self::Scalar(Kind::Fixed64 | Kind::Sfixed64 | Kind::Double) => Value::Fixed64(input.fixed64()?),
                _ => Value::Varint(input.varint()?),
            };
            if self.knows(next) {
                self.read(next, items, budget)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn read(&self, value: Value<'_>, column: &mut Column, budget: &mut Budget) -> Parsed<()> {
        match (self, value) {
            (Self::Message(message), Value::Bytes(bytes)) => read_row(message, bytes, column, budget),
            (Self::Scalar(Kind::String), Value::Bytes(bytes)) => {
                let wrong = |error: std::str::Utf8Error| format!("byte {} of a text is no UTF-8", error.valid_up_to());
                std::str::from_utf8(bytes).map_err(wrong)?;
                push_bytes(bytes, column)
            }
            (_, Value::Bytes(bytes)) => push_bytes(bytes, column),
            (_, Value::Varint(bits) | Value::Fixed64(bits)) => self.push_number(bits, column),
            (_, Value::Fixed32(bits)) => self.push_number(bits.into(), column),
        }
    }

    /// As a field that is not there would be read: in entries of maps.
    fn read_default(&self, column: &mut Column, budget: &mut Budget) -> Parsed<()> {
        match self {
            Self::Message(message) => read_row(message, &[], column, budget),
            Self::Scalar(Kind::String | Kind::Bytes) => push_bytes(&[], column),
            Self::Scalar(_) => self.push_number(0, column),
            Self::Enum(known) => {
                let first = known.values.first().map_or(0, |(_, number)| i64::from(*number) as u64);
                self.push_number(first, column)
            }
        }
    }

    #[inline]
    fn push_number(&self, bits: u64, column: &mut Column) -> Parsed<()> {
        let number = match self {
            Self::Enum(known) => return push_enum(known, bits, column),
            Self::Scalar(Kind::Sint32 | Kind::Sint64) => unzigzag(bits),
            _ => bits as i64,
        };
        match column.data() {
            Data::Boolean(values) => values.push(number != 0),
            // Unsigned numbers go beyond their signed type, as in Java.
            Data::Int32(values) => values.push(number as i32),
            Data::Int64(values) => values.push(number),
            Data::Float32(values) => values.push(f32::from_bits(bits as u32)),
            Data::Float64(values) => values.push(f64::from_bits(bits)),
            _ => return Err(other_shape()),
        }
        column.accept();
        Ok(())
    }
}

fn name_of(known: &Enum, bits: u64) -> Option<&str> {
    known.values.iter().find(|(_, number)| *number == bits as i32).map(|(name, _)| name.as_str())
}

/// By name into text, by number into whole numbers.
fn push_enum(known: &Enum, bits: u64, column: &mut Column) -> Parsed<()> {
    let number = bits as i32;
    let too_large = || format!("the number {number} of the enum {} does not fit the column", known.name);
    match column.data() {
        Data::Bytes { .. } => return push_bytes(name_of(known, bits).unwrap_or("UNRECOGNIZED").as_bytes(), column),
        Data::Int8(values) => values.push(i8::try_from(number).map_err(|_| too_large())?),
        Data::Int16(values) => values.push(i16::try_from(number).map_err(|_| too_large())?),
        Data::Int32(values) => values.push(number),
        Data::Int64(values) => values.push(number.into()),
        _ => return Err(other_shape()),
    }
    column.accept();
    Ok(())
}

fn push_bytes(value: &[u8], column: &mut Column) -> Parsed<()> {
    let Data::Bytes { offsets, bytes } = column.data() else { return Err(other_shape()) };
    bytes.extend_from_slice(value);
    offsets.push(offset_of(bytes.len()));
    column.accept();
    Ok(())
}

fn read_row(message: &MessagePlan, bytes: &[u8], column: &mut Column, budget: &mut Budget) -> Parsed<()> {
    let Data::Row(children) = column.data() else { return Err(other_shape()) };
    message.read(bytes, children, budget)?;
    column.accept();
    Ok(())
}

/// Of two entries with one key the last counts.
fn read_entries(
    found: &[Found<'_>],
    (key, value): (&Item, &Item),
    (keys, values): (&mut Column, &mut Column),
    budget: &mut Budget,
) -> Parsed<()> {
    let mut entries = Vec::with_capacity(found.len());
    let mut places: HashMap<KeyBits<'_>, usize, foldhash::fast::RandomState> = HashMap::default();
    for field in found {
        let entry = Entry::read(bytes_of(field.value).unwrap_or_default(), key, value)?;
        if entry.value.is_some_and(|found| !value.knows(found)) {
            continue;
        }
        match places.get(&KeyBits::of(entry.key)).and_then(|place| entries.get_mut(*place)) {
            Some(earlier) => *earlier = entry,
            None => {
                places.insert(KeyBits::of(entry.key), entries.len());
                entries.push(entry);
            }
        }
    }
    for entry in entries {
        match entry.key {
            Some(found) => key.read(found, keys, budget)?,
            None => key.read_default(keys, budget)?,
        }
        match entry.value {
            Some(found) => value.read(found, values, budget)?,
            None => value.read_default(values, budget)?,
        }
    }
    Ok(())
}

struct Entry<'a> {
    key: Option<Value<'a>>,
    value: Option<Value<'a>>,
}

impl<'a> Entry<'a> {
    fn read(bytes: &'a [u8], key: &Item, value: &Item) -> Parsed<Self> {
        let mut entry = Entry { key: None, value: None };
        let mut input = Input::new(bytes);
        while !input.is_empty() {
            match input.field()? {
                (1, Some(found)) if key.takes(found) => entry.key = Some(found),
                (2, Some(found)) if value.takes(found) => entry.value = Some(found),
                _ => {}
            }
        }
        Ok(entry)
    }
}

/// Equal where keys are; an absent one is the default.
#[derive(PartialEq, Eq, Hash)]
enum KeyBits<'a> {
    Number(u64),
    Text(&'a [u8]),
}

impl<'a> KeyBits<'a> {
    const fn of(value: Option<Value<'a>>) -> Self {
        match value {
            None | Some(Value::Bytes([])) => Self::Number(0),
            Some(Value::Varint(bits) | Value::Fixed64(bits)) => Self::Number(bits),
            Some(Value::Fixed32(bits)) => Self::Number(bits as u64),
            Some(Value::Bytes(bytes)) => Self::Text(bytes),
        }
    }
}

const fn bytes_of(value: Value<'_>) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn other_shape() -> String {
    "the column has another shape than its type".to_owned()
}

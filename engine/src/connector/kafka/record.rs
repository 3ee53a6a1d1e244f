//! One Kafka record into rows: value, key and metadata.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::super::layout::{ReadLayout, UPSERT_KAFKA, fields_of_format, key_fields, key_name, physical_fields};
use super::super::option::Options;
use super::super::{ConnectorContext, Records};
use super::feed::{Details, HeaderVisit, Message};
use super::message::MetadataColumns;
use super::offset::Partition;
use super::produce::DeadLetterTopic;
use super::tombstone::Tombstones;
use crate::catalog::TableRef;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::bad_record::{BadRecords, OnError, RecordOrigin};
use crate::format::bad_record_queue::TableInbox;
use crate::format::{self, BadRecord, Decoded, Decoder, Format, FormatOptions};
use crate::types::{Field, Type};

/// Before the metadata keys of the value's format.
pub(super) const OF_VALUE: &str = "value.";

/// How records of a table are decoded.
pub(super) struct RecordFormat {
    value: Part,
    key: Option<Part>,
    /// For each wanted column: from the key or the value, and which of its decoded columns.
    order: Vec<(Side, usize)>,
    /// Metadata of the record, and where each metadata column comes from.
    record_metadata: Vec<(String, Type)>,
    metadata: Vec<Metadata>,
    /// Records replace each other by their keys, and those without a value delete.
    upserts: bool,
    on_error: OnError,
    inbox: Option<Arc<TableInbox>>,
    dead_letters: Option<(rdkafka::ClientConfig, String)>,
}

struct Part {
    format: &'static dyn Format,
    options: FormatOptions,
    fields: Vec<Field>,
    wanted: Vec<usize>,
    /// Metadata that the format reads.
    metadata: Vec<(String, Type)>,
}

/// Where a metadata column comes from.
#[derive(Clone, Copy)]
enum Metadata {
    /// Place among those of the record.
    Record(usize),
    /// Place among those of the value's format.
    Format(usize),
}

#[derive(Clone, Copy)]
enum Side {
    Key,
    Value,
}

impl Part {
    fn new(table: &TableRef, prefix: &str, option: &str) -> Result<Option<Self>> {
        let Some(name) = Options(&table.options).text(option) else { return Ok(None) };
        let format = format::find(name);
        let format =
            format.ok_or_else(|| EngineError::user("unknown_format", format!("There is no format '{name}'.")))?;
        Ok(Some(Part {
            format,
            options: FormatOptions::of_table(&table.options, prefix, name),
            fields: fields_of_format(table, prefix),
            wanted: Vec::new(),
            metadata: Vec::new(),
        }))
    }

    fn decoder(&self) -> Result<Box<dyn Decoder>> {
        self.format.decoder_with_metadata(&self.fields, &self.wanted, &self.metadata, &self.options)
    }

    /// The decoded column of a field, asking for it when it is not asked for yet.
    fn column(&mut self, name: &str) -> Option<usize> {
        let field = self.fields.iter().position(|field| field.name == name)?;
        let known = self.wanted.iter().position(|wanted| *wanted == field);
        Some(known.unwrap_or_else(|| {
            self.wanted.push(field);
            self.wanted.len() - 1
        }))
    }
}

impl RecordFormat {
    pub(super) fn new(table: &TableRef, layout: &ReadLayout, context: &ConnectorContext) -> Result<Self> {
        let value = match Part::new(table, "", "format")? {
            Some(part) => part,
            None => Part::new(table, "value.", "value.format")?
                .ok_or_else(|| EngineError::user("missing_option", "'format' is missing."))?,
        };
        let key = Part::new(table, "key.", "key.format")?;
        let keys = key_fields(table);
        let mut format = RecordFormat {
            value,
            key,
            order: Vec::new(),
            record_metadata: Vec::new(),
            metadata: Vec::new(),
            upserts: table.connector() == UPSERT_KAFKA,
            on_error: OnError::of_table(&table.options),
            inbox: TableInbox::of(context.bad_records.as_ref(), table),
            dead_letters: None,
        };
        format.place_metadata(layout);
        for index in &layout.wanted {
            let name = layout.fields.get(*index).map(|field| field.name.as_str()).unwrap_or_default();
            // A column of the key is read from the key, as in Flink.
            let of_key = format.key.as_mut().filter(|_| keys.contains(&name));
            let from_key = of_key.and_then(|key| key.column(key_name(table, name)));
            let place = match from_key {
                Some(column) => Some((Side::Key, column)),
                None => format.value.column(name).map(|column| (Side::Value, column)),
            };
            format.order.push(place.ok_or_else(|| EngineError::internal("a column is in neither key nor value"))?);
        }
        if let Some(topic) = table.option("decode.dead-letter.topic").filter(|_| !context.read_only) {
            format.dead_letters = Some((super::client::properties(&table.options)?, topic.to_owned()));
        }
        Ok(format)
    }

    /// Keys that begin with `value.` are read by the format.
    fn place_metadata(&mut self, layout: &ReadLayout) {
        for (key, ty) in &layout.metadata {
            let (place, list, key) = match key.strip_prefix(OF_VALUE) {
                Some(key) => (Metadata::Format(self.value.metadata.len()), &mut self.value.metadata, key),
                None => (Metadata::Record(self.record_metadata.len()), &mut self.record_metadata, key.as_str()),
            };
            list.push((key.to_owned(), ty.clone()));
            self.metadata.push(place);
        }
    }

    pub(super) fn changelog(&self) -> bool {
        self.value.format.changelog()
    }

    pub(super) const fn upserts(&self) -> bool {
        self.upserts
    }

    pub(super) fn bad_records(&self) -> Result<BadRecords> {
        let policy = match (self.on_error, &self.dead_letters) {
            (OnError::Fail, _) => BadRecords::failing(),
            (OnError::DeadLetter, Some((config, topic))) => {
                BadRecords::dead_lettering(Box::new(DeadLetterTopic::new(config, topic)?))
            }
            (OnError::Skip | OnError::DeadLetter, _) => BadRecords::skipping(),
        };
        Ok(policy.kept_in(self.inbox.clone()))
    }

    pub(super) fn rows(&self) -> Result<RecordRows> {
        Ok(RecordRows {
            value: self.value.decoder()?,
            key: self.key.as_ref().map(Part::decoder).transpose()?,
            metadata: MetadataColumns::new(&self.record_metadata)?,
            places: self.metadata.clone(),
            fields: self.value.wanted.len(),
            order: self.order.clone(),
            tombstones: self.upserts.then(Tombstones::default),
            bytes: 0,
        })
    }
}

/// Rows of a batch under construction.
pub(super) struct RecordRows {
    value: Box<dyn Decoder>,
    key: Option<Box<dyn Decoder>>,
    metadata: MetadataColumns,
    places: Vec<Metadata>,
    /// How many columns of the value are fields; metadata of the format stands behind them.
    fields: usize,
    order: Vec<(Side, usize)>,
    /// Where records without a value delete.
    tombstones: Option<Tombstones>,
    bytes: u64,
}

impl RecordRows {
    pub(super) fn len(&self) -> usize {
        self.value.rows() + self.tombstones.as_ref().map_or(0, Tombstones::len)
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(&mut self, message: &Message<'_>, partition: &Partition, bad: &mut BadRecords) -> Result<()> {
        let Err(reason) = self.decode(message, partition)? else { return Ok(()) };
        let split = partition.split();
        let origin = RecordOrigin { split: &split, offset: message.offset, key: message.key, value: message.value };
        bad.handle(&origin, &reason)
    }

    /// Errors are those of what decoding asks, such as a schema registry.
    fn decode(&mut self, message: &Message<'_>, partition: &Partition) -> Result<std::result::Result<(), BadRecord>> {
        let value = message.value.unwrap_or_default();
        self.bytes += (value.len() + message.key.map_or(0, <[u8]>::len)) as u64;
        let before = self.len();
        let pushed = match (&mut self.key, &mut self.tombstones) {
            (None, _) if message.value.is_none() => self.value.push_absent(),
            (None, _) => self.value.push(value),
            (Some(key), Some(tombstones)) if message.value.is_none() => {
                push_key(&mut **key, message.key.unwrap_or_default()).map(|()| {
                    tombstones.add(before);
                    1
                })
            }
            (Some(key), _) => push_both(&mut **key, &mut *self.value, message.key, message.value),
        };
        match pushed {
            Ok(rows) => {
                self.metadata.push(message, partition, rows);
                Ok(Ok(()))
            }
            Err(reason) => {
                let away = self.value.failure().or_else(|| self.key.as_mut().and_then(|key| key.failure()));
                match away {
                    Some(error) => Err(error),
                    None => Ok(Err(reason)),
                }
            }
        }
    }

    /// The rows so far; empties this.
    pub(super) fn finish(&mut self, layout: &ReadLayout) -> Result<ChangeBatch> {
        self.bytes = 0;
        let rows = self.len();
        let mut value = self.value.finish()?;
        if let Some(tombstones) = &mut self.tombstones {
            tombstones.spread(&mut value, rows)?;
        }
        let key = self.key.as_mut().map(|key| key.finish()).transpose()?;
        let columns = self.order.iter().map(|(side, column)| {
            let columns = match side {
                Side::Value => Some(&value.columns),
                Side::Key => key.as_ref().map(|key| &key.columns),
            };
            let array = columns.and_then(|columns| columns.get(*column));
            array.cloned().ok_or_else(|| EngineError::internal("a decoded column is missing"))
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let of_record = self.metadata.finish()?;
        let metadata = self.places.iter().map(|place| {
            let array = match place {
                Metadata::Record(index) => of_record.get(*index),
                Metadata::Format(index) => value.columns.get(self.fields + index),
            };
            array.cloned().ok_or_else(|| EngineError::internal("a metadata column is missing"))
        });
        let metadata = metadata.collect::<Result<Vec<ArrayRef>>>()?;
        layout.batch(rows, Decoded { columns, kinds: value.kinds }, &metadata)
    }
}

/// Records of a table without a source.
pub(super) struct SingleRecords {
    layout: ReadLayout,
    fields: Vec<Field>,
    rows: RecordRows,
}

impl SingleRecords {
    pub(super) fn new(table: &TableRef, context: &ConnectorContext) -> Result<Self> {
        // Physical columns come first in the order of reading; metadata is not in the bytes.
        let columns: Vec<usize> = (0..physical_fields(table).len()).collect();
        let layout = ReadLayout::new(table, &columns)?;
        let rows = RecordFormat::new(table, &layout, context)?.rows()?;
        Ok(SingleRecords { fields: layout.fields.clone(), layout, rows })
    }
}

impl Records for SingleRecords {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn decode(&mut self, record: &RecordOrigin<'_>) -> Result<std::result::Result<ChangeBatch, BadRecord>> {
        let partition = Partition { topic: record.split.to_owned(), number: 0 };
        let message = Message { offset: record.offset, key: record.key, value: record.value, details: &NoDetails };
        match self.rows.decode(&message, &partition)? {
            Ok(()) => self.rows.finish(&self.layout).map(Ok),
            Err(bad) => Ok(Err(bad)),
        }
    }
}

/// No column asks for them.
struct NoDetails;

impl Details for NoDetails {
    fn timestamp(&self) -> (i64, &'static str) {
        (-1, "NoTimestampType")
    }

    fn each_header(&self, _visit: HeaderVisit<'_>) {}

    fn leader_epoch(&self) -> Option<i32> {
        None
    }
}

/// Key and value of one record; a value of several rows repeats the key. On error neither keeps anything.
fn push_both(
    key: &mut dyn Decoder,
    value: &mut dyn Decoder,
    key_bytes: Option<&[u8]>,
    value_bytes: Option<&[u8]>,
) -> Result<usize, BadRecord> {
    let before = key.rows();
    let rows = match value_bytes {
        Some(bytes) => value.push(bytes)?,
        None => value.push_absent()?,
    };
    let pushed = (0..rows).try_for_each(|_| push_key(key, key_bytes.unwrap_or_default()));
    if let Err(bad) = pushed {
        key.truncate(before);
        value.truncate(before);
        return Err(BadRecord(format!("key: {}", bad.0)));
    }
    Ok(rows)
}

fn push_key(key: &mut dyn Decoder, bytes: &[u8]) -> Result<(), BadRecord> {
    let before = key.rows();
    match key.push(bytes)? {
        1 => Ok(()),
        _ => {
            key.truncate(before);
            Err(BadRecord("the key has to hold exactly one row".to_owned()))
        }
    }
}

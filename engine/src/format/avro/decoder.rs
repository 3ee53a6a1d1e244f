//! Records into rows: plain ones, those whose schema is named by an id, and changes.

use std::sync::Arc;

use hashbrown::HashMap;

use super::input::{AvroResult, Input};
use super::reader::{RowReader, skip};
use super::registry::{Lookup, Registry};
use super::schema::{NodeId, RecordField, Schema};
use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::{BadRecord, Decoded, Decoder, RECORD_LIMIT, wanted_columns, wanted_fields};
use crate::types::Field;

/// Where the schema of a record is known from.
pub(super) enum Writer {
    /// It is the table's own.
    Fixed(Arc<RecordReader>),
    /// Its id stands before each record.
    Named {
        registry: Box<Registry>,
        known: HashMap<u32, Result<Arc<RecordReader>, String>, foldhash::fast::RandomState>,
    },
}

/// How a record of one schema is read.
pub(super) enum RecordReader {
    Row(RowReader),
    Change(ChangeReader),
}

/// Rows before and after a change, and the operation, wherever they stand in the record.
pub(super) struct ChangeReader {
    schema: Arc<Schema>,
    fields: Vec<(Part, NodeId)>,
    before: RowReader,
    after: RowReader,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    After,
    Op,
    Other,
}

impl RecordReader {
    pub(super) fn new(schema: &Arc<Schema>, fields: &[&Field], changes: bool) -> Result<Self, String> {
        if changes {
            return Ok(Self::Change(ChangeReader::new(schema, fields)?));
        }
        Ok(Self::Row(RowReader::new(schema, schema.root(), fields)?))
    }
}

impl ChangeReader {
    fn new(schema: &Arc<Schema>, fields: &[&Field]) -> Result<Self, String> {
        let record = schema.record_fields(schema.root()).ok_or("the schema is no record")?;
        let part = |field: &RecordField| match field.name.as_str() {
            "before" => Part::Before,
            "after" => Part::After,
            "op" => Part::Op,
            _ => Part::Other,
        };
        let row = |name: &str| {
            let field = record.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| format!("the record has no field '{name}'"))?;
            RowReader::new(schema, field.node, fields)
        };
        let parts = record.iter().map(|field| (part(field), field.node)).collect();
        Ok(ChangeReader { schema: Arc::clone(schema), fields: parts, before: row("before")?, after: row("after")? })
    }

    fn read(&self, input: &mut Input<'_>, columns: &mut [Column], kinds: &mut Vec<RowKind>) -> AvroResult<()> {
        let (mut before, mut after, mut op): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
        for (part, node) in &self.fields {
            let from = input.rest();
            skip(&self.schema, *node, input)?;
            let bytes = from.get(..from.len() - input.rest().len()).unwrap_or_default();
            match part {
                Part::Before => before = self.value(*node, bytes)?,
                Part::After => after = self.value(*node, bytes)?,
                Part::Op => op = Input::new(self.value(*node, bytes)?).text()?,
                Part::Other => {}
            }
        }
        let mut row = |kind: RowKind, reader: &RowReader, bytes: &[u8]| {
            if bytes.is_empty() {
                let what = if kind.is_accumulate() { "after" } else { "before" };
                return Err(format!(
                    "'{what}' is null; the source has to record full rows (for PostgreSQL: REPLICA IDENTITY FULL)"
                ));
            }
            reader.read(&mut Input::new(bytes), columns)?;
            kinds.push(kind);
            Ok(())
        };
        match op {
            b"c" | b"r" => row(RowKind::Insert, &self.after, after),
            b"u" => {
                row(RowKind::UpdateBefore, &self.before, before)?;
                row(RowKind::UpdateAfter, &self.after, after)
            }
            b"d" => row(RowKind::Delete, &self.before, before),
            other => Err(format!("'{}' is no known kind of change", String::from_utf8_lossy(other))),
        }
    }

    /// The bytes of a value without the branch of its union; nothing for a null.
    fn value<'a>(&self, node: NodeId, bytes: &'a [u8]) -> AvroResult<&'a [u8]> {
        let value = self.schema.value_of(node);
        if value == node {
            return Ok(bytes);
        }
        let super::schema::Kind::Union(branches) = &self.schema.node(node).kind else { return Ok(bytes) };
        let mut input = Input::new(bytes);
        let index = input.index()?;
        Ok(if branches.get(index) == Some(&value) { input.rest() } else { &[] })
    }
}

pub(super) struct AvroDecoder {
    fields: Vec<Field>,
    changes: bool,
    writer: Writer,
    columns: Vec<Column>,
    rows: usize,
    kinds: Vec<RowKind>,
    failure: Option<EngineError>,
}

impl AvroDecoder {
    pub(super) fn new(fields: &[Field], wanted: &[usize], changes: bool, writer: Writer) -> Self {
        AvroDecoder {
            fields: wanted_fields(fields, wanted).cloned().collect(),
            changes,
            writer,
            columns: wanted_columns(fields, wanted),
            rows: 0,
            kinds: Vec::new(),
            failure: None,
        }
    }

    fn read(&mut self, record: &[u8]) -> AvroResult<usize> {
        let mut input = Input::new(record);
        let reader = self.reader(&mut input)?;
        let rows = match &*reader {
            RecordReader::Row(row) => {
                row.read(&mut input, &mut self.columns)?;
                1
            }
            RecordReader::Change(change) => {
                let before = self.kinds.len();
                change.read(&mut input, &mut self.columns, &mut self.kinds)?;
                self.kinds.len() - before
            }
        };
        if input.is_empty() { Ok(rows) } else { Err(format!("{} bytes are left behind it", input.rest().len())) }
    }

    fn reader(&mut self, input: &mut Input<'_>) -> AvroResult<Arc<RecordReader>> {
        let (registry, known) = match &mut self.writer {
            Writer::Fixed(reader) => return Ok(Arc::clone(reader)),
            Writer::Named { registry, known } => (registry, known),
        };
        let [magic, id @ ..] = input.array::<5>().map_err(|_| "it is too short for the id of a schema".to_owned())?;
        if magic != 0 {
            return Err(format!("it begins with {magic}, not with the 0 before the id of a schema"));
        }
        let id = u32::from_be_bytes(id);
        if let Some(reader) = known.get(&id) {
            return reader.clone();
        }
        let schema = match registry.schema(id) {
            Ok(Lookup::Found(schema)) => Ok(schema),
            Ok(Lookup::Unknown) => Err(format!("the registry does not know the schema {id}")),
            Err(error) => {
                let message = error.message.clone();
                self.failure = Some(error);
                return Err(message);
            }
        };
        let fields: Vec<&Field> = self.fields.iter().collect();
        let reader = schema.and_then(|text| {
            let schema = Schema::parse(&text).map_err(|why| format!("the schema {id} cannot be read: {why}"))?;
            let reader = RecordReader::new(&Arc::new(schema), &fields, self.changes);
            reader.map(Arc::new).map_err(|why| format!("the schema {id} does not fit the table: {why}"))
        });
        known.insert(id, reader.clone());
        reader
    }

    fn cut(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.kinds.truncate(rows);
        self.rows = self.rows.min(rows);
    }
}

impl Decoder for AvroDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        if record.is_empty() {
            // A tombstone.
            return Ok(0);
        }
        if record.len() > RECORD_LIMIT {
            return Err(BadRecord(format!("the record has {} bytes, more than the limit", record.len())));
        }
        match self.read(record) {
            Ok(rows) => {
                self.rows += rows;
                Ok(rows)
            }
            Err(why) => {
                self.cut(self.rows);
                Err(BadRecord(why))
            }
        }
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn truncate(&mut self, rows: usize) {
        self.cut(rows);
    }

    fn failure(&mut self) -> Option<EngineError> {
        self.failure.take()
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        Ok(Decoded { columns, kinds: self.changes.then(|| std::mem::take(&mut self.kinds)) })
    }
}

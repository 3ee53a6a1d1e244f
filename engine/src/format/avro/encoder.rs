//! Rows into records, with the id of their schema before them where there is a registry.

use arrow::array::{ArrayRef, RecordBatch};

use super::registry::Registry;
use super::schema::{Kind, NodeId, RecordField, Schema};
use super::writer::{ValueWriter, record_writers, rows_of, write_bytes, write_long};
use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::format::{Encoder, Slab};

pub(super) struct AvroEncoder {
    pub(super) schema: Schema,
    pub(super) changes: bool,
    pub(super) id: SchemaId,
}

pub(super) enum SchemaId {
    /// Records are bare.
    Absent,
    Known(u32),
    ToAsk {
        registry: Box<Registry>,
        subject: String,
    },
}

impl AvroEncoder {
    fn id(&mut self) -> Result<Option<u32>> {
        let id = match &mut self.id {
            SchemaId::Absent => return Ok(None),
            SchemaId::Known(id) => return Ok(Some(*id)),
            SchemaId::ToAsk { registry, subject } => registry.register(subject, &self.schema.to_json())?,
        };
        self.id = SchemaId::Known(id);
        Ok(Some(id))
    }
}

impl Encoder for AvroEncoder {
    fn encode(&mut self, rows: &RecordBatch, kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let id = self.id()?;
        let (names, columns) = rows_of(rows);
        let envelope = self.changes.then(|| Envelope::new(&self.schema, &names, columns)).transpose()?;
        let plain = match &envelope {
            Some(_) => Vec::new(),
            None => record_writers(&self.schema, self.schema.root(), &names, columns)?,
        };
        for row in 0..rows.num_rows() {
            if let Some(id) = id {
                slab.bytes.push(0);
                slab.bytes.extend(id.to_be_bytes());
            }
            let kind = kinds.and_then(|kinds| kinds.get(row).copied()).unwrap_or(RowKind::Insert);
            match &envelope {
                Some(envelope) => envelope.write(row, kind, &mut slab.bytes)?,
                None => plain.iter().try_for_each(|field| field.write(row, &mut slab.bytes))?,
            }
            slab.end_record();
        }
        Ok(())
    }
}

/// A change as a record of the rows before and after it: an update is a deletion and an insertion.
struct Envelope<'a> {
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    /// Of kinds that add rows, or of those that take them away.
    Row {
        adds: bool,
        null: i64,
        value: i64,
        fields: Vec<ValueWriter<'a>>,
    },
    Op {
        branch: Option<i64>,
    },
    /// The null branch of a field that Flink does not write.
    Absent(i64),
}

impl<'a> Envelope<'a> {
    fn new(schema: &'a Schema, names: &[&str], columns: &[ArrayRef]) -> Result<Self> {
        let wrong = || EngineError::user("bad_schema", "The Avro schema is no envelope of before, after and op.");
        let fields = schema.record_fields(schema.root()).ok_or_else(wrong)?;
        let part = |field: &RecordField| {
            let value = schema.value_of(field.node);
            let (null, value_branch) = branches(schema, field.node, value);
            Ok(match field.name.as_str() {
                "before" | "after" => Part::Row {
                    adds: field.name == "after",
                    null: null.ok_or_else(wrong)?,
                    value: value_branch.ok_or_else(wrong)?,
                    fields: record_writers(schema, value, names, columns)?,
                },
                "op" => Part::Op { branch: value_branch },
                _ => Part::Absent(null.ok_or_else(wrong)?),
            })
        };
        Ok(Envelope { parts: fields.iter().map(part).collect::<Result<_>>()? })
    }

    fn write(&self, row: usize, kind: RowKind, out: &mut Vec<u8>) -> Result<()> {
        for part in &self.parts {
            match part {
                Part::Row { adds, null, value, fields } => {
                    let there = *adds == kind.is_accumulate();
                    write_long(if there { *value } else { *null }, out);
                    if there {
                        fields.iter().try_for_each(|field| field.write(row, out))?;
                    }
                }
                Part::Op { branch } => {
                    branch.iter().for_each(|branch| write_long(*branch, out));
                    write_bytes(if kind.is_accumulate() { b"c" } else { b"d" }, out);
                }
                Part::Absent(null) => write_long(*null, out),
            }
        }
        Ok(())
    }
}

/// Branches of null and of the value, where the node is a union.
fn branches(schema: &Schema, node: NodeId, value: NodeId) -> (Option<i64>, Option<i64>) {
    let Kind::Union(all) = &schema.node(node).kind else { return (None, None) };
    let place = |at: Option<usize>| at.and_then(|place| i64::try_from(place).ok());
    let null = all.iter().position(|branch| schema.node(*branch).kind == Kind::Null);
    (place(null), place(all.iter().position(|branch| *branch == value)))
}

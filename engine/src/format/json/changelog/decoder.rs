//! Envelopes into rows with their kinds.

use regex::Regex;

use super::Dialect;
use super::envelope::{Change, Envelope, change_of, each_field, elements, payload_of, required, text_of};
use super::metadata::EnvelopeColumns;
use crate::change::RowKind;
use crate::error::Result;
use crate::format::column::Column;
use crate::format::json::cursor::{Cursor, JsonResult, Next};
use crate::format::json::decoder::{bad_record, checked_text};
use crate::format::json::object::ObjectReader;
use crate::format::json::read::ReadRules;
use crate::format::{BadRecord, Decoded, Decoder};

pub(super) struct ChangelogDecoder {
    pub(super) dialect: Dialect,
    /// Records are wrapped into schema and payload.
    pub(super) payload: bool,
    pub(super) database: Option<Regex>,
    pub(super) table: Option<Regex>,
    pub(super) object: ObjectReader,
    pub(super) columns: Vec<Column>,
    pub(super) metadata: EnvelopeColumns,
    pub(super) kinds: Vec<RowKind>,
    pub(super) rules: ReadRules,
}

impl ChangelogDecoder {
    fn read(&mut self, record: &[u8]) -> JsonResult<()> {
        let mut cursor = Cursor::new(record);
        if cursor.at_end() {
            // A tombstone after a delete.
            return Ok(());
        }
        if cursor.next()? == Next::Null {
            return Ok(());
        }
        let envelope = self.envelope(record)?;
        if !passes(self.database.as_ref(), &envelope.database) || !passes(self.table.as_ref(), &envelope.table) {
            return Ok(());
        }
        let Some(change) = change_of(self.dialect, &envelope)? else { return Ok(()) };
        match self.dialect {
            Dialect::Canal => self.read_canal(change, &envelope),
            Dialect::Maxwell => self.read_maxwell(change, &envelope),
            Dialect::Debezium | Dialect::Ogg => self.read_images(change, &envelope),
        }
    }

    /// Whole rows before and after the change.
    fn read_images(&mut self, change: Change, envelope: &Envelope<'_>) -> JsonResult<()> {
        match change {
            Change::Insert => self.row(RowKind::Insert, required(envelope.after, "after")?, None, envelope),
            Change::Delete => self.row(RowKind::Delete, required(envelope.before, "before")?, None, envelope),
            Change::Update => {
                self.row(RowKind::UpdateBefore, required(envelope.before, "before")?, None, envelope)?;
                self.row(RowKind::UpdateAfter, required(envelope.after, "after")?, None, envelope)
            }
        }
    }

    /// `old` has the changed columns only.
    fn read_maxwell(&mut self, change: Change, envelope: &Envelope<'_>) -> JsonResult<()> {
        let data = required(envelope.after, "data")?;
        match change {
            Change::Insert => self.row(RowKind::Insert, data, None, envelope),
            Change::Delete => self.row(RowKind::Delete, data, None, envelope),
            Change::Update => {
                self.row(RowKind::UpdateBefore, data, Some(required(envelope.before, "old")?), envelope)?;
                self.row(RowKind::UpdateAfter, data, None, envelope)
            }
        }
    }

    /// Canal puts arrays of rows into its envelope, and only the changed columns into `old`.
    fn read_canal(&mut self, change: Change, envelope: &Envelope<'_>) -> JsonResult<()> {
        let rows = elements(required(envelope.after, "data")?)?;
        let old = if change == Change::Update { elements(required(envelope.before, "old")?)? } else { Vec::new() };
        for (index, row) in rows.iter().enumerate() {
            match change {
                Change::Insert => self.row(RowKind::Insert, row, None, envelope)?,
                Change::Delete => self.row(RowKind::Delete, row, None, envelope)?,
                Change::Update => {
                    self.row(RowKind::UpdateBefore, row, old.get(index).copied(), envelope)?;
                    self.row(RowKind::UpdateAfter, row, None, envelope)?;
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, kind: RowKind, base: &[u8], over: Option<&[u8]>, envelope: &Envelope<'_>) -> JsonResult<()> {
        let mut base = Cursor::new(base);
        match over {
            Some(over) => {
                self.object.read_overlaid(&mut base, &mut Cursor::new(over), &mut self.columns, &self.rules)?;
            }
            None => self.object.read(&mut base, &mut self.columns, &self.rules)?,
        }
        self.metadata.push(&envelope.metadata, &self.rules)?;
        self.kinds.push(kind);
        Ok(())
    }

    fn envelope<'a>(&self, record: &'a [u8]) -> JsonResult<Envelope<'a>> {
        let mut envelope = Envelope { metadata: self.metadata.places(), ..Envelope::default() };
        let record = if self.payload {
            // The schema stands beside the payload.
            payload_of(record, |key, value| self.metadata.see(key, value, &mut envelope.metadata))?
        } else {
            record
        };
        let (op, before, after): (&[u8], &[u8], &[u8]) = match self.dialect {
            Dialect::Debezium => (b"op", b"before", b"after"),
            Dialect::Canal | Dialect::Maxwell => (b"type", b"old", b"data"),
            Dialect::Ogg => (b"op_type", b"before", b"after"),
        };
        each_field(record, |key, value| {
            self.metadata.see(key, value, &mut envelope.metadata);
            if key == op {
                envelope.op = text_of(value)?;
            } else if key == before {
                envelope.before = value;
            } else if key == after {
                envelope.after = value;
            } else if key == b"database" && self.database.is_some() {
                envelope.database = text_of(value)?;
            } else if key == b"table" && self.table.is_some() {
                envelope.table = text_of(value)?;
            } else if key == b"isDdl" {
                envelope.is_ddl = value == b"true";
            }
            Ok(())
        })?;
        Ok(envelope)
    }

    fn cut(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.metadata.truncate(rows);
        self.kinds.truncate(rows);
    }
}

impl Decoder for ChangelogDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        let record = checked_text(record)?;
        let before = self.kinds.len();
        match self.read(record) {
            Ok(()) => Ok(self.kinds.len() - before),
            Err(error) => {
                self.cut(before);
                Err(bad_record(error))
            }
        }
    }

    fn rows(&self) -> usize {
        self.kinds.len()
    }

    fn truncate(&mut self, rows: usize) {
        self.cut(rows);
    }

    fn finish(&mut self) -> Result<Decoded> {
        let mut columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
        columns.extend(self.metadata.finish()?);
        Ok(Decoded { columns, kinds: Some(std::mem::take(&mut self.kinds)) })
    }
}

fn passes(filter: Option<&Regex>, name: &str) -> bool {
    filter.is_none_or(|filter| filter.is_match(name))
}

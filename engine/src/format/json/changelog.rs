//! Changelogs in JSON envelopes: `debezium-json`, `canal-json`, `maxwell-json`, `ogg-json`.
//!
//! Reading gives `+I`, `-U`/`+U` and `-D`. Writing gives one envelope per row: an update is a delete and an insert, as in
//! Flink, so that each record stands for itself.

use millrace_wire::connector::{FormatSchema, OptionKind};
use regex::Regex;

use super::cursor::{Cursor, JsonError, JsonResult, Next};
use super::decoder::{bad_record, checked_text};
use super::object::ObjectReader;
use super::read::ReadRules;
use super::write::JsonEncoder;
use super::{shared_options, shared_problems, source_side};
use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::format::column::Column;
use crate::format::{
    BadRecord, Decoded, Decoder, Encoder, Format, FormatOptions, Framing, Slab, defaulted, wanted_columns,
    wanted_fields,
};
use crate::types::Field;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Debezium,
    Canal,
    Maxwell,
    Ogg,
}

pub struct ChangelogJson {
    dialect: Dialect,
    name: &'static str,
    title: &'static str,
}

pub static DEBEZIUM: ChangelogJson =
    ChangelogJson { dialect: Dialect::Debezium, name: "debezium-json", title: "Debezium JSON" };
pub static CANAL: ChangelogJson = ChangelogJson { dialect: Dialect::Canal, name: "canal-json", title: "Canal JSON" };
pub static MAXWELL: ChangelogJson =
    ChangelogJson { dialect: Dialect::Maxwell, name: "maxwell-json", title: "Maxwell JSON" };
pub static OGG: ChangelogJson =
    ChangelogJson { dialect: Dialect::Ogg, name: "ogg-json", title: "Oracle GoldenGate JSON" };

impl Format for ChangelogJson {
    fn schema(&self) -> FormatSchema {
        let mut options = shared_options(self.name);
        let mut filter = |suffix: &str, title: &str, help: &str, kind, default: &str| {
            options.push(source_side(defaulted(&format!("{}.{suffix}", self.name), title, help, kind, default)));
        };
        match self.dialect {
            Dialect::Debezium => {
                filter(
                    "schema-include",
                    "Schema in each record",
                    "Records have schema and payload.",
                    OptionKind::Boolean,
                    "false",
                );
            }
            Dialect::Canal => {
                filter(
                    "database.include",
                    "Databases",
                    "A regular expression; others are passed over.",
                    OptionKind::Text,
                    "",
                );
                filter(
                    "table.include",
                    "Tables",
                    "A regular expression; others are passed over.",
                    OptionKind::Text,
                    "",
                );
            }
            Dialect::Maxwell | Dialect::Ogg => {}
        }
        FormatSchema { name: self.name.to_owned(), title: self.title.to_owned(), options }
    }

    fn changelog(&self) -> bool {
        true
    }

    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)> {
        let mut problems = shared_problems(self.name, fields, options);
        for suffix in ["database.include", "table.include"] {
            if let Some(Err(error)) = options.get(suffix).map(whole_match) {
                problems.push((format!("{}.{suffix}", self.name), format!("It is no regular expression: {error}")));
            }
        }
        problems
    }

    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        let named = wanted_fields(fields, wanted).map(|field| (field.name.as_str(), &field.ty.logical));
        let filter = |name: &str| {
            let compiled = options.get(name).map(whole_match).transpose();
            compiled
                .map_err(|error| EngineError::user("bad_option", format!("'{name}' is no regular expression: {error}")))
        };
        Ok(Box::new(ChangelogDecoder {
            dialect: self.dialect,
            payload: options.is_true("schema-include"),
            database: filter("database.include")?,
            table: filter("table.include")?,
            object: ObjectReader::new(named),
            columns: wanted_columns(fields, wanted),
            kinds: Vec::new(),
            rules: super::rules(options),
        }))
    }

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(ChangelogEncoder { dialect: self.dialect, rows: JsonEncoder::new(fields, options) }))
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

fn whole_match(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

struct ChangelogDecoder {
    dialect: Dialect,
    payload: bool,
    database: Option<Regex>,
    table: Option<Regex>,
    object: ObjectReader,
    columns: Vec<Column>,
    kinds: Vec<RowKind>,
    rules: ReadRules,
}

/// The parts of an envelope as JSON text; absent ones and `null` are empty.
#[derive(Default)]
struct Envelope<'a> {
    op: String,
    before: &'a [u8],
    after: &'a [u8],
    database: String,
    table: String,
    is_ddl: bool,
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
        if self.dialect == Dialect::Canal {
            return self.read_canal(change, &envelope);
        }
        match change {
            Change::Insert => self.row(RowKind::Insert, envelope.after, None),
            Change::Delete if self.dialect == Dialect::Maxwell => self.row(RowKind::Delete, envelope.after, None),
            Change::Delete => self.row(RowKind::Delete, required(envelope.before, "before")?, None),
            Change::Update if self.dialect == Dialect::Maxwell => {
                self.row(RowKind::UpdateBefore, envelope.after, Some(envelope.before))?;
                self.row(RowKind::UpdateAfter, envelope.after, None)
            }
            Change::Update => {
                self.row(RowKind::UpdateBefore, required(envelope.before, "before")?, None)?;
                self.row(RowKind::UpdateAfter, envelope.after, None)
            }
        }
    }

    /// Canal puts arrays of rows into its envelope, and only the changed columns into `old`.
    fn read_canal(&mut self, change: Change, envelope: &Envelope<'_>) -> JsonResult<()> {
        let rows = elements(envelope.after)?;
        let old = if change == Change::Update { elements(required(envelope.before, "old")?)? } else { Vec::new() };
        for (index, row) in rows.iter().enumerate() {
            match change {
                Change::Insert => self.row(RowKind::Insert, row, None)?,
                Change::Delete => self.row(RowKind::Delete, row, None)?,
                Change::Update => {
                    self.row(RowKind::UpdateBefore, row, old.get(index).copied())?;
                    self.row(RowKind::UpdateAfter, row, None)?;
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, kind: RowKind, base: &[u8], over: Option<&[u8]>) -> JsonResult<()> {
        let mut base = Cursor::new(required(base, "the row")?);
        match over {
            Some(over) if !over.is_empty() => {
                self.object.read_overlaid(&mut base, &mut Cursor::new(over), &mut self.columns, &self.rules)?;
            }
            _ => self.object.read(&mut base, &mut self.columns, &self.rules)?,
        }
        self.kinds.push(kind);
        Ok(())
    }

    fn envelope<'a>(&self, record: &'a [u8]) -> JsonResult<Envelope<'a>> {
        let record = if self.payload { payload_of(record)? } else { record };
        let (op, before, after): (&[u8], &[u8], &[u8]) = match self.dialect {
            Dialect::Debezium => (b"op", b"before", b"after"),
            Dialect::Canal | Dialect::Maxwell => (b"type", b"old", b"data"),
            Dialect::Ogg => (b"op_type", b"before", b"after"),
        };
        let mut envelope = Envelope::default();
        each_field(record, |key, value| {
            if key == op {
                envelope.op = text_of(value)?;
            } else if key == before {
                envelope.before = value;
            } else if key == after {
                envelope.after = value;
            } else if key == b"database" {
                envelope.database = text_of(value)?;
            } else if key == b"table" {
                envelope.table = text_of(value)?;
            } else if key == b"isDdl" {
                envelope.is_ddl = value == b"true";
            }
            Ok(())
        })?;
        Ok(envelope)
    }
}

impl Decoder for ChangelogDecoder {
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord> {
        let record = checked_text(record)?;
        let before = self.kinds.len();
        match self.read(record) {
            Ok(()) => Ok(self.kinds.len() - before),
            Err(error) => {
                self.kinds.truncate(before);
                self.columns.iter_mut().for_each(|column| column.truncate(before));
                Err(bad_record(error))
            }
        }
    }

    fn rows(&self) -> usize {
        self.kinds.len()
    }

    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.kinds.truncate(rows);
    }

    fn finish(&mut self) -> Result<Decoded> {
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        Ok(Decoded { columns, kinds: Some(std::mem::take(&mut self.kinds)) })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Insert,
    Update,
    Delete,
}

/// `None` for records that carry no row: schema changes, marks of a snapshot.
fn change_of(dialect: Dialect, envelope: &Envelope<'_>) -> JsonResult<Option<Change>> {
    let change = match (dialect, envelope.op.as_str()) {
        (Dialect::Debezium, "c" | "r") | (Dialect::Ogg, "I") | (Dialect::Canal, "INSERT") => Change::Insert,
        (Dialect::Maxwell, "insert" | "bootstrap-insert") => Change::Insert,
        (Dialect::Debezium, "u") | (Dialect::Ogg, "U") | (Dialect::Canal, "UPDATE") => Change::Update,
        (Dialect::Maxwell, "update") => Change::Update,
        (Dialect::Debezium, "d") | (Dialect::Ogg, "D") | (Dialect::Canal, "DELETE") => Change::Delete,
        (Dialect::Maxwell, "delete") => Change::Delete,
        (Dialect::Maxwell, "bootstrap-start" | "bootstrap-complete") | (Dialect::Canal, "CREATE") => return Ok(None),
        (Dialect::Canal, _) if envelope.is_ddl => return Ok(None),
        (_, "") => return Err(JsonError::Value("the record does not say which change it is".to_owned())),
        (_, other) => return Err(JsonError::Value(format!("'{other}' is no known kind of change"))),
    };
    Ok(Some(change))
}

fn passes(filter: Option<&Regex>, name: &str) -> bool {
    filter.is_none_or(|filter| filter.is_match(name))
}

fn required<'a>(json: &'a [u8], what: &str) -> JsonResult<&'a [u8]> {
    if json.is_empty() {
        let reason =
            format!("'{what}' is null; the source has to record full rows (for PostgreSQL: REPLICA IDENTITY FULL)");
        return Err(JsonError::Value(reason));
    }
    Ok(json)
}

fn payload_of(record: &[u8]) -> JsonResult<&[u8]> {
    let mut payload: &[u8] = b"";
    each_field(record, |key, value| {
        if key == b"payload" {
            payload = value;
        }
        Ok(())
    })?;
    required(payload, "payload")
}

/// Calls `visit` with each key and the text of its value; a `null` is given as nothing.
fn each_field<'a>(object: &'a [u8], mut visit: impl FnMut(&[u8], &'a [u8]) -> JsonResult<()>) -> JsonResult<()> {
    let mut cursor = Cursor::new(object);
    if !cursor.take(b'{') {
        return cursor.unexpected("'{'");
    }
    let mut first = true;
    while let Some(key) = cursor.key(&mut first)? {
        cursor.skip_blanks();
        let start = cursor.position();
        cursor.skip()?;
        let value = cursor.between(start, cursor.position());
        visit(&key.unescape()?, if value == b"null" { b"" } else { value })?;
    }
    if cursor.at_end() { Ok(()) } else { cursor.unexpected("the end of the record") }
}

fn elements(array: &[u8]) -> JsonResult<Vec<&[u8]>> {
    let mut cursor = Cursor::new(required(array, "data")?);
    if !cursor.take(b'[') {
        return Err(JsonError::Value("'data' and 'old' have to be arrays".to_owned()));
    }
    let (mut found, mut first) = (Vec::new(), true);
    while cursor.element(&mut first)? {
        cursor.skip_blanks();
        let start = cursor.position();
        cursor.skip()?;
        found.push(cursor.between(start, cursor.position()));
    }
    Ok(found)
}

/// A JSON string as text; other values as they are written.
fn text_of(value: &[u8]) -> JsonResult<String> {
    let mut cursor = Cursor::new(value);
    if value.first() != Some(&b'"') {
        return Ok(String::from_utf8_lossy(value).into_owned());
    }
    Ok(String::from_utf8_lossy(&cursor.text()?.unescape()?).into_owned())
}

struct ChangelogEncoder {
    dialect: Dialect,
    rows: JsonEncoder,
}

impl Encoder for ChangelogEncoder {
    fn encode(&mut self, rows: &arrow::array::RecordBatch, kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let writer = self.rows.writer(rows)?;
        for row in 0..rows.num_rows() {
            let kind = kinds.and_then(|kinds| kinds.get(row).copied()).unwrap_or(RowKind::Insert);
            let (open, close): (&str, &str) = match (self.dialect, kind.is_accumulate()) {
                (Dialect::Debezium, true) => (r#"{"before":null,"after":"#, r#","op":"c"}"#),
                (Dialect::Debezium, false) => (r#"{"before":"#, r#","after":null,"op":"d"}"#),
                (Dialect::Ogg, true) => (r#"{"before":null,"after":"#, r#","op_type":"I"}"#),
                (Dialect::Ogg, false) => (r#"{"before":"#, r#","after":null,"op_type":"D"}"#),
                (Dialect::Canal, true) => (r#"{"data":["#, r#"],"type":"INSERT"}"#),
                (Dialect::Canal, false) => (r#"{"data":["#, r#"],"type":"DELETE"}"#),
                (Dialect::Maxwell, true) => (r#"{"data":"#, r#","type":"insert"}"#),
                (Dialect::Maxwell, false) => (r#"{"data":"#, r#","type":"delete"}"#),
            };
            slab.bytes.extend_from_slice(open.as_bytes());
            writer.write(row, &mut slab.bytes)?;
            slab.bytes.extend_from_slice(close.as_bytes());
            slab.end_record();
        }
        Ok(())
    }
}

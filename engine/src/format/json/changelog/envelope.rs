//! The parts of an envelope, before any row is read.

use super::Dialect;
use crate::format::json::cursor::{Cursor, JsonError, JsonResult};

/// The parts of an envelope as JSON text; absent ones and `null` are empty.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) op: String,
    pub(super) before: &'a [u8],
    pub(super) after: &'a [u8],
    pub(super) database: String,
    pub(super) table: String,
    pub(super) is_ddl: bool,
    /// Of the metadata columns, as the decoder orders them.
    pub(super) metadata: Vec<&'a [u8]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Insert,
    Update,
    Delete,
}

/// `None` for records that carry no row: schema changes, marks of a snapshot.
pub(super) fn change_of(dialect: Dialect, envelope: &Envelope<'_>) -> JsonResult<Option<Change>> {
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

pub(super) fn required<'a>(json: &'a [u8], what: &str) -> JsonResult<&'a [u8]> {
    if json.is_empty() {
        let reason =
            format!("'{what}' is null; the source has to record full rows (for PostgreSQL: REPLICA IDENTITY FULL)");
        return Err(JsonError::Value(reason));
    }
    Ok(json)
}

/// The payload of a wrapped record; `see` gets all fields of the wrapper.
pub(super) fn payload_of<'a>(record: &'a [u8], mut see: impl FnMut(&[u8], &'a [u8])) -> JsonResult<&'a [u8]> {
    let mut payload: &[u8] = b"";
    each_field(record, |key, value| {
        if key == b"payload" {
            payload = value;
        } else {
            see(key, value);
        }
        Ok(())
    })?;
    required(payload, "payload")
}

/// Calls `visit` with each key and the text of its value; a `null` is given as nothing.
pub(super) fn each_field<'a>(
    object: &'a [u8],
    mut visit: impl FnMut(&[u8], &'a [u8]) -> JsonResult<()>,
) -> JsonResult<()> {
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

pub(super) fn elements(array: &[u8]) -> JsonResult<Vec<&[u8]>> {
    let mut cursor = Cursor::new(array);
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
pub(super) fn text_of(value: &[u8]) -> JsonResult<String> {
    let mut cursor = Cursor::new(value);
    if value.first() != Some(&b'"') {
        return Ok(String::from_utf8_lossy(value).into_owned());
    }
    Ok(String::from_utf8_lossy(&cursor.text()?.unescape()?).into_owned())
}

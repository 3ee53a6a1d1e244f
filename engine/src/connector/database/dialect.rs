//! What differs between servers: names, literals, types, the catalog, and the statement that writes by key.

use arrow::array::ArrayRef;
use async_trait::async_trait;

use super::session::Session;
use super::target::Target;
use crate::error::{EngineError, Result};
use crate::types::{Field, LogicalType};

pub(super) use super::super::mysql::MYSQL;
pub(super) use super::super::postgres::POSTGRES;

#[async_trait]
pub(in crate::connector) trait Dialect: Send + Sync {
    /// As people call it.
    fn title(&self) -> &'static str;

    fn port(&self) -> u16;

    /// Whether there are schemas below databases.
    fn has_schemas(&self) -> bool;

    /// A name in the quotes of the server.
    fn name(&self, name: &str) -> String;

    /// Run once per connection; times are in UTC and texts without loss from then on.
    fn session_settings(&self) -> &'static str;

    /// Of the target's table; `None` when there is no such table.
    async fn facts(&self, session: &mut Session, target: &Target) -> Result<Option<TableFacts>>;

    /// Names of the tables and views below the target's database (and schema).
    async fn tables(&self, session: &mut Session, target: &Target) -> Result<Vec<String>>;

    /// Every table and view that the user may see, those of the server itself left out.
    async fn offered(&self, session: &mut Session, target: &Target) -> Result<Vec<Offered>>;

    /// The declared type that holds all values of the column, for the fetcher.
    fn sql_type(&self, column: &ColumnFacts) -> Option<String>;

    /// Types that a column of the table may be declared with.
    fn supports(&self, ty: &LogicalType) -> bool;

    /// The expression that gives the column's values in the text form that [`super::decode`] reads.
    fn read(&self, column: &ColumnFacts, ty: &LogicalType) -> String;

    /// How rows are ordered and found again by the column.
    fn key(&self, column: &ColumnFacts) -> KeyColumn;

    /// An expression that is equal only for rows that are equal in all columns.
    fn row_hash(&self, facts: &TableFacts) -> String;

    /// The condition for rows after the given one in the order of the keys.
    fn after(&self, keys: &[KeyColumn], values: &[String]) -> Result<String>;

    /// Appends a value as it stands in `VALUES` for the column. Never called for NULL.
    fn literal(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<()>;

    /// Appends a value as it is compared with the column.
    fn comparable(&self, column: &ColumnFacts, array: &ArrayRef, row: usize, out: &mut String) -> Result<()>;

    /// Whether values of the declared type are equal on the server exactly when they are equal here.
    fn same_equality(&self, column: &ColumnFacts, ty: &LogicalType) -> bool;

    /// Whether the column holds text as it is, which equals what it equals here, and may equal more.
    fn is_plain_text(&self, column: &ColumnFacts) -> bool;

    /// A literal of raw bytes.
    fn bytes_literal(&self, bytes: &[u8]) -> String;

    /// A literal of text that holds no zero character.
    fn text_literal(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len() + 2);
        push_quoted(text, &mut out)?;
        Ok(out)
    }

    /// What follows `INSERT … VALUES …` so that a row with the same key is replaced.
    fn on_conflict(&self, key: &[String], others: &[String]) -> String;

    /// How a column of the type is declared so that it holds all values; `None` where the server has no such type.
    /// `keyed`: it is part of the primary key.
    fn declared(&self, ty: &LogicalType, keyed: bool) -> Option<String>;

    /// Column types of our own tables: text of up to 200 characters, and bytes.
    fn own_types(&self) -> (&'static str, &'static str);
}

/// What the server's catalog says about a table.
#[derive(Clone, Debug)]
pub(in crate::connector) struct TableFacts {
    pub(in crate::connector) columns: Vec<ColumnFacts>,
    /// Columns of the primary key, in its order.
    pub(in crate::connector) primary_key: Vec<String>,
    /// Sets of columns that are unique, the primary key among them.
    pub(in crate::connector) unique: Vec<Vec<String>>,
    /// Whether several statements can be taken back together.
    pub(in crate::connector) transactional: bool,
    pub(in crate::connector) comment: String,
}

#[derive(Clone, Debug)]
pub(in crate::connector) struct ColumnFacts {
    pub(in crate::connector) name: String,
    /// With lengths, as in DDL.
    pub(in crate::connector) ty: String,
    /// Without lengths.
    pub(in crate::connector) base: String,
    pub(in crate::connector) not_null: bool,
    pub(in crate::connector) comment: String,
}

/// A table or view that a server offers.
#[derive(Clone, Debug)]
pub(in crate::connector) struct Offered {
    /// Empty where the server has no schemas below databases.
    pub(in crate::connector) schema: String,
    pub(in crate::connector) name: String,
    pub(in crate::connector) is_view: bool,
    pub(in crate::connector) comment: String,
}

impl TableFacts {
    pub(super) fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of fields of the declared table, which all have to exist.
    pub(super) fn columns_of<'a>(&'a self, fields: &[&Field], target: &Target) -> Result<Vec<&'a ColumnFacts>> {
        let find = |field: &&Field| {
            self.column(&field.name).ok_or_else(|| {
                let message =
                    format!("The table {} of {} has no column '{}'.", target.table, target.place(), field.name);
                EngineError::user("no_such_column", message)
            })
        };
        fields.iter().map(find).collect()
    }

    /// Whether rows with equal values in exactly these columns cannot be there twice.
    pub(super) fn is_unique(&self, columns: &[String]) -> bool {
        self.unique
            .iter()
            .any(|unique| unique.len() == columns.len() && columns.iter().all(|name| unique.contains(name)))
    }
}

/// A column that orders rows, by which reading goes on where it stopped.
#[derive(Clone, Debug)]
pub(in crate::connector) struct KeyColumn {
    /// Gives the value as text.
    pub(in crate::connector) select: String,
    /// What is ordered and compared.
    pub(in crate::connector) order: String,
    pub(in crate::connector) literal: KeyLiteral,
}

/// How a stored text becomes a value again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connector) enum KeyLiteral {
    /// Digits, as they are.
    Number,
    /// In quotes, with a cast where the type is given.
    Text(Option<String>),
    /// Hexadecimal digits.
    Hex,
}

impl KeyColumn {
    pub(in crate::connector) fn literal(&self, value: &str) -> Result<String> {
        let broken = || EngineError::internal("the position of a database table cannot be read");
        match &self.literal {
            KeyLiteral::Number => {
                let fits =
                    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                if fits { Ok(value.to_owned()) } else { Err(broken()) }
            }
            KeyLiteral::Hex => {
                let fits = value.bytes().all(|byte| byte.is_ascii_hexdigit());
                if fits { Ok(format!("X'{value}'")) } else { Err(broken()) }
            }
            KeyLiteral::Text(cast) => {
                let mut out = String::new();
                push_quoted(value, &mut out)?;
                if let Some(cast) = cast {
                    out.push_str("::");
                    out.push_str(cast);
                }
                Ok(out)
            }
        }
    }
}

/// Text in single quotes. Sessions are set so that no other character than the quote has a meaning inside.
pub(in crate::connector) fn push_quoted(text: &str, out: &mut String) -> Result<()> {
    if text.contains('\0') {
        let message = "A text with a zero character cannot be written to a database.";
        return Err(EngineError::user("bad_value", message));
    }
    out.push('\'');
    for (position, part) in text.split('\'').enumerate() {
        if position > 0 {
            out.push_str("''");
        }
        out.push_str(part);
    }
    out.push('\'');
    Ok(())
}

pub(in crate::connector) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0')));
        }
    }
    text
}

/// Half a byte each. `None` when it is no hexadecimal text.
pub(in crate::connector) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.chunks(2).map(byte).collect()
}

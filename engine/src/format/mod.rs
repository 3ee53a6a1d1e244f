//! Bytes to rows and rows to bytes.
//!
//! A [`Decoder`] takes one record after the other and gives a batch at once; a record that cannot be decoded leaves
//! nothing behind and is reported as [`BadRecord`], which the source handles by the table's policy. An [`Encoder`] writes
//! a whole batch into one slab. Adding a format touches only its module and [`all`].

pub mod avro;
pub mod bad_record;
mod bad_record_cause;
pub mod bad_record_queue;
pub mod column;
pub mod csv;
pub mod framing;
#[cfg(test)]
mod fuzz;
pub mod json;
pub mod number;
pub mod parquet;
pub mod protobuf;
pub mod raw;
pub mod temporal;
mod text;

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch};
use millrace_wire::connector::{FormatSchema, OptionClass, OptionKind, OptionSchema, OptionSide};

pub use framing::Framing;
pub(crate) use text::scalar_text;

use crate::change::RowKind;
use crate::error::{EngineError, Result};
use crate::types::{Field, LogicalType, Type};

/// A record larger than this is refused by every decoder.
pub const RECORD_LIMIT: usize = 64 << 20;

/// A way to write rows as bytes.
pub trait Format: Send + Sync {
    fn schema(&self) -> FormatSchema;

    /// Whether it can carry row kinds other than `+I`.
    fn changelog(&self) -> bool {
        false
    }

    /// Decodes records and batches, or only batches as a whole (Parquet)?
    fn by_record(&self) -> bool {
        true
    }

    /// Whether files can hold it, and not only single records.
    fn in_files(&self) -> bool {
        true
    }

    /// What is wrong with options and columns: name of the option (empty for columns) and message.
    fn problems(&self, fields: &[Field], options: &FormatOptions) -> Vec<(String, String)>;

    /// What speaks against writing with these options.
    fn problems_of_writing(&self, _options: &FormatOptions) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What metadata columns can read of a record beside its fields.
    fn metadata(&self) -> Vec<MetadataKey> {
        Vec::new()
    }

    /// As [`Self::decoder`], with one column per metadata key behind those of the fields.
    fn decoder_with_metadata(
        &self,
        fields: &[Field],
        wanted: &[usize],
        metadata: &[(String, Type)],
        options: &FormatOptions,
    ) -> Result<Box<dyn Decoder>> {
        match metadata.first() {
            None => self.decoder(fields, wanted, options),
            Some((key, _)) => Err(EngineError::user("unsupported", format!("The format has no metadata '{key}'."))),
        }
    }

    /// A decoder that fills the `wanted` ones of `fields`, in that order.
    fn decoder(&self, fields: &[Field], wanted: &[usize], options: &FormatOptions) -> Result<Box<dyn Decoder>>;

    fn encoder(&self, fields: &[Field], options: &FormatOptions) -> Result<Box<dyn Encoder>>;

    /// How records are told apart in a file.
    fn framing(&self, options: &FormatOptions) -> Framing;
}

/// A key for `METADATA FROM`, and the type it has in Flink.
pub struct MetadataKey {
    pub key: &'static str,
    pub ty: LogicalType,
}

/// Whether a column of the declared type can hold metadata of the known one.
pub(crate) fn metadata_fits(declared: &LogicalType, known: &LogicalType) -> bool {
    match (declared, known) {
        (declared, LogicalType::String) => declared.is_character(),
        (declared, LogicalType::TimestampLtz(_)) => declared.is_timestamp(),
        (LogicalType::Array(declared), LogicalType::Array(known)) => metadata_fits(&declared.logical, &known.logical),
        (LogicalType::Map(key, value), LogicalType::Map(known_key, known_value)) => {
            metadata_fits(&key.logical, &known_key.logical) && metadata_fits(&value.logical, &known_value.logical)
        }
        _ => declared == known,
    }
}

pub trait Decoder: Send {
    /// Adds the rows of one record and tells how many they are. On error nothing of the record is left.
    fn push(&mut self, record: &[u8]) -> Result<usize, BadRecord>;

    /// As [`Self::push`] for a record that has no bytes at all, not even none: a tombstone.
    fn push_absent(&mut self) -> Result<usize, BadRecord> {
        self.push(&[])
    }

    /// Rows since the last `finish`.
    fn rows(&self) -> usize;

    /// Why the last `push` failed, when it was not for the record: something that the decoder needs is away.
    fn failure(&mut self) -> Option<EngineError> {
        None
    }

    /// Forgets all rows from the given one on.
    fn truncate(&mut self, rows: usize);

    /// The rows so far, one array per wanted field.
    fn finish(&mut self) -> Result<Decoded>;
}

pub struct Decoded {
    pub columns: Vec<ArrayRef>,
    /// One per row; absent when all are `+I`.
    pub kinds: Option<Vec<RowKind>>,
}

/// Why a record could not be decoded, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord(pub String);

pub trait Encoder: Send {
    /// Appends the bytes of each row to the slab.
    fn encode(&mut self, rows: &RecordBatch, kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()>;
}

/// Records one after the other; `ends[i]` is where record i ends.
#[derive(Default)]
pub struct Slab {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
}

impl Slab {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub fn end_record(&mut self) {
        self.ends.push(self.bytes.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }
}

/// The options of one format of a table, without the format's prefix.
#[derive(Clone, Debug, Default)]
pub struct FormatOptions {
    options: BTreeMap<String, String>,
    /// Of schemas in a registry: the table's topic with what of its records is written.
    default_subject: Option<String>,
    no_local: bool,
}

impl FormatOptions {
    /// Those that begin with `prefix` and the format's name: `json.` for `format`, `key.json.` for `key.format`.
    pub fn of_table(options: &BTreeMap<String, String>, prefix: &str, format: &str) -> Self {
        let full = format!("{prefix}{format}.");
        let stripped =
            options.iter().filter_map(|(name, value)| Some((name.strip_prefix(&full)?.to_owned(), value.clone())));
        let part = if prefix == "key." { "key" } else { "value" };
        FormatOptions {
            options: stripped.collect(),
            default_subject: options.get("topic").map(|topic| format!("{topic}-{part}")),
            no_local: options.contains_key(crate::connector::NO_LOCAL),
        }
    }

    pub(crate) fn default_subject(&self) -> Option<&str> {
        self.default_subject.as_deref()
    }

    /// See [`crate::connector::NO_LOCAL`].
    pub(crate) const fn no_local(&self) -> bool {
        self.no_local
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A single character option such as a delimiter; `\t` and `\u0001` may be written as escapes.
    pub fn character(&self, name: &str, default: u8) -> u8 {
        self.get(name).and_then(single_byte).unwrap_or(default)
    }
}

/// The one ASCII character that an option's value stands for.
pub fn single_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Some(*byte),
        b"\\t" => Some(b'\t'),
        b"\\\\" => Some(b'\\'),
        [b'\\', b'u', code @ ..] if code.len() == 4 => {
            let value = u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?;
            u8::try_from(value).ok().filter(u8::is_ascii)
        }
        _ => None,
    }
}

/// Every format, in the order in which forms offer them.
static ALL: &[&dyn Format] = &[
    &json::Json,
    &csv::Csv,
    &raw::Raw,
    &parquet::Parquet,
    &avro::AVRO,
    &avro::CONFLUENT,
    &protobuf::Protobuf,
    &json::changelog::DEBEZIUM,
    &json::changelog::CANAL,
    &json::changelog::MAXWELL,
    &json::changelog::OGG,
    &avro::DEBEZIUM,
];

pub fn all() -> &'static [&'static dyn Format] {
    ALL
}

pub fn find(name: &str) -> Option<&'static dyn Format> {
    all().iter().copied().find(|format| format.schema().name == name)
}

/// Columns for the wanted fields.
pub(crate) fn wanted_columns(fields: &[Field], wanted: &[usize]) -> Vec<column::Column> {
    wanted_fields(fields, wanted).map(|field| column::Column::new(&field.ty.logical)).collect()
}

pub(crate) fn wanted_fields<'a>(fields: &'a [Field], wanted: &'a [usize]) -> impl Iterator<Item = &'a Field> {
    wanted.iter().filter_map(|index| fields.get(*index))
}

/// Types whose map keys are no text cannot be written as JSON objects.
pub(crate) fn first_unsupported_map(fields: &[Field]) -> Option<String> {
    fn inside(ty: &LogicalType) -> bool {
        match ty {
            LogicalType::Map(key, value) => !key.logical.is_character() || inside(&value.logical),
            LogicalType::Multiset(element) => !element.logical.is_character(),
            LogicalType::Array(element) => inside(&element.logical),
            LogicalType::Row(fields) => fields.iter().any(|field| inside(&field.ty.logical)),
            _ => false,
        }
    }
    fields.iter().find(|field| inside(&field.ty.logical)).map(|field| field.name.clone())
}

/// An option of a format that has a default.
pub(crate) fn defaulted(name: &str, title: &str, help: &str, kind: OptionKind, default: &str) -> OptionSchema {
    OptionSchema {
        name: name.to_owned(),
        title: title.to_owned(),
        help: help.to_owned(),
        class: OptionClass::Defaulted,
        kind,
        default: (!default.is_empty()).then(|| default.to_owned()),
        choices: Vec::new(),
        side: OptionSide::Both,
    }
}

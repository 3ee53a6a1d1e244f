//! Columns from sampled JSON records: types widened over all samples, nested ones included.

use std::collections::BTreeMap;
use std::fmt;

use millrace_wire::table::{Column, ColumnKind, EventTime, FetchedSchema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::format::temporal::{TimestampStandard, parse_date, parse_timestamp};

/// A JSON value with the order of its fields kept.
enum Json {
    Null,
    Boolean,
    Integer,
    Real,
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What is known of a column's type.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Only NULL was seen.
    Unknown,
    Boolean,
    Integer,
    Real,
    Date,
    Timestamp {
        standard: TimestampStandard,
        zoned: bool,
        precision: u8,
    },
    Text,
    Array(Box<Shape>),
    Row(Vec<(String, Shape)>),
}

/// Collects records; those that are no JSON objects are counted and left out.
#[derive(Default)]
pub(super) struct Inference {
    fields: Vec<(String, Shape)>,
    records: u64,
    others: u64,
}

impl Inference {
    pub(super) fn add(&mut self, record: &[u8]) {
        match serde_json::from_slice::<Json>(record) {
            Ok(Json::Object(fields)) => {
                merge_fields(
                    &mut self.fields,
                    fields.iter().map(|(name, value)| (name.clone(), shape_of(value))).collect(),
                );
                self.records += 1;
            }
            _ => self.others += 1,
        }
    }

    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn into_schema(self, what: &str) -> FetchedSchema {
        let mut options = BTreeMap::new();
        let standards = self.fields.iter().flat_map(|(_, shape)| shape.standards()).collect::<Vec<_>>();
        let iso = standards.contains(&TimestampStandard::Iso8601);
        if iso {
            options.insert("json.timestamp-format.standard".to_owned(), "ISO-8601".to_owned());
        }
        // A table reads one standard only; times of the other one stay text.
        let chosen = if iso { TimestampStandard::Iso8601 } else { TimestampStandard::Sql };
        let mut origin = format!("Inferred from {} {what}.", self.records);
        if self.others > 0 {
            origin += &format!(" {} more are no JSON objects.", self.others);
        }
        FetchedSchema {
            primary_key: Vec::new(),
            comment: String::new(),
            format: "json".to_owned(),
            columns: self.fields.iter().map(|(name, shape)| column(name, &shape.to_sql(chosen))).collect(),
            event_time: event_time(&self.fields, chosen),
            options,
            origin,
            sampled: self.records,
        }
    }
}

pub(super) fn column(name: &str, data_type: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        kind: ColumnKind::Physical,
        source: None,
        nullable: true,
        comment: String::new(),
    }
}

/// A suggestion of event time: five seconds of disorder are allowed.
pub(super) fn event_time_on(column: &str) -> EventTime {
    EventTime { column: column.to_owned(), watermark: format!("`{}` - INTERVAL '5' SECOND", column.replace('`', "``")) }
}

/// The first timestamp, preferring names that say so.
fn event_time(fields: &[(String, Shape)], chosen: TimestampStandard) -> Option<EventTime> {
    let usable =
        |shape: &Shape| matches!(shape, Shape::Timestamp { standard, precision: 0..=3, .. } if *standard == chosen);
    let named = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["event", "ts", "time", "date", "created", "at"].iter().position(|word| name.contains(word)).unwrap_or(9)
    };
    let found = fields.iter().filter(|(_, shape)| usable(shape)).min_by_key(|(name, _)| named(name));
    found.map(|(name, _)| event_time_on(name))
}

impl Shape {
    fn standards(&self) -> Vec<TimestampStandard> {
        match self {
            Self::Timestamp { standard, .. } => vec![*standard],
            Self::Array(element) => element.standards(),
            Self::Row(fields) => fields.iter().flat_map(|(_, shape)| shape.standards()).collect(),
            _ => Vec::new(),
        }
    }

    fn to_sql(&self, chosen: TimestampStandard) -> String {
        match self {
            Self::Boolean => "BOOLEAN".to_owned(),
            Self::Integer => "BIGINT".to_owned(),
            Self::Real => "DOUBLE".to_owned(),
            Self::Date => "DATE".to_owned(),
            Self::Timestamp { standard, zoned, precision } if *standard == chosen => {
                format!("{}({precision})", if *zoned { "TIMESTAMP_LTZ" } else { "TIMESTAMP" })
            }
            Self::Unknown | Self::Text | Self::Timestamp { .. } => "STRING".to_owned(),
            Self::Array(element) => format!("ARRAY<{}>", element.to_sql(chosen)),
            Self::Row(fields) if fields.is_empty() => "STRING".to_owned(),
            Self::Row(fields) => {
                let field =
                    |(name, shape): &(String, Shape)| format!("`{}` {}", name.replace('`', "``"), shape.to_sql(chosen));
                format!("ROW<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn merge(&mut self, other: Self) {
        let known = std::mem::replace(self, Self::Unknown);
        *self = match (known, other) {
            (Self::Unknown, shape) | (shape, Self::Unknown) => shape,
            (left, right) if left == right => left,
            (Self::Integer | Self::Real, Self::Integer | Self::Real) => Self::Real,
            (
                Self::Timestamp { standard, zoned, precision },
                Self::Timestamp { standard: other_standard, zoned: other_zoned, precision: other_precision },
            ) if standard == other_standard && zoned == other_zoned => {
                Self::Timestamp { standard, zoned, precision: precision.max(other_precision) }
            }
            (Self::Array(mut left), Self::Array(right)) => {
                left.merge(*right);
                Self::Array(left)
            }
            (Self::Row(mut left), Self::Row(right)) => {
                merge_fields(&mut left, right);
                Self::Row(left)
            }
            _ => Self::Text,
        };
    }
}

fn merge_fields(known: &mut Vec<(String, Shape)>, seen: Vec<(String, Shape)>) {
    for (name, shape) in seen {
        match known.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.merge(shape),
            None => known.push((name, shape)),
        }
    }
}

fn shape_of(value: &Json) -> Shape {
    match value {
        Json::Null => Shape::Unknown,
        Json::Boolean => Shape::Boolean,
        Json::Integer => Shape::Integer,
        Json::Real => Shape::Real,
        Json::Text(text) => shape_of_text(text),
        Json::Array(items) => {
            let mut element = Shape::Unknown;
            items.iter().for_each(|item| element.merge(shape_of(item)));
            Shape::Array(Box::new(element))
        }
        Json::Object(fields) => {
            let mut merged = Vec::new();
            merge_fields(&mut merged, fields.iter().map(|(name, value)| (name.clone(), shape_of(value))).collect());
            Shape::Row(merged)
        }
    }
}

fn shape_of_text(text: &str) -> Shape {
    if parse_date(text.as_bytes()).is_some() {
        return Shape::Date;
    }
    let digits = text.rsplit_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    let precision = match digits {
        0..=3 => 3,
        4..=6 => 6,
        _ => 9,
    };
    for standard in [TimestampStandard::Sql, TimestampStandard::Iso8601] {
        for zoned in [false, true] {
            if parse_timestamp(text.as_bytes(), precision, standard, zoned).is_some() {
                return Shape::Timestamp { standard, zoned, precision };
            }
        }
    }
    Shape::Text
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Json, E> {
        Ok(Json::Boolean)
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Json, E> {
        Ok(Json::Integer)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(if i64::try_from(value).is_ok() { Json::Integer } else { Json::Text(value.to_string()) })
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Json, E> {
        Ok(Json::Real)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Json::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut found = Vec::new();
        while let Some(field) = fields.next_entry()? {
            found.push(field);
        }
        Ok(Json::Object(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer(records: &[&str]) -> FetchedSchema {
        let mut inference = Inference::default();
        records.iter().for_each(|record| inference.add(record.as_bytes()));
        inference.into_schema("JSON records")
    }

    fn types(schema: &FetchedSchema) -> Vec<String> {
        schema.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect()
    }

    #[test]
    fn types_are_widened_over_all_records() {
        let schema = infer(&[
            r#"{"z":1,"a":null,"t":"2020-01-02 03:04:05","m":1,"o":{"x":1},"l":[]}"#,
            r#"{"z":1.5,"a":"x","t":"2020-01-02 03:04:05.123456","m":"q","o":{"y":true},"l":[1,null],"d":"2020-01-02"}"#,
            "no json",
        ]);
        let expected = [
            "z DOUBLE",
            "a STRING",
            "t TIMESTAMP(6)",
            "m STRING",
            "o ROW<`x` BIGINT, `y` BOOLEAN>",
            "l ARRAY<BIGINT>",
            "d DATE",
        ];
        assert_eq!(types(&schema), expected);
        assert_eq!(schema.sampled, 2);
        assert_eq!(schema.event_time, None);
        assert!(schema.origin.contains("1 more"), "{}", schema.origin);
    }

    #[test]
    fn iso_times_choose_the_standard_and_event_time() {
        let schema = infer(&[
            r#"{"updated":"2020-01-02T03:04:05Z","event_time":"2020-01-02T03:04:05.123Z","sql":"2020-01-02 03:04:05"}"#,
        ]);
        assert_eq!(types(&schema), ["updated TIMESTAMP_LTZ(3)", "event_time TIMESTAMP_LTZ(3)", "sql STRING"]);
        assert_eq!(schema.options.get("json.timestamp-format.standard").map(String::as_str), Some("ISO-8601"));
        assert_eq!(schema.event_time.map(|time| time.column).as_deref(), Some("event_time"));
    }
}

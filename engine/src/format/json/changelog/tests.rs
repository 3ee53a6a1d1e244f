//! Metadata of envelopes, and envelopes as they are written.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::*;
use crate::change::RowKind;
use crate::format::json::JsonEncoder;
use crate::format::{Encoder as _, Slab};
use crate::types::{LogicalType as L, Schema};

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("f.{name}"), (*value).to_owned())).collect();
    FormatOptions::of_table(&pairs, "", "f")
}

/// The metadata of a table of one column `id`, as JSON, one object per row.
fn metadata(
    format: &ChangelogJson,
    pairs: &[(&str, &str)],
    keys: &[(&str, L)],
    records: &[&str],
) -> Result<Vec<String>, String> {
    let fields = [Field::new("id", L::Int.into())];
    let wanted: Vec<(String, Type)> = keys.iter().map(|(key, ty)| ((*key).to_owned(), ty.clone().into())).collect();
    let mut decoder = format.decoder_with_metadata(&fields, &[0], &wanted, &options(pairs)).map_err(|e| e.message)?;
    for record in records {
        decoder.push(record.as_bytes()).map_err(|bad| bad.0)?;
    }
    let columns = decoder.finish().unwrap().columns.split_off(1);
    let fields: Vec<Field> = keys.iter().map(|(key, ty)| Field::new(*key, ty.clone().into())).collect();
    let batch = RecordBatch::try_new(Schema::new(fields.clone()).to_arrow(), columns).unwrap();
    let mut slab = Slab::default();
    JsonEncoder::new(&fields, &FormatOptions::default()).encode(&batch, None, &mut slab).unwrap();
    Ok(slab.records().map(|record| String::from_utf8_lossy(record).into_owned()).collect())
}

fn texts() -> L {
    L::Array(Box::new(L::String.into()))
}

fn map_to(ty: L) -> L {
    L::Map(Box::new(L::String.into()), Box::new(ty.into()))
}

#[test]
fn debezium_tells_time_and_place_of_a_change() {
    let record = r#"{"before":{"id":1},"after":{"id":2},"op":"u","ts_ms":1589362330904,
        "source":{"db":"inventory","schema":null,"table":"products","ts_ms":1589362330000,"snapshot":false,"pos":4}}"#;
    let keys = [
        ("ingestion-timestamp", L::TimestampLtz(3)),
        ("source.timestamp", L::Timestamp(6)),
        ("source.database", L::String),
        ("source.schema", L::String),
        ("source.table", L::VarChar(20)),
        ("source.properties", map_to(L::String)),
    ];
    let expected = concat!(
        r#"{"ingestion-timestamp":"2020-05-13 09:32:10.904Z","source.timestamp":"2020-05-13 09:32:10","#,
        r#""source.database":"inventory","source.schema":null,"source.table":"products","#,
        r#""source.properties":{"db":"inventory","schema":null,"table":"products","ts_ms":"1589362330000","#,
        r#""snapshot":"false","pos":"4"}}"#
    );
    // One row before and one after the update.
    assert_eq!(metadata(&DEBEZIUM, &[], &keys, &[record]).unwrap(), [expected, expected]);
    let wrapped = format!(r#"{{"schema":{{"type":"struct"}},"payload":{record}}}"#);
    let keys = [("schema", L::String), ("source.table", L::String)];
    let rows = metadata(&DEBEZIUM, &[("schema-include", "true")], &keys, &[&wrapped]).unwrap();
    assert_eq!(rows[0], r#"{"schema":"{\"type\":\"struct\"}","source.table":"products"}"#);
    let without = metadata(&DEBEZIUM, &[], &keys, &[r#"{"after":{"id":1},"op":"c"}"#]).unwrap();
    assert_eq!(without, [r#"{"schema":null,"source.table":null}"#]);
}

#[test]
fn canal_maxwell_and_ogg_tell_theirs() {
    let canal = r#"{"data":[{"id":"1"},{"id":"2"}],"type":"INSERT","database":"d","table":"t","pkNames":["id"],
        "sqlType":{"id":4,"name":12},"ts":1589373515477,"es":1589373515000}"#;
    let keys = [
        ("database", L::String),
        ("table", L::String),
        ("sql-type", map_to(L::Int)),
        ("pk-names", texts()),
        ("ingestion-timestamp", L::TimestampLtz(3)),
        ("event-timestamp", L::TimestampLtz(3)),
    ];
    let expected = concat!(
        r#"{"database":"d","table":"t","sql-type":{"id":4,"name":12},"pk-names":["id"],"#,
        r#""ingestion-timestamp":"2020-05-13 12:38:35.477Z","event-timestamp":"2020-05-13 12:38:35Z"}"#
    );
    assert_eq!(metadata(&CANAL, &[], &keys, &[canal]).unwrap(), [expected, expected]);

    let maxwell =
        r#"{"database":"d","table":"t","type":"insert","ts":1596684904,"data":{"id":1},"primary_key_columns":["id"]}"#;
    let keys = [("primary-key-columns", texts()), ("ingestion-timestamp", L::TimestampLtz(3))];
    let expected = r#"{"primary-key-columns":["id"],"ingestion-timestamp":"2020-08-06 03:35:04Z"}"#;
    assert_eq!(metadata(&MAXWELL, &[], &keys, &[maxwell]).unwrap(), [expected]);

    let ogg = r#"{"op_type":"I","after":{"id":1},"table":"S.T","primary_keys":["id"],
        "op_ts":"2020-05-13 15:40:06.123456","current_ts":"2020-05-13T15:40:07.5"}"#;
    let keys = [
        ("table", L::String),
        ("primary-keys", texts()),
        ("event-timestamp", L::TimestampLtz(6)),
        ("ingestion-timestamp", L::TimestampLtz(6)),
    ];
    let expected = concat!(
        r#"{"table":"S.T","primary-keys":["id"],"event-timestamp":"2020-05-13 15:40:06.123456Z","#,
        r#""ingestion-timestamp":"2020-05-13 15:40:07.5Z"}"#
    );
    assert_eq!(metadata(&OGG, &[], &keys, &[ogg]).unwrap(), [expected]);
}

#[test]
fn metadata_that_does_not_fit_is_a_broken_record_or_null() {
    let record = r#"{"after":{"id":1},"op":"c","ts_ms":"noon"}"#;
    let keys = [("ingestion-timestamp", L::TimestampLtz(3))];
    assert_eq!(metadata(&DEBEZIUM, &[], &keys, &[record]).unwrap_err(), "'ingestion-timestamp': 'noon' is no time");
    let ignoring = metadata(&DEBEZIUM, &[("ignore-parse-errors", "true")], &keys, &[record]).unwrap();
    assert_eq!(ignoring, [r#"{"ingestion-timestamp":null}"#]);
    assert!(metadata(&DEBEZIUM, &[], &[("source.table", L::Int)], &[]).is_err());
    assert!(metadata(&MAXWELL, &[], &[("source.table", L::String)], &[]).is_err());
}

#[test]
fn updates_are_written_as_delete_and_insert() {
    let fields = [Field::new("id", L::Int.into()), Field::new("name", L::String.into())];
    let mut decoder = crate::format::json::Json.decoder(&fields, &[0, 1], &FormatOptions::default()).unwrap();
    for record in [r#"{"id":1}"#, r#"{"id":1}"#, r#"{"id":2,"name":"b"}"#, r#"{"id":2,"name":"b"}"#] {
        decoder.push(record.as_bytes()).unwrap();
    }
    let columns = decoder.finish().unwrap().columns;
    let batch = RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), columns).unwrap();
    let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
    let written = |format: &ChangelogJson, pairs: &[(&str, &str)]| {
        let mut slab = Slab::default();
        format.encoder(&fields, &options(pairs)).unwrap().encode(&batch, Some(&kinds), &mut slab).unwrap();
        slab.records().map(|record| String::from_utf8_lossy(record).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        written(&DEBEZIUM, &[]),
        [
            r#"{"before":null,"after":{"id":1,"name":null},"op":"c"}"#,
            r#"{"before":{"id":1,"name":null},"after":null,"op":"d"}"#,
            r#"{"before":null,"after":{"id":2,"name":"b"},"op":"c"}"#,
            r#"{"before":{"id":2,"name":"b"},"after":null,"op":"d"}"#,
        ]
    );
    let brief = written(&OGG, &[("encode.ignore-null-fields", "true")]);
    assert_eq!(brief[..2], [r#"{"after":{"id":1},"op_type":"I"}"#, r#"{"before":{"id":1},"op_type":"D"}"#]);
    assert_eq!(written(&CANAL, &[])[3], r#"{"data":[{"id":2,"name":"b"}],"type":"DELETE"}"#);
    assert_eq!(written(&MAXWELL, &[])[2], r#"{"data":{"id":2,"name":"b"},"type":"insert"}"#);
}

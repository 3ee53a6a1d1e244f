//! Decoding and encoding of JSON records.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use proptest::prelude::*;

use super::changelog::{CANAL, DEBEZIUM, MAXWELL, OGG};
use super::*;
use crate::change::RowKind;
use crate::format::Slab;
use crate::types::{LogicalType as L, Schema, Type};

fn field(name: &str, ty: L) -> Field {
    Field::new(name, Type::nullable(ty))
}

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("f.{name}"), (*value).to_owned())).collect();
    FormatOptions::of_table(&pairs, "", "f")
}

/// Decodes the records and writes the rows again as JSON, with their kinds.
fn through(
    format: &dyn Format,
    fields: &[Field],
    pairs: &[(&str, &str)],
    records: &[&str],
) -> Result<Vec<String>, String> {
    let options = options(pairs);
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = format.decoder(fields, &all, &options).unwrap();
    let mut rows = 0;
    for record in records {
        rows += decoder.push(record.as_bytes()).map_err(|bad| bad.0)?;
    }
    assert_eq!(decoder.rows(), rows);
    let decoded = decoder.finish().unwrap();
    let batch = RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), decoded.columns).unwrap();
    let mut slab = Slab::default();
    JsonEncoder::new(fields, &options).encode(&batch, None, &mut slab).unwrap();
    let kind = |row: usize| decoded.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds[row]).mark();
    Ok(slab
        .records()
        .enumerate()
        .map(|(row, text)| format!("{}{}", kind(row), String::from_utf8_lossy(text)))
        .collect())
}

fn json(fields: &[Field], records: &[&str]) -> Result<Vec<String>, String> {
    through(&Json, fields, &[], records)
}

fn one(ty: L, value: &str) -> Result<String, String> {
    let rows = json(&[field("v", ty)], &[&format!("{{\"v\":{value}}}")])?;
    let row = rows[0].strip_prefix("+I{\"v\":").and_then(|rest| rest.strip_suffix('}'));
    Ok(row.expect("an object of one field").to_owned())
}

#[test]
fn values_are_coerced_as_flink_does() {
    let decimal = L::Decimal { precision: 8, scale: 2 };
    for (ty, value, expected) in [
        (L::Int, "\" 17 \"", "17"),
        (L::Int, "1.9", "1"),
        (L::BigInt, "9223372036854775807", "9223372036854775807"),
        (L::TinyInt, "-128", "-128"),
        (L::Boolean, "\"TRUE\"", "true"),
        (L::Boolean, "\"yes\"", "false"),
        (L::Double, "3", "3.0"),
        (L::Double, "\"NaN\"", "\"NaN\""),
        (L::Float, "\"1.5\"", "1.5"),
        (L::String, "5", "\"5\""),
        (L::String, "1.10", "\"1.10\""),
        (L::String, "true", "\"true\""),
        (L::String, "{\"a\": [1, \"x y\"]}", "\"{\\\"a\\\":[1,\\\"x y\\\"]}\""),
        (decimal.clone(), "1.005", "1.01"),
        (decimal.clone(), "\"2\"", "2.00"),
        (decimal, "12345678", "null"),
        (L::Bytes, "\"aGk=\"", "\"aGk=\""),
        (L::Date, "\"2020-02-29\"", "\"2020-02-29\""),
        (L::Time(0), "\"23:59:58.5\"", "\"23:59:58\""),
        (L::Timestamp(3), "\"2020-01-02 03:04:05.6789\"", "\"2020-01-02 03:04:05.678\""),
        (L::TimestampLtz(3), "\"2020-01-02 03:04:05Z\"", "\"2020-01-02 03:04:05Z\""),
        (L::Array(Box::new(L::Int.into())), "[1,null,\"3\"]", "[1,null,3]"),
        (
            L::Map(Box::new(L::String.into()), Box::new(L::BigInt.into())),
            "{\"a\":1,\"b\":null}",
            "{\"a\":1,\"b\":null}",
        ),
        (L::Row(vec![field("x", L::Int), field("y", L::String)]), "{\"y\":\"q\",\"z\":[]}", "{\"x\":null,\"y\":\"q\"}"),
        (L::Multiset(Box::new(L::String.into())), "{\"a\":2}", "{\"a\":2}"),
    ] {
        assert_eq!(one(ty.clone(), value).as_deref(), Ok(expected), "{ty} from {value}");
    }
}

#[test]
fn values_that_do_not_fit_are_named_with_their_field() {
    for (ty, value) in [
        (L::Int, "\"x\""),
        (L::Int, "2147483648"),
        (L::TinyInt, "200"),
        (L::Int, "true"),
        (L::Double, "\"\""),
        (L::Bytes, "\"*\""),
        (L::Timestamp(3), "1577934245678"),
        (L::Timestamp(3), "\"2020-01-02T03:04:05\""),
        (L::Array(Box::new(L::Int.into())), "1"),
        (L::Row(vec![field("x", L::Int)]), "[1]"),
        (L::Int, "{}"),
    ] {
        let reason = one(ty.clone(), value).expect_err("it does not fit");
        assert!(reason.starts_with("field 'v': "), "{ty} from {value}: {reason}");
    }
}

#[test]
fn missing_and_extra_fields() {
    let fields = [field("a", L::Int), field("b", L::String)];
    assert_eq!(
        json(&fields, &["{\"b\":\"x\",\"zzz\":{\"a\":1}}", "", "null"]).unwrap(),
        ["+I{\"a\":null,\"b\":\"x\"}"]
    );
    let strict = through(&Json, &fields, &[("fail-on-missing-field", "true")], &["{\"a\":1}"]);
    assert_eq!(strict.unwrap_err(), "the field 'b' is missing");
}

#[test]
fn order_and_repetition_of_keys_do_not_matter() {
    let fields = [field("a", L::Int), field("b", L::Array(Box::new(L::Int.into())))];
    let records =
        ["{\"a\":1,\"b\":[1]}", "{\"b\":[2,2],\"a\":2}", "{\"a\":9,\"b\":[9],\"a\":3,\"b\":[3]}", "{\"\\u0061\":4}"];
    let expected =
        ["+I{\"a\":1,\"b\":[1]}", "+I{\"a\":2,\"b\":[2,2]}", "+I{\"a\":3,\"b\":[3]}", "+I{\"a\":4,\"b\":null}"];
    assert_eq!(json(&fields, &records).unwrap(), expected);
}

#[test]
fn an_array_of_objects_is_several_rows() {
    assert_eq!(json(&[field("a", L::Int)], &["[{\"a\":1},{\"a\":2}]", "[]"]).unwrap(), ["+I{\"a\":1}", "+I{\"a\":2}"]);
}

#[test]
fn with_ignored_errors_a_bad_field_is_null_at_its_own_level() {
    let row = L::Row(vec![field("x", L::Int), field("y", L::String)]);
    let fields = [field("r", row), field("l", L::Array(Box::new(L::Int.into())))];
    let rows = through(
        &Json,
        &fields,
        &[("ignore-parse-errors", "true")],
        &[r#"{"r":{"x":"no","y":"q"},"l":[1,"z",{"a":[]},4]}"#],
    );
    assert_eq!(rows.unwrap(), [r#"+I{"r":{"x":null,"y":"q"},"l":[1,null,null,4]}"#]);
}

#[test]
fn a_bad_record_leaves_nothing_behind() {
    let fields = [field("a", L::String), field("b", L::Array(Box::new(L::Row(vec![field("x", L::Int)]).into())))];
    let mut decoder = Json.decoder(&fields, &[0, 1], &FormatOptions::default()).unwrap();
    decoder.push(br#"{"a":"1","b":[{"x":1}]}"#).unwrap();
    for bad in [
        r#"{"a":"2","b":[{"x":2},{"x":"#,
        r#"{"a":"2","b":[{"x":2},{"x":"q"}]}"#,
        r#"[{"a":"2"},7]"#,
        "7",
        "{}x",
        "\u{0}",
    ] {
        decoder.push(bad.as_bytes()).expect_err(bad);
    }
    decoder.push(&[0xff, 0xfe]).expect_err("no UTF-8");
    decoder.push(br#"{"a":"3"}"#).unwrap();
    let decoded = decoder.finish().unwrap();
    assert_eq!(decoded.columns[0].as_ref(), &arrow::array::StringArray::from(vec!["1", "3"]));
    assert_eq!(decoded.columns[1].len(), 2);
}

#[test]
fn only_wanted_fields_are_filled_in_the_order_asked_for() {
    let fields = [field("a", L::Int), field("b", L::Int), field("c", L::Int)];
    let mut decoder = Json.decoder(&fields, &[2, 0], &FormatOptions::default()).unwrap();
    decoder.push(br#"{"a":1,"b":"not looked at","c":3}"#).unwrap();
    let columns = decoder.finish().unwrap().columns;
    assert_eq!(columns[0].as_ref(), &arrow::array::Int32Array::from(vec![3]));
    assert_eq!(columns[1].as_ref(), &arrow::array::Int32Array::from(vec![1]));
    let mut none = Json.decoder(&fields, &[], &FormatOptions::default()).unwrap();
    assert_eq!(none.push(b"{\"a\":1}"), Ok(1));
}

#[test]
fn changelogs_give_row_kinds() {
    let fields = [field("id", L::Int), field("name", L::String)];
    let expected = [
        r#"+I{"id":1,"name":"a"}"#,
        r#"-U{"id":1,"name":"a"}"#,
        r#"+U{"id":1,"name":"b"}"#,
        r#"-D{"id":1,"name":"b"}"#,
    ];
    let debezium = [
        r#"{"before":null,"after":{"id":1,"name":"a"},"op":"c"}"#,
        "",
        r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op":"u"}"#,
        r#"{"before":{"id":1,"name":"b"},"after":null,"op":"d"}"#,
    ];
    assert_eq!(through(&DEBEZIUM, &fields, &[], &debezium).unwrap(), expected);
    let wrapped = debezium.map(|record| {
        if record.is_empty() { String::new() } else { format!(r#"{{"schema":{{}},"payload":{record}}}"#) }
    });
    let wrapped = wrapped.each_ref().map(String::as_str);
    assert_eq!(through(&DEBEZIUM, &fields, &[("schema-include", "true")], &wrapped).unwrap(), expected);
    let maxwell = [
        r#"{"type":"insert","data":{"id":1,"name":"a"}}"#,
        r#"{"type":"update","data":{"id":1,"name":"b"},"old":{"name":"a"}}"#,
        r#"{"type":"delete","data":{"id":1,"name":"b"}}"#,
    ];
    assert_eq!(through(&MAXWELL, &fields, &[], &maxwell).unwrap(), expected);
    let canal = [
        r#"{"data":[{"id":"1","name":"a"}],"type":"INSERT","database":"d","table":"t"}"#,
        r#"{"data":[{"id":"1","name":"b"}],"old":[{"name":"a"}],"type":"UPDATE","database":"d","table":"t"}"#,
        r#"{"data":null,"isDdl":true,"type":"ALTER","database":"d","table":"t"}"#,
        r#"{"data":[{"id":"7","name":"b"}],"type":"DELETE","database":"other","table":"t"}"#,
        r#"{"data":[{"id":"1","name":"b"}],"type":"DELETE","database":"d","table":"t"}"#,
    ];
    assert_eq!(through(&CANAL, &fields, &[("database.include", "d")], &canal).unwrap(), expected);
    let ogg = [
        r#"{"op_type":"I","after":{"id":1,"name":"a"}}"#,
        r#"{"op_type":"U","before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"}}"#,
        r#"{"op_type":"D","before":{"id":1,"name":"b"}}"#,
    ];
    assert_eq!(through(&OGG, &fields, &[], &ogg).unwrap(), expected);
}

#[test]
fn an_update_without_the_old_row_says_what_to_do() {
    let record = r#"{"before":null,"after":{"id":1},"op":"u"}"#;
    let reason = through(&DEBEZIUM, &[field("id", L::Int)], &[], &[record]).unwrap_err();
    assert!(reason.contains("REPLICA IDENTITY FULL"), "{reason}");
}

#[test]
fn null_fields_and_null_keys_are_written_as_asked() {
    let fields = [field("a", L::Int), field("b", L::Int)];
    assert_eq!(
        through(&Json, &fields, &[("encode.ignore-null-fields", "true")], &["{\"b\":1}"]).unwrap(),
        ["+I{\"b\":1}"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_decoder_panic(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..4)) {
        feed(records);
    }

    #[test]
    fn no_nearly_json_makes_a_decoder_panic(record in r#"(\{|\}|\[|\]|,|:|"a"|"b"|"op"|"before"|"data"|"u"|"UPDATE"|"type"|1e9|-0|\\|"\\u00|null|true| ){0,25}"#) {
        feed(vec![record.into_bytes()]);
    }

    #[test]
    fn text_goes_through_unchanged(text in any::<String>(), number in any::<i64>(), real in any::<f64>()) {
        prop_assume!(real.is_finite());
        let fields = [field("t", L::String), field("n", L::BigInt), field("r", L::Double)];
        let record = serde_json::json!({ "t": text, "n": number, "r": real }).to_string();
        let record = record.replace(&format!("\"r\":{}", serde_json::json!(real)), &format!("\"r\":{real:?}"));
        let written = json(&fields, &[&record]).unwrap();
        let back: serde_json::Value = serde_json::from_str(&written[0][2..]).unwrap();
        prop_assert_eq!(back["t"].as_str(), Some(text.as_str()));
        prop_assert_eq!(back["n"].as_i64(), Some(number));
        // serde_json reads the last digit of a double inexactly; the standard library does not.
        let (_, literal) = written[0].rsplit_once(':').unwrap();
        prop_assert_eq!(literal.trim_end_matches('}').parse(), Ok(real));
    }
}

fn feed(records: Vec<Vec<u8>>) {
    let nested =
        L::Row(vec![field("a", L::Array(Box::new(L::Int.into()))), field("b", L::Decimal { precision: 5, scale: 2 })]);
    let fields = [field("a", nested), field("b", L::Map(Box::new(L::String.into()), Box::new(L::Timestamp(3).into())))];
    for format in [&Json as &dyn Format, &DEBEZIUM, &CANAL, &MAXWELL, &OGG, &crate::format::csv::Csv] {
        for pairs in [&[][..], &[("ignore-parse-errors", "true")][..]] {
            let mut decoder = format.decoder(&fields, &[0, 1], &options(pairs)).unwrap();
            let mut rows = 0;
            for record in &records {
                rows += decoder.push(record).unwrap_or(0);
            }
            let decoded = decoder.finish().unwrap();
            assert!(decoded.columns.iter().all(|column| Arc::as_ref(column).len() == rows));
        }
    }
}

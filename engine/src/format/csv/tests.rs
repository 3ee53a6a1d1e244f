//! Decoding and encoding of CSV records.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use proptest::prelude::*;

use super::*;
use crate::format::Slab;
use crate::types::{LogicalType as L, Schema, Type};

fn field(name: &str, ty: L) -> Field {
    Field::new(name, Type::nullable(ty))
}

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("csv.{name}"), (*value).to_owned())).collect();
    FormatOptions::of_table(&pairs, "", "csv")
}

fn decode(fields: &[Field], pairs: &[(&str, &str)], records: &[&str]) -> Result<RecordBatch, String> {
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = Csv.decoder(fields, &all, &options(pairs)).unwrap();
    for record in records {
        decoder.push(record.as_bytes()).map_err(|bad| bad.0)?;
    }
    Ok(RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), decoder.finish().unwrap().columns).unwrap())
}

fn through(fields: &[Field], pairs: &[(&str, &str)], records: &[&str]) -> Result<Vec<String>, String> {
    let batch = decode(fields, pairs, records)?;
    let mut slab = Slab::default();
    Csv.encoder(fields, &options(pairs)).unwrap().encode(&batch, None, &mut slab).unwrap();
    Ok(slab.records().map(|record| String::from_utf8_lossy(record).into_owned()).collect())
}

#[test]
fn quotes_empty_fields_and_the_null_literal() {
    let fields = [field("id", L::Int), field("a", L::String), field("b", L::Double)];
    let records = ["1,\"x,y\",1.5", "2,,2", "3,NULL,NULL", "4,\"say \"\"hi\"\"\",-0.5"];
    let expected = ["1,\"x,y\",1.5", "2,,2.0", "3,NULL,NULL", "4,\"say \"\"hi\"\"\",-0.5"];
    assert_eq!(through(&fields, &[("null-literal", "NULL")], &records).unwrap(), expected);
}

#[test]
fn the_number_of_fields_has_to_fit() {
    let fields = [field("a", L::Int), field("b", L::Int)];
    assert_eq!(through(&fields, &[], &["1"]).unwrap_err(), "it has 1 fields instead of 2");
    assert_eq!(
        through(&fields, &[("ignore-parse-errors", "true"), ("null-literal", "-")], &["1", "1,x,3"]).unwrap(),
        ["1,-", "1,-"]
    );
    assert!(through(&fields, &[], &["1,x"]).unwrap_err().starts_with("field 'b': "));
}

#[test]
fn nested_values_have_their_own_delimiter() {
    let row = L::Row(vec![field("x", L::Int), field("y", L::Boolean)]);
    let fields = [field("l", L::Array(Box::new(L::Int.into()))), field("r", row), field("t", L::Timestamp(3))];
    let records = ["1;2;3|4;true|2020-01-02 03:04:05.5"];
    assert_eq!(through(&fields, &[("field-delimiter", "|")], &records).unwrap(), records);
}

#[test]
fn comments_and_escapes() {
    let fields = [field("a", L::String), field("b", L::Int)];
    let pairs = [("allow-comments", "true"), ("escape-character", "\\")];
    assert_eq!(through(&fields, &pairs, &["# no record", "", "x\\,y,1"]).unwrap(), ["\"x,y\",1"]);
}

#[test]
fn columns_that_csv_cannot_hold_are_refused() {
    let map = field("m", L::Map(Box::new(L::String.into()), Box::new(L::Int.into())));
    assert_eq!(Csv.problems(&[map], &FormatOptions::default()).len(), 1);
    assert_eq!(Csv.problems(&[], &options(&[("field-delimiter", "ab")])).len(), 1);
}

proptest! {
    #[test]
    fn text_goes_through_unchanged(text in any::<String>(), other in "[a-z,\"\n\r]{0,9}") {
        let fields = [field("a", L::String), field("b", L::String)];
        let array = |value: &str| std::sync::Arc::new(arrow::array::StringArray::from(vec![value])) as arrow::array::ArrayRef;
        let batch = RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), vec![array(&text), array(&other)]).unwrap();
        let mut slab = Slab::default();
        Csv.encoder(&fields, &options(&[])).unwrap().encode(&batch, None, &mut slab).unwrap();
        slab.bytes.push(b'\n');
        let frame = Csv.framing(&options(&[])).frame(&slab.bytes, 0, true).unwrap();
        prop_assert_eq!(frame.next, slab.bytes.len());
        let record = std::str::from_utf8(&slab.bytes[frame.start..frame.end]).unwrap();
        prop_assert_eq!(decode(&fields, &[], &[record]).unwrap(), batch);
    }
}

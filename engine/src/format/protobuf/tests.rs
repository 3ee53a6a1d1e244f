#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::*;
use crate::format::{BadRecord, Slab};
use crate::types::{LogicalType as L, Schema, parse_type};

const ORDER: &str = r#"
    // What a shop sends.
    syntax = "proto3";
    package shop.v1;
    import "google/protobuf/timestamp.proto";
    option java_package = "com.shop";

    message Order {
      int64 id = 1;
      string buyer = 2;
      optional double total = 3;
      repeated sint32 sizes = 4;
      map<string, Item> items = 5;
      State state = 6;
      google.protobuf.Timestamp at = 7;
      oneof payment { string card = 8; bytes voucher = 9; }
      repeated string tags = 10 [deprecated = true];
      bool paid = 11;
      fixed32 branch = 12;
      reserved 100 to 200, 300;

      message Item { uint32 count = 1; float price = 2; }
      enum State { NEW = 0; SENT = 1; LOST = -1; }
    }
    message Other { int32 id = 1; }
    service Shop { rpc Get (Other) returns (Order) { option idempotent = true; } }
"#;

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("protobuf.{name}"), (*value).to_owned())).collect();
    FormatOptions::of_table(&pairs, "", "protobuf")
}

fn of_order(more: &[(&str, &str)]) -> FormatOptions {
    let mut pairs = vec![("schema", ORDER), ("message-name", "shop.v1.Order")];
    pairs.extend(more);
    options(&pairs)
}

fn columns(list: &[(&str, &str)]) -> Vec<Field> {
    list.iter().map(|(name, ty)| Field::new(*name, parse_type(ty).unwrap())).collect()
}

fn order_columns() -> Vec<Field> {
    columns(&[
        ("id", "BIGINT"),
        ("buyer", "STRING"),
        ("total", "DOUBLE"),
        ("sizes", "ARRAY<INT>"),
        ("items", "MAP<STRING, ROW<`count` INT, `price` FLOAT>>"),
        ("state", "STRING"),
        ("at", "ROW<`seconds` BIGINT, `nanos` INT>"),
        ("card", "STRING"),
        ("voucher", "BYTES"),
        ("tags", "ARRAY<STRING>"),
        ("paid", "BOOLEAN"),
        ("branch", "INT"),
    ])
}

fn decode(fields: &[Field], options: &FormatOptions, records: &[&[u8]]) -> RecordBatch {
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = Protobuf.decoder(fields, &all, options).unwrap();
    records.iter().for_each(|record| assert_eq!(decoder.push(record), Ok(1)));
    RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), decoder.finish().unwrap().columns).unwrap()
}

fn encode(fields: &[Field], options: &FormatOptions, rows: &RecordBatch) -> Vec<Vec<u8>> {
    let mut slab = Slab::default();
    Protobuf.encoder(fields, options).unwrap().encode(rows, None, &mut slab).unwrap();
    slab.records().map(<[u8]>::to_vec).collect()
}

fn json(rows: &RecordBatch) -> String {
    let with_nulls = arrow::json::WriterBuilder::new().with_explicit_nulls(true);
    let mut writer = with_nulls.build::<_, arrow::json::writer::JsonArray>(Vec::new());
    writer.write(rows).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap()
}

fn refused(fields: &[Field], options: &FormatOptions, record: &[u8]) -> String {
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = Protobuf.decoder(fields, &all, options).unwrap();
    let Err(BadRecord(why)) = decoder.push(record) else { panic!("{record:?} was taken") };
    assert_eq!(decoder.rows(), 0);
    assert!(decoder.finish().unwrap().columns.iter().all(|column| column.is_empty()));
    why
}

/// The examples of Protobuf's own description of its encoding.
#[test]
fn known_bytes() {
    let definition = "syntax = \"proto3\"; message T { int32 a = 1; string b = 2; T2 c = 3; repeated int32 f = 6; }
                      message T2 { int32 a = 1; }";
    let options = options(&[("schema", definition), ("message-name", "T")]);
    let fields = columns(&[("a", "INT"), ("b", "STRING"), ("c", "ROW<`a` INT>"), ("f", "ARRAY<INT>")]);
    let bytes: &[u8] = &[
        0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67, 0x1a, 0x03, 0x08, 0x96, 0x01, 0x32,
        0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05,
    ];
    let rows = decode(&fields, &options, &[bytes]);
    assert_eq!(json(&rows), r#"[{"a":150,"b":"testing","c":{"a":150},"f":[3,270,86942]}]"#);
    assert_eq!(encode(&fields, &options, &rows), [bytes]);
    // Every element by itself, in another order, with an unknown field and a part of the message twice.
    let scattered: &[u8] = &[
        0x30, 0x03, 0x1a, 0x02, 0x08, 0x01, 0x12, 0x01, 0x78, 0x30, 0x8e, 0x02, 0x78, 0x05, 0x08, 0x01, 0x1a, 0x03,
        0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67, 0x32, 0x03, 0x9e, 0xa7, 0x05, 0x08,
        0x96, 0x01,
    ];
    assert_eq!(decode(&fields, &options, &[scattered]), rows);
}

#[test]
fn rows_come_back() {
    let fields = order_columns();
    let lines = [
        r#"{"id":7,"buyer":"é","total":0.0,"sizes":[-1,0,300],"items":{"a":{"count":3,"price":1.5},"b":{"count":0,"price":0.0}},"state":"LOST","at":{"seconds":5,"nanos":7},"card":"x","voucher":null,"tags":["t",""],"paid":true,"branch":-1}"#,
        r#"{"id":0,"buyer":"","total":null,"sizes":null,"items":null,"state":"NEW","at":null,"card":null,"voucher":null,"tags":null,"paid":false,"branch":0}"#,
    ];
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = crate::format::json::Json.decoder(&fields, &all, &FormatOptions::default()).unwrap();
    lines.iter().for_each(|line| assert_eq!(decoder.push(line.as_bytes()), Ok(1)));
    let rows = RecordBatch::try_new(Schema::new(fields.clone()).to_arrow(), decoder.finish().unwrap().columns).unwrap();
    let records = encode(&fields, &of_order(&[]), &rows);
    // What proto3 cannot tell from its absence is not written.
    assert!(records[1].is_empty());
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    assert_eq!(decode(&fields, &of_order(&[]), &records), rows);
}

#[test]
fn what_is_not_there_is_null_or_its_default() {
    let fields = order_columns();
    let rows = decode(&fields, &of_order(&[("read-default-values", "true")]), &[&[]]);
    let expected = r#"[{"id":0,"buyer":"","total":0.0,"sizes":[],"items":{},"state":"NEW","at":{"seconds":0,"nanos":0},"card":"","voucher":"","tags":[],"paid":false,"branch":0}]"#;
    assert_eq!(json(&rows), expected);

    let proto2 =
        "message T { optional int32 a = 1 [default = -5]; optional string b = 2 [default = 'hm']; optional E c = 3; }
                  enum E { X = 3; Y = 4; }";
    let fields = columns(&[("a", "INT"), ("b", "STRING"), ("c", "INT")]);
    let rows = decode(&fields, &options(&[("schema", proto2)]), &[&[], &[0x18, 9]]);
    assert_eq!(json(&rows), r#"[{"a":null,"b":null,"c":null},{"a":null,"b":null,"c":null}]"#);
    let rows = decode(&fields, &options(&[("schema", proto2), ("read-default-values", "true")]), &[&[]]);
    assert_eq!(json(&rows), r#"[{"a":-5,"b":"hm","c":3}]"#);
    // Written although they are the defaults: proto2 tells them apart.
    assert_eq!(encode(&fields, &options(&[("schema", proto2)]), &rows).len(), 1);
}

#[test]
fn of_a_choice_the_last_is_there() {
    let fields = columns(&[("card", "STRING"), ("voucher", "BYTES")]);
    let rows = decode(&fields, &of_order(&[]), &[&[0x42, 1, b'c', 0x4a, 1, 1], &[0x4a, 1, 1, 0x42, 1, b'c']]);
    assert_eq!(json(&rows), r#"[{"card":null,"voucher":"01"},{"card":"c","voucher":null}]"#);
    // Also where the other one is no column.
    let rows = decode(&fields[..1], &of_order(&[]), &[&[0x42, 1, b'c', 0x4a, 1, 1]]);
    assert_eq!(json(&rows), r#"[{"card":null}]"#);
}

#[test]
fn of_a_key_the_last_entry_counts() {
    let fields = columns(&[("items", "MAP<STRING, ROW<`count` INT>>")]);
    let record: &[u8] =
        &[0x2a, 7, 0x0a, 1, b'a', 0x12, 2, 8, 1, 0x2a, 4, 0x12, 2, 8, 9, 0x2a, 7, 0x0a, 1, b'a', 0x12, 2, 8, 2];
    assert_eq!(json(&decode(&fields, &of_order(&[]), &[record])), r#"[{"items":{"a":{"count":2},"":{"count":9}}}]"#);
}

#[test]
fn nulls_in_lists_are_written_as_defaults() {
    let fields = columns(&[("tags", "ARRAY<STRING>"), ("state", "STRING")]);
    let mut decoder = crate::format::json::Json.decoder(&fields, &[0, 1], &FormatOptions::default()).unwrap();
    decoder.push(br#"{"tags":["a",null],"state":"no such state"}"#).unwrap();
    let rows = RecordBatch::try_new(Schema::new(fields.clone()).to_arrow(), decoder.finish().unwrap().columns).unwrap();
    let records = encode(&fields, &of_order(&[("write-null-string-literal", "n/a")]), &rows);
    let rows = decode(&fields, &of_order(&[]), &[records[0].as_slice()]);
    assert_eq!(json(&rows), r#"[{"tags":["a","n/a"],"state":"NEW"}]"#);
}

#[test]
fn broken_records_are_refused_whole() {
    let fields = order_columns();
    assert_eq!(refused(&fields, &of_order(&[]), &[0x12, 5, b'a']), "it ends too early");
    assert_eq!(refused(&fields, &of_order(&[]), &[0x08, 1, 0x12, 1, 0xff]), "byte 0 of a text is no UTF-8");
    assert_eq!(refused(&fields, &of_order(&[]), &[0x00]), "0 is no number of a field");
    assert_eq!(refused(&fields, &of_order(&[]), &[0x0e]), "6 is no kind of value");
    let required = "message T { required int32 a = 1; }";
    let why = refused(&columns(&[("a", "INT")]), &options(&[("schema", required)]), &[]);
    assert_eq!(why, "the required field 'a' is missing");
    // A value of another kind is one of an unknown field, as for other readers.
    assert_eq!(decode(&fields[..1], &of_order(&[]), &[&[0x0a, 1, 1]]).num_rows(), 1);
}

#[test]
fn a_record_of_nothing_but_messages_is_bounded() {
    let nested = "message T { repeated M m = 1; } message M { optional int32 a = 1; optional int32 b = 2; }";
    let fields = columns(&[("m", "ARRAY<ROW<`a` INT, `b` INT>>")]);
    let record: Vec<u8> = [0x0a, 0].repeat(8 << 20);
    let options = options(&[("schema", nested), ("message-name", "T")]);
    assert_eq!(refused(&fields, &options, &record), "it holds more values than a record may");
}

#[test]
fn problems_name_both_sides() {
    let problems = |list: &[(&str, &str)], pairs: &[(&str, &str)]| -> Vec<String> {
        Protobuf.problems(&columns(list), &options(pairs)).into_iter().map(|(_, why)| why).collect()
    };
    let order = [("schema", ORDER), ("message-name", "Order")];
    let wrong = [
        ("id", "STRING"),
        ("buyr", "STRING"),
        ("items", "MAP<STRING, STRING>"),
        ("sizes", "INT"),
        ("total", "ARRAY<DOUBLE>"),
    ];
    assert_eq!(
        problems(&wrong, &order),
        [
            "Protobuf: the column 'id' is STRING, the field of the message is int64.",
            "Protobuf: the message 'shop.v1.Order' has no field 'buyr' (did you mean 'buyer'?).",
            "Protobuf: the column 'items' is STRING, the field of the message is shop.v1.Order.Item.",
            "Protobuf: the column 'sizes' is INT, the field of the message is repeated.",
            "Protobuf: the column 'total' is ARRAY<DOUBLE>, the field of the message is double.",
        ]
    );
    let id = [("id", "BIGINT")];
    assert_eq!(
        problems(&id, &[("schema", ORDER)])[0],
        "'protobuf.message-name' is missing; it has shop.v1.Order.Item, shop.v1.Order, shop.v1.Other, google.protobuf.Timestamp."
    );
    assert_eq!(problems(&id, &[("schema", ORDER), ("message-class-name", "com.shop.Outer$Order")]), [""; 0]);
    assert!(problems(&id, &[("schema", ORDER), ("message-name", "Nix")])[0].contains("has no message 'Nix'; it has"));
    for (definition, why) in [
        ("message T { int64 id = 1 }", "line 1: ';' was expected, not '}'"),
        ("message T {\n Foo id = 1;\n}", "the type 'Foo' is not known"),
        ("message T {\n optional group G = 1 { }\n}", "line 2: groups are not supported"),
        (
            "import 'other.proto'; message T { }",
            "line 1: the import of 'other.proto' is not supported; put its messages into the text",
        ),
        ("edition = '2023'; message T { }", "line 1: editions are not supported; proto2 and proto3 are"),
        ("message T { int64 a = 1; int32 b = 1; }", "the field 'b' of 'T', or its number, is there twice"),
        ("message T { int64 a = 0; }", "line 1: the number of the field 'a' is out of range"),
        ("message T { /* ", "line 1: a comment has no end"),
    ] {
        assert_eq!(problems(&id, &[("schema", definition)]), [format!("The definition in 'protobuf.schema': {why}.")]);
    }
    let deep = "message T {".repeat(200_000);
    assert!(
        problems(&id, &[("schema", &deep)])[0].contains("bytes")
            || problems(&id, &[("schema", &deep)])[0].contains("deep")
    );
    assert!(problems(&id, &[("schema", &deep[..100_000])])[0].contains("too deeply"));
}

#[test]
fn a_type_may_be_named_like_a_keyword_and_scopes_are_searched_outwards() {
    let definition = "syntax = 'proto3'; package a.b;
        message message { int32 x = 1; }
        message T { message option_ = 1; .a.b.message m = 2; b.message n = 3; enum E { Z = 0; } E e = 4; }";
    let fields = columns(&[("m", "ROW<`x` INT>"), ("n", "ROW<`x` INT>"), ("e", "BIGINT")]);
    assert_eq!(Protobuf.problems(&fields, &options(&[("schema", definition), ("message-name", "T")])), []);
    assert_eq!(fields[2].ty.logical, L::BigInt);
}

//! Avro as records, as files and with a registry, which here is a small server of the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Cursor, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use arrow::array::RecordBatch;
use proptest::prelude::*;

use super::container::{Codec, ContainerReader, ContainerWriter};
use super::*;
use crate::change::RowKind;
use crate::format::column::Column;
use crate::format::json::{Json, JsonEncoder};
use crate::format::{Encoder as _, Slab};
use crate::types::{LogicalType as L, Schema as TableSchema, Type};

fn field(name: &str, ty: L) -> Field {
    Field::new(name, Type::nullable(ty))
}

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let mut table: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("f.{name}"), (*value).to_owned())).collect();
    table.insert("topic".to_owned(), "orders".to_owned());
    FormatOptions::of_table(&table, "", "f")
}

fn modern() -> FormatOptions {
    options(&[("timestamp_mapping.legacy", "false")])
}

fn batch(fields: &[Field], rows: &[&str]) -> RecordBatch {
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = Json.decoder(fields, &all, &FormatOptions::default()).unwrap();
    rows.iter().for_each(|row| assert_eq!(decoder.push(row.as_bytes()), Ok(1)));
    RecordBatch::try_new(TableSchema::new(fields.to_vec()).to_arrow(), decoder.finish().unwrap().columns).unwrap()
}

fn json(batch: &RecordBatch, kinds: Option<&[RowKind]>) -> Vec<String> {
    let fields: Vec<Field> = batch.schema().fields().iter().map(|known| field(known.name(), L::Null)).collect();
    let mut slab = Slab::default();
    JsonEncoder::new(&fields, &FormatOptions::default()).encode(batch, None, &mut slab).unwrap();
    let mark = |row: usize| kinds.map_or("", |kinds| kinds[row].mark());
    slab.records().enumerate().map(|(row, text)| format!("{}{}", mark(row), String::from_utf8_lossy(text))).collect()
}

fn encoded(format: &Avro, fields: &[Field], options: &FormatOptions, rows: &RecordBatch) -> Vec<Vec<u8>> {
    let mut slab = Slab::default();
    format.encoder(fields, options).unwrap().encode(rows, None, &mut slab).unwrap();
    slab.records().map(<[u8]>::to_vec).collect()
}

/// The wanted fields of the records.
fn decoded(
    format: &Avro,
    fields: &[Field],
    wanted: &[usize],
    options: &FormatOptions,
    records: &[Vec<u8>],
) -> Result<Vec<String>, String> {
    let mut decoder = format.decoder(fields, wanted, options).map_err(|error| error.message)?;
    for record in records {
        if let Err(bad) = decoder.push(record) {
            return Err(decoder.failure().map_or(bad.0, |error| error.message));
        }
    }
    let decoded = decoder.finish().unwrap();
    let kept: Vec<Field> = wanted.iter().map(|index| fields[*index].clone()).collect();
    let rows = RecordBatch::try_new(TableSchema::new(kept).to_arrow(), decoded.columns).unwrap();
    Ok(json(&rows, decoded.kinds.as_deref()))
}

fn everything() -> Vec<Field> {
    let nested = L::Row(vec![field("x", L::Int), Field::new("y", Type::not_null(L::String))]);
    vec![
        Field::new("id", Type::not_null(L::BigInt)),
        field("flag", L::Boolean),
        field("tiny", L::TinyInt),
        field("f", L::Float),
        field("d", L::Double),
        field("text", L::VarChar(20)),
        field("bytes", L::Bytes),
        field("amount", L::Decimal { precision: 12, scale: 3 }),
        field("day", L::Date),
        field("time", L::Time(3)),
        field("at", L::Timestamp(3)),
        field("micros", L::Timestamp(6)),
        field("ltz", L::TimestampLtz(9)),
        field("list", L::Array(Box::new(nested.clone().into()))),
        field("map", L::Map(Box::new(L::String.into()), Box::new(L::Int.into()))),
        field("bag", L::Multiset(Box::new(L::String.into()))),
        field("row", nested),
    ]
}

const FULL: &str = r#"{"id":-9223372036854775808,"flag":true,"tiny":-5,"f":1.5,"d":-0.25,"text":"é","bytes":"AAE=","amount":-123456.789,"day":"1969-12-31","time":"23:59:59.999","at":"1969-12-31 23:59:59.999","micros":"2020-01-02 03:04:05.678901","ltz":"2020-01-02 03:04:05.678901234Z","list":[{"x":1,"y":"a"},null,{"x":null,"y":"b"}],"map":{"a":1,"b":null},"bag":{"q":2},"row":{"x":7,"y":"z"}}"#;
const EMPTY: &str = r#"{"id":0,"flag":null,"tiny":null,"f":null,"d":null,"text":null,"bytes":null,"amount":null,"day":null,"time":null,"at":null,"micros":null,"ltz":null,"list":[],"map":{},"bag":null,"row":null}"#;

#[test]
fn all_types_come_back_as_they_went() {
    let fields = everything();
    let rows = batch(&fields, &[FULL, EMPTY]);
    let records = encoded(&AVRO, &fields, &modern(), &rows);
    let all: Vec<usize> = (0..fields.len()).collect();
    assert_eq!(decoded(&AVRO, &fields, &all, &modern(), &records).unwrap(), [FULL, EMPTY]);
    // Only what is wanted, in the order asked for.
    let some = decoded(&AVRO, &fields, &[16, 0], &modern(), &records).unwrap();
    assert_eq!(some[0], r#"{"row":{"x":7,"y":"z"},"id":-9223372036854775808}"#);
}

#[test]
fn the_schema_is_the_one_that_flink_derives() {
    let fields = [
        Field::new("id", Type::not_null(L::BigInt)),
        field("at", L::Timestamp(3)),
        field("r", L::Row(vec![field("x", L::Int)])),
    ];
    let schema: serde_json::Value =
        serde_json::from_str(&file_schema(&fields, &FormatOptions::default()).unwrap().to_json()).unwrap();
    let expected = serde_json::json!({
        "type": "record", "name": "record", "namespace": "org.apache.flink.avro.generated",
        "fields": [
            { "name": "id", "type": "long" },
            { "name": "at", "type": ["null", { "type": "long", "logicalType": "timestamp-millis" }], "default": null },
            { "name": "r", "default": null, "type": ["null", {
                "type": "record", "name": "record_r", "namespace": "org.apache.flink.avro.generated",
                "fields": [{ "name": "x", "type": ["null", "int"], "default": null }] }] },
        ],
    });
    assert_eq!(schema, expected);
    for ty in [L::TimestampLtz(3), L::Timestamp(6)] {
        let said = AVRO.problems(&[field("t", ty.clone())], &FormatOptions::default());
        assert!(said[0].1.contains("timestamp_mapping.legacy"), "{said:?}");
        assert_eq!(AVRO.problems(&[field("t", ty)], &modern()), []);
    }
    let unheld = L::Map(Box::new(L::Int.into()), Box::new(L::Int.into()));
    assert!(AVRO.problems(&[field("m", unheld)], &modern())[0].1.contains("MAP<INT, INT>"));
}

/// Bytes as the specification gives them.
#[test]
fn bytes_are_those_of_the_specification() {
    let fields = [Field::new("a", Type::not_null(L::BigInt)), Field::new("b", Type::not_null(L::String))];
    let rows = batch(&fields, &[r#"{"a":27,"b":"foo"}"#]);
    assert_eq!(encoded(&AVRO, &fields, &options(&[]), &rows), [[0x36, 0x06, 0x66, 0x6f, 0x6f]]);
    let decimal = [Field::new("d", Type::not_null(L::Decimal { precision: 10, scale: 2 }))];
    let rows = batch(&decimal, &[r#"{"d":-1.28}"#, r#"{"d":1.28}"#, r#"{"d":0}"#]);
    assert_eq!(encoded(&AVRO, &decimal, &options(&[]), &rows), [vec![2, 0x80], vec![4, 0, 0x80], vec![2, 0]]);
}

#[test]
fn schemas_are_read_with_names_namespaces_and_recursion() {
    let text = r#"{"type":"record","name":"Node","namespace":"a.b","fields":[
        {"name":"value","type":{"type":"enum","name":"Colour","symbols":["RED","GREEN"]}},
        {"name":"other","type":"Colour"}, {"name":"third","type":"a.b.Colour"},
        {"name":"next","type":["null","Node"],"default":null},
        {"name":"hash","type":{"type":"fixed","name":"H","size":2}}]}"#;
    let schema = Schema::parse(text).unwrap();
    assert_eq!(Schema::parse(&schema.to_json()).unwrap().to_json(), schema.to_json());
    for wrong in ["", "{", "1", r#"{"type":"record","name":"x"}"#, r#""nope""#, r#"{"type":"fixed","name":"f"}"#] {
        Schema::parse(wrong).expect_err(wrong);
    }
    let deep = "[".repeat(10_000);
    Schema::parse(&deep).expect_err("too deep");
}

/// A registry in a thread: schemas by id, subjects as they are registered.
struct Server {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    schemas: BTreeMap<u32, String>,
    asked: Vec<String>,
    failing: u32,
}

impl Server {
    fn start(schemas: &[(u32, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let schemas = schemas.iter().map(|(id, text)| (*id, (*text).to_owned())).collect();
        let state = Arc::new(Mutex::new(State { schemas, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &shared)));
        Server { url, state }
    }

    fn options(&self, more: &[(&str, &str)]) -> FormatOptions {
        let mut all = vec![("url", self.url.as_str())];
        all.extend(more);
        options(&all)
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut length, mut signed) = (String::new(), 0, String::new());
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) == 0 || header == "\r\n" {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => signed = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut state = state.lock().unwrap();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    state.asked.push(format!("{path} {signed}").trim().to_owned());
    let (status, text) = if state.failing > 0 {
        state.failing -= 1;
        (503, "{\"message\":\"later\"}".to_owned())
    } else if let Some(id) = path.strip_prefix("/schemas/ids/") {
        match state.schemas.get(&id.parse().unwrap()) {
            Some(schema) => (200, serde_json::json!({ "schema": schema }).to_string()),
            None => (404, "{\"error_code\":40403}".to_owned()),
        }
    } else if path.starts_with("/subjects/refused") {
        (409, "{\"message\":\"incompatible\"}".to_owned())
    } else {
        let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let id = u32::try_from(state.schemas.len()).unwrap() + 1;
        state.schemas.insert(id, sent["schema"].as_str().unwrap().to_owned());
        (200, format!("{{\"id\":{id}}}"))
    };
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
    let _ = stream.write_all(answer.as_bytes());
}

fn framed(id: u32, value: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), value].concat()
}

#[test]
fn records_with_ids_are_written_and_read_and_the_registry_is_asked_once() {
    let server = Server::start(&[]);
    let fields = everything();
    let signed = [("basic-auth.user-info", "me:secret"), ("timestamp_mapping.legacy", "false")];
    let options = server.options(&signed);
    let rows = batch(&fields, &[FULL, EMPTY]);
    let records = encoded(&CONFLUENT, &fields, &options, &rows);
    assert!(records.iter().all(|record| record.starts_with(&[0, 0, 0, 0, 1])));
    let all: Vec<usize> = (0..fields.len()).collect();
    assert_eq!(decoded(&CONFLUENT, &fields, &all, &options, &records).unwrap(), [FULL, EMPTY]);
    let expected = ["/subjects/orders-value/versions Basic bWU6c2VjcmV0", "/schemas/ids/1 Basic bWU6c2VjcmV0"];
    assert_eq!(server.asked(), expected);
}

#[test]
fn fields_of_other_writers_are_found_by_name_and_widened() {
    let old = r#"{"type":"record","name":"R","fields":[{"name":"gone","type":{"type":"array","items":{"type":"map","values":"double"}}},
        {"name":"id","type":"int"},{"name":"amount","type":{"type":"fixed","name":"A","size":4,"logicalType":"decimal","precision":9,"scale":1}},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
        {"name":"colour","type":{"type":"enum","name":"E","symbols":["RED","GREEN"]}}]}"#;
    let new = r#"{"type":"record","name":"R","fields":[{"name":"colour","type":["string","null"]},{"name":"id","type":"long"}]}"#;
    let bad = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}"#;
    let server = Server::start(&[(1, old), (2, new), (3, bad), (4, "{}")]);
    let fields = [
        field("id", L::BigInt),
        field("colour", L::String),
        field("amount", L::Decimal { precision: 9, scale: 2 }),
        field("at", L::Timestamp(3)),
    ];
    // One item of a map of one entry; 7; 12.3; 1.234567 s; GREEN.
    let mut first = vec![2, 2, 2, b'k', 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 14, 0, 0, 0, 123];
    first.extend({
        let mut number = Vec::new();
        super::writer::write_long(1_234_567, &mut number);
        number
    });
    first.push(2);
    let second = [0, 6, b'R', b'E', b'D', 16];
    let options = server.options(&[]);
    let rows =
        decoded(&CONFLUENT, &fields, &[0, 1, 2, 3], &options, &[framed(1, &first), framed(2, &second), Vec::new()]);
    let expected = [
        r#"{"id":7,"colour":"GREEN","amount":12.30,"at":"1970-01-01 00:00:01.234"}"#,
        r#"{"id":8,"colour":"RED","amount":null,"at":null}"#,
    ];
    assert_eq!(rows.unwrap(), expected);
    let why = |record: Vec<u8>| decoded(&CONFLUENT, &fields, &[0], &options, &[record]).unwrap_err();
    assert!(why(framed(3, &[2, b'x'])).contains("does not fit the table: field 'id'"));
    assert!(why(framed(4, &[])).contains("schema 4 cannot be read"));
    assert!(why(framed(9, &[])).contains("does not know the schema 9"));
    assert!(why(vec![1, 0, 0, 0, 1]).contains("begins with 1"));
    assert!(why(vec![0, 0]).contains("too short"));
    assert!(why(framed(2, &second[..3])).contains("ends too early"));
    assert!(why(framed(2, &[&second[..], &[9]].concat())).contains("1 bytes are left"));
    let strict = [Field::new("amount", Type::not_null(L::Int))];
    assert!(decoded(&CONFLUENT, &strict, &[0], &options, &[framed(2, &second)]).unwrap_err().contains("NOT NULL"));
}

#[test]
fn a_registry_that_is_away_fails_the_job_and_no_record() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"long"}]}"#;
    let server = Server::start(&[(1, schema)]);
    let fields = [field("id", L::BigInt)];
    server.state.lock().unwrap().failing = 1;
    let again = decoded(&CONFLUENT, &fields, &[0], &server.options(&[]), &[framed(1, &[16])]);
    assert_eq!(again.unwrap(), [r#"{"id":8}"#], "a moment is waited for");
    server.state.lock().unwrap().failing = 100;
    let mut decoder = CONFLUENT.decoder(&fields, &[0], &server.options(&[])).unwrap();
    decoder.push(&framed(1, &[16])).unwrap_err();
    let failure = decoder.failure().unwrap();
    assert!(failure.retry && failure.code == "registry_failed", "{failure:?}");
    assert!(decoder.failure().is_none());
    server.state.lock().unwrap().failing = 0;
    assert_eq!(decoder.push(&framed(1, &[16])), Ok(1), "what was not found out is not remembered");
    let rows = batch(&fields, &[r#"{"id":1}"#]);
    let mut encoder = CONFLUENT.encoder(&fields, &server.options(&[("subject", "refused")])).unwrap();
    let refused = encoder.encode(&rows, None, &mut Slab::default()).unwrap_err();
    assert!(!refused.retry && refused.message.contains("incompatible"), "{refused:?}");
}

#[test]
fn users_cannot_lead_to_this_machine_where_the_server_forbids_it() {
    let server = Server::start(&[]);
    let table = [("f.url", server.url.as_str()), ("topic", "t"), (crate::connector::NO_LOCAL, "true")];
    let table = table.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let options = FormatOptions::of_table(&table, "", "f");
    let mut decoder = CONFLUENT.decoder(&[field("id", L::BigInt)], &[0], &options).unwrap();
    decoder.push(&framed(1, &[16])).unwrap_err();
    assert_eq!(decoder.failure().unwrap().code, "registry_refused");
    assert!(server.asked().is_empty());
}

#[test]
fn a_given_schema_is_written_and_has_to_fit() {
    let server = Server::start(&[]);
    let given = r#"{"type":"record","name":"Mine","fields":[{"name":"name","type":["string","null"]},{"name":"id","type":"int"},
        {"name":"extra","type":["null","int"],"default":null}]}"#;
    let fields = [Field::new("id", Type::not_null(L::Int)), field("name", L::String)];
    let options = server.options(&[("schema", given)]);
    assert_eq!(CONFLUENT.problems(&fields, &options), []);
    let rows = batch(&fields, &[r#"{"id":1,"name":"a"}"#, r#"{"id":2}"#]);
    let records = encoded(&CONFLUENT, &fields, &options, &rows);
    assert_eq!(records[0][5..], [0, 2, b'a', 2, 0]);
    let back = decoded(&CONFLUENT, &fields, &[0, 1], &options, &records).unwrap();
    assert_eq!(back, [r#"{"id":1,"name":"a"}"#, r#"{"id":2,"name":null}"#]);
    let wrong =
        server.options(&[("schema", r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}"#)]);
    assert_eq!(CONFLUENT.problems(&fields, &wrong)[0].0, "avro-confluent.schema");
    assert_eq!(CONFLUENT.problems(&fields, &options_without_url())[0].0, "avro-confluent.url");
}

fn options_without_url() -> FormatOptions {
    options(&[("url", "ftp://x")])
}

#[test]
fn debezium_changes_come_and_go() {
    let server = Server::start(&[]);
    let fields = [field("id", L::Int), field("name", L::String)];
    let rows = batch(&fields, &[r#"{"id":1,"name":"a"}"#, r#"{"id":1,"name":"a"}"#]);
    let mut slab = Slab::default();
    let options = server.options(&[]);
    let mut encoder = DEBEZIUM.encoder(&fields, &options).unwrap();
    encoder.encode(&rows, Some(&[RowKind::UpdateAfter, RowKind::Delete]), &mut slab).unwrap();
    let records: Vec<Vec<u8>> = slab.records().map(<[u8]>::to_vec).collect();
    let back = decoded(&DEBEZIUM, &fields, &[0, 1], &options, &records).unwrap();
    assert_eq!(back, [r#"+I{"id":1,"name":"a"}"#, r#"-D{"id":1,"name":"a"}"#]);
    // As Debezium itself writes: other fields in between, and `op` not nullable.
    let value = r#"{"type":"record","name":"Value","fields":[{"name":"name","type":["null","string"]},{"name":"id","type":"int"}]}"#;
    let schema = format!(
        r#"{{"type":"record","name":"Envelope","fields":[{{"name":"before","type":["null",{value}]}},{{"name":"after","type":["null","Value"]}},
        {{"name":"source","type":{{"type":"record","name":"Source","fields":[{{"name":"db","type":"string"}}]}}}},{{"name":"op","type":"string"}}]}}"#
    );
    server.state.lock().unwrap().schemas.insert(7, schema);
    let row = [2, 2, 2, b'x', 10];
    let source = [2, b'd'];
    let update = [&row[..], &row, &source, &[2, b'u']].concat();
    let without = [&[0][..], &row, &source, &[2, b'u']].concat();
    let back = decoded(&DEBEZIUM, &fields, &[1, 0], &options, &[framed(7, &update)]).unwrap();
    assert_eq!(back, [r#"-U{"name":"x","id":5}"#, r#"+U{"name":"x","id":5}"#]);
    let why = decoded(&DEBEZIUM, &fields, &[0], &options, &[framed(7, &without)]).unwrap_err();
    assert!(why.contains("REPLICA IDENTITY FULL"), "{why}");
}

fn file(fields: &[Field], codec: &str, rows: &RecordBatch, times: usize) -> Vec<u8> {
    let schema = file_schema(fields, &modern()).unwrap();
    let mut writer = ContainerWriter::new(Vec::new(), schema, Codec::of_option(Some(codec)).unwrap()).unwrap();
    (0..times).for_each(|_| writer.write(rows).unwrap());
    writer.finish().unwrap()
}

/// All rows behind the first `skip`, as JSON.
fn read_file(bytes: &[u8], fields: &[Field], skip: u64) -> Result<Vec<String>, String> {
    let mut reader = ContainerReader::new(Cursor::new(bytes))?;
    let plan = reader.plan(&fields.iter().collect::<Vec<_>>())?;
    let mut columns: Vec<Column> = fields.iter().map(|field| Column::new(&field.ty.logical)).collect();
    reader.skip(skip, &plan, &mut columns)?;
    let mut rows = Vec::new();
    loop {
        let read = reader.read(&plan, &mut columns, 7).map_err(|(_, broken)| format!("{broken:?}"))?;
        if read == 0 {
            return Ok(rows);
        }
        let arrays = columns.iter_mut().map(|column| column.finish().unwrap()).collect();
        let batch = RecordBatch::try_new(TableSchema::new(fields.to_vec()).to_arrow(), arrays).unwrap();
        rows.extend(json(&batch, None));
    }
}

#[test]
fn files_of_every_codec_are_read_from_any_row() {
    let fields = everything();
    let rows = batch(&fields, &[FULL, EMPTY]);
    for codec in container::CODECS {
        let bytes = file(&fields, codec, &rows, 600);
        let whole = read_file(&bytes, &fields, 0).unwrap();
        assert_eq!((whole.len(), whole[0].as_str(), whole[1199].as_str()), (1200, FULL, EMPTY), "{codec}");
        for skip in [1, 499, 1000, 1199, 1200, 5000] {
            let rest = read_file(&bytes, &fields, skip).unwrap();
            assert_eq!(rest.len(), 1200_usize.saturating_sub(skip as usize), "{codec} {skip}");
            assert!(whole.ends_with(&rest));
        }
        let mut damaged = bytes.clone();
        let at = damaged.len() - 3;
        damaged[at] ^= 0xff;
        read_file(&damaged, &fields, 0).unwrap_err();
        read_file(&bytes[..bytes.len() - 20], &fields, 0).unwrap_err();
    }
    assert!(read_file(b"Obj\x02", &fields, 0).unwrap_err().contains("no Avro file"));
}

#[test]
fn a_record_that_ends_too_early_leaves_nothing_behind() {
    let fields = everything();
    let records = encoded(&AVRO, &fields, &modern(), &batch(&fields, &[FULL]));
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = AVRO.decoder(&fields, &all, &modern()).unwrap();
    for end in 1..records[0].len() {
        decoder.push(&records[0][..end]).unwrap_err();
        assert_eq!(decoder.rows(), 0);
    }
    assert_eq!(decoder.push(&records[0]), Ok(1));
    assert!(decoder.finish().unwrap().columns.iter().all(|column| column.len() == 1));
}

#[test]
fn arrays_that_claim_more_than_they_hold_are_refused_at_once() {
    let fields = [Field::new("l", Type::not_null(L::Array(Box::new(L::Null.into()))))];
    let mut decoder = AVRO.decoder(&fields, &[0], &modern()).unwrap();
    let mut record = Vec::new();
    super::writer::write_long(1 << 40, &mut record);
    assert!(decoder.push(&record).unwrap_err().0.contains("claims more"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn numbers_and_texts_come_back(
        rows in prop::collection::vec((any::<i64>(), prop::option::of(any::<String>()), any::<i32>(), -99_999_999_i64..99_999_999), 1..20),
    ) {
        let fields = [
            field("a", L::BigInt), field("b", L::String), field("c", L::Int), field("d", L::Decimal { precision: 10, scale: 2 }),
        ];
        let rows: Vec<String> = rows
            .into_iter()
            .map(|(a, b, c, d)| serde_json::json!({ "a": a, "b": b, "c": c, "d": format!("{}", d as f64 / 100.0) }).to_string())
            .collect();
        let rows = batch(&fields, &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let records = encoded(&AVRO, &fields, &options(&[]), &rows);
        prop_assert_eq!(decoded(&AVRO, &fields, &[0, 1, 2, 3], &options(&[]), &records).unwrap(), json(&rows, None));
    }
}

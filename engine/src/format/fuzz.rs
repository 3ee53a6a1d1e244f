//! A seeded campaign of broken records against every decoder: none may panic, hang, or keep something of a record that
//! it refused.
//!
//! A short one runs with the tests; `MILLRACE_FUZZ_SECONDS` makes it longer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::avro::container::{Broken, Codec, ContainerReader, ContainerWriter};
use super::column::Column;
use super::*;
use crate::types::Schema;

/// A format with its options, the columns to decode into, and records that are right.
struct Target {
    name: String,
    decoder: Box<dyn Decoder>,
    seeds: Vec<Vec<u8>>,
}

fn options(pairs: &[(&str, &str)]) -> FormatOptions {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| (format!("f.{name}"), (*value).to_owned())).collect();
    FormatOptions::of_table(&pairs, "", "f")
}

fn field(name: &str, ty: LogicalType) -> Field {
    Field::new(name, Type::nullable(ty))
}

/// Columns that every text format can hold.
fn flat() -> Vec<Field> {
    use LogicalType as L;
    vec![
        field("id", L::BigInt),
        field("text", L::String),
        field("amount", L::Decimal { precision: 10, scale: 2 }),
        field("at", L::Timestamp(3)),
        field("list", L::Array(Box::new(L::Int.into()))),
    ]
}

fn nested() -> Vec<Field> {
    use LogicalType as L;
    let mut fields = flat();
    fields.push(field("map", L::Map(Box::new(L::String.into()), Box::new(L::Double.into()))));
    fields.push(field("row", L::Row(vec![field("x", L::Date), field("y", L::Bytes), field("z", L::Boolean)])));
    fields
}

const ROWS: [&str; 3] = [
    r#"{"id":1,"text":"é\n\"","amount":-1.5,"at":"2020-01-02 03:04:05.678","list":[1,null,3],"map":{"a":1.5},"row":{"x":"2020-02-29","y":"AAE=","z":true}}"#,
    r#"{"id":null,"text":"","amount":null,"at":null,"list":[],"map":{},"row":null}"#,
    r#"{"id":-9223372036854775808,"text":"longer text than the others","amount":99999999.99,"at":"1900-01-01 00:00:00","list":null,"map":null,"row":{"x":null,"y":null,"z":null}}"#,
];

fn rows(fields: &[Field]) -> RecordBatch {
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut decoder = json::Json.decoder(fields, &all, &FormatOptions::default()).unwrap();
    ROWS.iter().for_each(|row| assert_eq!(decoder.push(row.as_bytes()), Ok(1)));
    RecordBatch::try_new(Schema::new(fields.to_vec()).to_arrow(), decoder.finish().unwrap().columns).unwrap()
}

fn target(format: &dyn Format, fields: &[Field], pairs: &[(&str, &str)]) -> Target {
    let options = options(pairs);
    let name = format!("{} {pairs:?}", format.schema().name);
    assert_eq!(format.problems(fields, &options), [], "{name}");
    let all: Vec<usize> = (0..fields.len()).collect();
    let mut slab = Slab::default();
    format.encoder(fields, &options).unwrap().encode(&rows(fields), None, &mut slab).unwrap();
    let mut seeds: Vec<Vec<u8>> = slab.records().map(<[u8]>::to_vec).collect();
    if format.changelog() {
        seeds.extend(CHANGES.iter().map(|text| text.as_bytes().to_vec()));
    }
    Target { name, decoder: format.decoder(fields, &all, &options).unwrap(), seeds }
}

const CHANGES: [&str; 4] = [
    r#"{"before":{"id":1},"after":{"id":2,"list":[1]},"op":"u","source":{"db":"d"},"ts_ms":5}"#,
    r#"{"data":[{"id":"1"},{"id":"2"}],"old":[{"id":"0"}],"type":"UPDATE","pkNames":["id"]}"#,
    r#"{"type":"update","data":{"id":1},"old":{"text":null}}"#,
    r#"{"op_type":"U","before":{"id":1},"after":{"id":2}}"#,
];

fn targets() -> Vec<Target> {
    let (flat, nested) = (flat(), nested());
    let ignoring = ("ignore-parse-errors", "true");
    let mut targets = vec![
        target(&csv::Csv, &flat, &[]),
        target(&csv::Csv, &flat, &[ignoring, ("escape-character", "\\"), ("null-literal", "n/a")]),
        target(&avro::AVRO, &nested, &[]),
    ];
    for format in all().iter().filter(|format| format.schema().name.ends_with("json")) {
        targets.push(target(*format, &nested, &[]));
        targets.push(target(*format, &nested, &[ignoring, ("timestamp-format.standard", "ISO-8601")]));
    }
    let definition = [("schema", PROTO), ("message-name", "T")];
    let fields = of_proto();
    targets.push(target(&protobuf::Protobuf, &fields, &definition));
    let defaults = [definition[0], definition[1], ("read-default-values", "true")];
    targets.push(target(&protobuf::Protobuf, &fields, &defaults));
    for field in flat.iter().take(2) {
        targets.push(target(&raw::Raw, std::slice::from_ref(field), &[("endianness", "little-endian")]));
    }
    targets
}

const PROTO: &str = r#"
    syntax = "proto3";
    message T {
        int64 id = 1;
        optional string text = 2;
        repeated int32 list = 3;
        map<string, double> map = 4;
        R row = 5;
        message R { bytes y = 1; bool z = 2; repeated R inner = 3; }
    }
"#;

/// Columns of the fuzzed message, of those that the rows have.
fn of_proto() -> Vec<Field> {
    use LogicalType as L;
    let inner = L::Array(Box::new(L::Row(vec![field("y", L::Bytes)]).into()));
    vec![
        field("id", L::BigInt),
        field("text", L::String),
        field("list", L::Array(Box::new(L::Int.into()))),
        field("map", L::Map(Box::new(L::String.into()), Box::new(L::Double.into()))),
        field("row", L::Row(vec![field("y", L::Bytes), field("z", L::Boolean), field("inner", inner)])),
    ]
}

/// Cuts, doubles, swaps and changes bytes; sometimes there is nothing of the original left.
fn mutate(random: &mut StdRng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if random.random_bool(0.1) {
        return (0..random.random_range(0..60)).map(|_| random.random()).collect();
    }
    let mut bytes = seeds[random.random_range(0..seeds.len())].clone();
    for _ in 0..random.random_range(0..5) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let other = random.random_range(0..bytes.len());
        match random.random_range(0..7) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes.truncate(at),
            3 => drop(bytes.remove(at)),
            4 => {
                let (from, to) = (at.min(other), at.max(other));
                let copied = bytes[from..to].to_vec();
                bytes.splice(at..at, copied);
            }
            5 => {
                let odd: &[u8] = [&b"\xff\xff\xff\xff\x7f"[..], b"{", b"]", b"\"", b"\\u", b"1e999", b"null", b"\0"]
                    [random.random_range(0..8)];
                bytes.splice(at..at, odd.iter().copied());
            }
            _ => bytes.swap(at, other),
        }
    }
    bytes
}

impl Target {
    /// Whole records before and after must not be touched by a broken one between them.
    fn round(&mut self, random: &mut StdRng) {
        let mut expected = 0;
        for _ in 0..random.random_range(1..6) {
            let record = mutate(random, &self.seeds);
            let began = Instant::now();
            match self.decoder.push(&record) {
                Ok(rows) => expected += rows,
                Err(bad) => assert!(!bad.0.is_empty(), "{}", self.name),
            }
            assert_eq!(self.decoder.rows(), expected, "{}: {record:?}", self.name);
            assert!(began.elapsed() < Duration::from_secs(20), "{} took {:?}: {record:?}", self.name, began.elapsed());
        }
        let kept = random.random_range(0..=expected);
        self.decoder.truncate(kept);
        let decoded = self.decoder.finish().unwrap();
        let of_right_length = decoded.columns.iter().all(|column| column.len() == kept);
        assert!(of_right_length && decoded.kinds.is_none_or(|kinds| kinds.len() == kept), "{}", self.name);
    }
}

/// Files are read by their own schema, which may be broken as well.
fn file_round(random: &mut StdRng, fields: &[Field], files: &[Vec<u8>]) {
    let bytes = mutate(random, files);
    let Ok(mut reader) = ContainerReader::new(Cursor::new(&bytes)) else { return };
    let Ok(plan) = reader.plan(&fields.iter().collect::<Vec<_>>()) else { return };
    let mut columns: Vec<Column> = fields.iter().map(|field| Column::new(&field.ty.logical)).collect();
    if reader.skip(random.random_range(0..3), &plan, &mut columns).is_err() {
        return;
    }
    for _ in 0..1000 {
        match reader.read(&plan, &mut columns, 16) {
            Ok(0) | Err((_, Broken::File(_))) => return,
            Ok(rows) | Err((rows, Broken::Block { .. })) => {
                assert!(columns.iter_mut().all(|column| column.finish().unwrap().len() == rows));
            }
        }
    }
}

/// The definition of a message is text of users.
fn definition_round(random: &mut StdRng, definitions: &[Vec<u8>]) {
    let text = String::from_utf8_lossy(&mutate(random, definitions)).into_owned();
    let options = options(&[("schema", text.as_str()), ("message-name", "T")]);
    if protobuf::Protobuf.problems(&of_proto(), &options).is_empty() {
        assert!(protobuf::Protobuf.encoder(&of_proto(), &options).is_ok(), "{text}");
    }
}

fn files(fields: &[Field]) -> Vec<Vec<u8>> {
    let schema = avro::file_schema(fields, &FormatOptions::default()).unwrap();
    let file = |codec: &&str| {
        let codec = Codec::of_option(Some(codec)).unwrap();
        let mut writer = ContainerWriter::new(Vec::new(), schema.clone(), codec).unwrap();
        writer.write(&rows(fields)).unwrap();
        writer.finish().unwrap()
    };
    avro::container::CODECS.iter().map(file).collect()
}

#[test]
fn no_record_panics_or_stays_when_it_is_refused() {
    let seconds = std::env::var("MILLRACE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(3);
    let seed = std::env::var("MILLRACE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut random = StdRng::seed_from_u64(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut targets, fields) = (targets(), nested());
    let files = files(&fields);
    let definitions = [PROTO.as_bytes().to_vec()];
    let mut rounds = 0_u64;
    while Instant::now() < end {
        targets.iter_mut().for_each(|target| target.round(&mut random));
        file_round(&mut random, &fields, &files);
        definition_round(&mut random, &definitions);
        rounds += 1;
    }
    eprintln!("{rounds} rounds of {} decoders", targets.len() + 1);
    assert!(rounds > 0);
}

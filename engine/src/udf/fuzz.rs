//! A seeded campaign of broken modules and broken answers: whoever reads them may refuse them, and nothing else.
//!
//! A short one runs with the tests; `MILLRACE_FUZZ_SECONDS` makes it longer.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, ListArray, StringArray};
use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::host::decode;
use super::inspect;
use super::testing::{ECHO, Guest};

fn seconds() -> Duration {
    let given = std::env::var("MILLRACE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs_f64(given.map_or(1.0, |seconds: f64| seconds / 4.0))
}

fn random() -> StdRng {
    let seed = std::env::var("MILLRACE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    StdRng::seed_from_u64(seed)
}

/// A few bytes become others, some are cut off, some doubled.
fn broken(random: &mut StdRng, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..8) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..10) {
            0..=4 => bytes[at] = random.random(),
            5 => bytes[at] ^= 1 << random.random_range(0..8),
            6 => bytes[at] = [0x00, 0x7F, 0x80, 0xFF][random.random_range(0..4)],
            7 => {
                let number: u32 = [u32::MAX, i32::MAX.cast_unsigned(), 1 << 31, 1 << 20, 0][random.random_range(0..5)];
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
            }
            8 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..(at + 16).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Panics of Arrow's decoder are caught, and an answer here: thousands of them are not to be printed.
fn keep_quiet_about_arrow() {
    let before = std::panic::take_hook();
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let of_arrow = panic.location().is_some_and(|place| place.file().contains("/arrow-"));
        if !of_arrow || std::thread::current().id() != here {
            before(panic);
        }
    }));
}

#[test]
fn broken_modules_are_refused_or_read() {
    let guest = Guest::new()
        .function("f(int32)->int32", ECHO)
        .function("t(string)->>struct<a:int32,b:string[]>", ECHO)
        .function("s_create_state()->int64", ECHO)
        .function("s_accumulate(int64,int32)->int64", ECHO)
        .function("s_finish(int64)->int64", ECHO);
    let (seed, mut random, begun) = (guest.bytes(), random(), Instant::now());
    let mut read = 0;
    while begun.elapsed() < seconds() {
        read += usize::from(inspect(&broken(&mut random, &seed)).is_ok());
    }
    assert!(read > 0);
}

fn columns() -> Vec<ArrayRef> {
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let inner: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("é")]));
    let row = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Utf8, true)), inner)]);
    vec![
        Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(StringArray::from(vec![Some("text"), None, Some("")])),
        Arc::new(BinaryArray::from(vec![Some(b"abc".as_slice()), None, None])),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Float64Array::from(vec![1.0, f64::NAN, -0.0])),
        Arc::new(list),
        Arc::new(row),
    ]
}

#[test]
fn broken_answers_are_refused_or_whole() {
    let columns = columns();
    let expected: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
    let batch = RecordBatch::try_from_iter(columns.into_iter().map(|column| ("c", column))).unwrap();
    let mut seed = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut seed, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    assert_eq!(decode(&seed, &expected).unwrap().columns(), batch.columns());
    keep_quiet_about_arrow();
    let (mut random, begun, mut whole) = (random(), Instant::now(), 0);
    let mut invalid = None;
    while begun.elapsed() < seconds() && invalid.is_none() {
        let bytes = broken(&mut random, &seed);
        if let Ok(batch) = decode(&bytes, &expected) {
            whole += 1;
            invalid = batch.columns().iter().find_map(|column| column.to_data().validate_full().err());
        }
    }
    assert!(invalid.is_none(), "{invalid:?}");
    assert!(whole > 0);
}

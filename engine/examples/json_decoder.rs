//! How fast JSON records are decoded, beside arrow-json on the same records in the same run.
//!
//!     cargo run --release -p millrace-engine --example json_decoder

use std::hint::black_box;
use std::time::Instant;

use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use millrace_engine::format::{FormatOptions, find};
use millrace_engine::types::{Field, LogicalType, Schema, Type};

/// As in the worker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: usize = 200_000;
const BATCH: usize = 8192;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records: Vec<String> = (0..RECORDS).map(bid).collect();
    let bytes: usize = records.iter().map(String::len).sum();
    println!("{RECORDS} records of {} bytes on average, batches of {BATCH}, best of {ROUNDS}", bytes / RECORDS);
    let (number, text) = (LogicalType::BigInt, LogicalType::String);
    let fields: Vec<Field> = [
        ("auction", &number),
        ("bidder", &number),
        ("price", &number),
        ("channel", &text),
        ("url", &text),
        ("dateTime", &LogicalType::Timestamp(3)),
        ("extra", &text),
    ]
    .into_iter()
    .map(|(name, ty)| Field::new(name, Type::nullable(ty.clone())))
    .collect();
    let all: Vec<usize> = (0..fields.len()).collect();
    let ours = best(|| decode(&fields, &all, &records))?;
    let three = best(|| decode(&fields, &[0, 2, 5], &records))?;
    let peer = best(|| decode_with_arrow(&fields, &records))?;
    let million_rows = |seconds: f64| RECORDS as f64 / seconds / 1e6;
    println!("all 7 columns      {:6.2} M rows/s", million_rows(ours));
    println!("3 of 7 columns     {:6.2} M rows/s", million_rows(three));
    println!("arrow-json, 7      {:6.2} M rows/s", million_rows(peer));
    println!("ratio to arrow-json {:5.2}", peer / ours);
    Ok(())
}

fn bid(number: usize) -> String {
    let second = number / 1000;
    format!(
        r#"{{"auction":{},"bidder":{},"price":{},"channel":"channel-{}","url":"https://www.nexmark.com/abcde/fghij/klmno/item.htm?query=1&channel_id={}","dateTime":"2015-07-15 00:{:02}:{:02}.{:03}","extra":"{}"}}"#,
        1000 + number % 977,
        1000 + number % 4999,
        number * 7919 % 10_000_019,
        number % 10_000,
        number % 10_000 * 214_748,
        second / 60 % 60,
        second % 60,
        number % 1000,
        "abcdefghijklmnopqrstuvwxyzabcdefghijklm".get(number % 20..).unwrap_or_default(),
    )
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn best(run: impl Fn() -> Outcome) -> Result<f64, Box<dyn std::error::Error>> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        run()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn decode(fields: &[Field], wanted: &[usize], records: &[String]) -> Outcome {
    let json = find("json").ok_or("no JSON format")?;
    let mut decoder = json.decoder(fields, wanted, &FormatOptions::default()).map_err(|error| error.message)?;
    for batch in records.chunks(BATCH) {
        for record in batch {
            decoder.push(record.as_bytes()).map_err(|bad| bad.0)?;
        }
        black_box(decoder.finish().map_err(|error| error.message)?.columns);
    }
    Ok(())
}

fn decode_with_arrow(fields: &[Field], records: &[String]) -> Outcome {
    let schema = Schema::new(fields.to_vec()).to_arrow();
    let plain: Vec<ArrowField> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    debug_assert!(matches!(plain.first().map(ArrowField::data_type), Some(DataType::Int64)));
    let builder = arrow::json::ReaderBuilder::new(ArrowSchema::new(plain).into()).with_batch_size(BATCH);
    let mut decoder = builder.build_decoder()?;
    for batch in records.chunks(BATCH) {
        for record in batch {
            decoder.decode(record.as_bytes())?;
        }
        black_box(decoder.flush()?);
    }
    Ok(())
}

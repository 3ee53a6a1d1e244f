//! Columns of files: from Parquet's schema, from a CSV header, from sampled JSON lines; and the test of a table.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::datatypes::{DataType, TimeUnit};
use millrace_wire::connection::ConnectionTest;
use millrace_wire::table::{Column, FetchedSchema};

use super::super::ConnectorContext;
use super::super::infer::{Inference, column, event_time_on};
use super::super::option::Options;
use super::super::steps::{Steps, decode_some};
use super::{AVRO, Filesystem, PARQUET, path};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};
use crate::format::FormatOptions;
use crate::format::csv::{CsvRules, split_line};
use crate::format::temporal::{TimestampStandard, parse_date, parse_timestamp};

const SAMPLES: usize = 200;
/// Of a file, for sampling.
const SAMPLE_BYTES: u64 = 4 << 20;

pub(super) async fn fetch(options: BTreeMap<String, String>, context: &ConnectorContext) -> Result<FetchedSchema> {
    let roots = context.file_roots.clone();
    let asked = context.runtime.spawn_blocking(move || look(&options, &roots)).await;
    asked.map_err(|error| EngineError::internal("the look into the files ended early").with_detail(error))?
}

fn look(options: &BTreeMap<String, String>, roots: &[PathBuf]) -> Result<FetchedSchema> {
    let read = Options(options);
    let named = path::of_option(read.required("path")?)?;
    let files = path::list(&named, roots, None)?;
    let file = files.first().ok_or_else(|| {
        EngineError::user("nothing_to_sample", format!("There is no file in '{}' to learn from.", named.display()))
    })?;
    let format = match read.text("format") {
        Some(format) => format.to_owned(),
        None => by_extension(file).to_owned(),
    };
    match format.as_str() {
        PARQUET => parquet_columns(file),
        "csv" => csv_columns(file, options),
        "json" => json_columns(&files),
        "raw" => Ok(schema("raw", vec![column("line", "STRING")], "The raw format has one column.".to_owned(), 0)),
        other => {
            let message = format!("Columns cannot be found for the format '{other}'; they have to be typed in.");
            Err(EngineError::user("unsupported", message))
        }
    }
}

fn by_extension(file: &Path) -> &str {
    match file.extension().and_then(std::ffi::OsStr::to_str) {
        Some("parquet") => PARQUET,
        Some("avro") => AVRO,
        Some("csv" | "tsv") => "csv",
        _ => "json",
    }
}

fn schema(format: &str, columns: Vec<Column>, origin: String, sampled: u64) -> FetchedSchema {
    let timed = |column: &&Column| matches!(column.data_type.as_str(), "TIMESTAMP(3)" | "TIMESTAMP_LTZ(3)");
    let event_time = columns.iter().find(timed).map(|column| event_time_on(&column.name));
    FetchedSchema {
        format: format.to_owned(),
        columns,
        event_time,
        options: BTreeMap::new(),
        primary_key: Vec::new(),
        comment: String::new(),
        origin,
        sampled,
    }
}

fn open(file: &Path) -> Result<File> {
    File::open(file).map_err(|error| path::failed("opened", file, &error))
}

fn lines(file: &Path) -> Result<impl Iterator<Item = Vec<u8>>> {
    let reader = BufReader::new(open(file)?.take(SAMPLE_BYTES));
    Ok(reader.split(b'\n').map_while(std::io::Result::ok).filter(|line| !line.trim_ascii().is_empty()))
}

fn json_columns(files: &[PathBuf]) -> Result<FetchedSchema> {
    let mut inference = Inference::default();
    for file in files.iter().take(10) {
        for line in lines(file)?.take(SAMPLES) {
            inference.add(&line);
        }
        if inference.records() >= SAMPLES as u64 {
            break;
        }
    }
    if inference.records() == 0 {
        return Err(EngineError::user("nothing_to_sample", "The files have no JSON object to learn from."));
    }
    Ok(inference.into_schema("JSON lines"))
}

fn csv_columns(file: &Path, options: &BTreeMap<String, String>) -> Result<FetchedSchema> {
    let rules = CsvRules::new(&FormatOptions::of_table(options, "", "csv"));
    let fields = |line: &[u8]| {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        split_line(line.strip_suffix(b"\r").unwrap_or(line), &rules, &mut text, &mut ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let found = starts
            .zip(&ends)
            .map(|(start, end)| String::from_utf8_lossy(text.get(start..*end).unwrap_or_default()).into_owned());
        found.collect::<Vec<String>>()
    };
    let mut lines = lines(file)?;
    let header = lines.next().map(|line| fields(&line));
    let header = header.ok_or_else(|| EngineError::user("nothing_to_sample", "The file is empty."))?;
    let rows: Vec<Vec<String>> = lines.take(SAMPLES).map(|line| fields(&line)).collect();
    // A first line in which nothing looks like a number or a time names the fields.
    let is_header = !header.iter().any(|text| csv_type(&[text.as_str()]) != "STRING");
    let mut columns = Vec::new();
    for (position, name) in header.iter().enumerate() {
        let first = (!is_header).then_some(name.as_str());
        let values = first.into_iter().chain(rows.iter().filter_map(|row| row.get(position)).map(String::as_str));
        let values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
        let name = if is_header { name.clone() } else { format!("column{}", position + 1) };
        columns.push(column(&name, csv_type(&values)));
    }
    let origin =
        format!("{} and {} rows of a CSV file.", if is_header { "The header" } else { "No header" }, rows.len());
    let mut found = schema("csv", columns, origin, rows.len() as u64);
    if is_header {
        found.options.insert("csv.header".to_owned(), "true".to_owned());
    }
    Ok(found)
}

fn csv_type(values: &[&str]) -> &'static str {
    let all = |fits: &dyn Fn(&str) -> bool| !values.is_empty() && values.iter().all(|value| fits(value));
    if all(&|text| text.parse::<i64>().is_ok()) {
        "BIGINT"
    } else if all(&|text| text.parse::<f64>().is_ok()) {
        "DOUBLE"
    } else if all(&|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "false")) {
        "BOOLEAN"
    } else if all(&|text| parse_date(text.as_bytes()).is_some()) {
        "DATE"
    } else if all(&|text| parse_timestamp(text.as_bytes(), 3, TimestampStandard::Sql, false).is_some()) {
        "TIMESTAMP(3)"
    } else {
        "STRING"
    }
}

fn parquet_columns(file: &Path) -> Result<FetchedSchema> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(open(file)?).map_err(|error| {
        let message = format!("The file '{}' is no readable Parquet file.", path::shown(file));
        EngineError::user("bad_record", message).with_detail(error)
    })?;
    let columns = builder.schema().fields().iter().map(|field| {
        let ty = sql_type(field.data_type()).ok_or_else(|| {
            let message =
                format!("The column '{}' has the type {}, which is not supported.", field.name(), field.data_type());
            EngineError::user("unsupported", message)
        })?;
        Ok(column(field.name(), &ty))
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(schema(PARQUET, columns, "The schema of a Parquet file.".to_owned(), 0))
}

fn sql_type(ty: &DataType) -> Option<String> {
    let plain = match ty {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 | DataType::UInt8 => "SMALLINT",
        DataType::Int32 | DataType::UInt16 => "INT",
        DataType::Int64 | DataType::UInt32 => "BIGINT",
        DataType::Float16 | DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "BYTES",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time32(_) | DataType::Time64(_) => "TIME(3)",
        DataType::UInt64 => "DECIMAL(20, 0)",
        _ => return nested_type(ty),
    };
    Some(plain.to_owned())
}

fn nested_type(ty: &DataType) -> Option<String> {
    match ty {
        DataType::Decimal128(precision, scale) => Some(format!("DECIMAL({precision}, {scale})")),
        DataType::Timestamp(unit, zone) => {
            let precision = match unit {
                TimeUnit::Second | TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            Some(format!("{}({precision})", if zone.is_some() { "TIMESTAMP_LTZ" } else { "TIMESTAMP" }))
        }
        DataType::List(item) | DataType::LargeList(item) => Some(format!("ARRAY<{}>", sql_type(item.data_type())?)),
        DataType::Struct(fields) => {
            let field = |field: &Arc<arrow::datatypes::Field>| {
                Some(format!("`{}` {}", field.name().replace('`', "``"), sql_type(field.data_type())?))
            };
            Some(format!("ROW<{}>", fields.iter().map(field).collect::<Option<Vec<_>>>()?.join(", ")))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let (key, value) = (fields.first()?, fields.get(1)?);
                Some(format!("MAP<{}, {}>", sql_type(key.data_type())?, sql_type(value.data_type())?))
            }
            _ => None,
        },
        _ => None,
    }
}

pub(super) async fn test(table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
    let (table, context) = (Arc::clone(table), context.clone());
    let runtime = context.runtime.clone();
    let run = runtime.spawn_blocking(move || test_now(&table, &context)).await;
    run.unwrap_or_else(|error| {
        tracing::error!(%error, "the test of a table ended early");
        ConnectionTest { ok: false, steps: Vec::new() }
    })
}

fn test_now(table: &TableRef, context: &ConnectorContext) -> ConnectionTest {
    let mut steps = Steps::new();
    steps.run("Path", || {
        let named = path::of_option(Options(&table.options).required("path")?)?;
        let files = path::list(&named, &context.file_roots, None)?;
        Ok(((), format!("{} files.", files.len())))
    });
    steps.run("Decode", || decode_some(&Filesystem, table, context));
    steps.finish()
}

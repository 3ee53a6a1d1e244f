//! The queries, their runs and the checksums of their results.

use std::path::Path;
use std::sync::{Arc, Mutex};

use millrace_engine::catalog::CatalogText;
use millrace_engine::change::ChangeBatch;
use millrace_engine::collect::{CollectSink, RowWriter};
use millrace_engine::connector::ConnectorContext;
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::plan;
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use millrace_engine::sql::bind;
use millrace_engine::state::StateOptions;

const SCRIPT: &str = include_str!("queries.sql");

/// Name and text of each query, in order.
pub(crate) fn all() -> Vec<(&'static str, &'static str)> {
    let queries = SCRIPT.split("\n-- q").skip(1);
    let split = |text: &'static str| {
        let (number, query) = text.split_once('\n').unwrap_or((text, ""));
        let at = SCRIPT.find(&format!("\n-- q{number}\n")).unwrap_or_default() + "\n-- ".len();
        (&SCRIPT[at..=at + number.len()], query.trim().trim_end_matches(';'))
    };
    queries.map(split).collect()
}

/// What a query left: rows of the final table, and the sum of a hash over each, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) changes: u64,
    pub(crate) rows: i64,
    pub(crate) checksum: u64,
}

/// Runs a query over the files of a folder, given to nobody; or summed up.
pub(crate) fn run(query: &str, data: &Path, parallelism: u32, sum: bool) -> Summary {
    let tables = SCRIPT.split("\n-- q").next().unwrap_or_default();
    let script =
        format!("{};\n{query};", tables.replace("${data}", &data.to_string_lossy()).trim().trim_end_matches(';'));
    let bound = bind(&script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let schema = bound.sinks[0].query.schema.clone();
    let (writer, summary) = (RowWriter::new(&schema), Arc::new(Mutex::new(Summary::default())));
    let into = Arc::clone(&summary);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let mut summary = into.lock().unwrap();
        summary.changes += batch.len() as u64;
        if sum {
            for row in 0..batch.len() {
                let values = serde_json::Value::Array(writer.row(batch, row)).to_string();
                let (hash, adds) = (fnv(&values), batch.kind(row).is_accumulate());
                summary.rows += if adds { 1 } else { -1 };
                summary.checksum = summary.checksum.wrapping_add(if adds { hash } else { hash.wrapping_neg() });
            }
        }
        Ok(())
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "nexmark".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        batch_rows: BATCH_ROWS,
        runtime: runtime.handle().clone(),
    };
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let settings = Settings { parallelism, ..Settings::default() };
    let dataflow = plan(&bound, &settings, &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = RunOptions {
        store: None,
        run: "nexmark".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
        state: StateOptions::default(),
    };
    assert_eq!(Run::new(&dataflow, options).unwrap().run().unwrap(), Outcome::Finished);
    *summary.lock().unwrap()
}

/// FNV-1a with 64 bits.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

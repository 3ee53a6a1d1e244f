//! The queries, their runs and the checksums of their results.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use millrace_engine::catalog::CatalogText;
use millrace_engine::change::ChangeBatch;
use millrace_engine::checkpoint::CheckpointStore;
use millrace_engine::collect::{CollectSink, RowWriter};
use millrace_engine::connector::ConnectorContext;
use millrace_engine::local::BATCH_ROWS;
use millrace_engine::plan::dataflow::plan;
use millrace_engine::plan::logical::BoundScript;
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{ConnectorEndpoints, Outcome, Run, RunCommitters, RunOptions};
use millrace_engine::sql::bind;
use millrace_engine::state::StateOptions;

const SCRIPT: &str = include_str!("queries.sql");
const TABLES: [&str; 4] = ["person", "auction", "bid", "side_input"];

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

/// Where the tables are read from.
pub(crate) struct Input<'a> {
    /// With a file for each.
    pub(crate) folder: &'a Path,
    /// Servers of Kafka, and what the names of the topics begin with: for streams, instead of the files.
    pub(crate) topics: Option<(&'a str, &'a str)>,
}

impl Input<'_> {
    fn options(&self, table: &str) -> String {
        let folder = self.folder.display();
        match self.topics {
            _ if table == "side_input" => {
                format!("'connector'='filesystem','path'='{folder}/{table}.csv','format'='csv'")
            }
            None => format!("'connector'='filesystem','path'='{folder}/{table}.json','format'='json'"),
            Some((servers, prefix)) => format!(
                "'connector'='kafka','topic'='{prefix}-{table}','properties.bootstrap.servers'='{servers}',\
                 'scan.startup.mode'='earliest-offset','scan.bounded.mode'='latest-offset','format'='json'"
            ),
        }
    }

    /// The tables, and with `query` what is asked of them.
    fn script(&self, query: &str) -> String {
        let mut tables = SCRIPT.split("\n-- q").next().unwrap_or_default().to_owned();
        for table in TABLES {
            tables = tables.replace(&format!("${{{table}}}"), &self.options(table));
        }
        format!("{};\n{query};", tables.trim().trim_end_matches(';'))
    }
}

/// Where results go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlet<'a> {
    Nowhere,
    /// A hash over each row is summed up.
    Sum,
    /// Servers and topic: exactly once, a checkpoint every second.
    Topic(&'a str, &'a str),
}

/// What a query left: rows of the final table, and the sum of a hash over each, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) changes: u64,
    pub(crate) rows: i64,
    pub(crate) checksum: u64,
}

pub(crate) fn run(query: &str, input: &Input<'_>, parallelism: u32, into: Outlet<'_>) -> Summary {
    let bound = bound(&input.script(query));
    let schema = bound.sinks[0].query.schema.clone();
    let (writer, summary) = (RowWriter::new(&schema), Arc::new(Mutex::new(Summary::default())));
    let (to, sum) = (Arc::clone(&summary), into == Outlet::Sum);
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        add(&mut to.lock().unwrap(), batch, sum.then_some(&writer));
        Ok(())
    });
    let bound = match into {
        Outlet::Topic(servers, topic) => {
            let columns: Vec<String> =
                schema.fields.iter().map(|field| format!("`{}` {}", field.name, field.ty.logical)).collect();
            bound_insert(input, query, &columns.join(", "), servers, topic)
        }
        Outlet::Nowhere | Outlet::Sum => bound,
    };
    drive(&bound, parallelism, collect, matches!(into, Outlet::Topic(..)));
    *summary.lock().unwrap()
}

fn bound(script: &str) -> BoundScript {
    bind(script, &CatalogText::default()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn bound_insert(input: &Input<'_>, query: &str, columns: &str, servers: &str, topic: &str) -> BoundScript {
    let sink = format!(
        "CREATE TABLE results ({columns}) WITH ('connector'='kafka','topic'='{topic}',\
         'properties.bootstrap.servers'='{servers}','sink.delivery-guarantee'='exactly-once',\
         'sink.transactional-id-prefix'='{topic}','format'='debezium-json');\nINSERT INTO results {query}"
    );
    bound(&input.script(&sink))
}

fn add(summary: &mut Summary, batch: &ChangeBatch, writer: Option<&RowWriter>) {
    summary.changes += batch.len() as u64;
    let Some(writer) = writer else { return };
    for row in 0..batch.len() {
        let values = serde_json::Value::Array(writer.row(batch, row)).to_string();
        let (hash, adds) = (fnv(&values), batch.kind(row).is_accumulate());
        summary.rows += if adds { 1 } else { -1 };
        summary.checksum = summary.checksum.wrapping_add(if adds { hash } else { hash.wrapping_neg() });
    }
}

fn drive(bound: &BoundScript, parallelism: u32, collect: CollectSink, checkpoints: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "nexmark".to_owned(),
        start_at_ms: None,
        committers: Arc::clone(&committers) as Arc<_>,
        read_only: false,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime: runtime.handle().clone(),
    };
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let checkpoint_interval = checkpoints.then_some(Duration::from_secs(1));
    let settings = Settings { parallelism, checkpoint_interval, ..Settings::default() };
    let dataflow = plan(bound, &settings, &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    let folder = checkpoints.then(|| tempfile::tempdir().unwrap());
    let options = RunOptions {
        store: folder.as_ref().map(|folder| CheckpointStore::open(folder.path()).unwrap()),
        run: "nexmark".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: BATCH_ROWS,
        state: StateOptions::default(),
    };
    assert_eq!(Run::new(&dataflow, options).unwrap().run().unwrap(), Outcome::Finished);
}

/// FNV-1a with 64 bits.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

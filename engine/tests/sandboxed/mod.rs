//! A test run inside the test's process, and what it told.

// Each test binary uses its own part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use crossbeam_channel::bounded;
use millrace_engine::link::test_run::test_run;
use millrace_wire::link::TestRunAssignment;
use millrace_wire::preview::PreviewRow;
use millrace_wire::sandbox_target::{SandboxKind, SandboxPlace};
use millrace_wire::test_run::{InputRange, SuppliedRow, TestRunEvent, TestRunFrom, TestRunSink, TestRunSource};

pub(crate) const MARK: &str = "1a2b3c4d";

pub(crate) fn place(kind: SandboxKind, place: impl Into<String>) -> SandboxPlace {
    SandboxPlace { kind, place: place.into() }
}

pub(crate) fn assignment(sql: String) -> TestRunAssignment {
    TestRunAssignment {
        sql,
        tables: BTreeMap::new(),
        functions: BTreeMap::new(),
        secrets: BTreeMap::new(),
        default_database: "main".to_owned(),
        from: TestRunFrom::Earliest,
        at_ms: None,
        rows: BTreeMap::new(),
        max_rows: 2,
        max_seconds: 60,
        memory_limit_mb: 0,
        parallelism: 2,
        file_roots: Vec::new(),
        identity: format!("sandbox-{}", uuid::Uuid::now_v7().simple()),
        settled: None,
        targets: BTreeMap::new(),
        mark: MARK.to_owned(),
    }
}

#[derive(Default)]
pub(crate) struct Told {
    pub(crate) sinks: Vec<TestRunSink>,
    pub(crate) sources: Vec<TestRunSource>,
    pub(crate) rows: BTreeMap<u32, Vec<PreviewRow>>,
    pub(crate) inputs: BTreeMap<String, Vec<SuppliedRow>>,
    pub(crate) ranges: BTreeMap<String, InputRange>,
    pub(crate) end: Option<(String, Vec<u64>)>,
}

pub(crate) fn run(assignment: &TestRunAssignment, runtime: &tokio::runtime::Runtime) -> Told {
    outcome(assignment, runtime).unwrap_or_else(|message| panic!("{message}"))
}

/// Or why it failed.
pub(crate) fn outcome(assignment: &TestRunAssignment, runtime: &tokio::runtime::Runtime) -> Result<Told, String> {
    let told = Mutex::new(Told::default());
    let (_open, closed) = bounded(1);
    let outcome = test_run(assignment, runtime.handle().clone(), &closed, &|event| {
        let mut told = told.lock().unwrap();
        match event.clone() {
            TestRunEvent::Planned { sinks, sources } => (told.sinks, told.sources) = (sinks, sources),
            TestRunEvent::Rows { sink, rows } => told.rows.entry(sink).or_default().extend(rows),
            TestRunEvent::Inputs { rows } => told.inputs = rows,
            TestRunEvent::Settled { ranges } => told.ranges = ranges,
            TestRunEvent::End { reason, progress } => told.end = Some((reason, progress.changes)),
            TestRunEvent::Progress { .. } | TestRunEvent::Failed { .. } => {}
        }
    });
    outcome.map_err(|diagnostic| diagnostic.message)?;
    Ok(told.into_inner().unwrap())
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Names, bytes and times of change of everything below.
pub(crate) fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let facts = std::fs::metadata(&path).unwrap();
        let mut bytes = Vec::new();
        if facts.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            bytes = std::fs::read(&path).unwrap();
        }
        found.push((path.display().to_string(), bytes, facts.modified().unwrap()));
    }
    found.sort();
    found
}

pub(crate) fn files(folder: &Path) {
    let lines: String = (0..5).map(|id| format!("{{\"id\":{id},\"name\":\"n{}\"}}\n", id % 2)).collect();
    std::fs::create_dir(folder.join("in")).unwrap();
    std::fs::create_dir(folder.join("out")).unwrap();
    std::fs::write(folder.join("in/a.json"), lines).unwrap();
    std::fs::write(folder.join("out/part-0"), "{\"id\":100}\n").unwrap();
    std::fs::write(folder.join("out/.hidden.inprogress"), "half a row").unwrap();
}

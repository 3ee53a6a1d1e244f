//! The engine inside this binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use millrace_engine::catalog::{CatalogText as EngineCatalog, TableDef};
use millrace_engine::connector::{Apart, Connector, ConnectorContext, registry};
use millrace_engine::error::EngineError;
use millrace_engine::plan::logical::{BoundScript, Rel, RelNode, SinkTarget};
use millrace_engine::runtime::{RunCommitters, Takeover};
use millrace_engine::{sandbox, sql, udf};
use millrace_wire::bad_record::DecodedRecord;
use millrace_wire::connection::{ExternalObject, TestStep};
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::error::{ErrorDomain, FieldError};
use millrace_wire::function::{FunctionBody, FunctionEntry, FunctionInfo, FunctionSource};
use millrace_wire::job_test::TestResult;
use millrace_wire::link::TableSource;
use millrace_wire::report::StateReport;
use millrace_wire::sandbox_target::SandboxPlace;
use millrace_wire::sql::{CompletionItem, Diagnostic, Validation};
use millrace_wire::table::{FetchedSchema, ResolvedColumn, Sample, TableDraft};

use super::{
    CatalogText, EngineFront, FetchRequest, RawRecord, ReachedTable, SandboxName, TestRequest, decode, sample,
};
use crate::error::{Error, Result};

/// Rows per batch when only a few are wanted.
const BATCH_ROWS: usize = 256;

pub(super) struct EmbeddedEngine;

/// For planning `sql`.
pub(super) fn catalog(catalog: &CatalogText, sql: &str) -> EngineCatalog {
    EngineCatalog {
        default_database: catalog.default_database.clone(),
        tables: catalog.named_in(sql),
        functions: catalog.functions.clone(),
        ..EngineCatalog::default()
    }
}

/// Reads from what is there; commits and creates nothing.
pub(super) fn looking(file_roots: Vec<PathBuf>) -> ConnectorContext {
    ConnectorContext {
        file_roots,
        identity: "millrace-console".to_owned(),
        start_at_ms: None,
        committers: Arc::new(RunCommitters::default()),
        read_only: true,
        bad_records: None,
        batch_rows: BATCH_ROWS,
        runtime: tokio::runtime::Handle::current(),
    }
}

pub(super) fn error(error: EngineError) -> Error {
    let ours = match error.domain {
        ErrorDomain::User => Error::bad_request(error.message.clone()),
        ErrorDomain::External => Error::external(error.message.clone()),
        ErrorDomain::Internal => return Error::internal(anyhow::anyhow!("{}: {:?}", error.message, error.detail)),
    };
    match error.detail {
        Some(detail) => ours.because(anyhow::anyhow!(detail)),
        None => ours,
    }
}

impl EngineFront for EmbeddedEngine {
    fn validate(&self, sql: &str, tables: &CatalogText, parallelism: u32) -> Validation {
        sql::validate(sql, &catalog(tables, sql), parallelism)
    }

    fn lost_state(
        &self,
        sql: &str,
        tables: &CatalogText,
        parallelism: u32,
        checkpoints: &[PathBuf],
    ) -> Option<Vec<Vec<String>>> {
        let takeover = Takeover::of_script(sql, &catalog(tables, sql), parallelism)?;
        Some(checkpoints.iter().map(|checkpoint| takeover.losses(checkpoint)).collect())
    }

    fn state_report(
        &self,
        sql: &str,
        tables: &CatalogText,
        parallelism: u32,
        checkpoint: Option<&Path>,
    ) -> Option<StateReport> {
        Takeover::of_script(sql, &catalog(tables, sql), parallelism).map(|takeover| takeover.report(checkpoint))
    }

    fn reach(&self, sql: &str, tables: &CatalogText) -> Vec<ReachedTable> {
        let Ok(script) = sql::bind(sql, &catalog(tables, sql)) else { return Vec::new() };
        let mut reached = Vec::new();
        let mut open: Vec<&Rel> = script.sinks.iter().map(|sink| &sink.query).collect();
        while let Some(rel) = open.pop() {
            if let RelNode::Scan { table } = &rel.node {
                reached.push(reached_table(table));
            }
            open.extend(rel.inputs());
        }
        reached.extend(written_tables(&script));
        reached
    }

    fn sinks(&self, sql: &str, tables: &CatalogText) -> Vec<ReachedTable> {
        sql::bind(sql, &catalog(tables, sql)).map(|script| written_tables(&script).collect()).unwrap_or_default()
    }

    fn sandbox_names(
        &self,
        sql: &str,
        tables: &CatalogText,
        places: &BTreeMap<String, SandboxPlace>,
        mark: &str,
        file_roots: &[PathBuf],
    ) -> Result<Vec<SandboxName>> {
        let script = sql::bind(sql, &catalog(tables, sql)).map_err(|problems| {
            Error::bad_request(problems.first().map_or_else(String::new, |first| first.message.clone()))
        })?;
        let named = sandbox::apart_by_sink(&script, places, mark, file_roots).map_err(error)?;
        let name = |(sink, apart): (String, Apart)| SandboxName {
            sink,
            title: apart.title().to_owned(),
            options: apart.names().clone(),
        };
        Ok(named.into_iter().map(name).collect())
    }

    fn remove_sandbox_object(
        &self,
        connector: &str,
        connection: BTreeMap<String, String>,
        named: SandboxName,
        mark: String,
        file_roots: Vec<PathBuf>,
    ) -> BoxFuture<'_, Result<()>> {
        let apart = Apart::again(connector, connection, named.options, &mark);
        Box::pin(async move {
            let context = ConnectorContext { read_only: false, ..looking(file_roots) };
            apart.map_err(error)?.remove(&context).await.map_err(error)
        })
    }

    fn complete(&self, sql: &str, offset: u32, tables: &CatalogText) -> Vec<CompletionItem> {
        // Tables are described in the list, which names more than the script does.
        let known = EngineCatalog { tables: BTreeMap::clone(&tables.tables), ..catalog(tables, "") };
        sql::complete(sql, usize::try_from(offset).unwrap_or(usize::MAX), &known)
    }

    fn format_sql(&self, sql: &str) -> std::result::Result<String, Box<Diagnostic>> {
        sql::format_sql(sql).map_err(|problem| Box::new(diagnostic(problem, sql)))
    }

    fn check_table(&self, ddl: &str, hidden: &BTreeMap<String, String>) -> (Vec<FieldError>, Vec<ResolvedColumn>) {
        let report = sql::check_table(ddl, hidden);
        (report.problems, report.resolved)
    }

    fn write_ddl(&self, draft: &TableDraft) -> String {
        sql::write_ddl(draft)
    }

    fn connectors(&self) -> ConnectorCatalog {
        registry::catalog()
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        sql::list_functions()
    }

    fn inspect_module(&self, module: &[u8]) -> std::result::Result<Vec<FunctionEntry>, String> {
        udf::inspect(module)
    }

    fn check_function(
        &self,
        name: &str,
        source: &FunctionSource,
        known: &CatalogText,
    ) -> std::result::Result<FunctionInfo, Vec<Diagnostic>> {
        let text = match &source.body {
            FunctionBody::Sql { definition } => definition.as_str(),
            FunctionBody::Wasm { .. } => "",
        };
        udf::check_in(name, source, &catalog(known, text))
            .map_err(|problems| problems.into_iter().map(|problem| diagnostic(problem, text)).collect())
    }

    fn run_test(&self, request: TestRequest) -> TestResult {
        sandbox::run_test(&sandbox::TestRequest {
            catalog: catalog(&request.catalog, &request.sql),
            sql: request.sql,
            test: request.test,
            runtime: tokio::runtime::Handle::current(),
        })
    }

    fn fetch_schema(&self, request: FetchRequest) -> BoxFuture<'_, Result<FetchedSchema>> {
        Box::pin(async move {
            let connector = known(&request.connector)?;
            let (options, context) = opened(request);
            connector.fetch(&options, &context).await.map_err(error)
        })
    }

    fn objects(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<ExternalObject>>> {
        Box::pin(async move {
            let connector = known(&request.connector)?;
            let (options, context) = opened(request);
            connector.objects(&options, &context).await.map_err(error)
        })
    }

    fn probe(&self, request: FetchRequest) -> BoxFuture<'_, Vec<TestStep>> {
        Box::pin(async move {
            let Ok(connector) = known(&request.connector) else { return Vec::new() };
            let (options, context) = opened(request);
            connector.probe(&options, &context).await.steps
        })
    }

    fn sample(&self, table: TableSource, limit: u32, file_roots: Vec<PathBuf>) -> BoxFuture<'_, Result<Sample>> {
        Box::pin(sample::sample(table, limit, file_roots))
    }

    fn decode(
        &self,
        table: TableSource,
        records: Vec<RawRecord>,
        file_roots: Vec<PathBuf>,
    ) -> BoxFuture<'_, Result<Vec<DecodedRecord>>> {
        Box::pin(decode::decode(table, records, file_roots))
    }

    fn test_table(&self, table: TableSource, file_roots: Vec<PathBuf>) -> BoxFuture<'_, Vec<TestStep>> {
        Box::pin(async move {
            let table = match sql::bind_table("table", &table) {
                Ok(table) => table,
                Err(problems) => return vec![not_bound(&problems)],
            };
            match registry::find(table.connector()) {
                Some(connector) => connector.test(&table, &looking(file_roots)).await.steps,
                None => Vec::new(),
            }
        })
    }
}

fn known(name: &str) -> Result<&'static dyn Connector> {
    registry::find(name).ok_or_else(|| Error::field("connector", "There is no such connector."))
}

/// All options as the connector takes them, and what it may touch.
fn opened(request: FetchRequest) -> (BTreeMap<String, String>, ConnectorContext) {
    let mut options = request.options;
    options.extend(request.hidden_options);
    options.extend(request.format.map(|format| ("format".to_owned(), format)));
    options.insert("connector".to_owned(), request.connector);
    (options, looking(request.file_roots))
}

/// `text`: what the problem's span counts in.
fn diagnostic(problem: sql::Problem, text: &str) -> Diagnostic {
    Diagnostic {
        severity: problem.severity,
        code: problem.code.to_owned(),
        span: problem.span.filter(|span| span.end <= text.len()).map(|span| sql::LineIndex::new(text).wire(span)),
        message: problem.message,
        hint: problem.hint,
        replacement: problem.replacement,
    }
}

fn written_tables(script: &BoundScript) -> impl Iterator<Item = ReachedTable> {
    script.sinks.iter().filter_map(|sink| match &sink.target {
        SinkTarget::Table(table) => Some(reached_table(table)),
        _ => None,
    })
}

fn reached_table(table: &TableDef) -> ReachedTable {
    ReachedTable { name: table.name.clone(), options: table.options.clone() }
}

fn not_bound(problems: &[sql::Problem]) -> TestStep {
    let detail = problems.first().map_or_else(String::new, |problem| problem.message.clone());
    TestStep { name: "Definition".to_owned(), ok: false, detail, ms: 0 }
}

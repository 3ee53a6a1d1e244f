//! A front of the engine that knows two connectors and believes what it is told: the platform's rules are tested here,
//! not SQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use millrace_backend::engine::{
    CatalogText, EngineFront, FetchRequest, RawRecord, ReachedTable, SandboxName, TestRequest,
};
use millrace_backend::error::{Error, Result};
use millrace_wire::bad_record::DecodedRecord;
use millrace_wire::connection::{ConnectionKind, ExternalObject, TestStep};
use millrace_wire::connector::{ConnectorCatalog, ConnectorSchema, OptionClass, OptionKind, OptionSchema, OptionSide};
use millrace_wire::error::FieldError;
use millrace_wire::function::{FunctionBody, FunctionEntry, FunctionInfo, FunctionKind, FunctionSource};
use millrace_wire::graph::{DeliveryGuarantee, Graph, Guarantee};
use millrace_wire::job_test::TestResult;
use millrace_wire::link::TableSource;
use millrace_wire::report::{SourcePosition, SourceRead, StateReport};
use millrace_wire::sandbox_target::SandboxPlace;
use millrace_wire::sql::{CompletionItem, Diagnostic, Severity, Span, StatementInfo, Validation};
use millrace_wire::table::{ColumnKind, FetchedSchema, ResolvedColumn, Sample, TableDraft};

pub(crate) struct FormEngine;

fn option(name: &str, class: OptionClass) -> OptionSchema {
    OptionSchema {
        name: name.to_owned(),
        title: name.to_owned(),
        help: String::new(),
        class,
        kind: OptionKind::Text,
        default: None,
        choices: Vec::new(),
        side: OptionSide::Both,
    }
}

fn connector(name: &str, connection: Option<ConnectionKind>, options: Vec<OptionSchema>) -> ConnectorSchema {
    ConnectorSchema {
        name: name.to_owned(),
        title: name.to_owned(),
        summary: String::new(),
        fetches_schema: connection.is_some(),
        connection,
        takes: Vec::new(),
        source: true,
        sink: true,
        lookup: false,
        bounded: false,
        formats: Vec::new(),
        options,
        fixed_columns: Vec::new(),
    }
}

/// `… needs <column>` is wrong where the table's description does not name that column.
fn missing_columns(sql: &str, table: &str, catalog: &CatalogText) -> Vec<Diagnostic> {
    let Some((_, column)) = sql.split_once(" needs ") else { return Vec::new() };
    let ddl = catalog.tables.get(table).map(|table| table.ddl.clone()).unwrap_or_default();
    if columns_of(&ddl).iter().any(|known| known == column.trim()) {
        return Vec::new();
    }
    let message = format!("There is no column '{}'.", column.trim());
    let (severity, code) = (Severity::Error, "unknown-column".to_owned());
    vec![Diagnostic { severity, code, message, hint: None, span: None, replacement: None }]
}

/// Between the brackets of `write_ddl`.
fn columns_of(ddl: &str) -> Vec<String> {
    let inside = ddl.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    let names = inside.unwrap_or_default().split(',').filter(|name| !name.is_empty());
    names.map(|name| name.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// In the file `positions` of a checkpoint: lines of table, split and position.
fn positions(checkpoint: &Path, table: &str) -> Vec<SourcePosition> {
    let text = std::fs::read_to_string(checkpoint.join("positions")).unwrap_or_default();
    let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = words.filter(|words| words.first() == Some(&table));
    own.map(|words| SourcePosition { split: words[1].to_owned(), position: words[2].to_owned() }).collect()
}

/// As of a script that writes one table.
fn insert(table: &str) -> Validation {
    let span = Span { start: 0, end: 0, line: 1, column: 1, end_line: 1, end_column: 1 };
    Validation {
        diagnostics: Vec::new(),
        graph: Some(Graph { nodes: Vec::new(), edges: Vec::new() }),
        guarantee: Some(Guarantee { level: DeliveryGuarantee::AtLeastOnce, reason: "test".to_owned() }),
        statements: vec![StatementInfo { kind: "insert".to_owned(), span }],
        reads: Vec::new(),
        writes: vec![table.to_owned()],
        functions: Vec::new(),
    }
}

impl EngineFront for FormEngine {
    fn validate(&self, sql: &str, catalog: &CatalogText, _: u32) -> Validation {
        if let Some((_, written)) = sql.split_once("INSERT INTO ") {
            let called = |name: &&String| sql.contains(&format!("{name}("));
            let functions = catalog.functions.keys().filter(called).cloned().collect();
            let table = written.split_whitespace().next().unwrap_or_default();
            return Validation { functions, diagnostics: missing_columns(sql, table, catalog), ..insert(table) };
        }
        Validation {
            diagnostics: Vec::new(),
            graph: None,
            guarantee: None,
            statements: Vec::new(),
            // So that tests see which tables a team's scripts can name.
            reads: catalog.tables.keys().cloned().collect(),
            writes: Vec::new(),
            functions: Vec::new(),
        }
    }

    fn lost_state(&self, _: &str, _: &CatalogText, _: u32, checkpoints: &[PathBuf]) -> Option<Vec<Vec<String>>> {
        Some(vec![Vec::new(); checkpoints.len()])
    }

    /// Each `FROM name` is a source; one that is called `file…` comes to an end.
    fn state_report(&self, sql: &str, _: &CatalogText, _: u32, checkpoint: Option<&Path>) -> Option<StateReport> {
        let source = |rest: &str| {
            let table = rest.split_whitespace().next().unwrap_or_default().to_owned();
            let (bounded, goes_on) = (table.contains(".file"), checkpoint.is_some());
            let positions = checkpoint.map(|checkpoint| positions(checkpoint, &table)).unwrap_or_default();
            SourceRead { table, bounded, goes_on, startup: String::new(), positions }
        };
        let sources = sql.split(" FROM ").skip(1).map(source).collect();
        sql.contains("INSERT INTO").then_some(StateReport { operators: Vec::new(), sources, problem: None })
    }

    /// Tables are named one per line as `name option=value …`.
    fn reach(&self, sql: &str, catalog: &CatalogText) -> Vec<ReachedTable> {
        let table = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default().to_owned();
            let hidden = catalog.tables.get(&name).map(|table| table.hidden_options.clone()).unwrap_or_default();
            let given =
                words.filter_map(|word| word.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned()));
            ReachedTable { name, options: hidden.into_iter().chain(given).collect() }
        };
        sql.lines().map(table).collect()
    }

    /// What each `INSERT INTO` names.
    fn sinks(&self, sql: &str, _: &CatalogText) -> Vec<ReachedTable> {
        let table = |rest: &str| {
            let name = rest.split_whitespace().next().unwrap_or_default().to_owned();
            ReachedTable { name, options: BTreeMap::new() }
        };
        sql.split("INSERT INTO ").skip(1).map(table).collect()
    }

    fn sandbox_names(
        &self,
        _: &str,
        _: &CatalogText,
        places: &BTreeMap<String, SandboxPlace>,
        mark: &str,
        _: &[PathBuf],
    ) -> Result<Vec<SandboxName>> {
        let name = |(sink, place): (&String, &SandboxPlace)| {
            let name = format!("{}{sink}-{mark}", place.place);
            let options = BTreeMap::from([("name".to_owned(), name.clone())]);
            SandboxName { sink: sink.clone(), title: format!("topic {name}"), options }
        };
        Ok(places.iter().map(name).collect())
    }

    /// Fails for what is not named as it was.
    fn remove_sandbox_object(
        &self,
        _: &str,
        _: BTreeMap<String, String>,
        named: SandboxName,
        mark: String,
        _: Vec<PathBuf>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let whole = named.options.get("name").is_some_and(|name| name.ends_with(&mark));
            if whole { Ok(()) } else { Err(Error::external("nothing of this run")) }
        })
    }

    fn complete(&self, _: &str, _: u32, _: &CatalogText) -> Vec<CompletionItem> {
        Vec::new()
    }

    fn format_sql(&self, sql: &str) -> std::result::Result<String, Box<Diagnostic>> {
        Ok(sql.trim().to_owned())
    }

    fn check_table(&self, ddl: &str, _: &BTreeMap<String, String>) -> (Vec<FieldError>, Vec<ResolvedColumn>) {
        if ddl.contains("PANIC") {
            panic!("a bug in the engine");
        }
        let column = |name: String| ResolvedColumn {
            name,
            data_type: "BIGINT".to_owned(),
            kind: ColumnKind::Physical,
            event_time: false,
            key: false,
            comment: String::new(),
        };
        let columns = columns_of(ddl);
        if !columns.is_empty() {
            return (Vec::new(), columns.into_iter().map(column).collect());
        }
        let problem = FieldError { field: "columns".to_owned(), message: "Add at least one column.".to_owned() };
        (vec![problem], Vec::new())
    }

    fn write_ddl(&self, draft: &TableDraft) -> String {
        let columns: Vec<String> =
            draft.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        format!("CREATE TABLE {} [{}] {:?} {}", draft.name, columns.join(","), draft.options, draft.comment)
    }

    fn connectors(&self) -> ConnectorCatalog {
        let kafka =
            vec![option("topic", OptionClass::Required), option("properties.bootstrap.servers", OptionClass::Platform)];
        let password = OptionSchema { kind: OptionKind::Secret, ..option("password", OptionClass::Defaulted) };
        let mut postgres = connector("postgres", None, vec![option("table-name", OptionClass::Required), password]);
        (postgres.takes, postgres.fetches_schema) = (vec![ConnectionKind::Postgresql], true);
        let connectors = vec![
            connector("kafka", Some(ConnectionKind::Kafka), kafka),
            connector("datagen", None, Vec::new()),
            connector("filesystem", None, vec![option("path", OptionClass::Required)]),
            postgres,
        ];
        ConnectorCatalog { connectors, formats: Vec::new() }
    }

    fn functions(&self) -> Vec<FunctionInfo> {
        let (name, signature) = ("UPPER".to_owned(), "UPPER(STRING) → STRING".to_owned());
        let (kind, summary, category) = (FunctionKind::Scalar, String::new(), "text".to_owned());
        vec![FunctionInfo { name, kind, signature, summary, category }]
    }

    /// What follows the magic number are the names of the functions, in lines.
    fn inspect_module(&self, module: &[u8]) -> std::result::Result<Vec<FunctionEntry>, String> {
        let names = module.get(8..).and_then(|rest| std::str::from_utf8(rest).ok());
        let names = names.ok_or("The module is not valid.")?.lines().filter(|line| !line.is_empty());
        Ok(names
            .map(|name| FunctionEntry {
                name: name.to_owned(),
                kind: FunctionKind::Scalar,
                arguments: vec!["INT".to_owned()],
                result: "INT".to_owned(),
                entry: format!("{name}(int32)->int32"),
            })
            .collect())
    }

    fn check_function(
        &self,
        name: &str,
        source: &FunctionSource,
        _: &CatalogText,
    ) -> std::result::Result<FunctionInfo, Vec<Diagnostic>> {
        let problem = |message: &str| {
            let (severity, code, message) = (Severity::Error, "test".to_owned(), message.to_owned());
            vec![Diagnostic { severity, code, message, hint: None, span: None, replacement: None }]
        };
        let refused = match &source.body {
            FunctionBody::Sql { definition } => definition.contains("WRONG"),
            FunctionBody::Wasm { module, entry, .. } => {
                !std::path::Path::new(module).is_file() || entry.contains("wrong")
            }
        };
        if refused {
            return Err(problem("It is wrong."));
        }
        Ok(FunctionInfo {
            name: name.to_owned(),
            kind: source.kind,
            signature: format!("{name}(INT) → INT"),
            summary: String::new(),
            category: "user".to_owned(),
        })
    }

    /// Passes when the script is what the name of the test says.
    fn run_test(&self, request: TestRequest) -> TestResult {
        let passed = request.sql.contains(&request.test.name);
        TestResult { test: None, name: request.test.name, passed, ms: 1, error: None, sinks: Vec::new() }
    }

    /// Shows the options it was given, as a connector would see them.
    fn fetch_schema(&self, request: FetchRequest) -> BoxFuture<'_, Result<FetchedSchema>> {
        Box::pin(async move {
            let origin = format!("{:?}", request.hidden_options);
            Ok(FetchedSchema {
                format: "json".to_owned(),
                columns: Vec::new(),
                event_time: None,
                origin,
                sampled: 0,
                primary_key: Vec::new(),
                comment: String::new(),
                options: Default::default(),
            })
        })
    }

    /// Shows where it was led.
    fn objects(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<ExternalObject>>> {
        Box::pin(async move {
            let (schema, kind, comment) = (String::new(), "table".to_owned(), String::new());
            let name = format!("{:?}", request.hidden_options);
            Ok(vec![ExternalObject { schema, name, kind, comment }])
        })
    }

    fn probe(&self, request: FetchRequest) -> BoxFuture<'_, Vec<TestStep>> {
        Box::pin(async move {
            let ok = request.hidden_options.contains_key("password");
            vec![TestStep { name: "Sign in".to_owned(), ok, detail: String::new(), ms: 0 }]
        })
    }

    fn sample(&self, _: TableSource, _: u32, _: Vec<PathBuf>) -> BoxFuture<'_, Result<Sample>> {
        Box::pin(async { Err(Error::external("nothing to sample")) })
    }

    fn decode(&self, _: TableSource, _: Vec<RawRecord>, _: Vec<PathBuf>) -> BoxFuture<'_, Result<Vec<DecodedRecord>>> {
        Box::pin(async { Err(Error::external("nothing to decode")) })
    }

    /// Shows what was filled in for it.
    fn test_table(&self, source: TableSource, _: Vec<PathBuf>) -> BoxFuture<'_, Vec<TestStep>> {
        let detail = format!("{:?}", source.hidden_options);
        Box::pin(async { vec![TestStep { name: "read".to_owned(), ok: true, detail, ms: 0 }] })
    }
}

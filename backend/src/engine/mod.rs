//! The front of the SQL engine as the platform sees it: validation, completion, schemas, samples.
//!
//! A trait, so that the platform's tests do not need a dataflow, and so that another engine can stand behind it.
//! `embedded` is the engine inside this binary.

mod decode;
mod embedded;
mod local;
mod progress;
mod sample;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use millrace_wire::bad_record::DecodedRecord;
use millrace_wire::connection::{ExternalObject, TestStep};
use millrace_wire::connector::ConnectorCatalog;
use millrace_wire::error::FieldError;
use millrace_wire::function::{FunctionEntry, FunctionInfo, FunctionSource};
use millrace_wire::job_test::{TestDraft, TestResult};
use millrace_wire::link::TableSource;
use millrace_wire::report::StateReport;
use millrace_wire::sandbox_target::SandboxPlace;
use millrace_wire::sql::{CompletionItem, Diagnostic, Validation};
use millrace_wire::table::{FetchedSchema, ResolvedColumn, Sample, TableDraft};

use crate::error::Result;

pub use local::{Rows, run_here};
/// Rows of test runs, put together and compared.
pub use millrace_engine::sandbox::{Rules, compare, current_state};

/// What a script can name: the team's tables as text, and its functions.
#[derive(Clone, Debug, Default)]
pub struct CatalogText {
    pub default_database: String,
    /// By `database.table`. Shared: a team may have thousands, and they are asked for with every key stroke.
    pub tables: Arc<BTreeMap<String, TableSource>>,
    /// The team's own functions by name.
    pub functions: BTreeMap<String, FunctionSource>,
}

impl CatalogText {
    /// The same for one script: tables that its text does not name are there by name only, which is enough to suggest
    /// them and spares reading their definitions.
    pub fn named_in(&self, sql: &str) -> BTreeMap<String, TableSource> {
        let words: HashSet<&str> = sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let is_named = |full: &str| words.contains(full.rsplit('.').next().unwrap_or(full));
        let nothing = || TableSource { ddl: String::new(), hidden_options: BTreeMap::new() };
        let narrowed = |(name, source): (&String, &TableSource)| {
            (name.clone(), if is_named(name) { source.clone() } else { nothing() })
        };
        self.tables.iter().map(narrowed).collect()
    }
}

/// What a connector is asked for when its schema is fetched; hidden options come from the connection.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    pub connector: String,
    pub format: Option<String>,
    pub options: BTreeMap<String, String>,
    pub hidden_options: BTreeMap<String, String>,
    /// Roots that file connectors may read below.
    pub file_roots: Vec<PathBuf>,
}

/// A script and one of its tests.
#[derive(Clone, Debug)]
pub struct TestRequest {
    pub sql: String,
    pub catalog: CatalogText,
    pub test: TestDraft,
}

/// A record as it lies outside.
#[derive(Clone, Debug)]
pub struct RawRecord {
    pub split: String,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

/// A table as a script would use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachedTable {
    /// `database.table`, or the bare name of one that the script makes.
    pub name: String,
    pub options: BTreeMap<String, String>,
}

/// What a test run writes outside in the place of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxName {
    pub sink: String,
    /// As people call it.
    pub title: String,
    /// The options of a table that name it.
    pub options: BTreeMap<String, String>,
}

pub trait EngineFront: Send + Sync {
    fn validate(&self, sql: &str, catalog: &CatalogText, parallelism: u32) -> Validation;

    /// For each checkpoint, what of its state the script would not keep, in sentences. `None` when the script is wrong.
    fn lost_state(
        &self,
        sql: &str,
        catalog: &CatalogText,
        parallelism: u32,
        checkpoints: &[PathBuf],
    ) -> Option<Vec<Vec<String>>>;

    /// What becomes of each stateful operator, and from where each source is read, when the script starts from this
    /// checkpoint, or from none. `None` when the script is wrong.
    fn state_report(
        &self,
        sql: &str,
        catalog: &CatalogText,
        parallelism: u32,
        checkpoint: Option<&Path>,
    ) -> Option<StateReport>;

    /// Every table that the script reads or writes, with its options as they will be used: those of hints and of the
    /// connection included. Empty when the script is wrong.
    fn reach(&self, sql: &str, catalog: &CatalogText) -> Vec<ReachedTable>;

    /// The tables that the script writes, in its order. Empty when the script is wrong.
    fn sinks(&self, sql: &str, catalog: &CatalogText) -> Vec<ReachedTable>;

    /// What a test run with this mark would write in these places, by sink. Touches nothing outside.
    fn sandbox_names(
        &self,
        sql: &str,
        catalog: &CatalogText,
        places: &BTreeMap<String, SandboxPlace>,
        mark: &str,
        file_roots: &[PathBuf],
    ) -> Result<Vec<SandboxName>>;

    /// Removes what the test run with this mark has made. `connection`: what the connection fills in.
    fn remove_sandbox_object(
        &self,
        connector: &str,
        connection: BTreeMap<String, String>,
        named: SandboxName,
        mark: String,
        file_roots: Vec<PathBuf>,
    ) -> BoxFuture<'_, Result<()>>;

    /// `offset` is the caret, in UTF-8 bytes.
    fn complete(&self, sql: &str, offset: u32, catalog: &CatalogText) -> Vec<CompletionItem>;

    fn format_sql(&self, sql: &str) -> std::result::Result<String, Box<Diagnostic>>;

    /// What is wrong with a table's DDL, by form field, and its columns as the planner sees them.
    fn check_table(&self, ddl: &str, hidden: &BTreeMap<String, String>) -> (Vec<FieldError>, Vec<ResolvedColumn>);

    /// The DDL of a form. Never fails: what is incomplete shows as such and is refused by `check_table`.
    fn write_ddl(&self, draft: &TableDraft) -> String;

    fn connectors(&self) -> ConnectorCatalog;

    /// The built-in ones.
    fn functions(&self) -> Vec<FunctionInfo>;

    /// What an uploaded module holds, or why it cannot be used. Runs none of it.
    fn inspect_module(&self, module: &[u8]) -> std::result::Result<Vec<FunctionEntry>, String>;

    /// A function of a team under this name, or what is wrong with it. A macro may call the functions of the catalog.
    /// Runs none of it.
    fn check_function(
        &self,
        name: &str,
        source: &FunctionSource,
        catalog: &CatalogText,
    ) -> std::result::Result<FunctionInfo, Vec<Diagnostic>>;

    /// One SQL test, on its own rows alone. Takes its time: call it where blocking is fine.
    fn run_test(&self, request: TestRequest) -> TestResult;

    fn fetch_schema(&self, request: FetchRequest) -> BoxFuture<'_, Result<FetchedSchema>>;

    /// What there is to describe behind options without a table.
    fn objects(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<ExternalObject>>>;

    /// Steps of reaching what the options name; the last one that failed says why.
    fn probe(&self, request: FetchRequest) -> BoxFuture<'_, Vec<TestStep>>;

    fn sample(&self, table: TableSource, limit: u32, file_roots: Vec<PathBuf>) -> BoxFuture<'_, Result<Sample>>;

    /// Each of the records by itself, with all columns that come from its bytes.
    fn decode(
        &self,
        table: TableSource,
        records: Vec<RawRecord>,
        file_roots: Vec<PathBuf>,
    ) -> BoxFuture<'_, Result<Vec<DecodedRecord>>>;

    /// Steps of trying a table as a reader would; the last one that failed says why.
    fn test_table(&self, table: TableSource, file_roots: Vec<PathBuf>) -> BoxFuture<'_, Vec<TestStep>>;
}

/// The engine inside this binary.
pub fn front() -> Arc<dyn EngineFront> {
    Arc::new(embedded::EmbeddedEngine)
}

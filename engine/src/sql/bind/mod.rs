//! Syntax trees → relational plans: names become column indices, every node gets a type, implicit conversions are
//! written out. What is not understood is refused by name.

mod aggregate;
mod as_of;
mod attach;
mod call;
mod conversion;
mod create_as;
mod decorrelate;
mod explain;
mod expr;
mod flink_function;
mod from;
mod group_window;
mod in_list;
mod insert;
mod join;
mod literal;
mod lookup;
mod merge;
#[cfg(test)]
mod merge_tests;
mod name;
mod order;
mod outline;
mod over;
mod overlaps;
mod query;
mod relation;
mod set_operation;
mod state_hint;
#[cfg(test)]
mod state_hint_tests;
mod subquery;
#[cfg(test)]
mod subquery_tests;
mod subquery_value;
mod table;
mod table_call;
mod table_like;
#[cfg(test)]
mod tests;
mod user_function;
mod user_macro;
#[cfg(test)]
mod user_tests;
mod values;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Hint, Statement, StatementKind};
use super::{Problem, Severity, Span, parser};
use crate::catalog::{CatalogText, TableDef, TableRef};
use crate::plan::logical::{BoundScript, BoundSink, Rel, SinkTarget};
use crate::plan::settings;

#[cfg(test)]
pub(in crate::sql) use aggregate::NAMES as AGGREGATES;
use explain::Explained;
pub(in crate::sql) use flink_function::is_known as is_function_of_flink;
pub(in crate::sql) use outline::{Outline, OutlineColumn};
use table::TableParts;

/// Problems of one script; nobody reads more.
const MAX_PROBLEMS: usize = 500;

/// Columns of a table, a query or a grouping.
const MAX_COLUMNS: usize = 2_000;

/// Operators above each other in one plan.
const MAX_DEPTH: usize = 400;

/// Plan nodes that one script may have: views used many times by views grow without bound otherwise.
const MAX_NODES: usize = 20_000;

/// A problem has been reported; there is no value.
#[derive(Debug)]
pub(super) struct Reported;

type Bind<T> = Result<T, Reported>;

/// What was found in a script.
#[derive(Debug)]
pub struct Bound {
    pub script: BoundScript,
    /// In the order of the script.
    pub problems: Vec<Problem>,
    pub statements: Vec<BoundStatement>,
    /// Names of catalog tables read and written, as `database.table`, and of tables of the script.
    pub reads: Vec<String>,
    pub writes: Vec<String>,
    /// Functions of the catalog that are called, by the name that the catalog has for them.
    pub functions: Vec<String>,
}

#[derive(Debug)]
pub struct BoundStatement {
    pub kind: &'static str,
    pub span: Span,
    /// Index into the script's sinks.
    pub sink: Option<usize>,
    /// Where the target of an INSERT is named.
    pub target: Option<Span>,
}

impl Bound {
    pub(super) fn failed(message: &str) -> Self {
        let problem = Problem {
            severity: Severity::Error,
            code: "unsupported",
            message: message.to_owned(),
            hint: None,
            span: None,
            replacement: None,
        };
        Self::with(problem)
    }

    pub(super) fn with(problem: Problem) -> Self {
        let script = BoundScript { sinks: Vec::new(), settings: Vec::new() };
        Bound {
            script,
            problems: vec![problem],
            statements: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            functions: Vec::new(),
        }
    }
}

pub(super) fn bind_script(sql: &str, catalog: &CatalogText) -> Bound {
    let parsed = parser::parse(sql);
    let mut binder = Binder::new(sql, catalog);
    binder.problems = parsed.problems;
    let mut statements = Vec::new();
    for statement in &parsed.statements {
        let bound = binder.statement(statement);
        statements.push(bound);
    }
    binder.check_read_once();
    binder.problems.sort_by_key(|problem| problem.span.map_or(usize::MAX, |span| span.start));
    binder.problems.truncate(MAX_PROBLEMS);
    binder.reads.sort();
    binder.reads.dedup();
    binder.writes.sort();
    binder.writes.dedup();
    binder.functions.sort();
    binder.functions.dedup();
    let mut script = BoundScript { sinks: binder.sinks, settings: binder.settings };
    if binder.problems.iter().all(|problem| problem.severity != Severity::Error) {
        if let Err(message) = crate::plan::rewrite::rewrite(&mut script) {
            let problem = Problem::error("unsupported", message, Span { start: 0, end: 0 });
            binder.problems.push(Problem { span: statements.last().map(|last: &BoundStatement| last.span), ..problem });
        }
        let streaming = !settings::Settings::default().apply(&script.settings).is_ok_and(|settings| settings.batch);
        binder.problems.extend(script.sinks.iter().find_map(|sink| over::left_over(&sink.query, streaming)));
    }
    if binder.problems.iter().all(|problem| problem.severity != Severity::Error) {
        for explained in &binder.explained {
            let result = explain::explain(explained, &script.settings);
            match (result, script.sinks.get_mut(explained.place)) {
                (Ok(text), Some(sink)) => *sink = explain::result(&text),
                (Ok(_), None) => {}
                (Err(problems), _) => binder.problems.extend(problems),
            }
        }
    }
    Bound {
        script,
        problems: binder.problems,
        statements,
        reads: binder.reads,
        writes: binder.writes,
        functions: binder.functions,
    }
}

pub(super) fn bind_catalog_table(
    name: &str,
    source: &millrace_wire::link::TableSource,
) -> Result<TableRef, Vec<Problem>> {
    let catalog = CatalogText::default();
    let mut binder = Binder::new("", &catalog);
    match binder.catalog_table(name, source) {
        Ok(table) if binder.problems.is_empty() => Ok(table),
        _ => Err(binder.problems),
    }
}

/// Binds the definition of a macro by itself.
pub(super) fn check_macro(name: &str, definition: &str, catalog: &CatalogText) -> Result<String, Vec<Problem>> {
    let parsed = parser::parse_macro(definition).map_err(|problem| vec![problem])?;
    let mut binder = Binder::new(definition, catalog);
    match binder.bound_macro(name, &parsed) {
        Ok(bound) if binder.problems.is_empty() => Ok(bound.signature()),
        _ => Err(binder.problems),
    }
}

/// What a name stands for.
#[derive(Clone)]
enum Named {
    Table(TableRef),
    /// Bound once; every use is a copy.
    View(Arc<Rel>, Option<relation::WindowColumns>),
    /// Was defined wrongly, which has been reported already.
    Broken,
}

struct Binder<'a> {
    /// The script.
    text: &'a str,
    catalog: &'a CatalogText,
    database: String,
    /// Tables and views of the script, by `database.name`.
    local: BTreeMap<String, Named>,
    /// Catalog tables that were bound, so that every use shares one definition.
    bound: BTreeMap<String, Named>,
    /// Where the parts of the script's own tables stand, by [`TableDef::name`].
    parts: BTreeMap<String, TableParts>,
    /// Common table expressions, innermost last.
    with: Vec<(String, Named)>,
    /// What surrounds the query that is being bound, innermost last, for names that refer to it.
    outer: Vec<relation::Relation>,
    /// Queries found in the clause that is being bound; none where they cannot stand.
    attachments: Option<attach::Attachments>,
    /// NULL and FALSE are the same to what is being bound.
    only_truth: bool,
    /// Hints of the SELECT whose FROM is being bound.
    state_hints: state_hint::StateHints,
    /// `LOOKUP` hints of the SELECT that is being bound, each with whether a table was found for it.
    lookup_hints: Vec<(Hint, bool)>,
    /// Tables with the hint `REUSE_SOURCE`, and where it stands.
    read_once: Vec<(String, Span)>,
    /// Every use of a table in FROM, with the options of its hints.
    uses: Vec<TableRef>,
    problems: Vec<Problem>,
    sinks: Vec<BoundSink>,
    explained: Vec<Explained>,
    settings: Vec<(String, String)>,
    reads: Vec<String>,
    writes: Vec<String>,
    /// Functions of the catalog that were looked up.
    functions: Vec<String>,
    /// By name in upper case: functions of the catalog, with their names there, and of the script.
    user_functions: BTreeMap<String, (Option<String>, user_function::UserFunction)>,
    dropped_functions: Vec<String>,
    /// Macros whose bodies are being bound.
    resolving: Vec<String>,
    nodes: usize,
    /// Whether spans are those of the script; not so for definitions of the catalog.
    spans: bool,
}

impl<'a> Binder<'a> {
    fn new(text: &'a str, catalog: &'a CatalogText) -> Self {
        Binder {
            text,
            catalog,
            database: catalog.default_database.clone(),
            local: BTreeMap::new(),
            bound: BTreeMap::new(),
            parts: BTreeMap::new(),
            with: Vec::new(),
            outer: Vec::new(),
            attachments: None,
            only_truth: false,
            state_hints: state_hint::StateHints::default(),
            lookup_hints: Vec::new(),
            read_once: Vec::new(),
            uses: Vec::new(),
            problems: Vec::new(),
            sinks: Vec::new(),
            explained: Vec::new(),
            settings: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            functions: Vec::new(),
            user_functions: BTreeMap::new(),
            dropped_functions: Vec::new(),
            resolving: Vec::new(),
            nodes: 0,
            spans: true,
        }
    }

    fn report(&mut self, problem: Problem) -> Reported {
        self.problems.push(problem);
        Reported
    }

    fn refuse<T>(&mut self, code: &'static str, message: impl Into<String>, span: Span) -> Bind<T> {
        Err(self.report(Problem::error(code, message, span)))
    }

    fn unsupported<T>(&mut self, what: &str, span: Span) -> Bind<T> {
        self.refuse("unsupported", format!("{what} is not supported yet."), span)
    }

    /// Runs `work` and forgets the problems it reported.
    fn quietly<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.problems.len();
        let result = work(self);
        self.problems.truncate(before);
        result
    }

    fn streaming(&self) -> bool {
        let mode = self.settings.iter().rev().find(|(key, _)| key == "execution.runtime-mode");
        mode.is_none_or(|(_, mode)| !mode.eq_ignore_ascii_case("batch"))
    }

    fn count_nodes(&mut self, nodes: usize, span: Span) -> Bind<()> {
        if self.nodes > MAX_NODES {
            // Said once.
            return Err(Reported);
        }
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return self.refuse("unsupported", format!("The script needs more than {MAX_NODES} operators."), span);
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> BoundStatement {
        let before = self.sinks.len();
        let mut target = None;
        let kind = match &statement.kind {
            StatementKind::CreateTable(table) => {
                if let Ok(Some(sink)) = self.create_table(table)
                    && self.check_depth(&sink.query, statement.span).is_ok()
                {
                    self.sinks.push(sink);
                }
                target = table.query.as_ref().map(|_| table.name.span);
                // With a query it writes, as INSERT does.
                if table.query.is_some() { "insert" } else { "create_table" }
            }
            StatementKind::CreateView(view) => {
                let _ = self.create_view(view);
                "create_view"
            }
            StatementKind::CreateFunction(function) => {
                let _ = self.create_function(function);
                "create_function"
            }
            StatementKind::Insert(insert) => {
                target = Some(insert.table.span);
                if let Ok(sink) = self.insert(insert)
                    && self.check_depth(&sink.query, statement.span).is_ok()
                {
                    self.sinks.push(sink);
                }
                "insert"
            }
            StatementKind::Merge(merge) => {
                target = Some(merge.target.span);
                if let Ok(sink) = self.merge(merge, statement.span)
                    && self.check_depth(&sink.query, statement.span).is_ok()
                {
                    self.sinks.push(sink);
                }
                // A statement that writes, as INSERT does.
                "insert"
            }
            StatementKind::Query(query) => {
                if let Ok(relation) = self.query(query)
                    && self.check_depth(&relation.rel, statement.span).is_ok()
                {
                    self.sinks.push(BoundSink { target: SinkTarget::Collect, query: relation.rel });
                }
                "select"
            }
            StatementKind::Explain(inner) => {
                // What is explained is checked, and not run: its text is the result.
                let bound = self.statement(inner);
                if let Some(sink) = self.sinks.pop().filter(|_| bound.sink.is_some()) {
                    let explained = Explained { place: before, sink, span: statement.span };
                    self.explained.push(explained);
                    self.sinks.push(explain::result(""));
                }
                "explain"
            }
            StatementKind::Set { key } => {
                if let Some((key, value)) = key {
                    let _ = self.set(key, value, statement.span);
                }
                "set"
            }
            StatementKind::Use(name) => {
                self.database = self.database_named(name);
                "use"
            }
            StatementKind::Drop { what, name, if_exists } => {
                let _ = self.drop_local(what, name, *if_exists);
                "drop"
            }
            StatementKind::DropFunction { name, if_exists } => {
                let _ = self.drop_function(name, *if_exists);
                "drop"
            }
        };
        let sink = (self.sinks.len() > before).then_some(before);
        BoundStatement { kind, span: statement.span, sink, target }
    }

    fn check_width(&mut self, columns: usize, span: Span) -> Bind<()> {
        if columns > MAX_COLUMNS {
            return self.refuse("unsupported", format!("There are more than {MAX_COLUMNS} columns."), span);
        }
        Ok(())
    }

    fn check_depth(&mut self, rel: &Rel, span: Span) -> Bind<()> {
        if depth(rel) > MAX_DEPTH {
            return self.refuse("unsupported", format!("More than {MAX_DEPTH} operators are above each other."), span);
        }
        Ok(())
    }

    /// Settings that nobody reads are refused, so that none is ignored in silence.
    fn set(&mut self, key: &str, value: &str, span: Span) -> Bind<()> {
        if !settings::KEYS.contains(&key) {
            let mut problem = Problem::error("unknown-option", format!("There is no setting '{key}'."), span);
            if let Some(near) = super::suggest::nearest(key, settings::KEYS.iter().copied()) {
                problem = problem.with_hint(format!("Did you mean '{near}'?"));
            }
            return Err(self.report(problem));
        }
        let setting = (key.to_owned(), value.to_owned());
        if let Err(message) = settings::Settings::default().apply(std::slice::from_ref(&setting)) {
            return self.refuse("wrong-arguments", format!("{message}."), span);
        }
        self.settings.push(setting);
        Ok(())
    }

    fn span(&self, span: Span) -> Option<Span> {
        self.spans.then_some(span)
    }
}

/// Nodes of a plan.
fn nodes(rel: &Rel) -> usize {
    1 + rel.inputs().into_iter().map(nodes).sum::<usize>()
}

fn depth(rel: &Rel) -> usize {
    1 + rel.inputs().into_iter().map(depth).max().unwrap_or(0)
}

/// A definition in messages: the table's name.
fn table_name(table: &TableDef) -> &str {
    &table.name
}

//! The editor's diagnosis of a script: problems, the graph, what it reads and writes.

use std::sync::Arc;
use std::time::Duration;

use millrace_wire::job::JobSettings;
use millrace_wire::sql::{Diagnostic, Severity, StatementInfo, Validation};

use super::bind::{Bound, BoundStatement};
use super::{LineIndex, Problem, Span, bind, stack, too_long};
use crate::catalog::CatalogText;
use crate::change::ChangeBatch;
use crate::collect::CollectSink;
use crate::connector::ConnectorContext;
use crate::connector::committers::RunCommitters;
use crate::plan::dataflow::{ConnectorEndpoints, Dataflow, plan};
use crate::plan::logical::BoundScript;
use crate::plan::settings::Settings;

/// Checks a script as far as it goes without touching anything outside.
pub fn validate(sql: &str, catalog: &CatalogText, parallelism: u32) -> Validation {
    let index = LineIndex::new(sql);
    let checked = match too_long(sql) {
        Some(problem) => Some((Bound::with(problem), None)),
        None => stack::deep(|| check(sql, catalog, parallelism)),
    };
    let (bound, dataflow) = checked.unwrap_or_else(|| (Bound::failed("The script is too complex to be read."), None));
    Validation {
        diagnostics: bound.problems.iter().map(|problem| diagnostic(problem, &index)).collect(),
        guarantee: dataflow.as_ref().map(|dataflow| dataflow.guarantee.clone()),
        graph: dataflow.map(|dataflow| dataflow.to_wire()),
        statements: bound
            .statements
            .iter()
            .map(|statement| StatementInfo { kind: statement.kind.to_owned(), span: index.wire(statement.span) })
            .collect(),
        reads: bound.reads,
        writes: bound.writes,
        functions: bound.functions,
    }
}

/// The dataflow of a script as it would be planned now; `None` when something is wrong with it, or it has none.
pub fn planned(sql: &str, catalog: &CatalogText, parallelism: u32) -> Option<Dataflow> {
    if too_long(sql).is_some() {
        return None;
    }
    stack::deep(|| check(sql, catalog, parallelism)).and_then(|(_, dataflow)| dataflow)
}

fn check(sql: &str, catalog: &CatalogText, parallelism: u32) -> (Bound, Option<Dataflow>) {
    let mut bound = bind::bind_script(sql, catalog);
    if has_errors(&bound) || bound.script.sinks.is_empty() {
        return (bound, None);
    }
    // The guarantee is told for a job as it is by default: with checkpoints.
    let checkpoint_interval = Some(Duration::from_millis(JobSettings::default().checkpoint_interval_ms));
    let settings = Settings { parallelism, checkpoint_interval, ..Settings::default() };
    // A runtime of its own: connectors get a handle, and start nothing before a reader or writer is opened.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return (Bound::failed("No resources are left to plan the script. Try again."), None);
    };
    let endpoints = endpoints(&runtime);
    // Each on its own, so that a problem stands at the statement that has it.
    for statement in &bound.statements {
        let Some(sink) = statement.sink.and_then(|sink| bound.script.sinks.get(sink)) else { continue };
        let alone = BoundScript { sinks: vec![sink.clone()], settings: bound.script.settings.clone() };
        if let Err(problems) = plan(&alone, &settings, &endpoints) {
            bound.problems.extend(problems.into_iter().map(|problem| place(problem, statement)));
        }
    }
    if has_errors(&bound) {
        return (bound, None);
    }
    match plan(&bound.script, &settings, &endpoints) {
        Ok(dataflow) => (bound, Some(dataflow)),
        Err(problems) => {
            let whole = Span { start: 0, end: sql.len() };
            bound
                .problems
                .extend(problems.into_iter().map(|problem| Problem { span: problem.span.or(Some(whole)), ..problem }));
            (bound, None)
        }
    }
}

pub(super) fn endpoints(runtime: &tokio::runtime::Runtime) -> ConnectorEndpoints {
    ConnectorEndpoints {
        context: ConnectorContext {
            file_roots: Vec::new(),
            identity: "validation".to_owned(),
            start_at_ms: None,
            committers: Arc::new(RunCommitters::default()),
            read_only: false,
            bad_records: None,
            batch_rows: 1,
            runtime: runtime.handle().clone(),
        },
        collect: Some(Arc::new(CollectSink::new(|_: &ChangeBatch| Ok(())))),
    }
}

fn has_errors(bound: &Bound) -> bool {
    bound.problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// At the sink for what is wrong with the sink, else at the statement.
fn place(problem: Problem, statement: &BoundStatement) -> Problem {
    let at = match statement.target {
        Some(target) if problem.code.starts_with("sink") => target,
        _ => statement.span,
    };
    Problem { span: problem.span.or(Some(at)), ..problem }
}

pub(super) fn diagnostic(problem: &Problem, index: &LineIndex) -> Diagnostic {
    Diagnostic {
        severity: problem.severity,
        code: problem.code.to_owned(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        span: problem.span.map(|span| index.wire(span)),
        replacement: problem.replacement.clone(),
    }
}

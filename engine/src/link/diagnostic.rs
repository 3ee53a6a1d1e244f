//! Problems of a script as the server and the editor show them.

use millrace_wire::link::Failure;
use millrace_wire::sql::{Diagnostic, Severity};

use crate::error::EngineError;
use crate::sql::{LineIndex, Problem};

pub(crate) fn of_problem(problem: &Problem, sql: &str) -> Diagnostic {
    let index = LineIndex::new(sql);
    Diagnostic {
        severity: problem.severity,
        code: problem.code.to_owned(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        span: problem.span.map(|span| index.wire(span)),
        replacement: problem.replacement.clone(),
    }
}

pub(crate) fn of_error(error: &EngineError) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: error.code.to_owned(),
        message: error.message.clone(),
        hint: None,
        span: None,
        replacement: None,
    }
}

/// Wrong SQL as the end of an attempt: trying again cannot help.
pub(super) fn failure_of_problems(problems: &[Problem], sql: &str) -> Failure {
    let index = LineIndex::new(sql);
    let place = |problem: &Problem| {
        problem.span.map_or_else(String::new, |span| {
            let (line, column) = index.line_column(span.start);
            format!("line {line}, column {column}: ")
        })
    };
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let messages: Vec<String> = errors.map(|problem| format!("{}{}", place(problem), problem.message)).collect();
    Failure {
        code: problems.first().map_or("parse", |problem| problem.code).to_owned(),
        message: messages.join("\n"),
        retry: false,
        operator: None,
    }
}

pub(super) fn failure_of_error(error: &EngineError) -> Failure {
    Failure {
        code: error.code.to_owned(),
        message: error.message.clone(),
        retry: error.retry,
        operator: error.operator.clone(),
    }
}

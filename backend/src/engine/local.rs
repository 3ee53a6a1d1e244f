//! `millrace run`: a script on this machine. Rows of a SELECT go to standard output, progress to standard error.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use millrace_engine::catalog::CatalogText;
use millrace_engine::error::EngineError;
use millrace_engine::local::{BATCH_ROWS, LocalError, LocalOptions, Receive, Row, prepare};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::Outcome;
use millrace_engine::sql::{LineIndex, Span};
use millrace_wire::job::StopMode;
use millrace_wire::preview::RowKind;
use parking_lot::Mutex;
use serde_json::Value;

use super::progress::Progress;
use crate::parameter::Filled;

/// Bare table names in a local script belong to it.
const DATABASE: &str = "main";

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Tab-separated, with the kind of change in front and the names in the first line.
    Text,
    /// One object per line: `{"kind":"+I","row":{…}}`.
    Json,
}

/// `name`: what problems are reported against, as `name:line:column` of what was written.
pub fn run_here(script: &Filled, name: &str, rows: Rows) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let catalog = CatalogText { default_database: DATABASE.to_owned(), ..CatalogText::default() };
    let options = LocalOptions {
        catalog,
        settings: Settings::default(),
        file_roots: Vec::new(),
        batch_rows: BATCH_ROWS,
        runtime: runtime.handle().clone(),
    };
    let printer = Arc::new(Printer { rows, names: Mutex::default() });
    let receive: Arc<Receive> = {
        let printer = printer.clone();
        Arc::new(move |row| printer.print(row))
    };
    let prepared = match prepare(script.text(), options, receive) {
        Ok(prepared) => prepared,
        Err(LocalError::Problems(problems)) => {
            let index = LineIndex::new(script.written());
            for problem in problems {
                let written = problem.span.map(|span| script.back(span.start..span.end));
                let place = written.map(|span| index.wire(Span { start: span.start, end: span.end }));
                let place = place.map_or(String::new(), |span| format!(":{}:{}", span.line, span.column));
                eprintln!("{name}{place}: {}[{}]: {}", problem.severity, problem.code, problem.message);
                problem.hint.iter().for_each(|hint| eprintln!("  hint: {hint}"));
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(LocalError::Run(error)) => return Err(failed(error)),
    };
    if let Some(columns) = prepared.columns.first() {
        printer.start(columns.iter().map(|column| column.name.clone()).collect())?;
    }
    let graph = prepared.graph();
    let started_at = Instant::now();
    let started = prepared.start().map_err(failed)?;
    let handle = started.handle.clone();
    let progress = Progress::new(handle.clone(), &graph);
    let shown = runtime.spawn(Progress::new(handle.clone(), &graph).show());
    runtime.spawn(async move {
        // The first Ctrl-C lets the sinks finish; the shell's second one ends the process.
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!("stopping");
            handle.stop(StopMode::Drain);
            if tokio::signal::ctrl_c().await.is_ok() {
                handle.stop(StopMode::Cancel);
            }
        }
    });
    let outcome = started.finish();
    shown.abort();
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let outcome = outcome.map_err(failed)?;
    std::io::stdout().flush()?;
    let how = match outcome {
        Outcome::Finished => "finished",
        Outcome::Stopped { .. } => "stopped",
    };
    let seconds = started_at.elapsed().as_secs_f64();
    eprintln!("{how} after {seconds:.1} s: {}", progress.words());
    Ok(ExitCode::SUCCESS)
}

fn failed(error: EngineError) -> anyhow::Error {
    match &error.operator {
        Some(operator) => anyhow::anyhow!("{} (in {operator})", error.message),
        None => anyhow::anyhow!("{}", error.message),
    }
}

struct Printer {
    rows: Rows,
    names: Mutex<Vec<String>>,
}

impl Printer {
    fn start(&self, names: Vec<String>) -> anyhow::Result<()> {
        if self.rows == Rows::Text {
            let mut out = std::io::stdout().lock();
            if writeln!(out, "kind\t{}", names.join("\t")).is_err() {
                bail!("standard output is closed");
            }
        }
        *self.names.lock() = names;
        Ok(())
    }

    fn print(&self, row: Row) -> Result<(), EngineError> {
        let kind = word(row.kind);
        let line = match self.rows {
            Rows::Text => format!("{kind}\t{}", row.values.iter().map(cell).collect::<Vec<_>>().join("\t")),
            Rows::Json => {
                // By hand, so that columns stay in the order of the SELECT.
                let names = self.names.lock();
                let columns = names.iter().zip(&row.values);
                let columns: Vec<String> =
                    columns.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
                format!("{{\"kind\":\"{kind}\",\"row\":{{{}}}}}", columns.join(","))
            }
        };
        let written = writeln!(std::io::stdout().lock(), "{line}").context("standard output is closed");
        written.map_err(|error| EngineError::user("output_closed", error.to_string()))
    }
}

fn word(kind: millrace_engine::change::RowKind) -> &'static str {
    use millrace_engine::change::RowKind as Kind;
    let kind = match kind {
        Kind::Insert => RowKind::Insert,
        Kind::UpdateBefore => RowKind::UpdateBefore,
        Kind::UpdateAfter => RowKind::UpdateAfter,
        Kind::Delete => RowKind::Delete,
    };
    kind.as_str()
}

/// Strings as they are, without tabs and line ends; everything else as JSON writes it.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        }
        Value::Null => "NULL".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cell;

    #[test]
    fn cells_stay_in_their_column() {
        assert_eq!(cell(&json!("a\tb\nc\\")), "a\\tb\\nc\\\\");
        assert_eq!(cell(&json!(null)), "NULL");
        assert_eq!(cell(&json!([1, "x"])), "[1,\"x\"]");
    }
}

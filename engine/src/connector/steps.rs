//! The steps of a test of a table or connection, each with its time.

use std::time::Instant;

use millrace_wire::connection::{ConnectionTest, TestStep};

use crate::error::{EngineError, Result};

/// Runs steps until one fails.
pub(super) struct Steps {
    done: Vec<TestStep>,
    failed: bool,
}

impl Steps {
    pub(super) const fn new() -> Self {
        Steps { done: Vec::new(), failed: false }
    }

    /// `step` gives its result and what to say about it. Nothing is run after a failure.
    pub(super) fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<(T, String)>) -> Option<T> {
        if self.failed {
            return None;
        }
        let started = Instant::now();
        let result = step();
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (value, ok, detail) = match result {
            Ok((value, detail)) => (Some(value), true, detail),
            Err(error) => (None, false, said(&error)),
        };
        self.failed = !ok;
        self.done.push(TestStep { name: name.to_owned(), ok, detail, ms });
        value
    }

    pub(super) fn finish(self) -> ConnectionTest {
        ConnectionTest { ok: !self.failed, steps: self.done }
    }
}

fn said(error: &EngineError) -> String {
    error.message.clone()
}

/// Decodes a first batch of a table through its normal source: what a job would do.
pub(super) fn decode_some(
    connector: &dyn super::Connector,
    table: &crate::catalog::TableRef,
    context: &super::ConnectorContext,
) -> Result<((), String)> {
    let columns: Vec<usize> = (0..table.read_columns().len()).collect();
    let source = connector.source(table, &columns, context)?;
    let splits = source.splits()?;
    let starts = splits.into_iter().map(|split| super::SplitStart { split, position: None }).collect();
    let mut reader = source.reader(starts)?;
    let deadline = Instant::now() + std::time::Duration::from_secs(5);
    while Instant::now() < deadline {
        match reader.next(std::time::Duration::from_millis(100))? {
            super::SourceEvent::Batch { batch, .. } if !batch.is_empty() => {
                return Ok(((), "A record was decoded with the table's format.".to_owned()));
            }
            super::SourceEvent::End => break,
            _ => {}
        }
    }
    Ok(((), "There is no record yet.".to_owned()))
}

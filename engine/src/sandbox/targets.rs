//! Where the rows of some sinks are written to as well: objects outside of this run's own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_wire::sandbox_target::SandboxPlace;
use millrace_wire::test_run::{TestRunSink, WrittenTarget};

use super::capture::CaptureSink;
use super::endpoints::NoCommitters;
use super::words;
use super::written::WrittenSink;
use crate::catalog::TableRef;
use crate::connector::{Apart, ConnectorContext, Sink};
use crate::error::{EngineError, Result};
use crate::plan::logical::{BoundScript, SinkTarget};

/// The one way out of a sandbox. What it opens are [`Apart`]s, which are never made of a table alone.
#[derive(Default)]
pub struct SandboxTargets {
    by_sink: BTreeMap<String, Apart>,
    context: Option<ConnectorContext>,
}

impl SandboxTargets {
    /// `places`: by sink. Sinks without one are only kept. Touches nothing outside.
    pub fn of(
        script: &BoundScript,
        places: &BTreeMap<String, SandboxPlace>,
        mark: &str,
        context: ConnectorContext,
    ) -> Result<Self> {
        let context = ConnectorContext { read_only: false, committers: Arc::new(NoCommitters), ..context };
        let by_sink = apart_by_sink(script, places, mark, &context.file_roots)?;
        Ok(SandboxTargets { by_sink, context: Some(context) })
    }

    pub fn is_empty(&self) -> bool {
        self.by_sink.is_empty()
    }

    /// Says of each sink what takes its place.
    pub fn tell(&self, sinks: &mut [TestRunSink], script: &BoundScript) {
        for sink in sinks {
            let Some(apart) = self.by_sink.get(&sink.table) else { continue };
            let mut tables = script.sinks.iter().filter_map(|sink| match &sink.target {
                SinkTarget::Table(table) => Some(table),
                _ => None,
            });
            if let Some(table) = tables.find(|table| table.name == sink.table) {
                sink.words = words::written_sink(table, apart.title());
            }
            sink.target = Some(WrittenTarget { name: apart.title().to_owned(), options: apart.names().clone() });
        }
    }

    /// Makes the objects, one for sinks that share their place. Blocks.
    pub fn make(&self) -> Result<()> {
        let Some(context) = &self.context else { return Ok(()) };
        let mut made: Vec<&Apart> = Vec::new();
        for (sink, apart) in &self.by_sink {
            if made.iter().any(|other| apart.is_the_same_as(other)) {
                continue;
            }
            context.runtime.block_on(apart.make(context)).map_err(|error| of_sink(sink, error))?;
            made.push(apart);
        }
        Ok(())
    }

    /// Whatever the sink gets is kept; where there is a target, the same rows go there.
    pub(super) fn with(&self, table: &TableRef, capture: CaptureSink) -> Result<Arc<dyn Sink>> {
        let (Some(apart), Some(context)) = (self.by_sink.get(&table.name), &self.context) else {
            return Ok(Arc::new(capture));
        };
        let sink = apart.sink(context).map_err(|error| of_sink(&table.name, error))?;
        Ok(Arc::new(WrittenSink::new(capture, sink, &table.name)))
    }
}

/// What a run with this mark would write where, by sink.
pub fn apart_by_sink(
    script: &BoundScript,
    places: &BTreeMap<String, SandboxPlace>,
    mark: &str,
    roots: &[PathBuf],
) -> Result<BTreeMap<String, Apart>> {
    let mut by_sink = BTreeMap::new();
    for sink in &script.sinks {
        let SinkTarget::Table(table) = &sink.target else { continue };
        if let Some(place) = places.get(&table.name) {
            let apart = Apart::of(table, place, mark, roots).map_err(|error| of_sink(&table.name, error))?;
            by_sink.insert(table.name.clone(), apart);
        }
    }
    if let Some(unknown) = places.keys().find(|name| !by_sink.contains_key(*name)) {
        return Err(EngineError::user("no_sandbox_target", format!("The script does not write {unknown}.")));
    }
    Ok(by_sink)
}

/// Which sink it is about.
pub(super) fn of_sink(sink: &str, error: EngineError) -> EngineError {
    let message = format!("The sandbox target of {sink}: {}", error.message);
    EngineError { message, ..error }
}

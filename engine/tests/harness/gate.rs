//! Real sources, let through in the order of arrival that a case asks for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use millrace_engine::catalog::TableRef;
use millrace_engine::connector::{
    LookupColumns, OpenLookup, Sink, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart,
};
use millrace_engine::error::Result;
use millrace_engine::plan::dataflow::Endpoints;
use millrace_engine::runtime::ConnectorEndpoints;

/// Who comes next.
#[derive(Debug)]
pub(crate) struct Arrival {
    order: Vec<String>,
    next: usize,
}

impl Arrival {
    pub(crate) fn new(order: Vec<String>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Arrival { order, next: 0 }))
    }

    fn turn(&self) -> Option<&str> {
        self.order.get(self.next).map(String::as_str)
    }

    /// An input that has ended gives its remaining turns up.
    fn leave(&mut self, name: &str) {
        let rest = self.order.split_off(self.next);
        self.order.extend(rest.into_iter().filter(|other| other != name));
    }
}

pub(crate) struct GatedEndpoints {
    pub(crate) inner: ConnectorEndpoints,
    /// Path → name of the input.
    pub(crate) names: Vec<(String, String)>,
    pub(crate) arrival: Arc<Mutex<Arrival>>,
}

impl Endpoints for GatedEndpoints {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let inner = self.inner.source(table, columns)?;
        let path = table.option("path").unwrap_or_default();
        match self.names.iter().find(|(known, _)| known == path) {
            Some((_, name)) => Ok(Arc::new(Gated { inner, name: name.clone(), arrival: Arc::clone(&self.arrival) })),
            None => Ok(inner),
        }
    }

    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>> {
        self.inner.sink(table)
    }

    fn lookup(&self, table: &TableRef, columns: &LookupColumns) -> Result<OpenLookup> {
        self.inner.lookup(table, columns)
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        self.inner.collect()
    }
}

struct Gated {
    inner: Arc<dyn Source>,
    name: String,
    arrival: Arc<Mutex<Arrival>>,
}

impl Source for Gated {
    fn bounded(&self) -> bool {
        self.inner.bounded()
    }

    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn changelog(&self) -> bool {
        self.inner.changelog()
    }

    fn replayable(&self) -> bool {
        self.inner.replayable()
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        self.inner.splits()
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let inner = self.inner.reader(splits.clone())?;
        // Of several tasks those without a split have no turn to take, and end at once.
        if splits.is_empty() {
            return Ok(inner);
        }
        Ok(Box::new(GatedReader { inner, name: self.name.clone(), arrival: Arc::clone(&self.arrival), ended: false }))
    }
}

struct GatedReader {
    inner: Box<dyn SourceReader>,
    name: String,
    arrival: Arc<Mutex<Arrival>>,
    ended: bool,
}

impl SourceReader for GatedReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        let mut arrival = self.arrival.lock().unwrap();
        // All inputs end together.
        let Some(turn) = arrival.turn() else { return Ok(SourceEvent::End) };
        if turn != self.name || self.ended {
            return Ok(SourceEvent::Idle);
        }
        match self.inner.next(wait)? {
            SourceEvent::Batch { split, batch, bytes } => {
                arrival.next += 1;
                Ok(SourceEvent::Batch { split, batch, bytes })
            }
            SourceEvent::End => {
                self.ended = true;
                arrival.leave(&self.name);
                Ok(SourceEvent::Idle)
            }
            SourceEvent::Idle | SourceEvent::SplitEnd { .. } => Ok(SourceEvent::Idle),
        }
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        self.inner.positions()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        self.inner.add_splits(splits)
    }

    fn checkpoint_complete(&mut self, positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        self.inner.checkpoint_complete(positions)
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        self.inner.lag()
    }

    fn bad_records(&self) -> u64 {
        self.inner.bad_records()
    }
}

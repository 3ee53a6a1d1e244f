//! Files that are looked up by key: all of them are read into memory, and again as often as the table says.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use tokio::sync::mpsc::{Sender, channel};

use super::super::{ConnectorContext, Found, Lookup, LookupColumns, Source as _, SourceEvent, SplitStart};
use super::source::FileSource;
use crate::catalog::{TableDef, TableRef};
use crate::error::{EngineError, Result};

/// Batches that wait to be taken in.
const AHEAD: usize = 4;
const WAIT: Duration = Duration::from_millis(100);

pub(super) struct FileLookup {
    table: TableRef,
    columns: Vec<usize>,
    context: ConnectorContext,
}

impl FileLookup {
    pub(super) fn new(table: &TableRef, columns: &LookupColumns, context: &ConnectorContext) -> Self {
        // What is there at that time; the next load sees new files.
        let mut bounded = TableDef::clone(table);
        bounded.options.remove("source.monitor-interval");
        FileLookup { table: Arc::new(bounded), columns: columns.columns.clone(), context: context.clone() }
    }
}

#[async_trait]
impl Lookup for FileLookup {
    async fn find(&self, _keys: RecordBatch) -> Result<Found> {
        Err(EngineError::internal("files are looked up in memory"))
    }

    async fn load(&self, take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        let (send, mut receive) = channel(AHEAD);
        let (table, columns, context) = (Arc::clone(&self.table), self.columns.clone(), self.context.clone());
        let reading = self.context.runtime.spawn_blocking(move || read(&table, &columns, &context, &send));
        while let Some(rows) = receive.recv().await {
            take(rows)?;
        }
        reading.await.map_err(|error| EngineError::internal("the reading of files ended early").with_detail(error))?
    }
}

/// Until the end, or until nobody takes what is read.
fn read(table: &TableRef, columns: &[usize], context: &ConnectorContext, send: &Sender<RecordBatch>) -> Result<()> {
    let source = FileSource::new(table, columns, context)?;
    let starts = source.splits()?.into_iter().map(|split| SplitStart { split, position: None }).collect();
    let mut reader = source.reader(starts)?;
    loop {
        match reader.next(WAIT)? {
            SourceEvent::Batch { batch, .. } => {
                if send.blocking_send(batch.rows).is_err() {
                    return Ok(());
                }
            }
            SourceEvent::Idle | SourceEvent::SplitEnd { .. } => {}
            SourceEvent::End => return Ok(()),
        }
    }
}

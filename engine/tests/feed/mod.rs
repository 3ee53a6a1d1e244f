//! A source without an end that a function of the test feeds, and what a run of it needs.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use millrace_engine::catalog::TableRef;
use millrace_engine::change::ChangeBatch;
use millrace_engine::connector::{Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use millrace_engine::error::Result;
use millrace_engine::runtime::{RunCommitters, RunOptions};

/// What comes next, called by a reader again and again.
pub(crate) type Next = Box<dyn FnMut(Duration) -> Result<SourceEvent> + Send>;

pub(crate) struct Feed {
    schema: SchemaRef,
    splits: &'static [&'static str],
    start: Box<dyn Fn(&SchemaRef) -> Next + Send + Sync>,
}

impl Feed {
    /// `start` gives each reader its function; batches have the given columns of the table.
    pub(crate) fn new(
        table: &TableRef,
        columns: &[usize],
        splits: &'static [&'static str],
        start: impl Fn(&SchemaRef) -> Next + Send + Sync + 'static,
    ) -> Self {
        let read = table.read_columns();
        let wanted: Vec<usize> = columns.iter().map(|column| read[*column]).collect();
        Feed { schema: table.schema_of(&wanted).to_arrow(), splits, start: Box::new(start) }
    }
}

/// Rows of a number and a time.
pub(crate) fn timed_rows(split: &str, schema: &SchemaRef, rows: &[(i64, i64)]) -> Result<SourceEvent> {
    let (values, times): (Vec<i64>, Vec<i64>) = rows.iter().copied().unzip();
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(values)), Arc::new(TimestampMillisecondArray::from(times))];
    let batch = ChangeBatch::inserts(RecordBatch::try_new(Arc::clone(schema), columns)?);
    Ok(SourceEvent::Batch { split: split.into(), batch, bytes: 1 })
}

pub(crate) fn options(run: &str, batch_rows: usize) -> RunOptions {
    RunOptions {
        store: None,
        run: run.to_owned(),
        kept: 1,
        committers: Arc::new(RunCommitters::default()),
        restored: None,
        next_checkpoint: 1,
        batch_rows,
        state: millrace_engine::state::StateOptions::default(),
    }
}

impl Source for Feed {
    fn bounded(&self) -> bool {
        false
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn changelog(&self) -> bool {
        false
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(self.splits.iter().map(|split| (*split).into()).collect())
    }

    fn reader(&self, _splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader((self.start)(&self.schema))))
    }
}

struct Reader(Next);

impl SourceReader for Reader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        (self.0)(wait)
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        Vec::new()
    }

    fn add_splits(&mut self, _splits: Vec<SplitStart>) -> Result<()> {
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        Vec::new()
    }

    fn bad_records(&self) -> u64 {
        0
    }
}

//! A sink whose rows are kept and written to an object of the run's own.

use millrace_wire::graph::Guarantee;

use super::capture::{CaptureSink, Changes};
use super::targets::of_sink;
use crate::change::ChangeBatch;
use crate::connector::{Accepts, Sink, SinkWriter};
use crate::error::Result;

pub(super) struct WrittenSink {
    capture: CaptureSink,
    target: Box<dyn Sink>,
    table: String,
}

impl WrittenSink {
    pub(super) fn new(capture: CaptureSink, target: Box<dyn Sink>, table: &str) -> Self {
        WrittenSink { capture, target, table: table.to_owned() }
    }
}

impl Sink for WrittenSink {
    fn accepts(&self) -> Accepts {
        self.capture.accepts()
    }

    fn guarantee(&self) -> Guarantee {
        self.capture.guarantee()
    }

    fn writer(&self, task: usize, tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        let (index, changes) = self.capture.parts();
        let target = self.target.writer(task, tasks, Vec::new()).map_err(|error| of_sink(&self.table, error))?;
        Ok(Box::new(WrittenWriter { index, changes, target, table: self.table.clone() }))
    }
}

struct WrittenWriter {
    index: usize,
    changes: Changes,
    target: Box<dyn SinkWriter>,
    table: String,
}

impl WrittenWriter {
    fn told<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| of_sink(&self.table, error))
    }
}

impl SinkWriter for WrittenWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        let kept = (self.changes)(self.index, batch)?.min(batch.len());
        if kept == 0 {
            return Ok(());
        }
        let written =
            if kept == batch.len() { self.target.write(batch) } else { self.target.write(&batch.slice(0, kept)) };
        self.told(written)
    }

    fn poll(&mut self) -> Result<()> {
        let polled = self.target.poll();
        self.told(polled)
    }

    fn watermark(&mut self, watermark: i64) -> Result<()> {
        self.target.watermark(watermark)
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        let prepared = self.target.prepare(checkpoint);
        self.told(prepared)
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        let committed = self.target.commit(checkpoint);
        self.told(committed)
    }

    fn close(&mut self) -> Result<()> {
        let closed = self.target.close();
        self.told(closed)
    }
}

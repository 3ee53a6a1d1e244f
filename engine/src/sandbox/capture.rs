//! What stands in the place of a sink.

use std::sync::Arc;

use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use crate::change::ChangeBatch;
use crate::connector::{Accepts, Sink, SinkWriter};
use crate::error::Result;

/// Gets every batch with the index of its sink, on the thread of the sink's task, and tells how many of its first rows
/// are kept. An error ends the run.
pub type Changes = Arc<dyn Fn(usize, &ChangeBatch) -> Result<usize> + Send + Sync>;

/// Takes the row kinds that the real sink would take, so that the plan above it is the same.
pub struct CaptureSink {
    index: usize,
    accepts: Accepts,
    changes: Changes,
}

impl CaptureSink {
    pub(super) fn new(index: usize, accepts: Accepts, changes: Changes) -> Self {
        CaptureSink { index, accepts, changes }
    }

    /// For whoever writes the kept rows elsewhere too.
    pub(super) fn parts(&self) -> (usize, Changes) {
        (self.index, Arc::clone(&self.changes))
    }
}

impl Sink for CaptureSink {
    fn accepts(&self) -> Accepts {
        self.accepts
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: "Rows stay in the sandbox.".to_owned() }
    }

    fn writer(&self, _task: usize, _tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(CaptureWriter { index: self.index, changes: Arc::clone(&self.changes) }))
    }
}

struct CaptureWriter {
    index: usize,
    changes: Changes,
}

impl SinkWriter for CaptureWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        (self.changes)(self.index, batch).map(drop)
    }
}

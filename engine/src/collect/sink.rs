//! A sink that hands its rows to whoever asked.

use std::sync::Arc;

use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use crate::change::ChangeBatch;
use crate::connector::{Accepts, Sink, SinkWriter};
use crate::error::Result;

/// Gets every batch of the result, on the thread of the sink's task. An error ends the run.
pub type RowReceiver = Arc<dyn Fn(&ChangeBatch) -> Result<()> + Send + Sync>;

pub struct CollectSink {
    receive: RowReceiver,
}

impl CollectSink {
    pub fn new(receive: impl Fn(&ChangeBatch) -> Result<()> + Send + Sync + 'static) -> Self {
        CollectSink { receive: Arc::new(receive) }
    }
}

impl Sink for CollectSink {
    fn accepts(&self) -> Accepts {
        Accepts::Retract
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: "Rows go to whoever asked.".to_owned() }
    }

    fn writer(&self, _task: usize, _tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(CollectWriter { receive: Arc::clone(&self.receive) }))
    }
}

struct CollectWriter {
    receive: RowReceiver,
}

impl SinkWriter for CollectWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        (self.receive)(batch)
    }
}

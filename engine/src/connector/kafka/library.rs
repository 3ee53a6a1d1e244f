//! Records by way of the client library.
//!
//! All partitions are forwarded to one queue, which is drained in batches; messages are put in order of their partition.
//! Memory is bounded by the client's own prefetch limits and one drained batch.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;

use super::super::SplitId;
use super::client::{Consumer, failed};
use super::feed::{Details, Given, HeaderVisit, Message, Position, Take, Waited};
use super::native::{MessageQueue, NativeMessage, cached_end};
use super::offset::{self, Partition};
use crate::error::Result;

/// Messages taken from the client at once.
const DRAIN: usize = 8192;

pub(super) struct Library {
    // Messages die before the queue, the queue before the consumer.
    messages: VecDeque<NativeMessage>,
    drained: Vec<NativeMessage>,
    queue: MessageQueue,
    consumer: Arc<Consumer>,
}

impl Library {
    pub(super) fn new(consumer: &Arc<Consumer>) -> Result<Self> {
        Ok(Library {
            messages: VecDeque::new(),
            drained: Vec::new(),
            queue: MessageQueue::new(Arc::clone(consumer))?,
            consumer: Arc::clone(consumer),
        })
    }

    /// Messages that wait here stay: those fetched once more are told by their offsets.
    pub(super) fn assign(&mut self, positions: &[Position]) -> Result<()> {
        for position in positions {
            self.queue.forward(&position.partition.topic, position.partition.number)?;
        }
        let list = offset::offset_list(positions.iter().map(|position| (&position.partition, position.next)))?;
        self.consumer.assign(&list).map_err(|error| failed("The partitions cannot be read.", &error))
    }

    pub(super) fn wait(&mut self, wait: Duration) -> Waited {
        self.queue.drain(wait, DRAIN, &mut self.drained);
        if self.drained.is_empty() {
            return Waited::Nothing;
        }
        // Stable, so that the order within a partition stays. Names are compared only where topics differ.
        self.drained.sort_by(|left, right| {
            let topics = match left.topic_object() == right.topic_object() {
                true => Ordering::Equal,
                false => left.topic().cmp(right.topic()),
            };
            topics.then(left.partition().cmp(&right.partition()))
        });
        self.messages.extend(self.drained.drain(..));
        Waited::Something
    }

    pub(super) fn front(&self) -> Option<SplitId> {
        let first = self.messages.front()?;
        Some(SplitId::from(format!("{}/{}", first.topic(), first.partition())))
    }

    pub(super) fn give(&mut self, take: &mut dyn FnMut(Given<'_>) -> Result<Take>) -> Result<()> {
        let Some(first) = self.messages.front() else { return Ok(()) };
        let (partition, topic_object, topic) = (first.partition(), first.topic_object(), first.topic().to_owned());
        let same = |message: &NativeMessage| {
            message.partition() == partition && (message.topic_object() == topic_object || message.topic() == topic)
        };
        let mut last = None;
        while let Some(message) = self.messages.pop_front_if(|message| same(message)) {
            let taken = match message.error() {
                Some(code) => take(Given::Failed(code))?,
                None => take(Given::Record(Message {
                    offset: message.offset(),
                    key: message.key(),
                    value: message.value(),
                    details: &message,
                }))?,
            };
            last = Some(message);
            if taken == Take::Enough {
                break;
            }
        }
        if let Some(last) = last.filter(|last| last.error().is_none()) {
            take(Given::Newest(last.timestamp().0))?;
        }
        Ok(())
    }

    pub(super) fn high_watermark(&self, partition: &Partition) -> Option<i64> {
        cached_end(&self.consumer, &partition.topic, partition.number)
    }
}

impl Details for NativeMessage {
    fn timestamp(&self) -> (i64, &'static str) {
        NativeMessage::timestamp(self)
    }

    fn each_header(&self, visit: HeaderVisit<'_>) {
        NativeMessage::each_header(self, visit);
    }

    /// The library does not tell.
    fn leader_epoch(&self) -> Option<i32> {
        None
    }
}

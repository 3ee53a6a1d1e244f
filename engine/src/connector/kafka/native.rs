//! The few calls of librdkafka that its Rust wrapper does not offer: draining a queue in batches, cached watermarks.
//!
//! All `unsafe` of the connector is here. What must hold: a queue and its messages die before the client they belong to,
//! which the `Arc` in both guarantees; a message is destroyed once, by its `Drop`.

use std::ffi::{CStr, CString};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::client::Consumer;
use crate::error::{EngineError, Result};

/// A queue that several partitions are forwarded to.
pub(super) struct MessageQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    consumer: Arc<Consumer>,
    /// Room for pointers, kept between calls.
    raw: Vec<*mut sys::rd_kafka_message_t>,
}

// SAFETY: librdkafka's queues and messages may be used from any thread, and only one uses them at a time here.
unsafe impl Send for MessageQueue {}

/// A consumed message, or an error of a partition.
pub(super) struct NativeMessage {
    message: NonNull<sys::rd_kafka_message_t>,
    /// Keeps the client alive for as long as the message.
    _consumer: Arc<Consumer>,
}

// SAFETY: as for the queue.
unsafe impl Send for NativeMessage {}

impl MessageQueue {
    pub(super) fn new(consumer: Arc<Consumer>) -> Result<Self> {
        // SAFETY: the client is alive; the queue is destroyed in `drop`.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue =
            NonNull::new(queue).ok_or_else(|| EngineError::internal("a queue of the Kafka client cannot be made"))?;
        Ok(MessageQueue { queue, consumer, raw: Vec::new() })
    }

    /// Sends a partition's messages here. To be called before the partition is assigned, so that none goes elsewhere.
    pub(super) fn forward(&self, topic: &str, partition: i32) -> Result<()> {
        let name =
            CString::new(topic).map_err(|_| EngineError::user("bad_option", "A topic's name holds a zero byte."))?;
        // SAFETY: all pointers are valid; the partition's queue is only borrowed and given back at once.
        unsafe {
            let source =
                sys::rd_kafka_queue_get_partition(self.consumer.client().native_ptr(), name.as_ptr(), partition);
            if source.is_null() {
                return Err(EngineError::internal(format!("partition {topic}/{partition} has no queue")));
            }
            sys::rd_kafka_queue_forward(source, self.queue.as_ptr());
            sys::rd_kafka_queue_destroy(source);
        }
        Ok(())
    }

    /// Appends up to `limit` messages; waits up to `wait` for the first one.
    pub(super) fn drain(&mut self, wait: Duration, limit: usize, out: &mut Vec<NativeMessage>) {
        if self.take(Duration::ZERO, limit, out) == 0 && !wait.is_zero() && self.take(wait, 1, out) > 0 {
            self.take(Duration::ZERO, limit.saturating_sub(1), out);
        }
    }

    fn take(&mut self, wait: Duration, limit: usize, out: &mut Vec<NativeMessage>) -> usize {
        self.raw.resize(limit, null_mut());
        let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `raw` has room for `limit` pointers; each one returned is owned by us from now on.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), millis, self.raw.as_mut_ptr(), limit) };
        let count = usize::try_from(count).unwrap_or(0);
        let taken = self.raw.iter().take(count).filter_map(|message| NonNull::new(*message));
        out.extend(taken.map(|message| NativeMessage { message, _consumer: Arc::clone(&self.consumer) }));
        count
    }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new`, destroyed once.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

impl NativeMessage {
    fn raw(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the message is alive until `drop`.
        unsafe { self.message.as_ref() }
    }

    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = self.raw().err;
        (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| RDKafkaErrorCode::from(code))
    }

    pub(super) fn topic(&self) -> &str {
        let topic = self.raw().rkt;
        if topic.is_null() {
            return "";
        }
        // SAFETY: the name lives as long as the topic object, which the message holds.
        unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(topic)) }.to_str().unwrap_or_default()
    }

    /// The client's object for the topic, as a number: the same number is the same topic, at no cost. That a topic has
    /// one object only is not promised.
    pub(super) fn topic_object(&self) -> usize {
        self.raw().rkt.addr()
    }

    pub(super) fn partition(&self) -> i32 {
        self.raw().partition
    }

    pub(super) fn offset(&self) -> i64 {
        self.raw().offset
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        let raw = self.raw();
        // SAFETY: pointer and length describe the payload, which lives as long as the message.
        (!raw.payload.is_null()).then(|| unsafe { std::slice::from_raw_parts(raw.payload.cast::<u8>(), raw.len) })
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        let raw = self.raw();
        // SAFETY: as for the payload.
        (!raw.key.is_null()).then(|| unsafe { std::slice::from_raw_parts(raw.key.cast::<u8>(), raw.key_len) })
    }

    /// Milliseconds, and Flink's name of its kind.
    pub(super) fn timestamp(&self) -> (i64, &'static str) {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive and `kind` is a valid place for the answer.
        let at = unsafe { sys::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        match kind {
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => (at, "CreateTime"),
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => (at, "LogAppendTime"),
            sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => (at, "NoTimestampType"),
        }
    }

    /// Calls `visit` with name and value of each header.
    pub(super) fn each_header(&self, mut visit: impl FnMut(&[u8], Option<&[u8]>)) {
        let mut headers = null_mut();
        // SAFETY: the message is alive; headers stay its property.
        let code = unsafe { sys::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || headers.is_null() {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
            // SAFETY: an index beyond the last one is answered with an error and leaves the places alone.
            let code =
                unsafe { sys::rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut size) };
            if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
                return;
            }
            // SAFETY: both live as long as the headers; the name ends with a zero byte.
            let (name, value) = unsafe {
                let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
                (CStr::from_ptr(name), value)
            };
            visit(name.to_bytes(), value);
        }
    }
}

impl Drop for NativeMessage {
    fn drop(&mut self) {
        // SAFETY: owned by us, destroyed once.
        unsafe { sys::rd_kafka_message_destroy(self.message.as_ptr()) }
    }
}

/// End of a partition as the last fetch told it, without asking the broker.
pub(super) fn cached_end(consumer: &Consumer, topic: &str, partition: i32) -> Option<i64> {
    let name = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: all pointers are valid for the call.
    let code = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            name.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

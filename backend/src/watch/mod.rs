//! The platform watches itself: log lines and figures of jobs, and the server's own log, also go to Kafka topics, so
//! that jobs can be written over them.
//!
//! Each team has two topics of its own, `millrace.logs.<team>` and `millrace.metrics.<team>`: what a team may read is
//! decided by where a line is written, not by a filter that a reader could leave out (docs/adr). The server's own lines
//! and figures belong to no team and go to `millrace.server.logs` and `millrace.server.metrics`.
//!
//! Promises: whoever logs never waits for a broker; the queue is bounded; what does not fit, or is not taken by the
//! broker in time, is counted and lost here (the log files of runs keep every line).

mod own_usage;
mod row;
pub mod server_log;
pub mod tables;
pub mod topics;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::JobFigures;
use millrace_wire::log::LogLine;
use parking_lot::RwLock;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};

use crate::clock::now_ms;
use crate::error::{Error, Result};
pub use own_usage::OwnUsage;

const QUEUE_MESSAGES: &str = "20000";
const QUEUE_KBYTES: &str = "8192";
const GIVE_UP_MS: &str = "15000";

/// Cheap to clone; does nothing until it is connected.
#[derive(Clone, Default)]
pub struct Mirror {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    producer: RwLock<Option<ThreadedProducer<Counting>>>,
    counters: Arc<Counters>,
    /// Restricted jobs: the team's topics are open to every member, so nothing of theirs goes there.
    left_out: RwLock<HashSet<JobId>>,
}

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    lost: AtomicU64,
}

/// Lines handed to the broker's client, and lines lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorCounts {
    pub sent: u64,
    pub lost: u64,
}

struct Counting {
    counters: Arc<Counters>,
}

impl ClientContext for Counting {
    // What goes wrong here must not be logged through here again; it shows in the counters.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: rdkafka::error::KafkaError, _: &str) {}
}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Mirror {
    /// `options`: what a client of the server's broker needs, `bootstrap.servers` first of all.
    pub fn connect<'a>(&self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
        let mut config = ClientConfig::new();
        for (name, value) in options {
            config.set(name, value);
        }
        config
            .set("queue.buffering.max.messages", QUEUE_MESSAGES)
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES)
            .set("message.timeout.ms", GIVE_UP_MS)
            .set("linger.ms", "100")
            .set("compression.type", "none")
            .set_log_level(RDKafkaLogLevel::Emerg);
        let context = Counting { counters: self.inner.counters.clone() };
        let producer = config.create_with_context(context).map_err(Error::internal)?;
        *self.inner.producer.write() = Some(producer);
        Ok(())
    }

    /// From now on nothing of the job is sent.
    pub fn leave_out(&self, job: JobId) {
        self.inner.left_out.write().insert(job);
    }

    /// As it is stored, whichever server changed it.
    pub fn leave_out_only(&self, jobs: impl IntoIterator<Item = JobId>) {
        *self.inner.left_out.write() = jobs.into_iter().collect();
    }

    pub fn show(&self, job: JobId) {
        self.inner.left_out.write().remove(&job);
    }

    fn is_left_out(&self, job: JobId) -> bool {
        self.inner.left_out.read().contains(&job)
    }

    pub fn log(&self, line: &LogLine) {
        if line.job.is_some_and(|job| self.is_left_out(job)) {
            return;
        }
        if line.team.is_empty() {
            self.send(topics::SERVER_LOGS, &row::log(line));
        } else {
            self.send(&topics::logs(&line.team), &row::log(line));
        }
    }

    /// One row per figure that is known.
    pub fn figures(&self, team: &str, job: JobId, job_name: &str, run: RunId, figures: &JobFigures) {
        if team.is_empty() || !self.is_connected() || self.is_left_out(job) {
            return;
        }
        let topic = topics::metrics(team);
        for row in row::figures(team, job, job_name, run, figures) {
            self.send(&topic, &row);
        }
    }

    /// Memory and processor use of this very process since the last call.
    pub fn own_figures(&self, usage: &mut OwnUsage) {
        let (now, read) = (now_ms(), usage.read());
        for (name, value) in read {
            self.send(topics::SERVER_METRICS, &row::own(now, name, value));
        }
        let counts = self.counts();
        self.send(topics::SERVER_METRICS, &row::own(now, "mirror_lines_lost", counts.lost as f64));
    }

    pub fn is_connected(&self) -> bool {
        self.inner.producer.read().is_some()
    }

    pub fn counts(&self) -> MirrorCounts {
        let counters = &self.inner.counters;
        MirrorCounts { sent: counters.sent.load(Ordering::Relaxed), lost: counters.lost.load(Ordering::Relaxed) }
    }

    fn send(&self, topic: &str, row: &serde_json::Value) {
        let producer = self.inner.producer.read();
        let Some(producer) = producer.as_ref() else { return };
        let payload = row.to_string();
        let counters = &self.inner.counters;
        match producer.send(BaseRecord::<(), _>::to(topic).payload(&payload)) {
            Ok(()) => counters.sent.fetch_add(1, Ordering::Relaxed),
            Err(_) => counters.lost.fetch_add(1, Ordering::Relaxed),
        };
    }
}

//! Requests under way: so many at a time, each with a deadline, and made again when they fail.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arrow::array::RecordBatch;
use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::task::JoinSet;

use super::LookupSettings;
use crate::connector::{Found, Lookup, OpenLookup};
use crate::error::{EngineError, Result};

/// Before the first of the repeated requests; the next ones wait longer.
const BACK_OFF: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Request {
    pub(super) piece: u64,
    /// Keys of the piece.
    pub(super) places: Vec<u32>,
    pub(super) keys: RecordBatch,
    /// How often these keys were found to have no rows.
    pub(super) attempt: u32,
    pub(super) delay: Duration,
}

pub(super) struct Requests {
    open: OpenLookup,
    capacity: usize,
    timeout: Duration,
    max_retries: u32,
    queue: VecDeque<Request>,
    /// Dropped with the operator, which ends what is under way.
    running: JoinSet<()>,
    under_way: usize,
    made: u64,
    retries: Arc<AtomicU64>,
    into: Sender<(Request, Result<Found>)>,
    from: Receiver<(Request, Result<Found>)>,
}

impl Requests {
    pub(super) fn new(open: &OpenLookup, settings: &LookupSettings) -> Self {
        let (into, from) = unbounded();
        Requests {
            open: open.clone(),
            capacity: if settings.hint.asynchronous { settings.hint.capacity.max(1) } else { 1 },
            timeout: settings.hint.timeout,
            max_retries: settings.max_retries,
            queue: VecDeque::new(),
            running: JoinSet::new(),
            under_way: 0,
            made: 0,
            retries: Arc::default(),
            into,
            from,
        }
    }

    pub(super) fn ask(&mut self, request: Request) {
        self.queue.push_back(request);
        self.start();
    }

    /// The next answer that came; waits for one when any is on its way.
    pub(super) fn answered(&mut self, wait: Duration) -> Option<(Request, Result<Found>)> {
        let answered = if wait.is_zero() { self.from.try_recv().ok() } else { self.from.recv_timeout(wait).ok() }?;
        self.under_way -= 1;
        while self.running.try_join_next().is_some() {}
        self.start();
        Some(answered)
    }

    /// Nothing is asked for.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0 && self.queue.is_empty()
    }

    pub(super) const fn made(&self) -> u64 {
        self.made
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    fn start(&mut self) {
        while self.under_way < self.capacity
            && let Some(request) = self.queue.pop_front()
        {
            self.under_way += 1;
            self.made += 1;
            let (lookup, into) = (Arc::clone(&self.open.lookup), self.into.clone());
            let (timeout, max_retries, retries) = (self.timeout, self.max_retries, Arc::clone(&self.retries));
            let work = async move {
                tokio::time::sleep(request.delay).await;
                let found = find(lookup.as_ref(), &request.keys, max_retries, &retries);
                let result = tokio::time::timeout(timeout, found).await.unwrap_or_else(|_| Err(too_late(timeout)));
                // The operator may be gone.
                let _ = into.send((request, result));
            };
            self.running.spawn_on(work, &self.open.runtime);
        }
    }
}

fn too_late(timeout: Duration) -> EngineError {
    EngineError::external("lookup_timeout", format!("A lookup was not answered within {} ms.", timeout.as_millis()))
}

async fn find(lookup: &dyn Lookup, keys: &RecordBatch, max_retries: u32, retries: &AtomicU64) -> Result<Found> {
    let mut attempt = 0;
    loop {
        match lookup.find(keys.clone()).await {
            Err(error) if error.retry && attempt < max_retries => {
                attempt += 1;
                retries.fetch_add(1, Relaxed);
                tracing::warn!(reason = %error, attempt, "a lookup failed and is made again");
                tokio::time::sleep(BACK_OFF * attempt).await;
            }
            result => {
                let found = result?;
                let rows = found.rows.num_rows();
                let right =
                    found.key_of.len() == rows && found.key_of.iter().all(|key| (*key as usize) < keys.num_rows());
                return if right {
                    Ok(found)
                } else {
                    Err(EngineError::internal("a lookup answers what was not asked"))
                };
            }
        }
    }
}

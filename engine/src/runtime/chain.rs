//! Operators that call each other directly.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::event::Barrier;
use super::exchange::Exchange;
use super::inbox::{Inbox, Message, batch_bytes};
use super::metrics::NodeMetrics;
use crate::change::ChangeBatch;
use crate::checkpoint::Part;
use crate::error::Result;
use crate::operator::{Operator, Output};

/// An operator with everything behind it in the same task.
pub(super) struct Link {
    pub(super) id: Arc<str>,
    pub(super) operator: Box<dyn Operator>,
    pub(super) next: Fan,
    pub(super) metrics: Arc<NodeMetrics>,
}

/// Where the rows of an operator go: all of these get all rows.
pub(super) struct Fan {
    pub(super) outlets: Vec<Outlet>,
    /// Time spent in what lies behind, and how much of it was waiting for room.
    behind: Duration,
    waited: Duration,
    rows: u64,
    bytes: u64,
    /// Hands rows on one by one, so that changelogs can be compared row by row.
    single: bool,
    /// Of the task, which knows whether the run is over.
    inbox: Arc<Inbox>,
}

pub(super) enum Outlet {
    Link(Box<Link>),
    Exchange(Exchange),
}

impl Fan {
    pub(super) fn new(outlets: Vec<Outlet>, batch_rows: usize, inbox: Arc<Inbox>) -> Self {
        let (behind, waited) = (Duration::ZERO, Duration::ZERO);
        Fan { outlets, behind, waited, rows: 0, bytes: 0, single: batch_rows == 1, inbox }
    }

    pub(super) fn watermark(&mut self, watermark: i64) -> Result<()> {
        self.each(|outlet| match outlet {
            Outlet::Link(link) => link.watermark(watermark),
            Outlet::Exchange(exchange) => exchange.all(|| Message::Watermark(watermark)),
        })
    }

    pub(super) fn idle_input(&mut self) -> Result<()> {
        self.each(|outlet| match outlet {
            Outlet::Link(link) => link.idle_input(),
            Outlet::Exchange(exchange) => exchange.all(|| Message::Idle),
        })
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.each(|outlet| match outlet {
            Outlet::Link(link) => link.end(),
            Outlet::Exchange(exchange) => exchange.all(|| Message::End),
        })
    }

    /// Snapshots in order, each before the barrier goes on. `send` is false when this task's outputs have ended.
    pub(super) fn barrier(
        &mut self,
        barrier: Barrier,
        send: SendBarrier,
        task: usize,
        parts: &mut Vec<Part>,
    ) -> Result<()> {
        self.each(|outlet| match outlet {
            Outlet::Link(link) => link.barrier(barrier, send, task, parts),
            Outlet::Exchange(exchange) if send == SendBarrier::Yes => exchange.all(|| Message::Barrier(barrier)),
            Outlet::Exchange(_) => Ok(()),
        })
    }

    pub(super) fn commit(&mut self, checkpoint: u64) -> Result<()> {
        self.each_link(&mut |link| link.operator.commit(checkpoint))
    }

    pub(super) fn close(&mut self) -> Result<()> {
        self.each_link(&mut |link| link.operator.close())
    }

    /// Nothing waits: flush what is held back for batching, and report sizes.
    pub(super) fn quiet(&mut self) -> Result<()> {
        self.each_link(&mut |link| {
            link.report_size();
            link.operator.idle()?;
            link.tick()
        })
    }

    pub(super) fn expire(&mut self, now_ms: i64) -> Result<()> {
        self.each_link(&mut |link| {
            link.operator.expire(now_ms);
            link.operator.sweep()?;
            link.report_size();
            Ok(())
        })
    }

    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes))
    }

    pub(super) fn take_times(&mut self) -> (Duration, Duration) {
        (std::mem::take(&mut self.behind), std::mem::take(&mut self.waited))
    }

    fn each_link(&mut self, each: &mut impl FnMut(&mut Link) -> Result<()>) -> Result<()> {
        for outlet in &mut self.outlets {
            if let Outlet::Link(link) = outlet {
                each(link).map_err(|error| error.in_operator(&link.id))?;
                link.next.each_link(each)?;
            }
        }
        Ok(())
    }

    fn each(&mut self, mut each: impl FnMut(&mut Outlet) -> Result<()>) -> Result<()> {
        let since = Instant::now();
        for outlet in &mut self.outlets {
            each(outlet)?;
            if let Outlet::Exchange(exchange) = outlet {
                self.waited += exchange.take_waited();
            }
        }
        self.behind += since.elapsed();
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendBarrier {
    Yes,
    /// The end was sent already; who reads from here has counted it.
    No,
}

impl Output for Fan {
    fn watermark(&mut self, watermark: i64) -> Result<()> {
        Fan::watermark(self, watermark)
    }

    fn idle_input(&mut self) -> Result<()> {
        Fan::idle_input(self)
    }

    fn cancelled(&self) -> bool {
        self.inbox.is_cancelled()
    }

    fn emit(&mut self, batch: ChangeBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.single && batch.len() > 1 {
            return (0..batch.len()).try_for_each(|row| self.emit(batch.row(row)));
        }
        self.rows += batch.len() as u64;
        self.bytes += batch_bytes(&batch) as u64;
        let mut batch = Some(batch);
        let mut left = self.outlets.len();
        self.each(|outlet| {
            left -= 1;
            let rows = if left == 0 { batch.take() } else { batch.clone() };
            let Some(rows) = rows else { return Ok(()) };
            match outlet {
                Outlet::Link(link) => link.process(0, rows),
                Outlet::Exchange(exchange) => exchange.rows(rows),
            }
        })
    }
}

impl Link {
    pub(super) fn process(&mut self, input: usize, batch: ChangeBatch) -> Result<()> {
        self.metrics.records_in.fetch_add(batch.len() as u64, Relaxed);
        self.metrics.bytes_in.fetch_add(batch_bytes(&batch) as u64, Relaxed);
        self.timed(|operator, out| operator.process(input, batch, out))?;
        self.tick()
    }

    /// Passes on what the clock says, where the operator goes by it.
    fn tick(&mut self) -> Result<()> {
        let Some(watermark) = self.operator.clock() else { return Ok(()) };
        self.next.watermark(watermark)?;
        self.next.take_times();
        Ok(())
    }

    pub(super) fn watermark(&mut self, watermark: i64) -> Result<()> {
        self.metrics.watermark.store(watermark, Relaxed);
        self.timed(|operator, out| operator.watermark(watermark, out))?;
        if self.operator.passes_time() {
            self.next.watermark(self.operator.passes(watermark))?;
        }
        self.next.take_times();
        Ok(())
    }

    pub(super) fn idle_input(&mut self) -> Result<()> {
        if self.operator.passes_time() {
            return self.next.idle_input();
        }
        self.timed(|operator, out| operator.idle_input(out))
    }

    /// Gives what has been answered from outside. Tells whether more is awaited.
    pub(super) fn poll(&mut self) -> Result<bool> {
        if self.operator.waits() {
            self.timed(|operator, out| operator.poll(out))?;
        }
        Ok(self.operator.waits())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.timed(|operator, out| operator.end(out))?;
        self.report_size();
        self.next.end()
    }

    pub(super) fn barrier(
        &mut self,
        barrier: Barrier,
        send: SendBarrier,
        task: usize,
        parts: &mut Vec<Part>,
    ) -> Result<()> {
        let named = |error: crate::error::EngineError| error.in_operator(&self.id);
        let state = self.operator.snapshot().map_err(named)?;
        let sink = self.operator.prepare(barrier.checkpoint).map_err(named)?;
        if state.is_some() || sink.is_some() {
            let segments = self.operator.segments();
            parts.push(Part { node: Arc::clone(&self.id), task, state, segments, sink, source: None });
        }
        self.next.barrier(barrier, send, task, parts)
    }

    pub(super) fn quiet(&mut self) -> Result<()> {
        self.report_size();
        self.operator.idle().map_err(|error| error.in_operator(&self.id))?;
        self.tick()?;
        self.next.quiet()
    }

    pub(super) fn expire_all(&mut self, now_ms: i64) -> Result<()> {
        self.operator.expire(now_ms);
        self.operator.sweep().map_err(|error| error.in_operator(&self.id))?;
        self.report_size();
        self.next.expire(now_ms)
    }

    /// Runs the operator and books its own time, without what lies behind it.
    fn timed(&mut self, run: impl FnOnce(&mut dyn Operator, &mut Fan) -> Result<()>) -> Result<()> {
        let since = Instant::now();
        let result = run(self.operator.as_mut(), &mut self.next);
        let total = since.elapsed();
        let (behind, waited) = self.next.take_times();
        let (rows, bytes) = self.next.take_counts();
        let stood = self.operator.take_waited();
        self.metrics.busy(total.saturating_sub(behind).saturating_sub(stood));
        self.metrics.blocked(waited);
        self.metrics.records_out.fetch_add(rows, Relaxed);
        self.metrics.bytes_out.fetch_add(bytes, Relaxed);
        result.map_err(|error| error.in_operator(&self.id))
    }

    fn report_size(&self) {
        let size = self.operator.size();
        self.metrics.state_rows.store(size.rows, Relaxed);
        self.metrics.state_bytes.store(size.bytes, Relaxed);
        self.metrics.late.store(self.operator.late(), Relaxed);
        if let Some(figures) = self.operator.lookup_figures() {
            *self.metrics.lookup.lock() = Some(figures);
        }
    }
}

//! A dataflow that runs.
//!
//! ```text
//! coordinator ──control──▶ tasks (one thread each) ──events──▶ coordinator
//!   source task ─▶ inbox (bounded by rows and bytes) ─▶ task ─▶ … ─▶ sink task
//! ```
//!
//! A task is one subtask of a chain: operators of a chain call each other directly. Between tasks stand [`inbox`]es, one
//! queue per sender. Watermarks, barriers and the end travel in the queues with the rows. Barriers are aligned: a queue
//! that has delivered its barrier waits for the others. The [`coordinator`] decides when checkpoints happen, makes them
//! durable, commits them, and tells the tasks; its order is the one of `docs/adr` on commits.
//!
//! The same tasks run on threads ([`threads`]) or one after the other on the caller's thread ([`inline`]), where every
//! row is worked through before the next one is read.

mod chain;
#[cfg(test)]
mod clock_tests;
mod construct;
mod coordinator;
mod event;
mod exchange;
mod inbox;
pub mod inline;
mod layout;
#[cfg(test)]
mod lookup_tests;
mod metrics;
mod process;
mod run;
mod source_head;
mod splits;
mod takeover;
mod task;
mod threads;
mod values;

pub use crate::connector::committers::RunCommitters;
pub use crate::plan::dataflow::ConnectorEndpoints;
pub use coordinator::{Outcome, StopRequest};
pub use event::RunEvent;
pub use metrics::{Figures, MetricsHub, OperatorFigures, SourceFigures};
pub use process::{ProcessFigures, process_figures, process_start};
pub use run::{Run, RunHandle, RunOptions, node_entries};
pub use takeover::Takeover;

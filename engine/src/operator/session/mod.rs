//! Windows that end when a key is silent for as long as the gap.
//!
//! Every row opens `[time, time + gap]` of its key; windows that meet are one session. A row is late when the session it
//! would be in ended before the watermark: it still joins an open one, and extends its start backwards. Two operators
//! share the book of sessions: one aggregates each, the other gives its rows with the session's bounds.

mod aggregate;
mod assign;
mod book;
#[cfg(test)]
mod tests;

pub use aggregate::{SessionAggregate, SessionAggregateSpec};
pub use assign::{SessionAssign, SessionAssignSpec};

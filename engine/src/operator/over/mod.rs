//! OVER: what is computed of the rows around each row.
//!
//! Two operators. Over a stream in the order of event time, rows wait for the watermark and are worked through once
//! ([`OverAggregate`]). Everything else keeps the rows of each partition in order and computes their results anew when
//! one changes, or once at the end of bounded input ([`OverTable`]).

mod frames;
mod kept;
mod running;
mod sliding;
mod table;
#[cfg(test)]
mod tests;
mod timed;
mod whole;

pub use table::{OverTable, OverTableSpec};
pub use timed::{OverAggregate, OverAggregateSpec};

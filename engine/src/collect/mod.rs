//! Rows for people: the result of a bare SELECT, as values in JSON.

mod notation;
mod sink;

pub use notation::{RowWriter, column_type};
pub use sink::{CollectSink, RowReceiver};

//! A worker process and its link to the server.
//!
//! The worker opens a WebSocket to the server and keeps it open for ever: a lost link is opened again with growing
//! pauses, and the run goes on meanwhile. Reports are numbered and kept until the server has stored them; after a lost
//! link they are sent again. Each acknowledgement renews the lease. Without a valid lease the worker goes on for
//! a grace period, then stops itself, so that a worker that nobody can reach does not write for ever.

mod choose;
mod connection;
pub(crate) mod diagnostic;
mod execute;
mod figures;
mod identity;
mod lease;
mod log_layer;
mod outbox;
mod plan_assignment;
pub mod preview;
mod said;
mod servers;
pub mod test_run;
pub mod worker;

pub use identity::Identity;
pub use log_layer::LogLayer;
pub use outbox::Outbox;
pub use said::Said;

//! Several servers on one database.
//!
//! ```text
//!   server A ──renews its lease──▶ servers ◀──renews its lease── server B
//!      │                            store                            │
//!      │ keeper of some runs ─────▶ job_runs ◀───── keeper of others │
//!      │                                                             │
//!      └──────────── what browsers are told (relay), both ways ──────┘
//! ```
//! - `membership` holds this server's lease and knows the others. Each live run has one keeper; when the keeper's lease
//!   runs out, another server claims the run (`job::keeping`).
//! - `relay` brings what the others tell browsers, so that every server can show every job.
//!
//! Promises: a server acts on a run only while its own lease holds; by the time somebody else may claim the run, it has
//! stopped to. What is written is compared and set besides, so that a server that was held up in between changes nothing
//! that was decided since.

mod membership;
mod relay;

pub use membership::{LEASE, Membership};
pub use relay::{Relayed, bearer, follow};

//! Running jobs: supervision of worker processes, from a wish in the database to a process that does it.
//!
//! ```text
//!  app::job ──wish──▶ store ◀──compare-and-set── actor (one per live run) ──spawn, kill──▶ worker process
//!                                                  ▲   │                                        │
//!                                       reports    │   │ commands                               │
//!                                                  └───┴──────────── link ◀───── WebSocket ─────┘
//! ```
//! - `lifecycle` decides, purely, what follows from the facts; `observed` gathers them; `actor` carries decisions out.
//! - `launch` spawns, `process` tells processes apart, `token` is what an attempt proves itself with.
//! - `link` is the server's end of the worker link.
//! - `bad_record` keeps what workers could not decode.
//! - `rest` ends all workers together with the server.
//! - `supervisor` keeps one actor per live run; `keeping` says which server that is, and adopts what runs.
//!
//! Promises: whenever the server is killed, the next one goes on from what is written down (`steps` names the instants,
//! a test dies at each); no attempt is launched while an older one is known to live; an older attempt that comes back is
//! fenced by its token.

mod act;
mod actor;
mod asked;
mod bad_record;
mod clear;
pub mod cron;
mod keeping;
mod launch;
mod lifecycle;
pub mod link;
mod observed;
mod process;
mod record;
mod rest;
mod steps;
pub mod supervisor;
mod token;
pub mod view;

#[cfg(test)]
mod tests;

pub use asked::SavepointBy;
pub use launch::beside_this_one;
pub use supervisor::Supervisor;

pub(crate) use launch::{exit_in_words, in_own_session};
pub(crate) use lifecycle::in_words as stop_in_words;
pub use process::start_time;
pub(crate) use process::{end_in_order, is_alive, signal, this_process};
pub use rest::Rested;

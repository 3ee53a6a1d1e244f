//! The platform: console server, scheduler and supervisor of workers, command line.
//!
//! Layers, from the outside in; nothing reaches back:
//! `http` (extract, authorise, call, shape) → `app` (the rules; no axum, no SQL) → `store` (every SQL text).
//! Beside them stand `access` (who may do what), `live` (what the server sends by itself), `kafka` (a look into
//! clusters), `engine` (the front of the SQL engine) and the areas that own long-lived tasks.
//!
//! Reading order: `http::router` is the table of contents, `access::policy` says who may call what, `state` lists
//! everything that requests share.

pub mod cli;
pub mod config;

pub mod http;

pub mod app;
pub mod demo;
pub mod state;
pub mod tasks;

pub mod access;
pub mod answers;
pub mod endpoint;
pub mod engine;
pub mod kafka;
pub mod live;

pub mod broker;
mod child;
pub mod job;
pub mod log;
pub mod mail;
pub mod metric;
pub mod module;
pub mod parameter;
pub mod peer;
pub mod preview;
pub mod test_run;
pub mod watch;

pub mod store;

pub mod clock;
pub mod error;

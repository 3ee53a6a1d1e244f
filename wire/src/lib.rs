//! The types that cross the network: browser ⇄ server (`/api/v1`) and server ⇄ worker (the link).
//!
//! Promises: serde only, no logic beyond small pure accessors, compiles to WASM, depends on nothing of ours.
//! Times are UTC milliseconds since 1970 (`u64`/`i64` fields that end in `_at` or `_ms`), ids are distinct types
//! over UUIDv7, every enum is written in snake case.
//!
//! Reading order: ids, errors and paging first; then one file per resource of the API; then what moves by itself
//! (live events, previews) and last the worker link.

mod macros;

pub mod error;
pub mod ids;
pub mod page;

pub mod access;
pub mod audit;
pub mod organisation;
pub mod request;
pub mod session;
pub mod team;
pub mod token;

pub mod bad_record;
pub mod connection;
pub mod connector;
pub mod function;
pub mod kafka;
pub mod table;
pub mod table_script;
pub mod table_version;
pub mod user_function;

pub mod graph;
pub mod snippet;
pub mod sql;
pub mod variable;

pub mod approval;
pub mod job;
pub mod job_life;
pub mod log;
pub mod log_search;
pub mod metric;
pub mod report;
pub mod run;
pub mod savepoint;
pub mod schedule;

pub mod live;
pub mod overview;
pub mod preview;
pub mod preview_history;
pub mod search;

pub mod job_test;
pub mod sandbox_target;
pub mod shadow_run;
pub mod test_run;

pub mod link;

//! The embedded engine: Flink SQL to a running dataflow, with state kept exactly once.
//!
//! Reading order: [`types`] and [`expr`] are the words, [`sql`] turns text into them, [`plan`] into a dataflow,
//! [`operator`], [`time`], [`state`] and [`checkpoint`] are what runs, [`connector`] and [`format`] the edges,
//! [`runtime`] holds it together, [`link`] connects a worker to the server.
//!
//! The engine knows no HTTP, no users and no metadata database.

pub mod types;

pub mod change;
pub mod error;

pub mod catalog;
pub mod expr;
pub mod function;
pub mod sql;
pub mod udf;

pub mod plan;

pub mod checkpoint;
pub mod operator;
pub mod state;
pub mod time;

pub mod runtime;

pub mod connector;
pub mod format;

pub mod collect;
pub mod local;
pub mod sandbox;

pub use sql::{TableReport, check_table, complete, format_sql, list_functions, validate, write_ddl};

pub mod link;

//! Bound SQL → relational plan → rewritten plan → dataflow.
//!
//! [`logical`] is what the binder produces, [`rewrite`] holds one rule per file, [`dataflow`] is what the runtime runs
//! and what the console draws.

pub mod dataflow;
pub mod logical;
pub mod retention;
pub mod rewrite;
pub mod settings;

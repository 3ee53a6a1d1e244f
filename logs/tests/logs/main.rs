//! The log index as its caller uses it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod agreement;
mod finding;
mod kills;
mod repair;
mod support;

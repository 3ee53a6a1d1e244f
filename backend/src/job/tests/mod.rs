//! Supervision against processes that exist and a link that is spoken, on a store of its own per test.
//!
//! A worker here is a shell that takes its token from standard input, writes it to a file, and sleeps; a task of the
//! test speaks the link on its behalf, and kills it when it should end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fake_worker;
mod recovery;
mod surroundings;

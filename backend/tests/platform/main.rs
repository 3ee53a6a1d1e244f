//! The whole platform from outside: a real server process, used as a browser uses it, and the real workers it starts.
//!
//! One program for all of it, since linking the engine takes longer than most of these tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bad_input;
mod bad_records;
mod canary;
mod commands;
mod contract;
mod exactly_once;
mod files;
mod functions;
mod kafka_secured;
mod local_run;
mod many_workers;
mod process;
mod server;
mod server_killed;
mod shadow_runs;
mod single_objects;
mod test_runs;
mod two_servers;

//! The door: extract, authorise, call `app`, shape the answer. `router` is the table of contents.

pub mod router;
pub mod routes;

pub mod assets;
pub mod envelope;
pub mod extract;
pub mod guard;
pub mod openapi;
pub mod origin;
pub mod page;
pub mod problem;

mod audit;
mod bin;
mod catalog;
mod connection;
mod database;
mod function;
mod health;
mod idempotency;
mod job;
mod job_list;
mod job_test;
mod link;
mod live;
mod log;
mod overview;
mod permission;
mod preview;
mod prometheus;
mod report;
mod request;
mod run;
mod schedule;
mod search;
mod session;
mod setup;
mod sign_on;
mod start;
mod table;
mod table_script;
mod table_version;
mod team;
mod test_run;
mod token;
mod topic;
mod version;

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
mod catalog;
mod connection;
mod database;
mod function;
mod health;
mod job;
mod link;
mod live;
mod log;
mod overview;
mod preview;
mod prometheus;
mod run;
mod search;
mod session;
mod setup;
mod sign_on;
mod start;
mod table;
mod team;
mod token;
mod topic;
mod version;

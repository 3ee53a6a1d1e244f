//! The rules, one file per resource: what is checked, what changes together, who is told. No axum, no SQL text.

pub mod account;
pub mod audit;
pub mod sign_on;
pub mod team;
pub mod token;

pub mod check;

pub mod catalog;
pub mod connection;
pub mod database;
pub mod function;
pub mod function_test;
pub mod overview;
mod reach;
pub mod search;
pub mod sql;
pub mod table;
pub mod topic;

pub mod job;
mod macro_text;
pub mod preview;
pub mod run;
pub mod start;
pub mod supervision;
pub mod version;

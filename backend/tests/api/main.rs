//! The API from outside, one file per part of the URL tree. Every test has a database of its own and no port.
//!
//! With `MILLRACE_TEST_POSTGRES_URL` set, what touches the store runs on PostgreSQL as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod support;

mod approval;
mod approval_bypass;
mod log_search;
mod mail;
mod matrix;
mod openapi;
mod organisation;
mod other_teams;
mod permission;
mod request_for_access;
mod sight;

mod bad_record;
mod connection;
mod connection_kinds;
mod editor_library;
mod endpoint;
mod etag;
mod folder;
mod function;
mod job;
mod job_bin;
mod job_life;
mod job_list;
mod job_test;
mod live;
mod many_tables;
mod request;
mod sandbox_target;
mod savepoint;
mod session;
mod setup;
mod shadow_run;
mod table;
mod table_script;
mod table_secret;
mod table_version;
mod team;
mod test_run;
mod token;
mod topic;
mod variable;

mod audit;
mod audit_read;
mod store;

//! The rules, one file per resource: what is checked, what changes together, who is told. No axum, no SQL text.

pub mod account;
pub mod audit;
pub mod organisation;
pub mod organisation_member;
pub mod sign_on;
pub mod team;
pub mod token;

pub mod check;

pub mod approval;
mod approval_gate;
pub mod approval_mode;
mod notice;
pub mod permission;
pub mod request;

pub mod catalog;
mod compatibility;
pub mod connection;
pub mod database;
pub mod external;
pub mod function;
pub mod function_test;
mod guest_script;
mod impact;
pub mod overview;
mod reach;
mod schema_diff;
pub mod script;
pub mod search;
pub mod snippet;
pub mod sql;
pub mod table;
pub mod table_script;
mod table_secret;
pub mod table_version;
pub mod template;
pub mod topic;
pub mod variable;

pub mod bad_record;
pub mod bin;
pub mod bulk;
mod folder;
pub mod job;
pub mod job_list;
pub mod job_test;
pub mod log_search;
mod macro_text;
pub mod preview;
pub mod preview_history;
pub mod report;
pub mod restorable;
pub mod run;
pub mod sandbox_object;
pub mod sandbox_target;
pub mod saved_filter;
pub mod savepoint_schedule;
pub mod schedule;
pub mod shadow_run;
pub mod start;
pub mod supervision;
pub mod test_run;
pub mod version;
pub mod version_diff;

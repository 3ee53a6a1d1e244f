//! One folder or file per screen.

pub mod access;
pub mod catalogue;
pub mod connections;
pub mod editor;
pub mod first_run;
pub mod functions;
pub mod job;
pub mod jobs;
pub mod logs;
pub mod not_found;
pub mod organisation;
pub mod overview;
pub mod primitives;
pub mod settings;
pub mod sign_in;
pub mod tables;
pub mod variables;

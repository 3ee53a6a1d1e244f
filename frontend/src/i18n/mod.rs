//! Every text a person reads, one file per page. English first; a second language gets a second text in each line.

/// Declares texts: `name = "text";` becomes a function that returns it, `name(a, b) = "text {a} {b}";` one that fills
/// in what it is given.
macro_rules! texts {
    (@one $(#[$meta:meta])* $name:ident = $text:literal) => {
        $(#[$meta])*
        pub const fn $name() -> &'static str { $text }
    };
    (@one $(#[$meta:meta])* $name:ident($($arg:ident),+) = $text:literal) => {
        $(#[$meta])*
        pub fn $name($($arg: impl std::fmt::Display),+) -> String { format!($text) }
    };
    ($($(#[$meta:meta])* $name:ident $(($($arg:ident),+))? = $text:literal;)*) => {
        $($crate::i18n::texts!(@one $(#[$meta])* $name $(($($arg),+))? = $text);)*
    };
}

pub(crate) use texts;

pub mod failure;
pub mod rights;
pub mod shell;
pub mod words;

pub mod access;
pub mod approvals;
pub mod bad_records;
pub mod builder;
pub mod catalogue;
pub mod chart;
pub mod connections;
pub mod deployment;
pub mod diff;
pub mod editor;
pub mod first_run;
pub mod folders;
pub mod functions;
pub mod graph;
pub mod grid;
pub mod job;
pub mod job_actions;
pub mod job_settings;
pub mod jobs;
pub mod library;
pub mod log;
pub mod logs;
pub mod organisation;
pub mod overview;
pub mod permissions;
pub mod sandbox;
pub mod savepoints;
pub mod schedule;
pub mod settings;
pub mod shadow;
pub mod sign_in;
pub mod table_script;
pub mod table_versions;
pub mod tables;
pub mod testing;
pub mod variables;

//! `${name}` in scripts: found, filled in, and every place of the filled text led back to what a person wrote.
//!
//! ```text
//! what is written ──find──▶ places ──fill (with the team's values)──▶ Filled: the text for the engine
//!        ▲                                                               │
//!        └──────────── spans of problems, statements, completions ◀──────┘
//! ```
//! What is stored is always what was written. Comments are left alone, and so is everything that has the look of a
//! parameter without being one, such as `${1}`. `$${name}` stands for the text `${name}`.
//!
//! Promises: a value that goes into a string or a quoted name stays within its quotes; a secret's value is never here.
//! The filled text holds `${name}` for it, where an option of a table is a credential, and the engine puts the value
//! into that option (`millrace_engine::connector::credential`).

mod fill;
mod filled;
mod find;
mod format;
mod mask;

pub use fill::{MISPLACED_SECRET, UNKNOWN_VARIABLE, Value, Values, fill, fill_given, fill_what_is_known};
pub use filled::{Filled, Use};
pub use find::{Found, Place, What, find, has_parameters, is_name};
pub use format::Veiled;
pub use mask::{masked, masked_diagnostic};

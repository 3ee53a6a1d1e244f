//! What runs modules: one compiler and one clock per process, one instance per place that a function is called at.
//!
//! A guest is believed nothing. Every pointer and length that it gives is held against its memory, every answer is
//! decoded with full validation, and after a trap, a time-out or a lie its instance is dropped and made anew.

mod answer;
mod compiled;
mod fault;
mod instance;
mod machine;
mod question;
mod runner;
mod state;
mod ticker;
pub(super) mod wasi;

pub(super) use compiled::Compiled;
pub(super) use runner::Runner;

#[cfg(test)]
pub(super) use answer::decode;

//! Text from values and back: pure functions without the browser, tested natively.
//!
//! Promises: nothing here panics, whatever the number or text.

pub mod age;
pub mod bytes;
pub mod date;
pub mod number;
pub mod percent;
pub mod sql_words;
pub mod text;

//! What a version differs in from another one, and what a start of it would change.

mod difference;
mod report;
mod shadow;
mod tests;
mod variables;

pub use difference::Difference;
pub use report::Report;

//! The way to the server: calls in JSON, streams over SSE, and one shape for everything that can go wrong.

pub mod failure;
pub mod pages;
pub mod path;
mod request;
pub mod stream;

pub use failure::Failure;
pub use request::{delete, get, on_signed_out, patch, post, post_module, post_only, put, send_only};

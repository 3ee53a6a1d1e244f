//! The OpenAPI 3.1 document: one row per route in `operations`, schemas from the wire types, roles from the policy
//! table. Tests keep the rows, the policy table and the router the same, and the document as a snapshot.

mod bad_records;
mod build;
mod jobs;
mod logs;
mod operations;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::error::Error;

pub use build::Operation;
pub use operations::operations;

static DOCUMENT: LazyLock<Result<String, String>> =
    LazyLock::new(|| build::document(&operations()).to_pretty_json().map_err(|cause| cause.to_string()));

/// The document as text.
pub fn document() -> Result<&'static str, &'static str> {
    DOCUMENT.as_ref().map(String::as_str).map_err(String::as_str)
}

pub(super) async fn show() -> Response {
    match document() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(cause) => Error::internal(anyhow::anyhow!("the OpenAPI document: {cause}")).into_response(),
    }
}

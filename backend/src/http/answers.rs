//! Answers that are read once for all who ask the same within a second; see [`crate::answers`].

use std::fmt::Debug;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::access::sight::Sight;
use crate::error::Result;
use crate::state::App;

/// `question`: all that the answer depends on, besides what the sight shows.
pub(super) async fn json<T: Serialize>(
    app: &App,
    sight: &Sight,
    question: impl Debug,
    read: impl Future<Output = Result<T>>,
) -> Result<Response> {
    let question = format!("{} {question:?}", sight.extent());
    let answer = app.answers.json(question, app.live.changes(sight.team), read).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

//! The last step of every failed request: an [`Error`] becomes the one shape of answer, and its internal part is
//! logged once, with the request's id.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_wire::error::ApiError;

use crate::error::{Code, Error};

tokio::task_local! {
    /// Set by the outermost layer for the time of one request.
    pub static REQUEST_ID: String;
}

/// The id of the request being answered; empty outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// The outcome as the audit trail names it; carried beside the response.
#[derive(Clone, Copy, Debug)]
pub struct Outcome(pub Code);

pub const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::ValidationFailed => StatusCode::BAD_REQUEST,
        Code::NotSignedIn => StatusCode::UNAUTHORIZED,
        Code::NotAllowed | Code::OwnRequest => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict
        | Code::TableInUse
        | Code::ConnectionInUse
        | Code::DatabaseInUse
        | Code::FunctionInUse
        | Code::BreakingChange
        | Code::DraftChanged
        | Code::NameTaken
        | Code::WrongState
        | Code::TestsFailed
        | Code::ApprovalNeeded => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::InvalidSql | Code::ExternalFailed => StatusCode::UNPROCESSABLE_ENTITY,
        Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let parts = self.into_parts();
        let request_id = request_id();
        if let Some(cause) = &parts.internal {
            tracing::error!(request.id = %request_id, code = parts.code.as_str(), "request failed: {}: {cause:#}", parts.message);
        }
        let status = status_of(parts.code);
        let body = ApiError {
            code: parts.code.as_str().to_owned(),
            message: parts.message,
            hint: parts.hint,
            field: parts.field,
            details: parts.details,
            retry: parts.retry,
            request_id,
        };
        let mut response = (status, Json(body)).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(Outcome(parts.code));
        response
    }
}

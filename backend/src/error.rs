//! The one error of the platform: who has to act, whether trying again helps, what the caller may read, and apart from
//! that what only the log gets.
//!
//! `app` and `store` return [`Error`]; `http::problem` turns it into an answer as the last step and logs the internal
//! part once, with the request's id. Constructors below cover the usual cases; prefer them to building by hand.

use std::fmt;

use millrace_wire::error::{ErrorDomain, FieldError, Retry};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Stable words for programs. Each maps to one HTTP status in `http::problem`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    ValidationFailed,
    NotSignedIn,
    NotAllowed,
    NotFound,
    Conflict,
    TableInUse,
    ConnectionInUse,
    DatabaseInUse,
    FunctionInUse,
    BreakingChange,
    DraftChanged,
    NameTaken,
    /// The thing is not any more what `If-Match` says.
    PreconditionFailed,
    WrongState,
    TestsFailed,
    /// Somebody else has to approve this start first.
    ApprovalNeeded,
    /// Nobody decides on what they asked for themselves.
    OwnRequest,
    TooLarge,
    InvalidSql,
    ExternalFailed,
    TooManyRequests,
    Unavailable,
    Internal,
}

impl Code {
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::ValidationFailed => "validation_failed",
            Code::NotSignedIn => "not_signed_in",
            Code::NotAllowed => "not_allowed",
            Code::NotFound => "not_found",
            Code::Conflict => "conflict",
            Code::TableInUse => "table_in_use",
            Code::ConnectionInUse => "connection_in_use",
            Code::DatabaseInUse => "database_in_use",
            Code::FunctionInUse => "function_in_use",
            Code::BreakingChange => "breaking_change",
            Code::DraftChanged => "draft_changed",
            Code::NameTaken => "name_taken",
            Code::PreconditionFailed => "precondition_failed",
            Code::WrongState => "wrong_state",
            Code::TestsFailed => "tests_failed",
            Code::ApprovalNeeded => "approval_needed",
            Code::OwnRequest => "own_request",
            Code::TooLarge => "too_large",
            Code::InvalidSql => "invalid_sql",
            Code::ExternalFailed => "external_failed",
            Code::TooManyRequests => "too_many_requests",
            Code::Unavailable => "unavailable",
            Code::Internal => "internal",
        }
    }
}

/// Boxed, so that `Result<T>` stays small on the happy path.
pub struct Error(Box<Parts>);

pub struct Parts {
    pub code: Code,
    pub domain: ErrorDomain,
    pub retry: Retry,
    /// For people; holds nothing that the caller may not know.
    pub message: String,
    pub hint: Option<String>,
    pub field: Option<String>,
    pub details: Vec<FieldError>,
    /// For the log only: causes, SQL states, paths.
    pub internal: Option<anyhow::Error>,
}

impl Error {
    pub fn new(code: Code, domain: ErrorDomain, retry: Retry, message: impl Into<String>) -> Self {
        Error(Box::new(Parts {
            code,
            domain,
            retry,
            message: message.into(),
            hint: None,
            field: None,
            details: Vec::new(),
            internal: None,
        }))
    }

    /// One field of the request is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(Code::ValidationFailed, ErrorDomain::User, Retry::AfterChange, message);
        error.0.field = Some(field.into());
        error
    }

    /// Several fields are wrong; the first one gives the message.
    pub fn fields(problems: Vec<FieldError>) -> Self {
        let message =
            problems.first().map_or_else(|| "The request is not valid.".to_owned(), |first| first.message.clone());
        let mut error = Self::new(Code::ValidationFailed, ErrorDomain::User, Retry::AfterChange, message);
        error.0.field = problems.first().map(|first| first.field.clone());
        error.0.details = problems;
        error
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::ValidationFailed, ErrorDomain::User, Retry::AfterChange, message)
    }

    pub fn not_signed_in() -> Self {
        Self::new(Code::NotSignedIn, ErrorDomain::User, Retry::AfterChange, "Sign in first.")
    }

    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(Code::NotAllowed, ErrorDomain::User, Retry::Never, message)
    }

    /// `what`: "table", "job"; also for what the caller may not see.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, ErrorDomain::User, Retry::Never, format!("There is no such {what}."))
    }

    /// 409 of some kind: `conflict`, `table_in_use`, `draft_changed`, `name_taken`, `wrong_state`.
    pub fn conflict(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, ErrorDomain::User, Retry::AfterChange, message)
    }

    pub fn name_taken(field: &str, message: impl Into<String>) -> Self {
        Self::conflict(Code::NameTaken, message).at(field)
    }

    /// A system of somebody else did not do its part (a broker that cannot be reached).
    pub fn external(message: impl Into<String>) -> Self {
        Self::new(Code::ExternalFailed, ErrorDomain::External, Retry::Later, message)
    }

    pub fn too_many_requests(message: impl Into<String>) -> Self {
        Self::new(Code::TooManyRequests, ErrorDomain::User, Retry::Later, message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, ErrorDomain::Internal, Retry::Later, message)
    }

    /// Something that should not happen: the caller reads a fixed sentence, the log gets the cause.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            Code::Internal,
            ErrorDomain::Internal,
            Retry::Later,
            "The server failed to do this. The request id leads to the details in its log.",
        );
        error.0.internal = Some(cause.into());
        error
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn details(mut self, details: Vec<FieldError>) -> Self {
        self.0.details = details;
        self
    }

    /// Adds a cause for the log without changing what the caller reads.
    #[must_use]
    pub fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.internal = Some(cause.into());
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    pub fn domain(&self) -> ErrorDomain {
        self.0.domain
    }

    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// What only the log gets.
    pub fn cause(&self) -> Option<&anyhow::Error> {
        self.0.internal.as_ref()
    }

    pub fn into_parts(self) -> Parts {
        *self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.internal {
            Some(cause) => write!(f, "{}: {cause:#}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.code.as_str())
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Error::internal(cause)
    }
}

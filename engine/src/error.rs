//! What can go wrong while a dataflow is built or runs.
//!
//! Wrong SQL is not an error of this kind but a list of [`crate::sql::Problem`]s with spans.

use std::fmt;

pub use millrace_wire::error::ErrorDomain;

/// Domain × retry × operator, with a public message and an internal detail for the log.
#[derive(Clone, Debug)]
pub struct EngineError {
    pub domain: ErrorDomain,
    /// Trying the same again may succeed (a broker that is away); never for wrong data or options.
    pub retry: bool,
    /// Stable: `broker_unreachable`, `bad_record`, `checkpoint_corrupt`, …
    pub code: &'static str,
    /// For people; holds no secret and no internals.
    pub message: String,
    /// For the log only.
    pub detail: Option<String>,
    /// The graph node it happened in.
    pub operator: Option<String>,
}

pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    pub fn user(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorDomain::User, false, code, message)
    }

    /// Something outside did not do its part; usually worth another try.
    pub fn external(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorDomain::External, true, code, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorDomain::Internal, false, "internal", message)
    }

    fn new(domain: ErrorDomain, retry: bool, code: &'static str, message: impl Into<String>) -> Self {
        EngineError { domain, retry, code, message: message.into(), detail: None, operator: None }
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    #[must_use]
    pub fn without_retry(mut self) -> Self {
        self.retry = false;
        self
    }

    /// Names the operator, unless an inner one was named already.
    #[must_use]
    pub fn in_operator(mut self, operator: &str) -> Self {
        self.operator.get_or_insert_with(|| operator.to_owned());
        self
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

impl From<arrow::error::ArrowError> for EngineError {
    fn from(error: arrow::error::ArrowError) -> Self {
        EngineError::internal("a computation on a batch of rows failed").with_detail(error)
    }
}

impl From<datafusion_common::DataFusionError> for EngineError {
    fn from(error: datafusion_common::DataFusionError) -> Self {
        // Our own kernels raise `Execution` errors with text for people: a failed CAST, a bad literal.
        match error.find_root() {
            datafusion_common::DataFusionError::Execution(message) => {
                EngineError::user("evaluation_failed", message.clone())
            }
            // What a user's function did wrong comes with its own words.
            datafusion_common::DataFusionError::External(inner)
                if let Some(own) = inner.downcast_ref::<EngineError>() =>
            {
                own.clone()
            }
            other => EngineError::internal("an expression failed").with_detail(other),
        }
    }
}

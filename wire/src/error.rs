//! The one shape of every failed answer.

use std::fmt;

use crate::macros::{wire, wire_words};

wire! {
    /// What a client may show. `message` says what happened, `hint` what to do next.
    pub struct ApiError {
        /// Stable, for programs: `table_in_use`, `validation_failed`, `not_found`, …
        pub code: String,
        pub message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hint: Option<String>,
        /// The form field the error belongs to, as a path: `options.topic`, `columns[2].type`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub field: Option<String>,
        /// Further errors of the same request, each at its own field.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub details: Vec<FieldError>,
        pub retry: Retry,
        /// To be quoted when somebody asks the operators; it is in the server's log.
        pub request_id: String,
    }

    pub struct FieldError {
        pub field: String,
        pub message: String,
    }
}

wire_words! {
    /// Whether the same request may succeed later.
    pub enum Retry {
        Never = "never",
        Later = "later",
        AfterChange = "after_change",
    }

    /// Who has to act.
    pub enum ErrorDomain {
        User = "user",
        External = "external",
        Internal = "internal",
    }
}

/// A word that is not one of an enum's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    pub kind: &'static str,
    pub word: String,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not a known {}", self.word, self.kind)
    }
}

impl std::error::Error for UnknownWord {}

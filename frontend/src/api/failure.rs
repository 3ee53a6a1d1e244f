//! What went wrong with a call, ready to be shown.

use millrace_wire::error::{ApiError, Retry};

use crate::i18n::failure as text;

#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The HTTP status; 0 when no answer came.
    pub status: u16,
    pub error: ApiError,
}

impl Failure {
    pub fn unreachable() -> Failure {
        Failure { status: 0, error: plain("unreachable", text::unreachable(), Some(text::unreachable_hint())) }
    }

    /// The server answered with something this console cannot read.
    pub fn unreadable(status: u16) -> Failure {
        Failure { status, error: plain("unreadable_answer", text::unreadable(), Some(text::unreadable_hint())) }
    }

    /// Reads the body of an answer that is no success.
    pub fn of_answer(status: u16, body: &str) -> Failure {
        serde_json::from_str::<ApiError>(body)
            .map_or_else(|_| Failure::unreadable(status), |error| Failure { status, error })
    }

    pub fn code(&self) -> &str {
        &self.error.code
    }

    pub fn is_not_found(&self) -> bool {
        self.status == 404
    }

    pub fn is_forbidden(&self) -> bool {
        self.status == 403
    }

    /// The message for one field, if the server has one.
    pub fn at_field(&self, field: &str) -> Option<String> {
        let own = self.error.field.as_deref().filter(|named| *named == field).map(|_| self.error.message.clone());
        own.or_else(|| {
            self.error.details.iter().find(|detail| detail.field == field).map(|detail| detail.message.clone())
        })
    }

    /// True when the error belongs to fields and each of them is one of those given.
    pub fn is_only_at(&self, fields: &[&str]) -> bool {
        let mut named = self
            .error
            .field
            .iter()
            .map(String::as_str)
            .chain(self.error.details.iter().map(|detail| detail.field.as_str()))
            .peekable();
        named.peek().is_some() && named.all(|field| fields.contains(&field))
    }

    /// Message and hint in one text, for places without room for more.
    pub fn sentence(&self) -> String {
        match &self.error.hint {
            Some(hint) => format!("{} {hint}", self.error.message),
            None => self.error.message.clone(),
        }
    }
}

fn plain(code: &str, message: &str, hint: Option<&str>) -> ApiError {
    ApiError {
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
        field: None,
        details: Vec::new(),
        retry: Retry::Later,
        request_id: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_fields() -> Failure {
        Failure::of_answer(
            400,
            r#"{"code":"validation_failed","message":"Give a name.","field":"name",
                "details":[{"field":"options.topic","message":"Choose a topic."}],
                "retry":"after_change","request_id":"r1"}"#,
        )
    }

    #[test]
    fn errors_are_found_at_their_field() {
        let failure = two_fields();
        assert_eq!(failure.at_field("name").as_deref(), Some("Give a name."));
        assert_eq!(failure.at_field("options.topic").as_deref(), Some("Choose a topic."));
        assert_eq!(failure.at_field("other"), None);
        assert!(failure.is_only_at(&["name", "options.topic"]));
        assert!(!failure.is_only_at(&["name"]));
    }

    #[test]
    fn an_answer_that_is_no_error_of_ours_is_still_shown() {
        let failure = Failure::of_answer(502, "<html>Bad gateway</html>");
        assert_eq!((failure.status, failure.code()), (502, "unreadable_answer"));
        assert!(!failure.is_only_at(&[]));
    }
}

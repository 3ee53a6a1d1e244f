//! What was entered for a connection, looked at field by field.

use millrace_wire::error::FieldError;
use reqwest::Url;

use super::Settings;

const LONGEST: usize = 4096;

pub(super) struct Form<'a> {
    options: &'a Settings,
    secrets: &'a Settings,
    /// Secrets that are kept where none is given; only their names matter.
    stored: &'a Settings,
    problems: Vec<FieldError>,
}

/// The names that a kind of connection knows.
pub(super) struct Names {
    /// `a schema registry`
    pub(super) of: &'static str,
    pub(super) options: &'static [&'static str],
    pub(super) secrets: &'static [&'static str],
}

impl<'a> Form<'a> {
    /// Names that are not known, and values of several lines, are refused at once.
    pub(super) fn new(names: &Names, options: &'a Settings, secrets: &'a Settings, stored: &'a Settings) -> Form<'a> {
        let mut form = Form { options, secrets, stored, problems: Vec::new() };
        for name in options.keys().filter(|name| !names.options.contains(&name.as_str())) {
            form.problem(format!("options.{name}"), &format!("This is not an option of {}.", names.of));
        }
        for name in secrets.keys().filter(|name| !names.secrets.contains(&name.as_str())) {
            form.problem(format!("secrets.{name}"), &format!("This is not a secret of {}.", names.of));
        }
        for (group, values) in [("options", options), ("secrets", secrets)] {
            for (name, value) in values {
                if value.len() > LONGEST || value.chars().any(char::is_control) {
                    form.problem(format!("{group}.{name}"), "Use one line of at most 4096 characters.");
                }
            }
        }
        form
    }

    pub(super) fn option(&self, name: &str) -> Option<&'a str> {
        set(self.options, name)
    }

    /// Whether it is there after saving.
    pub(super) fn has_secret(&self, name: &str) -> bool {
        self.secrets.get(name).map_or(self.stored.contains_key(name), |given| !given.is_empty())
    }

    pub(super) fn wrong_option(&mut self, name: &str, message: &str) {
        self.problem(format!("options.{name}"), message);
    }

    pub(super) fn wrong_secret(&mut self, name: &str, message: &str) {
        self.problem(format!("secrets.{name}"), message);
    }

    fn problem(&mut self, field: String, message: &str) {
        self.problems.push(FieldError { field, message: message.to_owned() });
    }

    pub(super) fn problems(self) -> Vec<FieldError> {
        self.problems
    }
}

/// What is there and not empty.
pub(super) fn set<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
    settings.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// An address of HTTP, without a user, a password or a query.
pub(super) fn web_address(settings: &Settings, name: &str) -> Option<Url> {
    let url = Url::parse(set(settings, name)?).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && plain).then_some(url)
}

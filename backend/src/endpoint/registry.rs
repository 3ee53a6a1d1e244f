//! Connections to schema registries with Confluent's interface: what they may be told, and what they are asked.

use millrace_wire::error::FieldError;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use super::form::{Form, Names, set, web_address};
use super::{Settings, web};
use crate::error::{Error, Result};

pub const URL: &str = "url";
pub const USER: &str = "username";
pub const PASSWORD: &str = "password";

/// Schemas are texts that people write.
const LARGEST_ANSWER: usize = 4 << 20;
const NAMES: Names = Names { of: "a schema registry", options: &[URL, USER], secrets: &[PASSWORD] };

fn parsed(options: &Settings) -> Option<Url> {
    web_address(options, URL)
}

pub(super) fn problems(options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    let mut form = Form::new(&NAMES, options, secrets, stored);
    if parsed(options).is_none() {
        form.wrong_option(URL, "Enter an address as https://registry:8081, without user and password.");
    }
    if form.has_secret(PASSWORD) && form.option(USER).is_none() {
        form.wrong_option(USER, "Enter who the password belongs to.");
    }
    form.problems()
}

pub(super) fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    let origin = |settings: &Settings| parsed(settings).map(|url| url.origin());
    (origin(before) != origin(after)).then_some("The address changed: enter the password again.")
}

pub(super) async fn check_address(options: &Settings, allow_private: bool) -> Result<()> {
    let wrong = || Error::field("options.url", "Enter an address as https://registry:8081.");
    web::addresses(URL, &parsed(options).ok_or_else(wrong)?, allow_private).await.map(drop)
}

/// A registry that may be asked: its name is connected to the addresses that were checked.
pub struct Registry {
    client: Client,
    base: String,
    user: Option<(String, Option<String>)>,
}

/// A schema of a subject, its newest version.
pub struct Subject {
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub kind: String,
    pub schema: String,
    pub version: u64,
}

impl Registry {
    /// `settings`: with the password.
    pub async fn open(settings: &Settings, allow_private: bool) -> Result<Registry> {
        let url = parsed(settings).ok_or_else(|| Error::field("options.url", "This is no address."))?;
        let client = web::client_for(URL, &url, allow_private).await?;
        let user = set(settings, USER).map(|user| (user.to_owned(), settings.get(PASSWORD).cloned()));
        Ok(Registry { client, base: url.as_str().trim_end_matches('/').to_owned(), user })
    }

    pub async fn subjects(&self) -> Result<Vec<String>> {
        let answer = self.ask("/subjects").await?;
        let list = answer.as_ref().and_then(Value::as_array).ok_or_else(not_understood)?;
        let mut names: Vec<String> = list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// `None`: there is no such subject.
    pub async fn newest(&self, subject: &str) -> Result<Option<Subject>> {
        let path = format!("/subjects/{}/versions/latest", escaped(subject));
        let Some(answer) = self.ask(&path).await? else { return Ok(None) };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Some(Subject {
            kind: text("schemaType").unwrap_or_else(|| "AVRO".to_owned()),
            schema: text("schema").ok_or_else(not_understood)?,
            version: answer.get("version").and_then(Value::as_u64).unwrap_or(0),
        }))
    }

    async fn ask(&self, path: &str) -> Result<Option<Value>> {
        let unreachable = |cause: reqwest::Error| {
            Error::external("The schema registry cannot be reached.").because(cause.without_url())
        };
        let request = self.client.get(format!("{}{path}", self.base));
        let request = match &self.user {
            Some((name, password)) => request.basic_auth(name, password.as_ref()),
            None => request,
        };
        let accept = "application/vnd.schemaregistry.v1+json, application/json";
        let mut answer = request.header("Accept", accept).send().await.map_err(unreachable)?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Error::external("The schema registry refuses the user name or the password."));
            }
            status if !status.is_success() => {
                return Err(Error::external(format!("The schema registry answers {status}.")));
            }
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST_ANSWER {
                return Err(Error::external("The schema registry's answer is too large."));
            }
        }
        serde_json::from_slice(&body).map(Some).map_err(|cause| not_understood().because(cause))
    }
}

fn not_understood() -> Error {
    Error::external("The schema registry's answer cannot be understood.")
}

/// As a part of a path.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let fields = |options: &[(&str, &str)], secrets: &[(&str, &str)]| -> Vec<String> {
            let found = problems(&settings(options), &settings(secrets), &Settings::new());
            found.into_iter().map(|problem| problem.field).collect()
        };
        let good = (URL, "https://registry.example:8081/api");
        assert_eq!(fields(&[good], &[]), Vec::<String>::new());
        assert_eq!(fields(&[good], &[(PASSWORD, "hush")]), ["options.username"]);
        for url in ["", "registry:8081", "ftp://registry", "https://user:hush@registry", "file:///etc/passwd"] {
            assert_eq!(fields(&[(URL, url)], &[]), ["options.url"], "{url}");
        }
        assert_eq!(fields(&[good, ("proxy", "x")], &[]), ["options.proxy"]);
    }

    #[test]
    fn a_password_does_not_follow_to_another_server() {
        let url = |url: &str| settings(&[(URL, url)]);
        assert!(exposes(&url("https://a:1"), &url("https://b:1")).is_some());
        assert!(exposes(&url("https://a:1"), &url("http://a:1")).is_some());
        assert!(exposes(&url("https://a:1"), &url("https://a:1/api")).is_none());
    }

    #[tokio::test]
    async fn local_addresses_are_denied() {
        let local = settings(&[(URL, "http://127.0.0.1:8081")]);
        assert!(Registry::open(&local, false).await.is_err());
        assert!(Registry::open(&local, true).await.is_ok());
    }
}

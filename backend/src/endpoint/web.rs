//! Servers that are called over HTTP: what connections to them may be told, and a client that calls nothing but what
//! was checked.

use std::time::Duration;

use millrace_wire::error::FieldError;
use reqwest::{Client, RequestBuilder, StatusCode, Url};

use super::Settings;
use super::form::{Form, Names, set, web_address};
use crate::error::{Error, Result};
use crate::kafka::dialer;

const URL: &str = "url";
/// `none`, `basic`, `bearer` or `header`.
const AUTHENTICATION: &str = "authentication";
const USER: &str = "username";
/// Its name, for `header`.
const HEADER: &str = "header";
const SECRET: &str = "secret";
const NAMES: Names = Names { of: "an HTTP server", options: &[URL, AUTHENTICATION, USER, HEADER], secrets: &[SECRET] };

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn problems(options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    let mut form = Form::new(&NAMES, options, secrets, stored);
    if web_address(options, URL).is_none() {
        form.wrong_option(URL, "Enter an address as https://hooks.example/base, without user and password.");
    }
    match form.option(AUTHENTICATION) {
        None | Some("none") => {
            if form.has_secret(SECRET) {
                form.wrong_option(AUTHENTICATION, "Choose how the secret is sent.");
            }
        }
        Some(way @ ("basic" | "bearer" | "header")) => {
            if way == "basic" && form.option(USER).is_none() {
                form.wrong_option(USER, "Enter who the password belongs to.");
            }
            let name = form.option(HEADER).unwrap_or_default();
            if way == "header" && !is_own_header(name) {
                form.wrong_option(HEADER, "Enter the name of a header, such as X-Api-Key.");
            }
            if !form.has_secret(SECRET) {
                form.wrong_secret(SECRET, "Enter what is sent.");
            }
        }
        Some(_) => form.wrong_option(AUTHENTICATION, "Choose none, basic, bearer or header."),
    }
    form.problems()
}

/// One that says who calls, and not what is sent to whom.
fn is_own_header(name: &str) -> bool {
    let parsed = name.parse::<reqwest::header::HeaderName>();
    parsed.is_ok_and(|name| !matches!(name.as_str(), "host" | "content-length" | "transfer-encoding" | "connection"))
}

pub(super) fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    let origin = |settings: &Settings| web_address(settings, URL).map(|url| url.origin());
    (origin(before) != origin(after)).then_some("The address changed: enter the secret again.")
}

/// The checked addresses behind a URL that an option names.
pub(super) async fn addresses(option: &str, url: &Url, allow_private: bool) -> Result<Vec<std::net::SocketAddr>> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    dialer::check_server(option, host, url.port_or_known_default().unwrap_or(443), allow_private).await
}

pub(super) async fn check_address(options: &Settings, allow_private: bool) -> Result<()> {
    let url = web_address(options, URL).ok_or_else(|| Error::field("options.url", "This is no address."))?;
    addresses(URL, &url, allow_private).await.map(drop)
}

/// Connects to the checked addresses of this URL's host, and follows nobody elsewhere.
pub(super) async fn client_for(option: &str, url: &Url, allow_private: bool) -> Result<Client> {
    let addresses = addresses(option, url, allow_private).await?;
    Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
        .build()
        .map_err(Error::internal)
}

/// A server that may be called.
pub struct WebServer {
    client: Client,
    url: Url,
    settings: Settings,
}

impl WebServer {
    /// `settings`: with the secret.
    pub async fn open(settings: &Settings, allow_private: bool) -> Result<WebServer> {
        let url = web_address(settings, URL).ok_or_else(|| Error::field("options.url", "This is no address."))?;
        let client = client_for(URL, &url, allow_private).await?;
        Ok(WebServer { client, url, settings: settings.clone() })
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let secret = set(&self.settings, SECRET).unwrap_or_default();
        match set(&self.settings, AUTHENTICATION) {
            Some("basic") => request.basic_auth(set(&self.settings, USER).unwrap_or_default(), Some(secret)),
            Some("bearer") => request.bearer_auth(secret),
            Some("header") => request.header(set(&self.settings, HEADER).unwrap_or_default(), secret),
            _ => request,
        }
    }

    /// What it answers to a GET. Many a server answers nothing good there, and is there all the same.
    pub async fn greet(&self) -> Result<String> {
        let answer = self.signed(self.client.get(self.url.clone())).send().await.map_err(unreachable)?;
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Error::external(format!("The server refuses the caller: it answers {}.", answer.status())))
            }
            status if status.is_server_error() => Err(Error::external(format!("The server answers {status}."))),
            status => Ok(format!("The server answers {status} to GET.")),
        }
    }
}

/// Without the address, which may hold what is nobody's business.
pub(super) fn unreachable(cause: reqwest::Error) -> Error {
    let why =
        if cause.is_timeout() { "It does not answer within 10 seconds." } else { "The server cannot be reached." };
    Error::external(why).because(cause.without_url())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fields, settings};
    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let told = |options: &[(&str, &str)], secrets: &[(&str, &str)]| {
            fields(problems(&settings(options), &settings(secrets), &Settings::new()))
        };
        let good = (URL, "https://hooks.example/base");
        assert!(told(&[good], &[]).is_empty());
        assert!(told(&[good, (AUTHENTICATION, "bearer")], &[(SECRET, "hush")]).is_empty());
        assert_eq!(told(&[good, (AUTHENTICATION, "bearer")], &[]), ["secrets.secret"]);
        assert_eq!(told(&[good], &[(SECRET, "hush")]), ["options.authentication"]);
        assert_eq!(told(&[good, (AUTHENTICATION, "basic")], &[(SECRET, "hush")]), ["options.username"]);
        for header in ["", "Host", "no header", "Content-Length"] {
            let header = [good, (AUTHENTICATION, "header"), (HEADER, header)];
            assert_eq!(told(&header, &[(SECRET, "hush")]), ["options.header"]);
        }
        assert_eq!(told(&[(URL, "https://me:hush@hooks.example")], &[]), ["options.url"]);
        assert_eq!(told(&[good, ("proxy", "x")], &[]), ["options.proxy"]);
    }

    #[test]
    fn a_secret_does_not_follow_to_another_server() {
        let url = |url: &str| settings(&[(URL, url)]);
        assert!(exposes(&url("https://a/x"), &url("http://a/x")).is_some());
        assert!(exposes(&url("https://a/x"), &url("https://a/y")).is_none());
    }
}

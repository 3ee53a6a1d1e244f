//! Servers that take mail in: what connections to them may be told, and whether they let us in.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use millrace_wire::error::FieldError;

use super::Settings;
use super::form::{Form, Names, set};
use crate::error::{Error, Result};
use crate::kafka::dialer;

const HOST: &str = "hostname";
const PORT: &str = "port";
/// `starttls`, `tls` or `none`.
const ENCRYPTION: &str = "encryption";
const USER: &str = "username";
const FROM: &str = "from";
const PASSWORD: &str = "password";
const NAMES: Names =
    Names { of: "a mail server", options: &[HOST, PORT, ENCRYPTION, USER, FROM], secrets: &[PASSWORD] };

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn problems(options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    let mut form = Form::new(&NAMES, options, secrets, stored);
    let is_host = |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    if !form.option(HOST).is_some_and(is_host) {
        form.wrong_option(HOST, "Enter the name or address of the server.");
    }
    if !form.option(PORT).is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0)) {
        form.wrong_option(PORT, "Enter a port between 1 and 65535.");
    }
    if !matches!(form.option(ENCRYPTION), None | Some("starttls" | "tls" | "none")) {
        form.wrong_option(ENCRYPTION, "Choose starttls, tls or none.");
    }
    if form.option(FROM).is_none_or(|from| from.parse::<Mailbox>().is_err()) {
        form.wrong_option(FROM, "Enter the sender, for example Millrace <millrace@example.org>.");
    }
    match (form.option(USER).is_some(), form.has_secret(PASSWORD)) {
        (true, false) => form.wrong_secret(PASSWORD, "Enter the password of this user."),
        (false, true) => form.wrong_option(USER, "Enter who the password belongs to."),
        _ => {}
    }
    form.problems()
}

fn encryption(settings: &Settings) -> &str {
    set(settings, ENCRYPTION).unwrap_or("starttls")
}

fn port(settings: &Settings) -> u16 {
    let usual = match encryption(settings) {
        "tls" => 465,
        "none" => 25,
        _ => 587,
    };
    set(settings, PORT).and_then(|port| port.parse().ok()).unwrap_or(usual)
}

pub(super) fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    let server = |settings: &Settings| (set(settings, HOST).map(str::to_lowercase), port(settings));
    if server(before) != server(after) {
        return Some("The server changed: enter the password again.");
    }
    let opened = encryption(before) != "none" && encryption(after) == "none";
    opened.then_some("The connection is no longer encrypted: enter the password again.")
}

pub(super) async fn check_address(options: &Settings, allow_private: bool) -> Result<Vec<SocketAddr>> {
    dialer::check_server(HOST, set(options, HOST).unwrap_or_default(), port(options), allow_private).await
}

/// A server that may be called.
pub struct MailServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl MailServer {
    /// `settings`: with the password.
    pub async fn open(settings: &Settings, allow_private: bool) -> Result<MailServer> {
        let host = set(settings, HOST).unwrap_or_default();
        let addresses = check_address(settings, allow_private).await?;
        let address = addresses.first().ok_or_else(|| Error::external("The name leads nowhere."))?;
        // By the checked address; the certificate is still the name's.
        let parameters = || TlsParameters::new(host.to_owned()).map_err(Error::internal);
        let tls = match encryption(settings) {
            "none" => Tls::None,
            "tls" => Tls::Wrapper(parameters()?),
            _ => Tls::Required(parameters()?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(address.port())
            .tls(tls)
            .timeout(Some(PATIENCE));
        let user = set(settings, USER).zip(set(settings, PASSWORD));
        let builder = match user {
            Some((user, password)) => builder.credentials(Credentials::new(user.to_owned(), password.to_owned())),
            None => builder,
        };
        Ok(MailServer { transport: builder.build() })
    }

    /// Encrypts and signs in as it would for a mail, and sends none.
    pub async fn greet(&self) -> Result<String> {
        // The transport's own limit ends with the connection: who accepts and says nothing is not waited for.
        match tokio::time::timeout(PATIENCE, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok("The server takes mail of this user.".to_owned()),
            Ok(Ok(false)) => Err(Error::external("The server hangs up.")),
            Ok(Err(cause)) => Err(Error::external(refusal(&cause))),
            Err(_) => Err(Error::external("The server does not answer in time.")),
        }
    }
}

/// In our own words: what a server says may repeat what it was told, the password included.
fn refusal(cause: &smtp::Error) -> String {
    match cause.status().map(u16::from) {
        Some(534 | 535) => "The server refuses the user name or the password.".to_owned(),
        Some(530 | 538) => "The server asks for encryption or a sign-in before it takes anything.".to_owned(),
        Some(code) => format!("The server refuses with code {code}."),
        None if cause.is_timeout() => "The server does not answer in time.".to_owned(),
        None if cause.is_tls() => "The connection cannot be encrypted; its certificate may not be trusted.".to_owned(),
        None if cause.is_client() => "The server offers no encryption or no way to sign in that we know.".to_owned(),
        None => "The server cannot be reached, or it speaks no SMTP.".to_owned(),
    }
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
        let (host, from) = ((HOST, "mail.example"), (FROM, "Alerts <alerts@example.org>"));
        assert!(told(&[host, from], &[]).is_empty());
        assert!(told(&[host, from, (USER, "me"), (ENCRYPTION, "tls")], &[(PASSWORD, "hush")]).is_empty());
        assert_eq!(told(&[host], &[]), ["options.from"]);
        assert_eq!(told(&[(HOST, "mail/x"), from], &[]), ["options.hostname"]);
        assert_eq!(told(&[host, from, (PORT, "0")], &[]), ["options.port"]);
        assert_eq!(told(&[host, from, (ENCRYPTION, "ssl")], &[]), ["options.encryption"]);
        assert_eq!(told(&[host, from, (USER, "me")], &[]), ["secrets.password"]);
        assert_eq!(told(&[host, from], &[(PASSWORD, "hush")]), ["options.username"]);
    }

    #[test]
    fn a_password_does_not_follow_to_another_server_or_into_the_open() {
        let at = |host: &str, encryption: &str| settings(&[(HOST, host), (PORT, "587"), (ENCRYPTION, encryption)]);
        assert!(exposes(&at("a", "tls"), &at("b", "tls")).is_some());
        assert!(exposes(&at("a", "starttls"), &at("a", "none")).is_some());
        assert!(exposes(&at("a", "none"), &at("A", "starttls")).is_none());
    }
}

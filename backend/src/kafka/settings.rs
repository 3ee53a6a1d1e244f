//! What a connection to Kafka may be told, and what the client library gets of it.
//!
//! The lists are closed: an open one would let users reach files and plug-ins of the client library. Certificates and
//! keys are texts in PEM and are sealed like passwords; no file of the server is ever named.

use std::collections::BTreeMap;

use millrace_wire::error::FieldError;
use millrace_wire::kafka::{AUTHORITY, BOOTSTRAP, CERTIFICATE, KEY, KEY_PASSWORD, MECHANISM, PASSWORD, PROTOCOL, USER};

const OPTIONS: &[&str] = &[BOOTSTRAP, PROTOCOL, MECHANISM, USER];
const SECRETS: &[&str] = &[PASSWORD, AUTHORITY, CERTIFICATE, KEY, KEY_PASSWORD];
const PROTOCOLS: &[&str] = &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const MECHANISMS: &[&str] = &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

const LONGEST_LINE: usize = 4096;
/// A chain of certificates is a few kilobytes each.
const LONGEST_PEM: usize = 64 * 1024;

type Settings = BTreeMap<String, String>;

fn set<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
    settings.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
}

fn protocol(options: &Settings) -> &str {
    set(options, PROTOCOL).unwrap_or("PLAINTEXT")
}

/// The broker shows a certificate, for the name that it is called by.
pub fn is_encrypted(options: &Settings) -> bool {
    protocol(options).ends_with("SSL")
}

fn signs_in(options: &Settings) -> bool {
    protocol(options).starts_with("SASL")
}

fn is_pem(name: &str) -> bool {
    matches!(name, AUTHORITY | CERTIFICATE | KEY)
}

/// What is wrong, field by field. `stored`: secrets that are kept where none is given; only their names matter.
pub fn problems(options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut problem = |field: String, message: &str| problems.push(FieldError { field, message: message.to_owned() });
    if set(options, BOOTSTRAP).is_none() {
        problem(format!("options.{BOOTSTRAP}"), "Enter at least one broker as host:port.");
    }
    for name in options.keys().filter(|name| !OPTIONS.contains(&name.as_str())) {
        problem(format!("options.{name}"), "This is not an option of a Kafka connection.");
    }
    for name in secrets.keys().filter(|name| !SECRETS.contains(&name.as_str())) {
        problem(format!("secrets.{name}"), "This is not a secret of a Kafka connection.");
    }
    if !PROTOCOLS.contains(&protocol(options)) {
        problem(format!("options.{PROTOCOL}"), "Choose PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.");
    }
    if set(options, MECHANISM).is_some_and(|mechanism| !MECHANISMS.contains(&mechanism)) {
        problem(format!("options.{MECHANISM}"), "Choose PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.");
    }
    let has = |name: &str| match secrets.get(name) {
        Some(given) => !given.trim().is_empty(),
        None => stored.contains_key(name),
    };
    if signs_in(options) {
        if set(options, USER).is_none() {
            problem(format!("options.{USER}"), "Enter the user name.");
        }
        if !has(PASSWORD) {
            problem(format!("secrets.{PASSWORD}"), "Enter the password.");
        }
    }
    if is_encrypted(options) && has(CERTIFICATE) != has(KEY) {
        let missing = if has(KEY) { CERTIFICATE } else { KEY };
        problem(format!("secrets.{missing}"), "A client certificate and its key go together.");
    }
    for (name, value) in options.iter().chain(secrets).filter(|(name, _)| !is_pem(name)) {
        if value.len() > LONGEST_LINE || value.chars().any(char::is_control) {
            let group = if options.contains_key(name) { "options" } else { "secrets" };
            problem(format!("{group}.{name}"), "Use one line of at most 4096 characters.");
        }
    }
    for (name, value) in secrets.iter().filter(|(name, value)| is_pem(name) && !value.trim().is_empty()) {
        if let Some(message) = pem_problem(name, value) {
            problem(format!("secrets.{name}"), message);
        }
    }
    problems
}

fn pem_problem(name: &str, text: &str) -> Option<&'static str> {
    if text.len() > LONGEST_PEM {
        return Some("Use at most 64 KB.");
    }
    let holds = |what: &str| {
        let begin = text.find("-----BEGIN ").filter(|at| text.get(*at..).is_some_and(|rest| rest.contains(what)));
        begin.is_some() && text.contains("-----END ")
    };
    match name {
        KEY if !holds("PRIVATE KEY-----") => {
            Some("Paste the private key in PEM, with the lines -----BEGIN … PRIVATE KEY----- and -----END …-----.")
        }
        AUTHORITY | CERTIFICATE if !holds("CERTIFICATE-----") => {
            Some("Paste the certificate in PEM, with the lines -----BEGIN CERTIFICATE----- and -----END …-----.")
        }
        _ => None,
    }
}

/// What a stored secret would newly be exposed to by the change: another server, or anybody on the way.
pub fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    if before.get(BOOTSTRAP) != after.get(BOOTSTRAP) {
        return Some("The address changed: enter the secret again.");
    }
    (is_encrypted(before) && !is_encrypted(after))
        .then_some("The connection is no longer encrypted: enter the secret again.")
}

/// As the client library takes them: only what the protocol uses, with our defaults. Without secrets it is enough to plan.
pub fn for_client(mut settings: Settings) -> Settings {
    settings.retain(|_, value| !value.trim().is_empty());
    if signs_in(&settings) {
        // The library's own default is Kerberos.
        settings.entry(MECHANISM.to_owned()).or_insert_with(|| "PLAIN".to_owned());
    } else {
        settings.retain(|name, _| !name.starts_with("sasl."));
    }
    if !is_encrypted(&settings) {
        settings.retain(|name, _| !name.starts_with("ssl."));
    } else if !settings.contains_key(AUTHORITY) {
        // The certificates of this machine, wherever its distribution keeps them.
        settings.insert("ssl.ca.location".to_owned(), "probe".to_owned());
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE_TEXT: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const KEY_TEXT: &str = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn fields(options: &[(&str, &str)], secrets: &[(&str, &str)], stored: &[(&str, &str)]) -> Vec<String> {
        let all = [&[(BOOTSTRAP, "a:1")], options].concat();
        let found = problems(&settings(&all), &settings(secrets), &settings(stored));
        found.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn each_protocol_asks_for_what_it_needs() {
        assert!(fields(&[], &[], &[]).is_empty());
        assert!(fields(&[(PROTOCOL, "SSL")], &[], &[]).is_empty());
        assert_eq!(fields(&[(PROTOCOL, "TLS")], &[], &[]), ["options.security.protocol"]);
        let user = [(PROTOCOL, "SASL_SSL"), (USER, "u"), (MECHANISM, "SCRAM-SHA-512")];
        assert_eq!(fields(&user, &[], &[]), ["secrets.sasl.password"]);
        assert!(fields(&user, &[(PASSWORD, "p")], &[]).is_empty());
        assert!(fields(&user, &[], &[(PASSWORD, "sealed")]).is_empty());
        assert_eq!(fields(&user, &[(PASSWORD, "")], &[(PASSWORD, "sealed")]), ["secrets.sasl.password"]);
        let kerberos = [(PROTOCOL, "SASL_SSL"), (USER, "u"), (MECHANISM, "GSSAPI")];
        assert_eq!(fields(&kerberos, &[(PASSWORD, "p")], &[]), ["options.sasl.mechanism"]);
    }

    #[test]
    fn certificates_are_texts_and_never_files() {
        let ssl = [(PROTOCOL, "SSL")];
        assert!(fields(&ssl, &[(AUTHORITY, CERTIFICATE_TEXT)], &[]).is_empty());
        assert_eq!(fields(&ssl, &[(AUTHORITY, "/etc/ssl/ca.pem")], &[]), ["secrets.ssl.ca.pem"]);
        assert_eq!(fields(&ssl, &[(CERTIFICATE, CERTIFICATE_TEXT)], &[]), ["secrets.ssl.key.pem"]);
        assert_eq!(fields(&ssl, &[(KEY, KEY_TEXT)], &[]), ["secrets.ssl.certificate.pem"]);
        assert!(fields(&ssl, &[(CERTIFICATE, CERTIFICATE_TEXT), (KEY, KEY_TEXT)], &[]).is_empty());
        assert_eq!(
            fields(&ssl, &[(CERTIFICATE, CERTIFICATE_TEXT), (KEY, CERTIFICATE_TEXT)], &[]),
            ["secrets.ssl.key.pem"]
        );
        assert_eq!(fields(&[("ssl.ca.location", "/etc/passwd")], &[], &[]), ["options.ssl.ca.location"]);
        assert_eq!(fields(&[], &[("plugin.library.paths", "/x.so")], &[]), ["secrets.plugin.library.paths"]);
    }

    #[test]
    fn the_client_gets_what_the_protocol_uses() {
        let given = settings(&[(BOOTSTRAP, "a:1"), (USER, "u"), (PASSWORD, "p"), (KEY, KEY_TEXT), (MECHANISM, "")]);
        let with = |protocol: &str| {
            let mut all = given.clone();
            all.insert(PROTOCOL.to_owned(), protocol.to_owned());
            for_client(all).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(with("PLAINTEXT"), [BOOTSTRAP, PROTOCOL]);
        assert_eq!(with("SSL"), [BOOTSTRAP, PROTOCOL, "ssl.ca.location", KEY]);
        assert_eq!(with("SASL_PLAINTEXT"), [BOOTSTRAP, MECHANISM, PASSWORD, USER, PROTOCOL]);
        let mut own = given.clone();
        own.extend(settings(&[(PROTOCOL, "SSL"), (AUTHORITY, CERTIFICATE_TEXT)]));
        assert!(!for_client(own).contains_key("ssl.ca.location"));
    }

    #[test]
    fn kept_secrets_do_not_go_where_they_were_not_given_for() {
        let at = |server: &str, protocol: &str| settings(&[(BOOTSTRAP, server), (PROTOCOL, protocol)]);
        assert_eq!(exposes(&at("a:1", "SASL_SSL"), &at("a:1", "SASL_SSL")), None);
        assert_eq!(exposes(&at("a:1", "SASL_PLAINTEXT"), &at("a:1", "SASL_SSL")), None);
        assert!(exposes(&at("a:1", "SASL_SSL"), &at("b:1", "SASL_SSL")).is_some());
        assert!(exposes(&at("a:1", "SASL_SSL"), &at("a:1", "SASL_PLAINTEXT")).is_some());
    }
}

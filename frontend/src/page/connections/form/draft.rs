//! The fields of the form and the draft they make.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionDraft, ConnectionKind};
use millrace_wire::kafka::{AUTHORITY, BOOTSTRAP, CERTIFICATE, KEY, KEY_PASSWORD, MECHANISM, PASSWORD, PROTOCOL, USER};

/// Fields that show their own errors.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "description",
    "options.bootstrap.servers",
    "options.security.protocol",
    "options.sasl.mechanism",
    "options.sasl.username",
    "secrets.sasl.password",
    "secrets.ssl.ca.pem",
    "secrets.ssl.certificate.pem",
    "secrets.ssl.key.pem",
    "secrets.ssl.key.password",
    "kind",
    "options.hostname",
    "options.port",
    "options.database-name",
    "options.username",
    "options.ssl.mode",
    "options.url",
    "secrets.password",
    "options.endpoint",
    "options.region",
    "options.bucket",
    "options.prefix",
    "options.path-style",
    "options.access-key-id",
    "secrets.secret-access-key",
    "options.encryption",
    "options.from",
    "options.authentication",
    "options.header",
    "secrets.secret",
];

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) name: RwSignal<String>,
    /// The word of the kind.
    pub(super) kind: RwSignal<String>,
    /// Of database servers.
    pub(super) host: RwSignal<String>,
    pub(super) port: RwSignal<String>,
    pub(super) database: RwSignal<String>,
    pub(super) encryption: RwSignal<String>,
    /// Of schema registries and HTTP servers.
    pub(super) url: RwSignal<String>,
    /// Of all of these.
    pub(super) login: RwSignal<String>,
    pub(super) secret: RwSignal<String>,
    /// Of object stores.
    pub(super) endpoint: RwSignal<String>,
    pub(super) region: RwSignal<String>,
    pub(super) bucket: RwSignal<String>,
    pub(super) prefix: RwSignal<String>,
    pub(super) path_style: RwSignal<String>,
    pub(super) key_id: RwSignal<String>,
    /// Of mail servers.
    pub(super) mail_encryption: RwSignal<String>,
    pub(super) sender: RwSignal<String>,
    /// Of HTTP servers.
    pub(super) authentication: RwSignal<String>,
    pub(super) header: RwSignal<String>,
    /// Of Kafka, as all that follow.
    pub(super) bootstrap: RwSignal<String>,
    pub(super) protocol: RwSignal<String>,
    pub(super) mechanism: RwSignal<String>,
    pub(super) user: RwSignal<String>,
    pub(super) password: RwSignal<String>,
    pub(super) authority: RwSignal<String>,
    pub(super) certificate: RwSignal<String>,
    pub(super) key: RwSignal<String>,
    pub(super) key_password: RwSignal<String>,
    /// Certificates and the key that are stored are erased, unless others are given.
    pub(super) forget: RwSignal<bool>,
    pub(super) description: RwSignal<String>,
    pub(super) signs_in: Memo<bool>,
    pub(super) is_encrypted: Memo<bool>,
    /// Names of the secrets that are stored.
    stored: StoredValue<Vec<String>>,
    start: StoredValue<Option<ConnectionDraft>>,
}

impl Fields {
    /// `kind`: of a new one.
    pub(super) fn of(connection: Option<&Connection>, kind: ConnectionKind) -> Fields {
        let option = |name: &str, otherwise: &str| {
            let known = connection.and_then(|known| known.options.get(name)).filter(|value| !value.is_empty());
            RwSignal::new(known.cloned().unwrap_or_else(|| otherwise.to_owned()))
        };
        let empty = || RwSignal::new(String::new());
        let protocol = option(PROTOCOL, "PLAINTEXT");
        let fields = Fields {
            name: RwSignal::new(connection.map(|known| known.name.clone()).unwrap_or_default()),
            kind: RwSignal::new(connection.map_or(kind, |known| known.kind).as_str().to_owned()),
            host: option("hostname", ""),
            port: option("port", ""),
            database: option("database-name", ""),
            encryption: option("ssl.mode", "prefer"),
            url: option("url", ""),
            login: option("username", ""),
            secret: empty(),
            endpoint: option("endpoint", ""),
            region: option("region", ""),
            bucket: option("bucket", ""),
            prefix: option("prefix", ""),
            path_style: option("path-style", ""),
            key_id: option("access-key-id", ""),
            mail_encryption: option("encryption", "starttls"),
            sender: option("from", ""),
            authentication: option("authentication", "none"),
            header: option("header", ""),
            bootstrap: option(BOOTSTRAP, ""),
            protocol,
            mechanism: option(MECHANISM, "PLAIN"),
            user: option(USER, ""),
            password: empty(),
            authority: empty(),
            certificate: empty(),
            key: empty(),
            key_password: empty(),
            forget: RwSignal::new(false),
            description: RwSignal::new(connection.map(|known| known.description.clone()).unwrap_or_default()),
            signs_in: Memo::new(move |_| protocol.with(|protocol| protocol.starts_with("SASL"))),
            is_encrypted: Memo::new(move |_| protocol.with(|protocol| protocol.ends_with("SSL"))),
            stored: StoredValue::new(connection.map(|known| known.secrets_set.clone()).unwrap_or_default()),
            start: StoredValue::new(None),
        };
        fields.start.set_value(Some(fields.draft()));
        fields
    }

    pub(super) fn is_stored(&self, name: &str) -> bool {
        self.stored.with_value(|stored| stored.iter().any(|known| known == name))
    }

    /// A secret that is stored and not written here again: a test of what is written would go without it.
    pub(super) fn lacks_a_secret(&self) -> bool {
        let lacks = |name: &str, field: RwSignal<String>| self.is_stored(name) && field.with(String::is_empty);
        match self.kind() {
            ConnectionKind::Kafka => {}
            kind => return lacks(secret_of(kind), self.secret),
        }
        let sign_in = self.signs_in.get() && lacks(PASSWORD, self.password);
        let certificates = [
            (AUTHORITY, self.authority),
            (CERTIFICATE, self.certificate),
            (KEY, self.key),
            (KEY_PASSWORD, self.key_password),
        ];
        let encrypted = self.is_encrypted.get() && !self.forget.get();
        sign_in || (encrypted && certificates.into_iter().any(|(name, field)| lacks(name, field)))
    }

    /// Tracked.
    pub(super) fn kind(&self) -> ConnectionKind {
        self.kind.with(|word| word.parse()).unwrap_or(ConnectionKind::Kafka)
    }

    pub(super) fn draft(&self) -> ConnectionDraft {
        untrack(|| draft_of(self))
    }

    pub(super) fn is_changed(&self) -> bool {
        let now = self.draft();
        self.start.with_value(|start| start.as_ref() != Some(&now))
    }
}

fn draft_of(fields: &Fields) -> ConnectionDraft {
    let kind = fields.kind();
    let (options, secrets) = match kind {
        ConnectionKind::Kafka => of_kafka(fields),
        ConnectionKind::Postgresql | ConnectionKind::Mysql => of_server(
            fields,
            &[
                ("hostname", fields.host),
                ("port", fields.port),
                ("database-name", fields.database),
                ("username", fields.login),
                ("ssl.mode", fields.encryption),
            ],
        ),
        ConnectionKind::SchemaRegistry => of_server(fields, &[("url", fields.url), ("username", fields.login)]),
        ConnectionKind::ObjectStore => of_server(
            fields,
            &[
                ("endpoint", fields.endpoint),
                ("region", fields.region),
                ("bucket", fields.bucket),
                ("prefix", fields.prefix),
                ("path-style", fields.path_style),
                ("access-key-id", fields.key_id),
            ],
        ),
        ConnectionKind::Smtp => of_server(
            fields,
            &[
                ("hostname", fields.host),
                ("port", fields.port),
                ("encryption", fields.mail_encryption),
                ("username", fields.login),
                ("from", fields.sender),
            ],
        ),
        ConnectionKind::Http => of_http(fields),
    };
    ConnectionDraft {
        name: fields.name.get().trim().to_owned(),
        kind,
        options,
        secrets,
        description: fields.description.get().trim().to_owned(),
    }
}

type Settings = BTreeMap<String, String>;

/// An option that is empty is left out, as is a password: what is stored is kept.
fn of_server(fields: &Fields, options: &[(&str, RwSignal<String>)]) -> (Settings, Settings) {
    let set = |(name, value): &(&str, RwSignal<String>)| {
        let value = value.get().trim().to_owned();
        (!value.is_empty()).then(|| ((*name).to_owned(), value))
    };
    let secret = Some(fields.secret.get()).filter(|secret| !secret.is_empty());
    (
        options.iter().filter_map(set).collect(),
        secret.map(|secret| (secret_of(fields.kind()).to_owned(), secret)).into_iter().collect(),
    )
}

/// The name of the one secret of a kind.
pub(super) const fn secret_of(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::ObjectStore => "secret-access-key",
        ConnectionKind::Http => "secret",
        _ => "password",
    }
}

/// What one way of signing in asks for is no option of the others; who signs in no more has no secret either.
fn of_http(fields: &Fields) -> (Settings, Settings) {
    let (mut options, mut secrets) =
        of_server(fields, &[("url", fields.url), ("authentication", fields.authentication)]);
    let mut also = |name: &str, value: RwSignal<String>| {
        options.insert(name.to_owned(), value.get().trim().to_owned());
    };
    match fields.authentication.get().as_str() {
        "basic" => also("username", fields.login),
        "header" => also("header", fields.header),
        "bearer" => {}
        _ if fields.is_stored("secret") => {
            secrets.insert("secret".to_owned(), String::new());
        }
        _ => secrets.clear(),
    }
    (options, secrets)
}

fn of_kafka(fields: &Fields) -> (Settings, Settings) {
    let mut options = BTreeMap::from([(BOOTSTRAP.to_owned(), fields.bootstrap.get().trim().to_owned())]);
    let mut secrets = BTreeMap::new();
    options.insert(PROTOCOL.to_owned(), fields.protocol.get());
    // Absent: what is stored is kept.
    let mut give = |name: &str, value: String| {
        if !value.trim().is_empty() {
            secrets.insert(name.to_owned(), value);
        } else if fields.forget.get() && name.starts_with("ssl.") && fields.is_stored(name) {
            secrets.insert(name.to_owned(), String::new());
        }
    };
    if fields.signs_in.get() {
        options.insert(MECHANISM.to_owned(), fields.mechanism.get());
        options.insert(USER.to_owned(), fields.user.get().trim().to_owned());
        give(PASSWORD, fields.password.get());
    }
    if fields.is_encrypted.get() {
        give(AUTHORITY, fields.authority.get());
        give(CERTIFICATE, fields.certificate.get());
        give(KEY, fields.key.get());
        give(KEY_PASSWORD, fields.key_password.get());
    }
    (options, secrets)
}

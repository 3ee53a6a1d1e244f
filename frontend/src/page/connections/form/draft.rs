//! The fields of the form and the draft they make.

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionDraft, ConnectionKind};

use super::super::BOOTSTRAP;

pub(super) const SASL: &str = "SASL_PLAINTEXT";
const PROTOCOL: &str = "security.protocol";
const MECHANISM: &str = "sasl.mechanism";
const USER: &str = "sasl.username";
const PASSWORD: &str = "sasl.password";

/// Fields that show their own errors.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "description",
    "options.bootstrap.servers",
    "options.security.protocol",
    "options.sasl.username",
    "secrets.sasl.password",
];

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) name: RwSignal<String>,
    pub(super) bootstrap: RwSignal<String>,
    pub(super) protocol: RwSignal<String>,
    pub(super) user: RwSignal<String>,
    pub(super) password: RwSignal<String>,
    pub(super) description: RwSignal<String>,
    start: StoredValue<Option<ConnectionDraft>>,
}

impl Fields {
    pub(super) fn of(connection: Option<&Connection>) -> Fields {
        let option = |name: &str| {
            RwSignal::new(connection.and_then(|known| known.options.get(name).cloned()).unwrap_or_default())
        };
        let fields = Fields {
            name: RwSignal::new(connection.map(|known| known.name.clone()).unwrap_or_default()),
            bootstrap: option(BOOTSTRAP),
            protocol: option(PROTOCOL),
            user: option(USER),
            password: RwSignal::new(String::new()),
            description: RwSignal::new(connection.map(|known| known.description.clone()).unwrap_or_default()),
            start: StoredValue::new(None),
        };
        if fields.protocol.with_untracked(String::is_empty) {
            fields.protocol.set("PLAINTEXT".to_owned());
        }
        fields.start.set_value(Some(fields.draft()));
        fields
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
    let mut options = BTreeMap::from([(BOOTSTRAP.to_owned(), fields.bootstrap.get().trim().to_owned())]);
    let mut secrets = BTreeMap::new();
    options.insert(PROTOCOL.to_owned(), fields.protocol.get());
    if fields.protocol.get() == SASL {
        options.insert(MECHANISM.to_owned(), "PLAIN".to_owned());
        options.insert(USER.to_owned(), fields.user.get().trim().to_owned());
        let password = fields.password.get();
        if !password.is_empty() {
            secrets.insert(PASSWORD.to_owned(), password);
        }
    }
    ConnectionDraft {
        name: fields.name.get().trim().to_owned(),
        kind: ConnectionKind::Kafka,
        options,
        secrets,
        description: fields.description.get().trim().to_owned(),
    }
}

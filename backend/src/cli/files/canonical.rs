//! The YAML of each kind of object. Fields of the API that the platform fills in by itself (ids, times, who) are not
//! here; what is usual is left out, so that the files stay short.

use std::collections::BTreeMap;

use anyhow::Context as _;
use millrace_wire::connection::{Connection, ConnectionKind};
use millrace_wire::job::{JobKind, JobSettings};
use millrace_wire::job_test::TestDraft;
use millrace_wire::savepoint::SavepointSchedule;
use millrace_wire::schedule::Schedule;
use millrace_wire::table::{Column, Database, EventTime, Table};
use millrace_wire::table_version::Compatibility;
use millrace_wire::user_function::UserFunctionVersion;
use millrace_wire::variable::Variable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionFile {
    pub(super) kind: ConnectionKind,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, String>,
    /// Name → `${variable}`; a secret's value is not in the files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, String>,
}

/// What `${name}` in the team's scripts stands for; the file's name is the variable's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariableFile {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    /// Absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    /// Of a secret: `value` → `${variable}`, where the variable is one of the files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseFile {
    #[serde(default)]
    pub(super) description: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionFile {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) remark: String,
    /// Of a macro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) definition: Option<String>,
    /// Of a module: which of its functions, and the SHA-256 of the file beside this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) module: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) comment: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) owner: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sharers: Vec<String>,
    #[serde(default = "no_mode", skip_serializing_if = "is_no_mode")]
    pub(super) compatibility: Compatibility,
    pub(super) connector: String,
    /// By name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, String>,
    /// Of tables without a connection; as those of connections.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event_time: Option<EventTime>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) primary_key: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobFile {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    /// `billing/daily`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) folder: String,
    #[serde(default = "stream", skip_serializing_if = "is_stream")]
    pub(super) kind: JobKind,
    #[serde(default)]
    pub(super) settings: JobSettings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<Schedule>,
    /// When it takes savepoints by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) savepoints: Option<SavepointSchedule>,
    /// A version starts only when the tests pass.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) tests_must_pass: bool,
    /// In the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tests: Vec<TestDraft>,
}

const fn stream() -> JobKind {
    JobKind::Stream
}

const fn no_mode() -> Compatibility {
    Compatibility::None
}

fn is_no_mode(mode: &Compatibility) -> bool {
    *mode == Compatibility::None
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_stream(kind: &JobKind) -> bool {
    *kind == JobKind::Stream
}

impl ConnectionFile {
    pub(super) fn of(connection: &Connection) -> ConnectionFile {
        ConnectionFile {
            kind: connection.kind,
            description: connection.description.clone(),
            options: connection.options.clone(),
            secrets: placeholders(&connection.name, connection.secrets_set.iter()),
        }
    }
}

/// What an export has for secrets, whatever variables a file names: `${orders_cluster_sasl_password}`.
pub(super) fn placeholders<'a>(object: &str, secrets: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let variable = |secret: &String| format!("{object}_{secret}").chars().map(plain).collect::<String>();
    secrets.map(|secret| (secret.clone(), format!("${{{}}}", variable(secret)))).collect()
}

/// The only secret that a variable has.
pub(super) const VALUE: &str = "value";

impl VariableFile {
    pub(super) fn of(variable: &Variable) -> VariableFile {
        let (value, secrets) = match variable.secret {
            true => (None, usual_secret(&variable.name)),
            false => (Some(variable.value.clone()), BTreeMap::new()),
        };
        VariableFile { description: variable.description.clone(), value, secrets }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secrets.contains_key(VALUE)
    }

    /// Whatever variable a file has for its secret: an export has this one.
    pub(super) fn with_usual_placeholders(&self, name: &str) -> anyhow::Result<VariableFile> {
        let other = self.secrets.keys().find(|secret| *secret != VALUE);
        anyhow::ensure!(other.is_none(), "a variable has one secret, which is called value");
        anyhow::ensure!(self.is_secret() != self.value.is_some(), "a variable has a value, or secrets with a value");
        let secrets = if self.is_secret() { usual_secret(name) } else { BTreeMap::new() };
        Ok(VariableFile { description: self.description.clone(), value: self.value.clone(), secrets })
    }
}

fn usual_secret(name: &str) -> BTreeMap<String, String> {
    placeholders("variable", std::iter::once(&name.to_owned()))
        .into_values()
        .map(|placeholder| (VALUE.to_owned(), placeholder))
        .collect()
}

impl DatabaseFile {
    pub(super) fn of(database: &Database) -> DatabaseFile {
        DatabaseFile { description: database.description.clone() }
    }
}

impl FunctionFile {
    pub(super) fn of(remark: &str, newest: &UserFunctionVersion) -> FunctionFile {
        FunctionFile {
            remark: remark.to_owned(),
            definition: newest.definition.clone(),
            entry: newest.entry.clone(),
            module: newest.module_hash.clone(),
        }
    }
}

impl TableFile {
    pub(super) fn of(table: &Table, connection: Option<String>) -> TableFile {
        let draft = &table.draft;
        TableFile {
            owner: table.owner.clone(),
            tags: table.tags.clone(),
            sharers: table.sharers.clone(),
            compatibility: table.compatibility,
            comment: draft.comment.clone(),
            connector: draft.connector.clone(),
            connection,
            format: draft.format.clone(),
            options: draft.options.clone(),
            secrets: placeholders(&format!("{}.{}", draft.database, draft.name), table.secrets_set.iter()),
            columns: draft.columns.clone(),
            event_time: draft.event_time.clone(),
            primary_key: draft.primary_key.clone(),
        }
    }
}

pub(super) fn write<T: Serialize>(file: &T) -> anyhow::Result<String> {
    yaml_serde::to_string(file).context("an object cannot be written as YAML")
}

pub(super) fn read<T: DeserializeOwned>(yaml: &str) -> anyhow::Result<T> {
    Ok(yaml_serde::from_str(yaml)?)
}

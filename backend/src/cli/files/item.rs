//! One object of a team as text, and the file that it lies in.

use std::collections::BTreeMap;
use std::fmt;

/// In the order in which they are made: each may need what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Connection,
    Variable,
    Database,
    Function,
    Table,
    Job,
}

impl Kind {
    pub(super) const ALL: [Kind; 6] =
        [Kind::Connection, Kind::Variable, Kind::Database, Kind::Function, Kind::Table, Kind::Job];

    /// The folder its files lie in, which is also the path in the API.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Kind::Connection => "connections",
            Kind::Variable => "variables",
            Kind::Database => "databases",
            Kind::Function => "functions",
            Kind::Table => "tables",
            Kind::Job => "jobs",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// As people know it; of tables `database.table`.
    pub(super) name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.folder(), self.name)
    }
}

/// An object as its canonical text: whatever order or quotes a file has, equal objects have equal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) key: Key,
    pub(super) yaml: String,
    /// Of a job.
    pub(super) sql: Option<String>,
    /// Of a function that is a module: its bytes.
    pub(super) module: Option<Vec<u8>>,
    /// Of a connection or a variable in a file: what stands for each secret. Not compared, since values are not known.
    pub(super) secrets: BTreeMap<String, String>,
}

impl Item {
    /// Below the team's folder, without the ending.
    pub(super) fn path(&self) -> String {
        path_of(&self.key)
    }

    /// What is compared and shown: the YAML, and below it the SQL.
    pub(super) fn text(&self) -> String {
        match &self.sql {
            Some(sql) => format!("{}---\n{sql}", self.yaml),
            None => self.yaml.clone(),
        }
    }
}

pub(super) fn path_of(key: &Key) -> String {
    match (key.kind, key.name.split_once('.')) {
        (Kind::Table, Some((database, table))) => format!("tables/{}/{}", file_name(database), file_name(table)),
        _ => format!("{}/{}", key.kind.folder(), file_name(&key.name)),
    }
}

/// The object whose file this is; the path without the ending.
pub(super) fn key_of(path: &str) -> Option<Key> {
    let parts: Vec<&str> = path.split('/').collect();
    let kind = Kind::ALL.into_iter().find(|kind| parts.first() == Some(&kind.folder()))?;
    let name = match (kind, parts.as_slice()) {
        (Kind::Table, [_, database, table]) => format!("{}.{}", name_of(database)?, name_of(table)?),
        (Kind::Table, _) => return None,
        (_, [_, name]) => name_of(name)?,
        _ => return None,
    };
    Some(Key { kind, name })
}

/// Names may hold anything; files are called by letters, digits and a few signs, the rest as `%XX`.
fn file_name(name: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ' | b'+');
    name.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn name_of(file: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(file.len());
    let mut rest = file.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_file_and_every_file_its_name() {
        let key = |kind, name: &str| Key { kind, name: name.to_owned() };
        for (key, path) in [
            (key(Kind::Job, "orders per minute"), "jobs/orders per minute"),
            (key(Kind::Job, "a/b.c%…"), "jobs/a%2Fb%2Ec%25%E2%80%A6"),
            (key(Kind::Job, "../../etc"), "jobs/%2E%2E%2F%2E%2E%2Fetc"),
            (key(Kind::Table, "main.orders"), "tables/main/orders"),
        ] {
            assert_eq!(path_of(&key), path);
            assert_eq!(key_of(path), Some(key));
        }
        for stranger in ["README", "jobs/a/b", "tables/orders", "jobs/a%2", "jobs/a%ZZ"] {
            assert_eq!(key_of(stranger), None, "{stranger}");
        }
    }
}

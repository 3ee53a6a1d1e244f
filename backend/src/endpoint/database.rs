//! Connections to database servers: PostgreSQL, MySQL and MariaDB.

use std::collections::BTreeMap;

use millrace_wire::connection::ConnectionKind;
use millrace_wire::error::FieldError;

use super::Settings;

pub const HOST: &str = "hostname";
pub const PORT: &str = "port";
pub const DATABASE: &str = "database-name";
pub const USER: &str = "username";
pub const PASSWORD: &str = "password";
pub const ENCRYPTION: &str = "ssl.mode";

const OPTIONS: &[&str] = &[HOST, PORT, DATABASE, USER, ENCRYPTION];
/// From the weakest to the strongest.
const MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];
const DEFAULT_MODE: &str = "prefer";
const LONGEST: usize = 4096;

pub const fn default_port(kind: ConnectionKind) -> u16 {
    match kind {
        ConnectionKind::Mysql => 3306,
        _ => 5432,
    }
}

fn set<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
    settings.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn mode(options: &Settings) -> &str {
    set(options, ENCRYPTION).unwrap_or(DEFAULT_MODE)
}

pub(super) fn problems(options: &Settings, secrets: &Settings) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let mut problem = |field: String, message: &str| problems.push(FieldError { field, message: message.to_owned() });
    for name in options.keys().filter(|name| !OPTIONS.contains(&name.as_str())) {
        problem(format!("options.{name}"), "This is not an option of a database connection.");
    }
    for name in secrets.keys().filter(|name| *name != PASSWORD) {
        problem(format!("secrets.{name}"), "This is not a secret of a database connection.");
    }
    let host = set(options, HOST).unwrap_or_default();
    if host.is_empty() {
        problem(format!("options.{HOST}"), "Enter the server's name or address.");
    } else if !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']')) {
        problem(format!("options.{HOST}"), "Enter a name or an address, without a port.");
    }
    if set(options, PORT).is_some_and(|port| port.parse::<u16>().ok().is_none_or(|port| port == 0)) {
        problem(format!("options.{PORT}"), "Enter a number from 1 to 65535.");
    }
    for (name, message) in [(DATABASE, "Enter the database to connect to."), (USER, "Enter who signs in.")] {
        if set(options, name).is_none() {
            problem(format!("options.{name}"), message);
        }
    }
    // It becomes part of a JDBC URL for tables that are named as in Flink.
    if set(options, DATABASE).is_some_and(|name| name.contains(['?', '/', '&', '#'])) {
        problem(format!("options.{DATABASE}"), "The name cannot hold any of / ? & #.");
    }
    if !MODES.contains(&mode(options)) {
        problem(format!("options.{ENCRYPTION}"), "Choose disable, prefer, require, verify-ca or verify-full.");
    }
    for (group, values) in [("options", options), ("secrets", secrets)] {
        for (name, value) in values {
            if value.len() > LONGEST || value.chars().any(char::is_control) {
                problem(format!("{group}.{name}"), "Use one line of at most 4096 characters.");
            }
        }
    }
    problems
}

pub(super) fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    if [HOST, PORT].into_iter().any(|name| set(before, name) != set(after, name)) {
        return Some("The address changed: enter the password again.");
    }
    let strength = |settings: &Settings| MODES.iter().position(|known| *known == mode(settings));
    (strength(after) < strength(before)).then_some("The connection is less well encrypted: enter the password again.")
}

/// Under the names of the connector: those of `postgres` and `mysql` are ours, `jdbc` has Flink's.
pub(super) fn table_options(kind: ConnectionKind, connector: &str, mut settings: Settings) -> Settings {
    let value = |settings: &Settings, name: &str| set(settings, name).unwrap_or_default().to_owned();
    let mode = mode(&settings).to_owned();
    let mut options = BTreeMap::from([(ENCRYPTION.to_owned(), mode), (USER.to_owned(), value(&settings, USER))]);
    options.extend(settings.remove(PASSWORD).map(|password| (PASSWORD.to_owned(), password)));
    options.extend(settings.remove(super::NO_LOCAL_OPTION).map(|mark| (super::NO_LOCAL_OPTION.to_owned(), mark)));
    let host = value(&settings, HOST);
    let port = set(&settings, PORT).map_or_else(|| default_port(kind).to_string(), str::to_owned);
    let database = value(&settings, DATABASE);
    if connector == "jdbc" {
        let scheme = if kind == ConnectionKind::Mysql { "mysql" } else { "postgresql" };
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        options.insert("url".to_owned(), format!("jdbc:{scheme}://{host}:{port}/{database}"));
    } else {
        options.extend([(HOST.to_owned(), host), (PORT.to_owned(), port), (DATABASE.to_owned(), database)]);
    }
    options
}

/// `host:port/database` of a table's options, those of a JDBC URL as well; without a port that of the kind is meant.
pub(super) fn place(options: &Settings) -> Option<String> {
    if let Some(url) = set(options, "url") {
        let rest = url.strip_prefix("jdbc:")?;
        let (scheme, rest) = rest.split_once("://")?;
        let place = rest.split('?').next().unwrap_or(rest).to_lowercase();
        let (server, database) = place.split_once('/')?;
        let port = if scheme == "postgresql" { 5432 } else { 3306 };
        let has_port = server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        return Some(if has_port { place } else { format!("{server}:{port}/{database}") });
    }
    let (host, database) = (set(options, HOST)?, set(options, DATABASE)?);
    // Which kind it is the connector says: with the port left out, both usual ones are the same place.
    let port = set(options, PORT).unwrap_or("default");
    let port = if matches!(port, "5432" | "3306") { "default" } else { port };
    Some(format!("{host}:{port}/{database}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const GOOD: &[(&str, &str)] = &[(HOST, "db.example"), (DATABASE, "shop"), (USER, "reader")];

    fn fields(more: &[(&str, &str)], secrets: &[(&str, &str)]) -> Vec<String> {
        let options = settings(&[GOOD, more].concat());
        problems(&options, &settings(secrets)).into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        assert_eq!(fields(&[], &[(PASSWORD, "hush")]), Vec::<String>::new());
        assert_eq!(fields(&[(HOST, "db.example/x")], &[]), ["options.hostname"]);
        assert_eq!(fields(&[(PORT, "70000")], &[]), ["options.port"]);
        assert_eq!(fields(&[(DATABASE, "shop?sslmode=disable")], &[]), ["options.database-name"]);
        assert_eq!(fields(&[(ENCRYPTION, "maybe")], &[]), ["options.ssl.mode"]);
        assert_eq!(
            fields(&[("sslrootcert", "/etc/passwd")], &[("token", "x")]),
            ["options.sslrootcert", "secrets.token"]
        );
        assert_eq!(fields(&[(USER, "a\nb")], &[]), ["options.username"]);
        assert_eq!(problems(&Settings::new(), &Settings::new()).len(), 3);
    }

    #[test]
    fn a_password_does_not_follow_to_another_server_or_in_the_open() {
        let with = |more: &[(&str, &str)]| settings(&[GOOD, more].concat());
        let before = with(&[(ENCRYPTION, "require")]);
        assert!(exposes(&before, &with(&[(ENCRYPTION, "require"), (HOST, "other")])).is_some());
        assert!(exposes(&before, &with(&[(ENCRYPTION, "require"), (PORT, "6432")])).is_some());
        assert!(exposes(&before, &with(&[(ENCRYPTION, "prefer")])).is_some());
        assert!(exposes(&before, &with(&[(ENCRYPTION, "verify-full"), (DATABASE, "other")])).is_none());
    }

    #[test]
    fn one_place_has_one_spelling() {
        let at = |pairs: &[(&str, &str)]| place(&settings(pairs));
        let named = at(&[(HOST, "DB.example"), (DATABASE, "shop")]);
        assert_eq!(named, at(&[(HOST, "db.example"), (PORT, "5432"), (DATABASE, "shop")]));
        assert_ne!(named, at(&[(HOST, "db.example"), (PORT, "6432"), (DATABASE, "shop")]));
        let url = at(&[("url", "jdbc:postgresql://db.example/shop?sslmode=require")]);
        assert_eq!(url, at(&[("url", "jdbc:postgresql://db.example:5432/shop")]));
        assert_eq!(at(&[("table-name", "x")]), None);
    }

    #[test]
    fn tables_get_the_options_of_their_connector() {
        let all = settings(&[GOOD, &[(PASSWORD, "hush")]].concat());
        let own = table_options(ConnectionKind::Postgresql, "postgres", all.clone());
        let named = settings(&[GOOD, &[(PASSWORD, "hush"), (PORT, "5432"), (ENCRYPTION, "prefer")]].concat());
        assert_eq!(own, named);
        let jdbc = table_options(ConnectionKind::Mysql, "jdbc", all);
        let url = ("url", "jdbc:mysql://db.example:3306/shop");
        assert_eq!(jdbc, settings(&[url, (USER, "reader"), (PASSWORD, "hush"), (ENCRYPTION, "prefer")]));
    }
}

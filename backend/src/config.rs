//! Configuration: a TOML file, overridden by the environment (`MILLRACE_<NAME>`), checked as a whole at start.
//!
//! Every setting is one row of `docs/operations.md`. [`Config::load`] reports all problems at once, one line each, and
//! names where the wrong value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::log::search::Kept;

/// Names in the file; in the environment upper case with `MILLRACE_` in front.
const KNOWN: &[&str] = &[
    "data_dir",
    "shared_dir",
    "peer_url",
    "listen",
    "public_url",
    "database_url",
    "kafka",
    "demo",
    "allow_private_addresses",
    "file_roots",
    "secret_key_file",
    "worker_binary",
    "broker_binary",
    "oidc_issuer",
    "oidc_client_id",
    "oidc_client_secret",
    "oidc_name",
    "oidc_create_users",
    "bin_days",
    "log_days",
    "log_gigabytes",
    "smtp_url",
    "smtp_from",
];

#[derive(Clone, Debug)]
pub struct Config {
    /// Everything the server keeps: the metadata database, keys, the history of figures, the demo broker's data.
    pub data_dir: PathBuf,
    /// What all servers of one database must see: checkpoints, logs, uploaded modules, files of teams. The data directory
    /// itself, where there is one server.
    pub shared_dir: PathBuf,
    /// Where the other servers, and the workers, reach this one; by default where it listens.
    pub peer_url: Option<String>,
    pub listen: SocketAddr,
    /// The address people use, when it is not the one listened on (behind a proxy). With https, cookies are `Secure`.
    pub public_url: Option<String>,
    pub database_url: String,
    /// Bootstrap servers of the Kafka to use; without it the demo broker is started.
    pub kafka: Option<String>,
    /// Anybody may sign in as the demo user; a demo team is kept.
    pub demo: bool,
    /// Loopback and link-local addresses may be named in connections. Demo mode implies it.
    pub allow_private_addresses: bool,
    /// File connectors read and write below these only.
    pub file_roots: FileRoots,
    pub secret_key_file: PathBuf,
    /// The executables of workers and of the demo broker; by default beside this one.
    pub worker_binary: Option<PathBuf>,
    pub broker_binary: Option<PathBuf>,
    /// How long deleted jobs stay in the recycle bin.
    pub bin_days: u32,
    /// How long log lines can be searched, and how many bytes of them.
    pub kept_logs: Kept,
    /// Where people can sign in besides here.
    pub provider: Option<Provider>,
    /// Mail goes out by this server, with user and password in the URL where it asks for them; without it none does.
    pub smtp_url: Option<String>,
    /// The sender of mails.
    pub smtp_from: Option<String>,
}

/// A provider of OpenID Connect.
#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<String>,
    /// For the button on the sign-in page.
    pub name: String,
    /// Whether somebody who has no account here gets one.
    pub creates_users: bool,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Where file connectors may go.
#[derive(Clone, Debug, Default)]
pub struct FileRoots {
    roots: Vec<PathBuf>,
    /// The server's own root holds a folder per team, so that teams do not see each other's files. Roots that the
    /// administrator names are shared by all teams, as named.
    folder_per_team: bool,
}

impl FileRoots {
    /// Roots that all teams share.
    pub fn shared(roots: Vec<PathBuf>) -> FileRoots {
        FileRoots { roots, folder_per_team: false }
    }

    /// What the team may use; its own folder is made when it is not there yet.
    pub fn of_team(&self, slug: &str) -> Vec<PathBuf> {
        if !self.folder_per_team {
            return self.roots.clone();
        }
        let folders: Vec<PathBuf> = self.roots.iter().map(|root| root.join(slug)).collect();
        for folder in &folders {
            if let Err(cause) = std::fs::create_dir_all(folder) {
                tracing::warn!("{} cannot be made: {cause}", folder.display());
            }
        }
        folders
    }
}

/// All that is wrong, one line each.
#[derive(Debug)]
pub struct ConfigProblems(pub Vec<String>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The configuration cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigProblems {}

impl Config {
    /// Each server has its own: it is a copy of what lies in the shared files.
    pub fn log_index_folder(&self) -> PathBuf {
        self.data_dir.join("logs-index")
    }

    /// `file`: from `--config`; a missing one is a problem. The environment is read from this process.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigProblems> {
        Self::load_over(file, None)
    }

    /// With another data directory than the one that is configured.
    pub fn load_over(file: Option<&Path>, data_dir: Option<&Path>) -> Result<Config, ConfigProblems> {
        let environment =
            std::env::vars().filter_map(|(name, value)| Some((name.strip_prefix("MILLRACE_")?.to_lowercase(), value)));
        let given = data_dir.map(|folder| ("data_dir".to_owned(), folder.display().to_string()));
        Self::from_sources(file, environment.chain(given).collect())
    }

    /// `environment`: by setting name, lower case and without the prefix; unknown names are left alone, since the
    /// environment is shared with other programs.
    pub fn from_sources(file: Option<&Path>, environment: BTreeMap<String, String>) -> Result<Config, ConfigProblems> {
        let mut problems = Vec::new();
        let table = file.map(|path| read_file(path, &mut problems)).unwrap_or_default();
        let mut settings = Settings { file: table, environment, problems };
        let config = settings.read();
        if settings.problems.is_empty() { Ok(config) } else { Err(ConfigProblems(settings.problems)) }
    }

    /// Where browsers are told to go and what `Origin` must be; no slash at the end.
    pub fn origin(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }

    /// Where the other servers, and the workers, reach this one; no slash at the end.
    pub fn peer_address(&self) -> String {
        if let Some(url) = &self.peer_url {
            return url.trim_end_matches('/').to_owned();
        }
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// True when people come by https, so that cookies may be `Secure` and carry the `__Host-` prefix.
    pub fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

fn read_file(path: &Path, problems: &mut Vec<String>) -> toml::Table {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) => {
            problems.push(format!("{}: cannot be read: {cause}.", path.display()));
            return toml::Table::new();
        }
    };
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(cause) => {
            problems.push(format!("{}: is not valid TOML: {}.", path.display(), cause.message()));
            return toml::Table::new();
        }
    };
    for name in table.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        problems.push(format!("{}: '{name}' is not a setting. Known ones: {}.", path.display(), KNOWN.join(", ")));
    }
    table
}

struct Settings {
    file: toml::Table,
    environment: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Settings {
    fn read(&mut self) -> Config {
        let data_dir = self.text("data_dir").map_or_else(|| PathBuf::from("millrace-data"), PathBuf::from);
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        let shared_dir = self.text("shared_dir").map_or_else(|| data_dir.clone(), PathBuf::from);
        let shared_dir = std::path::absolute(&shared_dir).unwrap_or(shared_dir);
        let listen = self.text("listen").unwrap_or_else(|| "127.0.0.1:7878".to_owned());
        let listen = listen.parse().unwrap_or_else(|_| {
            self.problem("listen", &format!("'{listen}' is not an address and port, for example 127.0.0.1:7878"));
            SocketAddr::from(([127, 0, 0, 1], 7878))
        });
        let public_url = self.url("public_url");
        let peer_url = self.url("peer_url");
        let default_database = format!("sqlite://{}", data_dir.join("millrace.db").display());
        let database_url = self.text("database_url").unwrap_or(default_database);
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database_url.starts_with(scheme)) {
            // The value may hold a password: it is not repeated.
            self.problem("database_url", "must start with sqlite:// or postgres://");
        }
        let kafka = self.text("kafka");
        if let Some(servers) = &kafka {
            for server in servers.split(',').map(str::trim) {
                if server.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
                    self.problem("kafka", &format!("'{server}' is not host:port"));
                }
            }
        }
        let demo = self.flag("demo");
        let allow_private_addresses = self.flag("allow_private_addresses") || demo;
        let file_roots = self.file_roots(&shared_dir);
        let secret_key_file = self.text("secret_key_file").map_or_else(|| data_dir.join("secret.key"), PathBuf::from);
        let worker_binary = self.existing_file("worker_binary");
        let broker_binary = self.existing_file("broker_binary");
        let provider = self.provider();
        let bin_days = self.days("bin_days", 30);
        let kept_logs = self.kept_logs();
        let (smtp_url, smtp_from) = self.mail();
        Config {
            data_dir,
            shared_dir,
            peer_url,
            listen,
            public_url,
            database_url,
            kafka,
            demo,
            allow_private_addresses,
            file_roots,
            secret_key_file,
            worker_binary,
            broker_binary,
            provider,
            bin_days,
            kept_logs,
            smtp_url,
            smtp_from,
        }
    }

    fn url(&mut self, name: &str) -> Option<String> {
        let url = self.text(name)?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            self.problem(name, &format!("'{url}' must start with http:// or https://"));
        }
        Some(url)
    }

    fn provider(&mut self) -> Option<Provider> {
        let (issuer, client_id) = (self.text("oidc_issuer"), self.text("oidc_client_id"));
        let (client_secret, name) = (self.text("oidc_client_secret"), self.text("oidc_name"));
        let creates_users = self.flag_or("oidc_create_users", true);
        let issuer = match (issuer, &client_id) {
            (Some(issuer), Some(_)) => issuer,
            (Some(_), None) => {
                self.problem("oidc_client_id", "is needed beside oidc_issuer");
                return None;
            }
            (None, Some(_)) => {
                self.problem("oidc_issuer", "is needed beside oidc_client_id");
                return None;
            }
            (None, None) => return None,
        };
        let Some((_, host)) = issuer.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http")) else {
            self.problem("oidc_issuer", &format!("'{issuer}' must start with https://"));
            return None;
        };
        let name = name.unwrap_or_else(|| host.split('/').next().unwrap_or(host).to_owned());
        Some(Provider { client_id: client_id?, client_secret, name, creates_users, issuer })
    }

    /// Both or neither. The URL may hold a password: it is not repeated.
    fn mail(&mut self) -> (Option<String>, Option<String>) {
        let (url, from) = (self.text("smtp_url"), self.text("smtp_from"));
        match (&url, &from) {
            (Some(_), None) => self.problem("smtp_url", "needs smtp_from, the sender of mails"),
            (None, Some(_)) => self.problem("smtp_from", "needs smtp_url, the server that mails go out by"),
            _ => {}
        }
        if url.as_deref().is_some_and(|url| !url.starts_with("smtp://") && !url.starts_with("smtps://")) {
            self.problem("smtp_url", "must start with smtp:// or smtps://");
        }
        if from.as_deref().is_some_and(|from| from.parse::<lettre::message::Mailbox>().is_err()) {
            self.problem("smtp_from", "is not an address, for example Millrace <millrace@example.org>");
        }
        (url, from)
    }

    /// The default is `files` below the shared directory, so that file tables work from the first minute.
    fn file_roots(&mut self, shared_dir: &Path) -> FileRoots {
        let given: Vec<PathBuf> = match self.environment.get("file_roots") {
            Some(list) => list.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect(),
            None => match self.file.get("file_roots") {
                None => Vec::new(),
                Some(toml::Value::Array(values)) if values.iter().all(toml::Value::is_str) => {
                    values.iter().filter_map(toml::Value::as_str).map(PathBuf::from).collect()
                }
                Some(_) => {
                    self.problem("file_roots", "must be a list of directories");
                    Vec::new()
                }
            },
        };
        for root in given.iter().filter(|root| !root.is_absolute()) {
            self.problems.push(format!(
                "{}: '{}' must be an absolute path.",
                self.origin("file_roots"),
                root.display()
            ));
        }
        if given.is_empty() {
            return FileRoots { roots: vec![shared_dir.join("files")], folder_per_team: true };
        }
        FileRoots::shared(given)
    }

    fn existing_file(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(name)?);
        if !path.is_file() {
            self.problem(name, &format!("there is no file '{}'", path.display()));
        }
        Some(path)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        if let Some(value) = self.environment.get(name) {
            return (!value.trim().is_empty()).then(|| value.trim().to_owned());
        }
        match self.file.get(name)? {
            toml::Value::String(value) => Some(value.clone()),
            other => {
                let kind = other.type_str();
                self.problem(name, &format!("must be text, not {kind}"));
                None
            }
        }
    }

    fn kept_logs(&mut self) -> Kept {
        let days = self.days("log_days", 30);
        let gigabytes = self.number("log_gigabytes", 50, "gigabytes from 1 to 100000", 1..=100_000);
        Kept { days, bytes: u64::from(gigabytes) << 30 }
    }

    fn days(&mut self, name: &str, usual: u32) -> u32 {
        self.number(name, usual, "days from 1 to 3650", 1..=3650)
    }

    fn number(&mut self, name: &str, usual: u32, what: &str, within: RangeInclusive<u32>) -> u32 {
        let text = match (self.environment.get(name), self.file.get(name)) {
            (Some(value), _) => value.trim().to_owned(),
            (None, Some(value)) => value.to_string(),
            (None, None) => return usual,
        };
        match text.parse::<u32>() {
            Ok(number) if within.contains(&number) => number,
            _ => {
                self.problem(name, &format!("'{text}' is not a number of {what}"));
                usual
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    fn flag_or(&mut self, name: &str, default: bool) -> bool {
        let text = match self.environment.get(name) {
            Some(value) => value.trim().to_lowercase(),
            None => match self.file.get(name) {
                None => return default,
                Some(toml::Value::Boolean(value)) => return *value,
                Some(other) => other.to_string(),
            },
        };
        match text.as_str() {
            "true" | "1" | "yes" | "on" => true,
            "" | "false" | "0" | "no" | "off" => false,
            other => {
                self.problem(name, &format!("'{other}' is neither true nor false"));
                false
            }
        }
    }

    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{}: {what}.", self.origin(name)));
    }

    fn origin(&self, name: &str) -> String {
        if self.environment.contains_key(name) {
            format!("MILLRACE_{} (environment)", name.to_uppercase())
        } else {
            format!("{name} (configuration file)")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_are_usable_and_private() {
        let config = Config::from_sources(None, BTreeMap::new()).unwrap();
        assert!(config.listen.ip().is_loopback());
        assert!(!config.demo);
        assert!(!config.allow_private_addresses);
        assert!(config.database_url.starts_with("sqlite:///"));
    }

    #[test]
    fn environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("millrace.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\ndemo = false\nkafka = \"a:9092\"\n").unwrap();
        let config =
            Config::from_sources(Some(&file), environment(&[("listen", "127.0.0.1:2"), ("demo", "true")])).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert!(config.demo && config.allow_private_addresses);
        assert_eq!(config.kafka.as_deref(), Some("a:9092"));
    }

    #[test]
    fn every_problem_has_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("millrace.toml");
        std::fs::write(&file, "lisen = \"x\"\ndemo = 3\nfile_roots = \"/a\"\nkafka = \"a\"\n").unwrap();
        let problems = Config::from_sources(
            Some(&file),
            environment(&[("listen", "here"), ("database_url", "mysql://u:secret@h")]),
        )
        .unwrap_err();
        let text = problems.to_string();
        assert_eq!(problems.0.len(), 6, "{text}");
        for part in
            ["'lisen' is not a setting", "MILLRACE_LISTEN", "demo (configuration file)", "file_roots", "host:port"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("u:secret"), "{text}");
    }
}

//! A connection to a server. All statements go as text and all values come as text, in both dialects: one set of
//! conversions, and every type of a server has a text form.

use std::net::ToSocketAddrs;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use sqlx::mysql::{MySqlConnectOptions, MySqlRow, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, PgConnection, Row as _};

use super::super::is_local;
use super::target::{Target, Tls};
use crate::error::{EngineError, Result};

const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
const KNOCK_PATIENCE: Duration = Duration::from_secs(5);
/// For one statement that writes; statements are small, so that a longer one waits for somebody's lock.
const WRITE_PATIENCE: Duration = Duration::from_secs(120);

pub(in crate::connector) enum Session {
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
}

/// A row of values as text.
pub(in crate::connector) enum TextRow {
    Postgres(PgRow),
    MySql(MySqlRow),
}

impl TextRow {
    /// `None` is NULL.
    pub(in crate::connector) fn value(&self, column: usize) -> Result<Option<&[u8]>> {
        match self {
            TextRow::Postgres(row) => {
                let value = row.try_get_raw(column).map_err(|error| failed(&error))?;
                Ok(value.as_bytes().ok())
            }
            TextRow::MySql(row) => {
                let value = row.try_get_raw(column).map_err(|error| failed(&error))?;
                // An error here means NULL.
                Ok(<&[u8] as sqlx::Decode<sqlx::MySql>>::decode(value).ok())
            }
        }
    }

    /// The empty text for NULL.
    pub(in crate::connector) fn text(&self, column: usize) -> Result<String> {
        Ok(String::from_utf8_lossy(self.value(column)?.unwrap_or_default()).into_owned())
    }
}

impl Session {
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let host = allowed_host(target).await?;
        let opened = tokio::time::timeout(CONNECT_PATIENCE, async {
            let mut session = if target.dialect.has_schemas() {
                Session::Postgres(Box::new(postgres_options(target, &host).connect().await?))
            } else {
                Session::MySql(Box::new(mysql_options(target, &host).connect().await?))
            };
            session.execute(target.dialect.session_settings().to_owned()).await?;
            Ok(session)
        });
        match opened.await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(cannot_connect(target, &error)),
            Err(_) => Err(EngineError::external(
                "database_unreachable",
                format!("The database {} did not answer in time.", target.place()),
            )),
        }
    }

    /// Runs a statement that writes or sets something.
    pub(super) async fn run(&mut self, sql: impl Into<String>) -> Result<u64> {
        match tokio::time::timeout(WRITE_PATIENCE, self.execute(sql.into())).await {
            Ok(result) => result.map_err(|error| failed(&error)),
            Err(_) => {
                Err(EngineError::external("database_timeout", "The database did not finish a statement in time."))
            }
        }
    }

    async fn execute(&mut self, sql: String) -> sqlx::Result<u64> {
        // Names and values were quoted by the dialect.
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Session::Postgres(connection) => {
                statement.execute(&mut **connection).await.map(|result| result.rows_affected())
            }
            Session::MySql(connection) => {
                statement.execute(&mut **connection).await.map(|result| result.rows_affected())
            }
        }
    }

    /// All rows of a small answer.
    pub(in crate::connector) async fn rows(&mut self, sql: impl Into<String>) -> Result<Vec<TextRow>> {
        self.stream(sql.into()).try_collect().await
    }

    /// Rows as the server sends them; it waits when they are not taken.
    pub(super) fn stream(&mut self, sql: String) -> BoxStream<'_, Result<TextRow>> {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Session::Postgres(connection) => statement
                .fetch(&mut **connection)
                .map(|row| row.map(TextRow::Postgres).map_err(|error| failed(&error)))
                .boxed(),
            Session::MySql(connection) => statement
                .fetch(&mut **connection)
                .map(|row| row.map(TextRow::MySql).map_err(|error| failed(&error)))
                .boxed(),
        }
    }

    /// Says goodbye to the server.
    pub(super) async fn close(self) {
        let closed = match self {
            Session::Postgres(connection) => connection.close().await,
            Session::MySql(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a database connection was not closed in order");
        }
    }
}

/// Everything is set, so that nothing of the server's own environment is used.
fn postgres_options(target: &Target, host: &str) -> PgConnectOptions {
    let mode = match target.tls {
        Tls::Disable => PgSslMode::Disable,
        Tls::Prefer => PgSslMode::Prefer,
        Tls::Require => PgSslMode::Require,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::VerifyFull => PgSslMode::VerifyFull,
    };
    PgConnectOptions::new_without_pgpass()
        .host(host)
        .port(target.port)
        .username(&target.user)
        .password(&target.password)
        .database(&target.database)
        .application_name("millrace")
        .ssl_mode(mode)
        .disable_statement_logging()
}

fn mysql_options(target: &Target, host: &str) -> MySqlConnectOptions {
    let mode = match target.tls {
        Tls::Disable => MySqlSslMode::Disabled,
        Tls::Prefer => MySqlSslMode::Preferred,
        Tls::Require => MySqlSslMode::Required,
        Tls::VerifyCa => MySqlSslMode::VerifyCa,
        Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
    };
    let options = MySqlConnectOptions::new()
        .host(host)
        .port(target.port)
        .username(&target.user)
        .database(&target.database)
        .ssl_mode(mode)
        .disable_statement_logging();
    if target.password.is_empty() { options } else { options.password(&target.password) }
}

/// The host to call, where not every one may be called, see [`super::super::NO_LOCAL`]: the address that was looked at, so
/// that a name cannot lead elsewhere a moment later. Only who checks the server's name calls it by that.
async fn allowed_host(target: &Target) -> Result<String> {
    if !target.no_local {
        return Ok(target.host.clone());
    }
    let (host, port) = (target.host.clone(), target.port);
    let found = tokio::task::spawn_blocking(move || (host.as_str(), port).to_socket_addrs().map(Vec::from_iter)).await;
    let addresses = found.ok().and_then(std::result::Result::ok).unwrap_or_default();
    if addresses.iter().any(|address| is_local(address.ip())) {
        let message = format!("The host '{}' leads to this machine or to a local-only address.", target.host);
        return Err(EngineError::user("database_refused", message));
    }
    match addresses.first() {
        Some(_) if target.tls == Tls::VerifyFull => Ok(target.host.clone()),
        Some(address) => Ok(address.ip().to_string()),
        None => {
            let message = format!("The name '{}' leads to no address.", target.host);
            Err(EngineError::external("database_unreachable", message))
        }
    }
}

/// How many addresses the host's name has, all of which may be called.
pub(super) async fn addresses(target: &Target) -> Result<usize> {
    allowed_host(target).await?;
    Ok(resolved(target).await?.len())
}

async fn resolved(target: &Target) -> Result<Vec<std::net::SocketAddr>> {
    let (host, port) = (target.host.trim_matches(['[', ']']).to_owned(), target.port);
    let found = tokio::task::spawn_blocking(move || (host.as_str(), port).to_socket_addrs().map(Vec::from_iter)).await;
    let addresses = found.ok().and_then(std::result::Result::ok).unwrap_or_default();
    if addresses.is_empty() {
        let message = format!("The name '{}' leads to no address.", target.host);
        return Err(EngineError::external("database_unreachable", message));
    }
    Ok(addresses)
}

/// Whether something listens there.
pub(super) async fn knock(target: &Target) -> Result<()> {
    let unreachable =
        || EngineError::external("database_unreachable", format!("Nothing answers at {}.", target.place()));
    let host = allowed_host(target).await?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let calling = tokio::net::TcpStream::connect((host, target.port));
    match tokio::time::timeout(KNOCK_PATIENCE, calling).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(unreachable().with_detail(error)),
        Err(_) => Err(unreachable()),
    }
}

fn cannot_connect(target: &Target, error: &sqlx::Error) -> EngineError {
    match error {
        sqlx::Error::Database(said) => {
            let message = format!("The database {} refuses the connection: {}", target.place(), said.message());
            let error = EngineError::external("database_refused", message).with_detail(error);
            // Too many clients or a server that starts may pass; a wrong password does not.
            if said.code().is_some_and(|code| code.starts_with("28") || code.starts_with("3D")) {
                error.without_retry()
            } else {
                error
            }
        }
        _ => {
            let message = format!("The database {} cannot be reached.", target.place());
            EngineError::external("database_unreachable", message).with_detail(error)
        }
    }
}

/// What the server says is told on; whether another try may help follows from the class of its code.
fn failed(error: &sqlx::Error) -> EngineError {
    let sqlx::Error::Database(said) = error else {
        return EngineError::external("database_unreachable", "The connection to the database was lost.")
            .with_detail(error);
    };
    let message = format!("The database says: {}", said.message());
    let code = said.code().unwrap_or_default();
    match code.get(..2) {
        // Wrong data, wrong names, missing rights, a constraint that the row breaks.
        Some("22" | "23" | "42" | "0A" | "21" | "44" | "28" | "3D" | "3F") => {
            EngineError::user("database_refused", message).with_detail(error)
        }
        _ => EngineError::external("database_failed", message).with_detail(error),
    }
}

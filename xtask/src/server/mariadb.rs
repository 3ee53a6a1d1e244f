//! A throw-away MariaDB from Debian's packages.

use super::child::{Child, free_port};
use super::wait_until;
use crate::{command, need};
use anyhow::Context;
use rustix::process::Signal;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A server on a free port with a user and a database called `millrace`; the user may do everything.
pub(crate) struct MariaDb {
    child: Child,
    port: u16,
    _folder: TempDir,
}

/// Of the user. MariaDB's own clients treat an empty one as a reason to look elsewhere.
const PASSWORD: &str = "millrace-secret";

impl MariaDb {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let server = program()?;
        let folder = tempfile::Builder::new().prefix("millrace-mariadb-").tempdir()?;
        let data = folder.path().join("data");
        let port = free_port()?;
        // Both refuse root only as long as nobody names it.
        let account = if rustix::process::geteuid().is_root() { vec!["--user=root"] } else { Vec::new() };

        let mut install = Command::new("mariadb-install-db");
        install.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(&account);
        install.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        command::quietly(&mut install)?;

        let grants = folder.path().join("grants.sql");
        std::fs::write(
            &grants,
            format!(
                "CREATE DATABASE IF NOT EXISTS millrace;\n\
                 CREATE USER IF NOT EXISTS millrace@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL ON *.* TO millrace@'%' WITH GRANT OPTION;\n"
            ),
        )?;
        let mut start = Command::new(server);
        start.arg("--no-defaults").args(&account);
        start.arg(format!("--datadir={}", data.display())).arg(format!("--init-file={}", grants.display()));
        start.arg(format!("--socket={}", folder.path().join("socket").display()));
        start.arg(format!("--pid-file={}", folder.path().join("pid").display()));
        start.arg(format!("--port={port}")).arg("--bind-address=127.0.0.1");
        // The data is thrown away, so it need not survive a power cut.
        start.args(["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--max-connections=200"]);
        let log = folder.path().join("mariadb.log");
        let mut child = Child::start(&mut start, log.clone(), Signal::TERM)?;
        wait_until("MariaDB", &mut child, Duration::from_secs(60), || {
            Child::has_logged(&log, "ready for connections") && TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self { child, port, _folder: folder })
    }

    /// The URL of the database. Tests create databases of their own beside it.
    pub(crate) fn url(&self) -> String {
        format!("mysql://millrace:{PASSWORD}@127.0.0.1:{}/millrace", self.port)
    }

    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.child.stop(Duration::from_secs(20)).map(|_| ())
    }
}

/// The server program; Debian keeps it where only root looks. `mariadb-install-db`, of the same package, calls
/// `my_print_defaults` of the clients' package without depending on it.
fn program() -> anyhow::Result<PathBuf> {
    let installed = || {
        let known = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd", "/usr/local/bin/mariadbd"].map(PathBuf::from);
        known.into_iter().find(|path| path.is_file())
    };
    let reads_defaults = || {
        ["/usr/bin/my_print_defaults", "/usr/local/bin/my_print_defaults"].iter().any(|path| Path::new(path).is_file())
    };
    if installed().is_none() || !reads_defaults() {
        need::packages(&["mariadb-server-core", "mariadb-client-core"])?;
    }
    installed().context("the package mariadb-server-core brought no server")
}

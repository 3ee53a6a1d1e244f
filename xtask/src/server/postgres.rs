//! A throw-away PostgreSQL cluster from Debian's packages.

use super::child::{Child, free_port};
use super::wait_until;
use crate::{command, need};
use anyhow::{Context, bail};
use rustix::process::Signal;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A server on a free port; the user and the database are called `millrace`, without a password.
pub(crate) struct Postgres {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let account = Account::for_server()?;
        let folder = tempfile::Builder::new().prefix("millrace-postgres-").tempdir()?;
        account.own(folder.path())?;
        let data = folder.path().join("data");
        let port = free_port()?;

        let mut initdb = account.command(&programs.join("initdb"));
        initdb.arg("-D").arg(&data);
        initdb.args(["-U", "millrace", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        command::quietly(initdb.current_dir(folder.path()))?;

        let mut server = account.command(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        server.arg("-k").arg(folder.path());
        // The data is thrown away, so it need not survive a power cut.
        server.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        server.current_dir(folder.path());
        let log = folder.path().join("postgres.log");
        let mut child = Child::start(&mut server, log.clone(), Signal::INT)?;
        wait_until("PostgreSQL", &mut child, Duration::from_secs(60), || {
            Child::has_logged(&log, "ready to accept connections") && TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;

        let mut createdb = Command::new(programs.join("createdb"));
        createdb.args(["-h", "127.0.0.1", "-U", "millrace", "-p", &port.to_string(), "millrace"]);
        command::quietly(&mut createdb)?;
        Ok(Self { child, port, _folder: folder })
    }

    /// The URL of the database. Tests create databases of their own beside it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://millrace@127.0.0.1:{}/millrace", self.port)
    }

    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.child.stop(Duration::from_secs(20)).map(|_| ())
    }
}

/// The folder of server programs, newest version first; Debian keeps them off the search path.
fn programs() -> anyhow::Result<PathBuf> {
    if let Some(folder) = installed() {
        return Ok(folder);
    }
    need::packages(&["postgresql"])?;
    installed().context("the package postgresql brought no server")
}

fn installed() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, folder)| folder)
}

/// Whom the server runs as. It refuses root, so root lends it the package's own account.
struct Account {
    lent: Option<(u32, u32)>,
}

impl Account {
    fn for_server() -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { lent: None });
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        for line in users.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let ["postgres", _, user, group, ..] = fields[..] {
                return Ok(Self { lent: Some((user.parse()?, group.parse()?)) });
            }
        }
        bail!("PostgreSQL refuses to run as root, and there is no user called postgres")
    }

    fn own(&self, folder: &Path) -> anyhow::Result<()> {
        if let Some((user, group)) = self.lent {
            chown(folder, Some(user), Some(group))?;
        }
        Ok(())
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.lent {
            command.uid(user).gid(group);
        }
        command
    }
}

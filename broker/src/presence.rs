//! How a server finds a broker that is already there.
//!
//! Two files in the data directory, which is the working directory:
//!
//! - `broker.lock` is locked while the process lives, so that a database never has two brokers.
//! - `broker.json` is there while the broker answers: `pid`, `listen`, `start_ticks` (field 22 of
//!   `/proc/<pid>/stat`, clock ticks since boot) and `started_at_ms` (wall clock, UTC). A reader
//!   must compare `start_ticks` before it believes `pid`: after a kill the file stays, and the
//!   number may belong to another process.

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const LOCK: &str = "broker.lock";
const PRESENCE: &str = "broker.json";

/// Held for the life of the process; the kernel lets go of it whatever the end is.
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    pub(crate) fn take() -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(LOCK)
            .context("cannot open broker.lock")?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).context("another broker uses this data directory")?;
        Ok(Self { _file: file })
    }
}

#[derive(Serialize)]
struct Content {
    pid: u32,
    listen: SocketAddr,
    start_ticks: u64,
    started_at_ms: u64,
}

/// The presence file; removed when dropped.
pub(crate) struct Presence;

impl Presence {
    pub(crate) fn announce(listen: SocketAddr) -> anyhow::Result<Self> {
        let content = Content {
            pid: std::process::id(),
            listen,
            start_ticks: start_ticks()?,
            started_at_ms: SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64,
        };
        // Hidden name, fsync, rename, fsync of the directory: a reader sees a whole file or none.
        let hidden = Path::new(".broker.json.new");
        let mut file = File::create(hidden)?;
        file.write_all(&serde_json::to_vec_pretty(&content)?)?;
        file.sync_all()?;
        std::fs::rename(hidden, PRESENCE)?;
        File::open(".")?.sync_all()?;
        Ok(Self)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(PRESENCE) {
            tracing::warn!(%error, "cannot remove broker.json");
        }
    }
}

/// When this process started, in clock ticks since boot.
fn start_ticks() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    // The command name, field 2, is in parentheses and may hold spaces.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name
        .split_whitespace()
        .nth(19)
        .and_then(|text| text.parse().ok())
        .context("/proc/self/stat has no start time")
}

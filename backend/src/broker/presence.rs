//! Finding a demo broker that is there, and remembering its address for the next one.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use crate::job::is_alive;
use crate::store::run::ProcessRow;

/// `broker.json`, as the demo broker writes it while it answers.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Presence {
    pid: u32,
    start_ticks: u64,
    pub(super) listen: SocketAddr,
}

impl Presence {
    pub(super) fn process(&self) -> ProcessRow {
        ProcessRow { pid: self.pid, start: self.start_ticks }
    }

    /// The broker that uses this folder, if it lives.
    pub(super) fn find(folder: &Path) -> Option<Presence> {
        let text = std::fs::read(folder.join("broker.json")).ok()?;
        let presence: Presence = serde_json::from_slice(&text).ok()?;
        is_alive(presence.process()).then_some(presence)
    }
}

/// The address of the last broker: workers and clients that run know it, so the next one takes it again.
pub(super) fn last_address(folder: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(folder.join("address")).ok()?.trim().parse().ok()
}

pub(super) fn remember_address(folder: &Path, address: SocketAddr) -> std::io::Result<()> {
    std::fs::write(folder.join("address"), format!("{address}\n"))
}

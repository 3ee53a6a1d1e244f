//! `server.json` in the data directory: which process serves it, for `millrace stop`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::job::{is_alive, this_process};
use crate::store::run::ProcessRow;

#[derive(Serialize, Deserialize)]
struct Announced {
    pid: u32,
    start_ticks: u64,
}

fn place(data_dir: &Path) -> PathBuf {
    data_dir.join("server.json")
}

pub(super) fn announce(data_dir: &Path) -> anyhow::Result<()> {
    let ProcessRow { pid, start } = this_process();
    let text = serde_json::to_string(&Announced { pid, start_ticks: start })?;
    let path = place(data_dir);
    // Renamed into place: a reader sees all of it or the one before.
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, &path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The server that uses this data directory, if it lives.
pub(super) fn find(data_dir: &Path) -> Option<ProcessRow> {
    let announced: Announced = serde_json::from_slice(&std::fs::read(place(data_dir)).ok()?).ok()?;
    Some(ProcessRow { pid: announced.pid, start: announced.start_ticks }).filter(|process| is_alive(*process))
}

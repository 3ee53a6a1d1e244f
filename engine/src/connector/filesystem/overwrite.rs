//! `INSERT OVERWRITE`: nothing appears before everything is written. Then the new parts get their names, and what was
//! there before is removed: of a table without partitions all files, else those of the partitions that got rows.
//!
//! A run that stops in between is restored with all of its parts, and does the same again.

use std::collections::BTreeSet;
use std::path::Path;

use parking_lot::Mutex;

use super::part::Part;
use super::path;
use super::sink::{publish, remove_leftovers};
use crate::error::Result;

/// What the tasks of a sink have written.
pub(super) struct Replacement {
    partitioned: bool,
    identity: String,
    written: Mutex<Written>,
}

struct Written {
    /// Tasks that have not ended.
    open: usize,
    parts: Vec<Part>,
}

impl Replacement {
    pub(super) fn new(tasks: usize, partitioned: bool, identity: &str) -> Self {
        let written = Mutex::new(Written { open: tasks, parts: Vec::new() });
        Replacement { partitioned, identity: identity.to_owned(), written }
    }

    /// A task has come to the end of its input; the last one puts the new files into the place of the old ones.
    pub(super) fn close(&self, folder: &Path, parts: Vec<Part>) -> Result<()> {
        let mut written = self.written.lock();
        written.parts.extend(parts);
        written.open = written.open.saturating_sub(1);
        if written.open > 0 {
            return Ok(());
        }
        let parts = std::mem::take(&mut written.parts);
        // In this order a reader may see both for a moment, and a crash loses neither.
        publish(folder, &parts)?;
        for touched in self.touched(&parts) {
            remove_others(&folder.join(&touched), &touched, &parts)?;
        }
        remove_leftovers(folder, &self.identity)
    }

    /// Folders relative to the table's.
    fn touched(&self, parts: &[Part]) -> BTreeSet<String> {
        if !self.partitioned {
            return BTreeSet::from([String::new()]);
        }
        parts.iter().filter_map(|part| part.name.rsplit_once('/').map(|(folder, _)| folder.to_owned())).collect()
    }
}

/// Removes the files of a folder that are none of the parts. Hidden ones and marks are no data.
fn remove_others(folder: &Path, relative: &str, parts: &[Part]) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| path::failed("listed", folder, &error))?;
    let name_of = |part: &Part| match relative {
        "" => part.name.clone(),
        relative => part.name.strip_prefix(&format!("{relative}/")).unwrap_or_default().to_owned(),
    };
    let own: BTreeSet<String> = parts.iter().map(name_of).collect();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_data = entry.file_type().is_ok_and(|kind| kind.is_file()) && !name.starts_with(['.', '_']);
        if is_data && !own.contains(&name) {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(path::failed("removed", &entry.path(), &error));
                }
                _ => {}
            }
        }
    }
    super::sink::sync_folder(folder)
}

//! Folders of test runs: made where nothing is yet, and removed again with all that is in them.

use std::path::{Path, PathBuf};

use super::super::option::Options;
use super::super::{Apart, ConnectorContext};
use super::path::{self, failed};
use crate::error::{EngineError, Result};

pub(super) fn make(apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let folder = path::folder_allowed(&named(apart)?, &context.file_roots)?;
    let Some(parent) = folder.parent() else {
        return Err(EngineError::internal("the folder of a sandbox lies in none"));
    };
    path::folder_to_write(parent, &context.file_roots)?;
    std::fs::create_dir(&folder).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            let message = format!("There is a {} already. A test run writes to folders that it makes.", apart.title());
            return EngineError::user("sandbox_refused", message);
        }
        failed("made", &folder, &error)
    })
}

pub(super) fn remove(apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let folder = path::folder_allowed(&named(apart)?, &context.file_roots)?;
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("removed", &folder, &error)),
        _ => Ok(()),
    }
}

fn named(apart: &Apart) -> Result<PathBuf> {
    path::of_option(Options(&apart.table().options).required("path")?)
}

/// Whether one of two paths of options lies within the other, links followed as far as they exist.
pub fn overlap(one: &str, other: &str, roots: &[PathBuf]) -> Result<bool> {
    let (one, other) = (place_of(one, roots)?, place_of(other, roots)?);
    Ok(one.starts_with(&other) || other.starts_with(&one))
}

/// A path of an option as it really lies, whether it exists or not. One outside of the roots is refused.
pub fn place_of(text: &str, roots: &[PathBuf]) -> Result<PathBuf> {
    let absolute = path::folder_allowed(&path::of_option(text)?, roots)?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let rest = absolute.strip_prefix(there).unwrap_or(Path::new(""));
    let there = there.canonicalize().map_err(|error| failed("used", &absolute, &error))?;
    Ok(there.join(rest))
}

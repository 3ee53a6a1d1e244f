//! Paths that users name: cleaned, taken below the first configured root where they are relative, and kept below the roots.

use std::path::{Component, Path, PathBuf};

use crate::error::{EngineError, Result};

/// The path of an option: `/data/in` or `file:///data/in`.
pub(super) fn of_option(text: &str) -> Result<PathBuf> {
    let path = match text.split_once("://") {
        Some(("file", rest)) => rest,
        Some((scheme, _)) => {
            let message = format!("Paths of the kind '{scheme}://' are not supported; only local files are.");
            return Err(EngineError::user("unsupported", message));
        }
        None => text.strip_prefix("file:").unwrap_or(text),
    };
    Ok(PathBuf::from(path))
}

/// A file that something other than a table names.
pub(crate) fn file_below(text: &str, roots: &[PathBuf]) -> Result<PathBuf> {
    existing(&of_option(text)?, roots)
}

/// Relative ones are below the first root; without roots, below the folder that the program runs in.
fn below(named: &Path, roots: &[PathBuf]) -> PathBuf {
    match roots.first() {
        Some(root) => root.join(named),
        None => Path::new(".").join(named),
    }
}

/// Whether a path leaves the roots as it is written. What is out there is not even looked at, so that nobody learns
/// which files exist.
fn leads_out(path: &Path, roots: &[PathBuf]) -> bool {
    let starts =
        |root: &PathBuf| path.starts_with(root) || root.canonicalize().is_ok_and(|root| path.starts_with(root));
    let climbs = path.components().any(|component| component == Component::ParentDir);
    !roots.is_empty() && (climbs || !roots.iter().any(starts))
}

/// Checks a path that exists, following all links. Without roots any path goes.
pub(super) fn existing(named: &Path, roots: &[PathBuf]) -> Result<PathBuf> {
    let path = below(named, roots);
    if leads_out(&path, roots) {
        return Err(outside(named));
    }
    let real = path.canonicalize().map_err(|error| {
        let message = format!("The path '{}' cannot be read.", named.display());
        EngineError::user("path_not_found", message).with_detail(error)
    })?;
    check(&real, named, roots)?;
    Ok(real)
}

/// Makes the folder of a sink. What exists of it is checked before anything is created.
pub(in crate::connector) fn folder_to_write(path: &Path, roots: &[PathBuf]) -> Result<PathBuf> {
    let absolute = folder_allowed(path, roots)?;
    std::fs::create_dir_all(&absolute).map_err(|error| failed("created", path, &error))?;
    // Once more: a link could have been put in between.
    existing(&absolute, roots)
}

/// The folder of a sink, checked as far as it exists. Creates nothing.
pub(super) fn folder_allowed(path: &Path, roots: &[PathBuf]) -> Result<PathBuf> {
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(outside(path));
    }
    let absolute = std::path::absolute(below(path, roots)).map_err(|error| failed("used", path, &error))?;
    if leads_out(&absolute, roots) {
        return Err(outside(path));
    }
    let there = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    existing(there, roots).or_else(|_| if roots.is_empty() { Ok(absolute.clone()) } else { Err(outside(path)) })?;
    Ok(absolute)
}

fn check(real: &Path, named: &Path, roots: &[PathBuf]) -> Result<()> {
    let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| real.starts_with(root));
    if roots.is_empty() || roots.iter().any(inside) { Ok(()) } else { Err(outside(named)) }
}

fn outside(path: &Path) -> EngineError {
    let message = format!("The path '{}' is outside of the folders that files may be in.", path.display());
    EngineError::user("path_refused", message)
}

/// A file as messages name it: with its folder, but without the way there, which is the server's own business.
pub(super) fn shown(path: &Path) -> String {
    let file = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{file}", folder.to_string_lossy()),
        None => file.into_owned(),
    }
}

pub(super) fn failed(what: &str, path: &Path, error: &std::io::Error) -> EngineError {
    let message = format!("The file '{}' cannot be {what}: {}.", shown(path), reason(error));
    EngineError::external("file_failed", message).with_detail(error)
}

fn reason(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist",
        std::io::ErrorKind::PermissionDenied => "no permission",
        std::io::ErrorKind::StorageFull => "no space left",
        _ => "the system refused it",
    }
}

/// All files of a path in order; hidden ones and those that do not match are left out.
pub(super) fn list(path: &Path, roots: &[PathBuf], pattern: Option<&regex::Regex>) -> Result<Vec<PathBuf>> {
    let start = existing(path, roots)?;
    let mut files = Vec::new();
    let mut folders = vec![start.clone()];
    if start.is_file() {
        return Ok(vec![start]);
    }
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| failed("listed", &folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed("listed", &folder, &error))?;
            if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
                continue;
            }
            // A link that leads out of the roots is passed over as if it were not there.
            let Ok(real) = existing(&entry.path(), roots) else { continue };
            if real.is_dir() {
                // Links to folders are not followed: they could form a ring.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
            } else if pattern.is_none_or(|pattern| pattern.is_match(&entry.path().to_string_lossy())) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

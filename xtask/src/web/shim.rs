//! The JavaScript shims of `frontend/js`: one lazily imported module per file.

use super::Effort;
use super::bundle::Bundle;
use super::esbuild::{self, Written};
use crate::place;
use anyhow::bail;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Bundles every shim; the logical name of a chunk is the name of its file: `editor.ts` → `editor`.
pub(super) fn bundle(work: &Path, effort: Effort, bundle: &mut Bundle) -> anyhow::Result<()> {
    let entries = shims()?;
    if entries.is_empty() {
        return Ok(());
    }
    let written = esbuild::bundle(&entries, work, "shim", effort)?;
    if let Some(sheet) = written.iter().find(|file| file.name.ends_with(".css")) {
        bail!("{} comes from a style sheet imported by a shim; import it in frontend/style/index.css", sheet.name);
    }
    let by_name: BTreeMap<&str, &Written> = written.iter().map(|file| (file.name.as_str(), file)).collect();
    for file in &written {
        let path = bundle.add_named(&file.name, file.content.clone());
        let Some(entry) = &file.entry else { continue };
        let stem = Path::new(entry).file_stem().unwrap_or_default().to_string_lossy();
        // A dynamic import inside a shim is an entry to esbuild, but no chunk of ours.
        if entries.iter().any(|known| known.file_stem() == Path::new(entry).file_stem()) {
            bundle.chunks.insert(stem.clone().into_owned(), path);
            bundle.chunk_parts.insert(stem.into_owned(), loaded_with(file, &by_name));
        }
    }
    Ok(())
}

/// The paths of a script and of all it imports at once, without what it imports later.
fn loaded_with(file: &Written, by_name: &BTreeMap<&str, &Written>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![file.name.as_str()];
    while let Some(name) = waiting.pop() {
        if seen.insert(name)
            && let Some(file) = by_name.get(name)
        {
            waiting.extend(file.imports.iter().map(String::as_str));
        }
    }
    seen.into_iter().map(|name| format!("assets/{name}")).collect()
}

/// The TypeScript files directly in `frontend/js`; tests and declarations are not shims.
fn shims() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place::shims())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".ts") && !name.ends_with(".d.ts") && !name.ends_with(".test.ts") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

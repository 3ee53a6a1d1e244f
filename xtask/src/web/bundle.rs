//! The files of the bundle on their way to the output folder.

use super::Effort;
use crate::{need::hex, place, say};
use anyhow::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

/// A file below this size gains nothing from compression.
const COMPRESS_FROM: usize = 512;

/// The bundle as it grows. Paths are those of the URL, without the leading slash.
#[derive(Default)]
pub(super) struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
    /// Logical name of a lazy script → path.
    pub(super) chunks: BTreeMap<String, String>,
    /// Logical name of a lazy script → itself and every script it imports at once.
    pub(super) chunk_parts: BTreeMap<String, Vec<String>>,
    /// Logical name of an icon or font → path.
    pub(super) assets: BTreeMap<String, String>,
}

/// Size of one written file, in bytes.
#[derive(Serialize, Clone, Copy)]
pub(super) struct Size {
    pub(super) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gzip: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) brotli: Option<u64>,
}

/// `manifest.json`: what the folder holds. Its reader is the build script of the backend.
#[derive(Serialize)]
struct Manifest<'a> {
    version: u32,
    chunks: &'a BTreeMap<String, String>,
    assets: &'a BTreeMap<String, String>,
    files: BTreeMap<&'a str, Entry>,
}

#[derive(Serialize)]
struct Entry {
    mime: &'static str,
    /// The name holds a hash of the content, so that browsers may keep it for ever.
    immutable: bool,
    #[serde(flatten)]
    size: Size,
}

impl Bundle {
    /// Adds a file under `assets/` with a hash of its content in the name; returns its path.
    pub(super) fn add_hashed(&mut self, name: &str, extension: &str, content: Vec<u8>) -> String {
        let digest = hex(&Sha256::digest(&content));
        let path = format!("assets/{name}.{}.{extension}", &digest[..10]);
        self.files.insert(path.clone(), content);
        path
    }

    /// Adds a file whose name carries its hash already; returns its path.
    pub(super) fn add_named(&mut self, name: &str, content: Vec<u8>) -> String {
        let path = format!("assets/{name}");
        self.files.insert(path.clone(), content);
        path
    }

    /// Adds the one page, which is never cached.
    pub(super) fn add_page(&mut self, content: String) {
        self.files.insert("index.html".to_owned(), content.into_bytes());
    }

    /// Adds every file of `assets/icon`, findable by its file name.
    pub(super) fn add_icons(&mut self) -> anyhow::Result<()> {
        let folder = place::root().join("assets/icon");
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return Ok(());
        };
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|name| name.to_str());
            let extension = path.extension().and_then(|name| name.to_str());
            if let (Some(stem), Some(extension)) = (stem, extension) {
                let content = std::fs::read(&path)?;
                let hashed = self.add_hashed(stem, extension, content);
                self.assets.insert(format!("{stem}.{extension}"), hashed);
            }
        }
        Ok(())
    }

    /// Writes what changed, removes what is no longer there, and returns the sizes by path.
    pub(super) fn write(&self, folder: &Path, effort: Effort) -> anyhow::Result<BTreeMap<String, Size>> {
        let sizes = Mutex::new(BTreeMap::new());
        let written = Mutex::new(BTreeSet::from(["manifest.json".to_owned()]));
        let queue = Mutex::new(self.files.iter().collect::<Vec<_>>());
        let work = || -> anyhow::Result<()> {
            loop {
                let next = queue.lock().map_or(None, |mut queue| queue.pop());
                let Some((path, content)) = next else {
                    return Ok(());
                };
                let (size, names) = write_one(folder, path, content, effort)?;
                if let (Ok(mut sizes), Ok(mut written)) = (sizes.lock(), written.lock()) {
                    sizes.insert(path.clone(), size);
                    written.extend(names);
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(outcome) => outcome,
                Err(_) => anyhow::bail!("a thread that compresses files panicked"),
            })
        })?;
        let sizes = sizes.into_inner().unwrap_or_default();
        remove_others(folder, &written.into_inner().unwrap_or_default())?;
        self.write_manifest(folder, &sizes)?;
        let total: u64 = sizes.values().map(|size| size.bytes).sum();
        say::note(format!("{} files, {}", sizes.len(), say::bytes(total)));
        Ok(sizes)
    }

    fn write_manifest(&self, folder: &Path, sizes: &BTreeMap<String, Size>) -> anyhow::Result<()> {
        let entry = |(path, size): (&'_ String, &Size)| Entry {
            mime: mime(path),
            immutable: path.starts_with("assets/"),
            size: *size,
        };
        let manifest = Manifest {
            version: 1,
            chunks: &self.chunks,
            assets: &self.assets,
            files: sizes.iter().map(|(path, size)| (path.as_str(), entry((path, size)))).collect(),
        };
        let text = serde_json::to_string_pretty(&manifest)?;
        write_if_changed(&folder.join("manifest.json"), text.as_bytes())
    }
}

/// Writes one file and its compressed copies, those only where they are smaller.
fn write_one(folder: &Path, path: &str, content: &[u8], effort: Effort) -> anyhow::Result<(Size, Vec<String>)> {
    let mut size = Size { bytes: content.len() as u64, gzip: None, brotli: None };
    let mut names = vec![path.to_owned()];
    write_if_changed(&folder.join(path), content)?;
    let is_packed_already = path.ends_with(".woff2");
    if effort == Effort::Release && content.len() >= COMPRESS_FROM && !is_packed_already {
        for (suffix, packed) in [("br", brotli(content)?), ("gz", gzip(content)?)] {
            if packed.len() < content.len() {
                let name = format!("{path}.{suffix}");
                write_if_changed(&folder.join(&name), &packed)?;
                names.push(name);
                let length = Some(packed.len() as u64);
                if suffix == "br" {
                    size.brotli = length;
                } else {
                    size.gzip = length;
                }
            }
        }
    }
    Ok((size, names))
}

fn brotli(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    const BUFFER: usize = 1 << 16;
    const QUALITY: u32 = 11;
    const WINDOW: u32 = 24;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, WINDOW);
    writer.write_all(content)?;
    Ok(writer.into_inner())
}

fn gzip(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

fn write_if_changed(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn remove_others(folder: &Path, keep: &BTreeSet<String>) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        let name = entry.path().strip_prefix(folder)?.to_string_lossy().into_owned();
        if entry.file_type().is_file() && !keep.contains(&name) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The media type by extension, as the server sends it.
fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(text: &str) -> Bundle {
        let mut bundle = Bundle::default();
        bundle.add_page("<!doctype html>".to_owned());
        bundle.add_hashed("console", "js", text.repeat(200).into_bytes());
        bundle
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        files.filter(|file| file.file_type().is_file()).map(|file| file.path().display().to_string()).collect()
    }

    #[test]
    fn release_has_compressed_copies_and_a_manifest_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let sizes = bundle("let a = 1;").write(folder.path(), Effort::Release).unwrap();
        let (path, size) = sizes.iter().find(|(path, _)| path.ends_with(".js")).unwrap();
        assert!(folder.path().join(format!("{path}.br")).is_file());
        assert!(size.brotli.unwrap() < size.bytes);
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["files"][path]["immutable"], true);
        assert_eq!(manifest["files"]["index.html"]["immutable"], false);
    }

    #[test]
    fn files_of_an_earlier_build_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        bundle("let a = 1;").write(folder.path(), Effort::Release).unwrap();
        let before = names(folder.path());
        bundle("let b = 2;").write(folder.path(), Effort::Release).unwrap();
        let after = names(folder.path());
        assert_eq!(before.len(), after.len());
        assert_eq!(before.intersection(&after).filter(|name| name.contains("assets/")).count(), 0);
    }

    #[test]
    fn an_unchanged_build_touches_nothing() {
        let folder = tempfile::tempdir().unwrap();
        bundle("let a = 1;").write(folder.path(), Effort::Dev).unwrap();
        let manifest = folder.path().join("manifest.json");
        let written = std::fs::metadata(&manifest).unwrap().modified().unwrap();
        bundle("let a = 1;").write(folder.path(), Effort::Dev).unwrap();
        assert_eq!(std::fs::metadata(&manifest).unwrap().modified().unwrap(), written);
    }
}

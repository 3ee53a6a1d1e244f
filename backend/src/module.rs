//! Uploaded WebAssembly modules: files of the data directory, named by what is in them.
//!
//! ```text
//! upload ──▶ size, magic number ──▶ read and checked by the engine ──▶ functions/<sha256>.wasm ──▶ workers
//! ```
//! Promises: this process never compiles or runs what was uploaded; a file is there whole or not at all; its name is
//! never taken from a request; a file that nothing refers to any more is removed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use millrace_wire::error::{ErrorDomain, Retry};
use millrace_wire::function::{FunctionBody, FunctionKind, FunctionSource};
use millrace_wire::user_function::PinnedFunction;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::access::secret::hex;
use crate::error::{Code, Error, Result};

/// What compilers of Rust, C and Go write is a few hundred kilobytes to some megabytes.
pub const LARGEST: usize = 16 * 1024 * 1024;
/// `\0asm`, and version 1 of the core format: a component has another one.
const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

pub struct Modules {
    folder: PathBuf,
    /// Held while files and the rows that refer to them change together.
    changing: Mutex<()>,
}

/// While it lives nobody else adds or removes modules.
pub struct Changing<'a> {
    modules: &'a Modules,
    _alone: MutexGuard<'a, ()>,
}

impl Modules {
    pub fn new(folder: PathBuf) -> Modules {
        Modules { folder, changing: Mutex::default() }
    }

    pub fn path(&self, hash: &str) -> PathBuf {
        path(&self.folder, hash)
    }

    pub async fn change(&self) -> Changing<'_> {
        Changing { modules: self, _alone: self.changing.lock().await }
    }
}

/// Where the module with this hash lies. Only digits of a hash make a name.
pub fn path(folder: &Path, hash: &str) -> PathBuf {
    let digits: String = hash.chars().filter(char::is_ascii_hexdigit).take(64).collect();
    folder.join(format!("{digits}.wasm"))
}

/// Below the data directory.
pub fn folder(shared_dir: &Path) -> PathBuf {
    shared_dir.join("functions")
}

pub fn hash_of(module: &[u8]) -> String {
    hex(&Sha256::digest(module))
}

/// What can be said of a module by looking at its size and its first bytes.
pub fn check(module: &[u8]) -> Result<()> {
    if module.is_empty() {
        return Err(Error::field("module", "The file is empty."));
    }
    if module.len() > LARGEST {
        return Err(too_large());
    }
    if !module.starts_with(MAGIC) {
        let component = module.starts_with(b"\0asm") && module.get(4..8) != Some(b"\x01\0\0\0");
        let message = if component {
            "This is a WebAssembly component. Build a core module: in Rust for the target wasm32-wasip1."
        } else {
            "This is no WebAssembly module: a .wasm file begins with other bytes."
        };
        return Err(Error::field("module", message));
    }
    Ok(())
}

pub fn too_large() -> Error {
    let message = format!("A module has at most {} MB.", LARGEST >> 20);
    Error::new(Code::TooLarge, ErrorDomain::User, Retry::AfterChange, message)
        .at("module")
        .hint("Build it in release mode and strip it.")
}

/// The function that a job's version was saved with, as a worker takes it.
pub fn pinned(function: &PinnedFunction, folder: &Path) -> Option<FunctionSource> {
    source(
        function.kind,
        function.definition.clone(),
        function.module_hash.as_deref().zip(function.entry.as_deref()),
        folder,
    )
}

/// `module`: hash and entry. A function has either text or a module.
pub fn source(
    kind: FunctionKind,
    definition: Option<String>,
    module: Option<(&str, &str)>,
    folder: &Path,
) -> Option<FunctionSource> {
    let body = match (definition, module) {
        (Some(definition), _) => FunctionBody::Sql { definition },
        (None, Some((hash, entry))) => FunctionBody::Wasm {
            module: path(folder, hash).display().to_string(),
            hash: hash.to_owned(),
            entry: entry.to_owned(),
        },
        (None, None) => return None,
    };
    Some(FunctionSource { kind, body })
}

impl Changing<'_> {
    /// Writes the module unless it is there: to a file of its own first, which then takes the name.
    pub async fn keep(&self, hash: &str, module: bytes::Bytes) -> Result<()> {
        let (folder, path) = (self.modules.folder.clone(), self.modules.path(hash));
        let writing = tokio::task::spawn_blocking(move || write(&folder, &path, &module));
        writing.await.map_err(Error::internal)?.map_err(|cause| {
            Error::unavailable("The module could not be written to the data directory.").because(cause)
        })
    }

    /// Removes what is not among `wanted`, hashes of modules. What cannot be removed is only wasted space.
    pub async fn remove_all_but(&self, wanted: BTreeSet<String>) {
        let folder = self.modules.folder.clone();
        let removing = tokio::task::spawn_blocking(move || remove_all_but(&folder, &wanted));
        if let Ok(Err(cause)) = removing.await {
            tracing::warn!(%cause, "modules that nobody uses could not be removed");
        }
    }
}

fn write(folder: &Path, path: &Path, module: &[u8]) -> std::io::Result<()> {
    let whole = |file: std::fs::Metadata| usize::try_from(file.len()) == Ok(module.len());
    if std::fs::metadata(path).is_ok_and(whole) {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!("{}.part", crate::clock::new_id().simple()));
    let written = (|| {
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(module)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        std::fs::File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn remove_all_but(folder: &Path, wanted: &BTreeSet<String>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(cause),
    };
    for entry in entries {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|kind| kind == "wasm" || kind == "part");
        let hash = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if ours && !wanted.contains(hash) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn only_core_modules_of_a_size_pass() {
        assert!(check(EMPTY).is_ok());
        for bad in [&b""[..], b"\0", b"\0asm", b"MZ\x90\0", b"\0asm\x0d\0\x01\0", &EMPTY[..7]] {
            assert_eq!(check(bad).unwrap_err().code(), Code::ValidationFailed, "{bad:?}");
        }
        let mut huge = EMPTY.to_vec();
        huge.resize(LARGEST + 1, 0);
        assert_eq!(check(&huge).unwrap_err().code(), Code::TooLarge);
        huge.truncate(LARGEST);
        assert!(check(&huge).is_ok());
    }

    #[test]
    fn a_hash_does_not_lead_out_of_the_folder() {
        let folder = Path::new("/data/functions");
        assert_eq!(path(folder, "../../etc/passwd"), folder.join("ecad.wasm"));
        assert_eq!(path(folder, "/ab"), folder.join("ab.wasm"));
    }

    #[tokio::test]
    async fn modules_are_kept_once_and_go_when_nobody_wants_them() {
        let root = tempfile::tempdir().unwrap();
        let modules = Modules::new(folder(root.path()));
        let names = || {
            let entries = std::fs::read_dir(folder(root.path())).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        let changing = modules.change().await;
        changing.remove_all_but(BTreeSet::new()).await;
        let hash = hash_of(EMPTY);
        for _ in 0..2 {
            changing.keep(&hash, bytes::Bytes::from_static(EMPTY)).await.unwrap();
        }
        assert_eq!(names(), [format!("{hash}.wasm")]);
        assert_eq!(std::fs::read(modules.path(&hash)).unwrap(), EMPTY);
        // As a server leaves it that was killed while it wrote.
        std::fs::write(folder(root.path()).join("x.part"), b"half").unwrap();
        std::fs::write(folder(root.path()).join("not-ours.txt"), b"").unwrap();
        changing.remove_all_but(BTreeSet::from([hash.clone()])).await;
        let mut left = names();
        left.sort();
        assert_eq!(left, [format!("{hash}.wasm"), "not-ours.txt".to_owned()]);
        changing.remove_all_but(BTreeSet::new()).await;
        assert_eq!(names(), ["not-ours.txt"]);
    }
}

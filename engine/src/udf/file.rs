//! Module files: read once per process, checked against the hash that they are known by.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::limits;
use super::module::Library;

/// Modules whose functions are remembered.
const REMEMBERED: usize = 512;

/// SHA-256 in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a module, when they are those that are meant.
pub(super) fn read(path: &str, expected: &str) -> Result<Vec<u8>, String> {
    let bytes = load(Path::new(path)).map_err(|_| "The module's file cannot be read. Upload it again.".to_owned())?;
    if !hash(&bytes).eq_ignore_ascii_case(expected) {
        return Err("The module's file is not the one that was uploaded. Upload it again.".to_owned());
    }
    Ok(bytes)
}

/// A file, and no more of it than a module may have.
pub(super) fn load(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limits::MODULE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where a module of a script is, below the folders that files may be in, and its hash.
pub(crate) fn locate(named: &str, roots: &[PathBuf]) -> Result<(String, String), String> {
    let path = crate::connector::filesystem::file_below(named, roots).map_err(|error| error.message)?;
    let bytes = load(&path).map_err(|_| format!("The file '{named}' cannot be read."))?;
    let path = path.to_str().ok_or("The path of the file is no text.")?.to_owned();
    Ok((path, hash(&bytes)))
}

/// By hash, the oldest first.
type Known = Vec<(String, Arc<Library>)>;

/// The functions of a module. Reads the file only when its hash is not known yet.
pub(super) fn library(path: &str, expected: &str) -> Result<Arc<Library>, String> {
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let hash = expected.to_ascii_lowercase();
    if let Some((_, library)) = known.lock().iter().find(|(known, _)| *known == hash) {
        return Ok(Arc::clone(library));
    }
    let library = Arc::new(Library::read(&read(path, expected)?)?);
    let mut known = known.lock();
    if known.len() >= REMEMBERED {
        known.remove(0);
    }
    known.push((hash, Arc::clone(&library)));
    Ok(library)
}

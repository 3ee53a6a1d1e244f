//! Modules as machine code, compiled once per process.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use wasmtime::Module;

use super::machine;
use crate::error::{EngineError, Result};
use crate::udf::file;

/// Modules that are kept; one that is in use lives on without.
const KEPT: usize = 16;

/// By hash, the oldest first.
type Known = Vec<(String, Arc<Compiled>)>;

pub(crate) struct Compiled {
    pub(super) module: Module,
}

impl Compiled {
    /// The module of a file, compiled now or before. May take seconds.
    pub(crate) fn of(path: &str, hash: &str, function: &str) -> Result<Arc<Self>> {
        static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
        // Held while compiling: all tasks of a job want the same module at the same time.
        let mut known = KNOWN.get_or_init(Mutex::default).lock();
        if let Some((_, compiled)) = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(hash)) {
            return Ok(Arc::clone(compiled));
        }
        let failed =
            |message: String| EngineError::user("function_failed", format!("The function {function}: {message}"));
        let bytes = file::read(path, hash).map_err(failed)?;
        // Once more whether it is what was looked at: only then is it compiled.
        crate::udf::module::Library::read(&bytes).map_err(failed)?;
        let compiled = Arc::new(Self::compile(&bytes).map_err(failed)?);
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push((hash.to_owned(), Arc::clone(&compiled)));
        Ok(compiled)
    }

    pub(crate) fn compile(bytes: &[u8]) -> Result<Self, String> {
        let module = Module::from_binary(machine::engine()?, bytes);
        Ok(Compiled { module: module.map_err(|error| format!("The module cannot be compiled: {error}."))? })
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compiled")
    }
}

//! Dead letters in a file: one JSON object per line with `split`, `offset`, `reason`, `at`, and `key` and `value` in base64.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::filesystem::folder_to_write;
use crate::error::{EngineError, Result};
use crate::format::bad_record::{DeadLetters, RecordOrigin};

pub(super) struct DeadLetterFile {
    path: PathBuf,
    file: File,
}

impl DeadLetterFile {
    pub(super) fn open(path: &Path, roots: &[PathBuf]) -> Result<Self> {
        let folder = folder_to_write(path.parent().unwrap_or(Path::new(".")), roots)?;
        let path = folder.join(path.file_name().unwrap_or_default());
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(|error| failed(&path, &error))?;
        Ok(DeadLetterFile { path, file })
    }
}

impl DeadLetters for DeadLetterFile {
    fn put(&mut self, origin: &RecordOrigin<'_>, reason: &str) -> Result<()> {
        let line = json!({
            "split": origin.split,
            "offset": origin.offset,
            "reason": reason,
            "at": chrono::Utc::now().timestamp_millis(),
            "key": origin.key.map(|key| BASE64.encode(key)),
            "value": BASE64.encode(origin.value.unwrap_or_default()),
        });
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(|error| failed(&self.path, &error))
    }

    fn flush(&mut self) -> Result<()> {
        self.file.sync_data().map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> EngineError {
    let message = format!("The dead-letter file '{}' cannot be written.", path.display());
    EngineError::external("dead_letter_failed", message).with_detail(error)
}

//! What a checkpoint consists of.

use serde::{Deserialize, Serialize};

use crate::connector::SplitPosition;
use crate::error::{EngineError, Result};

pub const FORMAT_VERSION: u32 = 2;
/// The oldest version that is read.
const OLDEST_VERSION: u32 = 1;

/// Key bytes and hashes in state files are of these encodings; others cannot be read.
pub(super) const ENCODING: &str = "arrow-row-58/foldhash-0.2";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub encoding: String,
    pub number: u64,
    pub savepoint: bool,
    /// The run that took it.
    pub run: String,
    /// Milliseconds since 1970, for people.
    pub at: i64,
    pub plan_hash: String,
    pub nodes: Vec<NodeEntry>,
    pub files: Vec<FileEntry>,
    #[serde(default)]
    pub segments: Vec<SegmentFileEntry>,
    pub sources: Vec<SourceEntry>,
    pub sinks: Vec<SinkEntry>,
}

/// A stateful node of the dataflow that was running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeEntry {
    pub id: String,
    /// For people: `Group aggregate`, and what tells it from others.
    pub kind: String,
    pub name: String,
    /// The layout of its state.
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    pub name: String,
    pub bytes: u64,
    pub sections: Vec<SectionEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionEntry {
    pub node: String,
    pub group: u16,
    pub offset: u64,
    pub length: u64,
    pub crc32: u32,
}

/// A file of state that may be shared with other checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentFileEntry {
    pub name: String,
    pub bytes: u64,
    pub node: String,
    pub table: usize,
    pub first_hash: u64,
    pub last_hash: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    pub node: String,
    pub split: String,
    pub position: SplitPosition,
    pub watermark: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SinkEntry {
    pub node: String,
    pub task: usize,
    /// Hexadecimal.
    pub state: String,
}

impl Manifest {
    pub(super) fn to_text(&self) -> Result<String> {
        let line = serde_json::to_string(self)
            .map_err(|error| EngineError::internal("a manifest cannot be written").with_detail(error))?;
        Ok(format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes())))
    }

    pub(super) fn from_text(text: &str) -> Result<Self> {
        let (line, sum) = text.split_once('\n').ok_or_else(|| corrupt("the manifest is cut short"))?;
        if u32::from_str_radix(sum.trim_end(), 16) != Ok(crc32fast::hash(line.as_bytes())) {
            return Err(corrupt("the manifest's checksum is wrong"));
        }
        let version: Version = serde_json::from_str(line).map_err(|_| corrupt("the manifest is no JSON"))?;
        if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&version.version) {
            let message = format!(
                "The checkpoint has format version {}, this engine reads {OLDEST_VERSION} to {FORMAT_VERSION}.",
                version.version
            );
            return Err(EngineError::user("checkpoint_version", message));
        }
        let manifest: Manifest = serde_json::from_str(line).map_err(|_| corrupt("the manifest is incomplete"))?;
        if manifest.encoding != ENCODING {
            let message =
                format!("The checkpoint's keys are encoded as {}, this engine reads {ENCODING}.", manifest.encoding);
            return Err(EngineError::user("checkpoint_version", message));
        }
        Ok(manifest)
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

pub(super) fn corrupt(what: &str) -> EngineError {
    EngineError::external("checkpoint_corrupt", format!("A checkpoint is damaged: {what}.")).without_retry()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits =
        digits.filter(|digits| digits.len() % 2 == 0).ok_or_else(|| corrupt("bytes of a sink are no hexadecimal"))?;
    Ok(digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

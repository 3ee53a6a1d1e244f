//! Writing: the newest segment of one run.

use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::path::{Path, PathBuf};

use millrace_wire::log::LogLine;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{MAX_MESSAGE, Origin};

/// A line as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredLine {
    #[serde(flatten)]
    pub(super) line: LogLine,
    #[serde(default)]
    pub(super) frame: u64,
}

pub(super) struct OpenLog {
    folder: PathBuf,
    segment_bytes: u64,
    max_segments: usize,
    next_seq: u64,
    last: Option<Origin>,
    file: Option<(File, u64)>,
    /// Nothing was appended since the disk had all.
    synced: bool,
    opened: bool,
    changed: watch::Sender<u64>,
}

impl OpenLog {
    pub(super) fn new(folder: PathBuf, segment_bytes: u64, max_segments: usize) -> OpenLog {
        let changed = watch::Sender::new(0);
        OpenLog {
            folder,
            segment_bytes,
            max_segments,
            next_seq: 0,
            last: None,
            file: None,
            synced: true,
            opened: false,
            changed,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn append(&mut self, origin: Origin, lines: Vec<LogLine>) -> Result<Vec<LogLine>> {
        if !self.opened {
            self.recover()?;
        }
        let again = origin.frame > 0 && self.last.is_some_and(|last| origin <= last);
        if again || lines.is_empty() {
            return Ok(Vec::new());
        }
        let mut text = Vec::new();
        let mut numbered = Vec::with_capacity(lines.len());
        for (seq, mut line) in (self.next_seq..).zip(lines) {
            line.seq = seq;
            cut(&mut line.message);
            let stored = StoredLine { line, frame: origin.frame };
            serde_json::to_writer(&mut text, &stored)?;
            text.push(b'\n');
            numbered.push(stored.line);
        }
        let (file, length) = self.segment()?;
        // One call: a reader sees whole lines, up to a torn one at the very end.
        file.write_all(&text)?;
        *length += text.len() as u64;
        self.synced = false;
        self.next_seq += numbered.len() as u64;
        if origin.frame > 0 {
            self.last = Some(origin);
        }
        self.changed.send_replace(self.next_seq);
        Ok(numbered)
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        if let (false, Some((file, _))) = (self.synced, &self.file) {
            file.sync_data()?;
        }
        self.synced = true;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_synced(&self) -> bool {
        self.synced
    }

    fn segment(&mut self) -> Result<&mut (File, u64)> {
        if self.file.as_ref().is_some_and(|(_, length)| *length >= self.segment_bytes) {
            self.sync()?;
            self.file = None;
        }
        if self.file.is_none() {
            std::fs::create_dir_all(&self.folder)?;
            let path = self.folder.join(format!("{:020}.jsonl", self.next_seq));
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            // The new name has to outlive a power loss as well.
            File::open(&self.folder)?.sync_all()?;
            let segments = segments(&self.folder)?;
            let surplus = segments.len().saturating_sub(self.max_segments);
            for (_, old) in segments.iter().take(surplus) {
                std::fs::remove_file(old)?;
            }
            self.file = Some((file, 0));
        }
        self.file.as_mut().ok_or_else(|| std::io::Error::other("no segment is open"))
    }

    /// Finds out where the log ends, and cuts off a torn last line.
    fn recover(&mut self) -> Result<()> {
        if let Some((first, path)) = segments(&self.folder)?.pop() {
            let mut bytes = Vec::new();
            let mut file = OpenOptions::new().read(true).append(true).open(&path)?;
            file.read_to_end(&mut bytes)?;
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if whole < bytes.len() {
                file.set_len(whole as u64)?;
            }
            let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
            self.next_seq = first;
            for stored in lines.filter_map(|line| serde_json::from_slice::<StoredLine>(line).ok()) {
                self.next_seq = stored.line.seq + 1;
                if stored.frame > 0 {
                    self.last = Some(Origin { attempt: stored.line.attempt, frame: stored.frame });
                }
            }
            self.file = Some((file, whole as u64));
        }
        self.opened = true;
        self.changed.send_replace(self.next_seq);
        Ok(())
    }
}

/// Oldest first, with the sequence of their first line.
pub(super) fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == "jsonl");
        let first = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        if let (true, Some(first)) = (is_segment, first) {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

fn cut(message: &mut String) {
    if message.len() <= MAX_MESSAGE {
        return;
    }
    let mut end = MAX_MESSAGE;
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let left_out = message.len() - end;
    message.truncate(end);
    message.push_str(&format!(" … ({left_out} more bytes were cut off)"));
}

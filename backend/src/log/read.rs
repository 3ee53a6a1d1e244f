//! Reading pages: forwards from a sequence, or backwards from the end. Takes no lock.

use std::collections::VecDeque;
use std::io::Result;
use std::path::Path;

use millrace_wire::log::{LogLine, LogPage};

use super::LogQuery;
use super::segment::{StoredLine, segments};

pub(super) fn page(folder: &Path, query: &LogQuery) -> Result<LogPage> {
    let limit = query.limit.max(1);
    let filter = Filter::new(query);
    match query.from {
        Some(from) => forwards(folder, from, limit, &filter),
        None => backwards(folder, query.before.unwrap_or(u64::MAX), limit, &filter),
    }
}

fn forwards(folder: &Path, from: u64, limit: usize, filter: &Filter) -> Result<LogPage> {
    let segments = segments(folder)?;
    // The last segment that begins at or before the wanted line, and all after it.
    let start = segments.iter().rposition(|(first, _)| *first <= from).unwrap_or(0);
    let mut lines = Vec::new();
    let mut next_seq = from;
    let mut more_before = start > 0;
    for (_, path) in segments.iter().skip(start) {
        for line in read_segment(path)? {
            if line.seq < from {
                more_before = true;
                continue;
            }
            if lines.len() == limit {
                return Ok(LogPage { lines, more_before, next_seq });
            }
            next_seq = line.seq + 1;
            if filter.takes(&line) {
                lines.push(line);
            }
        }
    }
    Ok(LogPage { lines, more_before, next_seq })
}

fn backwards(folder: &Path, before: u64, limit: usize, filter: &Filter) -> Result<LogPage> {
    let mut lines = VecDeque::new();
    let mut next_seq = None;
    for (first, path) in segments(folder)?.into_iter().rev() {
        if first >= before {
            continue;
        }
        for line in read_segment(&path)?.into_iter().rev().filter(|line| line.seq < before) {
            next_seq.get_or_insert(line.seq + 1);
            if !filter.takes(&line) {
                continue;
            }
            if lines.len() == limit {
                return Ok(LogPage { lines: lines.into(), more_before: true, next_seq: next_seq.unwrap_or(0) });
            }
            lines.push_front(line);
        }
    }
    Ok(LogPage { lines: lines.into(), more_before: false, next_seq: next_seq.unwrap_or(0) })
}

fn read_segment(path: &Path) -> Result<Vec<LogLine>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        // Retention took it while we were reading.
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let lines = text.split(|byte| *byte == b'\n');
    // What does not parse is a line that is being written.
    Ok(lines.filter_map(|line| serde_json::from_slice::<StoredLine>(line).ok()).map(|stored| stored.line).collect())
}

struct Filter {
    level: Option<millrace_wire::log::LogLevel>,
    contains: Option<String>,
}

impl Filter {
    fn new(query: &LogQuery) -> Filter {
        let contains = query.contains.as_ref().filter(|text| !text.is_empty()).map(|text| text.to_lowercase());
        Filter { level: query.level, contains }
    }

    fn takes(&self, line: &LogLine) -> bool {
        // Levels are ordered from error down to trace.
        let severe_enough = self.level.is_none_or(|level| line.level <= level);
        severe_enough
            && self.contains.as_ref().is_none_or(|text| {
                line.message.to_lowercase().contains(text) || line.target.to_lowercase().contains(text)
            })
    }
}

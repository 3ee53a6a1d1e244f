//! Reading on: the lines of a run that were written since the last time.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use millrace_wire::log::LogLine;

use super::segment::{StoredLine, segments};

/// At most so much of a run is read at once.
const MOST_BYTES: u64 = 4 << 20;

/// Up to where the lines of a run were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The first sequence of the segment.
    segment: u64,
    bytes: u64,
}

/// Where to begin with a run whose lines were all read at that time: with the first segment that was written since.
pub(super) fn since(folder: &Path, time: SystemTime) -> Result<Option<Place>> {
    for (first, path) in segments(folder)? {
        if path.metadata()?.modified()? >= time {
            return Ok(Some(Place { segment: first, bytes: 0 }));
        }
    }
    Ok(None)
}

/// Whole lines after the place, which moves behind them. The second value: there is more.
pub(super) fn read_on(folder: &Path, place: &mut Place) -> Result<(Vec<LogLine>, bool)> {
    let mut lines = Vec::new();
    let mut left = MOST_BYTES;
    for (first, path) in segments(folder)? {
        if first < place.segment {
            continue;
        }
        if first > place.segment {
            *place = Place { segment: first, bytes: 0 };
        }
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(place.bytes))?;
        let mut bytes = Vec::new();
        file.take(left).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let read = bytes.get(..whole).unwrap_or_default();
        let parsed =
            read.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<StoredLine>(line).ok());
        lines.extend(parsed.map(|stored| stored.line));
        place.bytes += whole as u64;
        left = left.saturating_sub(bytes.len() as u64);
        if left == 0 {
            // A line is far shorter than what is read at once: something was read.
            return Ok((lines, true));
        }
    }
    Ok((lines, false))
}

//! Which lines of a day are there already, so that a line that comes again is not shown twice.
//!
//! Numbers of a stream mostly come in order, so a few ranges say it all.

use std::collections::HashMap;

use tantivy::Searcher;

use crate::error::{Error, Result};
use crate::line::Stream;
use crate::schema::column;

#[derive(Default)]
pub(crate) struct Seen {
    streams: HashMap<Stream, Ranges>,
}

impl Seen {
    /// Reads it off the committed lines.
    pub(crate) fn of(searcher: &Searcher) -> Result<Seen> {
        let mut seen = Seen::default();
        for segment in searcher.segment_readers() {
            let columns = segment.fast_fields();
            let Some(streams) = columns.str(column::STREAM)? else { continue };
            let numbers = columns.u64(column::SEQ)?;
            let mut ranges: Vec<Ranges> = (0..streams.num_terms()).map(|_| Ranges::default()).collect();
            for document in segment.doc_ids_alive() {
                let stream = streams.ords().first(document).and_then(|ord| ranges.get_mut(usize::try_from(ord).ok()?));
                if let (Some(stream), Some(number)) = (stream, numbers.first(document)) {
                    stream.insert(number);
                }
            }
            let mut name = String::new();
            for (ord, ranges) in ranges.into_iter().enumerate() {
                name.clear();
                streams.ord_to_str(ord as u64, &mut name)?;
                let stream = name.parse().map_err(|_| Error::Failed(format!("the index names no stream: {name:?}")))?;
                seen.streams.entry(stream).or_default().join(ranges);
            }
        }
        Ok(seen)
    }

    /// Whether this line is new.
    pub(crate) fn insert(&mut self, stream: &Stream, number: u64) -> bool {
        match self.streams.get_mut(stream) {
            Some(ranges) => ranges.insert(number),
            None => self.streams.entry(stream.clone()).or_default().insert(number),
        }
    }
}

/// Closed ranges in order, with gaps between them.
#[derive(Debug, Default)]
struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn insert(&mut self, number: u64) -> bool {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| number > *last) {
            if number - *last == 1 {
                *last = number;
            } else {
                self.0.push((number, number));
            }
            return true;
        }
        let at = self.0.partition_point(|(_, last)| *last < number);
        if self.0.get(at).is_some_and(|(first, _)| *first <= number) {
            return false;
        }
        self.0.insert(at, (number, number));
        self.close_gap(at);
        if let Some(before) = at.checked_sub(1) {
            self.close_gap(before);
        }
        true
    }

    /// Joins the range at `at` with the next one when they touch.
    fn close_gap(&mut self, at: usize) {
        let touching = match (self.0.get(at), self.0.get(at + 1)) {
            (Some((_, last)), Some((first, next_last))) if last.saturating_add(1) >= *first => *next_last.max(last),
            _ => return,
        };
        if let Some(range) = self.0.get_mut(at) {
            range.1 = touching;
        }
        self.0.remove(at + 1);
    }

    fn join(&mut self, other: Ranges) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        self.0.extend(other.0);
        self.0.sort_unstable();
        let mut at = 0;
        while at + 1 < self.0.len() {
            let before = self.0.len();
            self.close_gap(at);
            if self.0.len() == before {
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_say_what_a_set_says(numbers in proptest::collection::vec(0_u64..40, 0..80), cut in 0_usize..80) {
            let mut set = BTreeSet::new();
            let mut ranges = Ranges::default();
            for number in &numbers {
                prop_assert_eq!(ranges.insert(*number), set.insert(*number));
            }
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let (mut one, mut other) = (Ranges::default(), Ranges::default());
            left.iter().for_each(|number| { one.insert(*number); });
            right.iter().for_each(|number| { other.insert(*number); });
            one.join(other);
            prop_assert_eq!(one.0, ranges.0);
        }
    }
}

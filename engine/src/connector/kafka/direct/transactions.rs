//! Which batches of a fetch are not to be seen: markers, and records of transactions that were given up.

use std::collections::{HashSet, VecDeque};

use super::protocol::Aborted;
use super::records::{Batch, BatchError};

/// Knows of one fetch of one partition; every answer of a broker brings what it takes.
pub(super) struct Transactions {
    /// None where records are read before their transaction is decided.
    aborted: Option<VecDeque<Aborted>>,
    given_up: HashSet<i64>,
}

impl Transactions {
    pub(super) fn all_visible() -> Self {
        Transactions { aborted: None, given_up: HashSet::new() }
    }

    pub(super) fn committed_only(mut aborted: Vec<Aborted>) -> Self {
        aborted.sort_by_key(|aborted| aborted.first_offset);
        Transactions { aborted: Some(aborted.into()), given_up: HashSet::new() }
    }

    /// To be asked of each batch, in their order.
    pub(super) fn hides(&mut self, batch: &Batch) -> Result<bool, BatchError> {
        let Some(aborted) = &mut self.aborted else { return Ok(batch.is_control()) };
        while let Some(begun) = aborted.pop_front_if(|aborted| aborted.first_offset <= batch.last_offset) {
            self.given_up.insert(begun.producer);
        }
        if batch.is_control() {
            if self.given_up.contains(&batch.producer) && batch.is_abort()? {
                self.given_up.remove(&batch.producer);
            }
            return Ok(true);
        }
        Ok(batch.is_transactional() && self.given_up.contains(&batch.producer))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::{BufMut, BytesMut};

    use super::*;
    use crate::connector::kafka::direct::records::next_batch;

    enum Kind {
        Records,
        Plain,
        Abort,
        Commit,
    }

    /// A batch of one record at this offset.
    fn batch(offset: i64, producer: i64, kind: &Kind) -> Batch {
        let (attributes, key) = match kind {
            Kind::Plain => (0, 9),
            Kind::Records => (0x10, 9),
            Kind::Abort => (0x30, 0),
            Kind::Commit => (0x30, 1),
        };
        let mut checked = BytesMut::new();
        checked.put_i16(attributes);
        checked.put_i32(0);
        checked.put_slice(&[0; 16]);
        checked.put_i64(producer);
        checked.put_slice(&[0; 6]);
        checked.put_i32(1);
        // Length, attributes, time, offset, then a key of four bytes, no value, no headers.
        checked.put_slice(&[20, 0, 0, 0, 8, 0, 0, 0, key, 1, 0]);
        let mut log = BytesMut::new();
        log.put_i64(offset);
        log.put_i32(i32::try_from(checked.len()).unwrap() + 9);
        log.put_i32(0);
        log.put_u8(2);
        log.put_u32(crc32c::crc32c(&checked));
        log.put(checked);
        next_batch(&mut log.freeze()).unwrap().unwrap()
    }

    fn seen(mut transactions: Transactions, log: &[(i64, i64, Kind)]) -> Vec<i64> {
        let visible = |(offset, producer, kind): &(i64, i64, Kind)| {
            let hidden = transactions.hides(&batch(*offset, *producer, kind)).unwrap();
            (!hidden).then_some(*offset)
        };
        log.iter().filter_map(visible).collect()
    }

    /// Producers 1 and 2 at once: 1 gives up and then commits, 2 commits; between them somebody without transactions.
    fn log() -> [(i64, i64, Kind); 8] {
        [
            (10, 1, Kind::Records),
            (11, 2, Kind::Records),
            (12, -1, Kind::Plain),
            (13, 1, Kind::Records),
            (14, 1, Kind::Abort),
            (15, 1, Kind::Records),
            (16, 2, Kind::Commit),
            (17, 1, Kind::Commit),
        ]
    }

    #[test]
    fn records_of_a_transaction_that_was_given_up_are_hidden_up_to_its_marker() {
        let aborted = vec![Aborted { producer: 1, first_offset: 10 }];
        assert_eq!(seen(Transactions::committed_only(aborted), &log()), [11, 12, 15]);
    }

    #[test]
    fn without_transactions_given_up_all_but_markers_is_seen() {
        assert_eq!(seen(Transactions::committed_only(Vec::new()), &log()), [10, 11, 12, 13, 15]);
        assert_eq!(seen(Transactions::all_visible(), &log()), [10, 11, 12, 13, 15]);
    }

    #[test]
    fn two_that_were_given_up_one_after_the_other_are_told_apart() {
        let aborted = vec![Aborted { producer: 1, first_offset: 15 }, Aborted { producer: 1, first_offset: 10 }];
        assert_eq!(seen(Transactions::committed_only(aborted), &log()), [11, 12]);
    }
}

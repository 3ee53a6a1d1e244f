//! Rows that wait for the answers to their keys.

use std::collections::HashMap;

use arrow::array::{Array, RecordBatch};
use foldhash::fast::FixedState;

use super::Answer;
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::state::KeyEncoder;

/// What stands in the queue to the output.
pub(super) enum Entry {
    Piece(Piece),
    Watermark(i64),
    Idle,
}

pub(super) struct Piece {
    pub(super) number: u64,
    pub(super) batch: ChangeBatch,
    /// Of each row its key; none where a part of it is NULL.
    pub(super) key_of: Vec<Option<u32>>,
    /// Distinct.
    pub(super) keys: Vec<Box<[u8]>>,
    /// The first row of each key.
    pub(super) first_row: Vec<u32>,
    answers: Vec<Option<Answer>>,
    open: usize,
}

impl Piece {
    /// `keys` are the key columns of the batch.
    pub(super) fn new(number: u64, batch: ChangeBatch, keys: &RecordBatch, encoder: &KeyEncoder) -> Result<Self> {
        let encoded = encoder.encode(keys)?;
        let mut valid = vec![true; batch.len()];
        for nulls in keys.columns().iter().filter_map(|column| column.logical_nulls()) {
            valid.iter_mut().enumerate().for_each(|(row, valid)| *valid &= nulls.is_valid(row));
        }
        let mut known: HashMap<&[u8], u32, FixedState> = HashMap::default();
        let (mut distinct, mut first_row): (Vec<Box<[u8]>>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut key_of = Vec::with_capacity(batch.len());
        for (row, valid) in valid.into_iter().enumerate() {
            if !valid {
                key_of.push(None);
                continue;
            }
            let key = encoded.key(row);
            let place = *known.entry(key).or_insert_with(|| {
                distinct.push(key.into());
                first_row.push(row as u32);
                (distinct.len() - 1) as u32
            });
            key_of.push(Some(place));
        }
        let open = distinct.len();
        Ok(Piece { number, batch, key_of, answers: vec![None; open], keys: distinct, first_row, open })
    }

    pub(super) fn answer(&mut self, place: usize, answer: Answer) {
        if let Some(slot) = self.answers.get_mut(place)
            && slot.replace(answer).is_none()
        {
            self.open -= 1;
        }
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.open == 0
    }

    /// By key.
    pub(super) fn answers(&self) -> impl Iterator<Item = &[std::sync::Arc<[u8]>]> {
        self.answers.iter().map(|answer| answer.as_deref().unwrap_or_default())
    }
}

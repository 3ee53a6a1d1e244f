//! Rows of a batch by the partition that they go to.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use hashbrown::HashMap;

use super::partition::{Partitions, Values};
use crate::change::ChangeBatch;
use crate::error::Result;

/// The rows of each partition in their order, without the columns that stand in the folder's name.
pub(super) fn split(batch: &ChangeBatch, in_folder: &[usize], in_file: &[usize]) -> Result<Vec<(Values, ChangeBatch)>> {
    let kept = batch.rows.project(in_file)?;
    if in_folder.is_empty() {
        return Ok(vec![(Values::new(), ChangeBatch { rows: kept, kinds: batch.kinds.clone() })]);
    }
    let mut places: HashMap<Values, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut groups: Vec<(Values, Vec<u32>)> = Vec::new();
    for row in 0..batch.len() {
        let values = values_of(&batch.rows, in_folder, row)?;
        let place = *places.entry(values).or_insert_with_key(|values| {
            groups.push((values.clone(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, rows)) = groups.get_mut(place) {
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }
    let group = |(values, rows): (Values, Vec<u32>)| {
        let kinds = rows.iter().map(|row| batch.kind(*row as usize)).collect();
        let rows = take_record_batch(&kept, &UInt32Array::from(rows))?;
        Ok((values, ChangeBatch::with_kinds(rows, kinds)))
    };
    groups.into_iter().map(group).collect()
}

fn values_of(rows: &RecordBatch, in_folder: &[usize], row: usize) -> Result<Values> {
    let columns = in_folder.iter().filter_map(|column| rows.columns().get(*column));
    columns.map(|column| Partitions::text(column, row)).collect()
}

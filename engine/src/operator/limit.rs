//! ORDER BY and LIMIT. Over bounded input the rows come once, in order; otherwise the rows within the limit are kept up
//! to date by `-D` and `+I`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

use super::{CHUNK_ROWS, Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::Result;
use crate::plan::logical::SortKey;
use crate::state::{KeyedState, Reader, StateSize, write_bytes, write_u64};

pub struct LimitSpec {
    pub sort: Vec<SortKey>,
    pub offset: u64,
    pub fetch: Option<u64>,
    pub schema: SchemaRef,
    /// Rows may be taken back.
    pub retracts: bool,
    pub at_end: bool,
}

/// Equal sort keys stay in the order of arrival.
type Place = (Box<[u8]>, u64);

pub struct Limit {
    spec: LimitSpec,
    /// Rows by place, as row-encoded bytes.
    rows: BTreeMap<Place, Box<[u8]>>,
    sort: Option<RowConverter>,
    row: RowConverter,
    arrivals: u64,
    bytes: u64,
}

impl Limit {
    pub fn new(spec: LimitSpec) -> Result<Self> {
        let sort_field = |key: &SortKey| {
            let options = SortOptions { descending: !key.ascending, nulls_first: key.nulls_first };
            SortField::new_with_options(spec.schema.field(key.column).data_type().clone(), options)
        };
        let sort = if spec.sort.is_empty() {
            None
        } else {
            Some(RowConverter::new(spec.sort.iter().map(sort_field).collect())?)
        };
        let fields = spec.schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
        let row = RowConverter::new(fields.collect())?;
        Ok(Limit { spec, rows: BTreeMap::new(), sort, row, arrivals: 0, bytes: 0 })
    }

    fn within(&self) -> impl Iterator<Item = (&Place, &[u8])> {
        let skip = usize::try_from(self.spec.offset).unwrap_or(usize::MAX);
        let take = self.spec.fetch.map_or(usize::MAX, |fetch| usize::try_from(fetch).unwrap_or(usize::MAX));
        self.rows.iter().skip(skip).take(take).map(|(place, row)| (place, &**row))
    }

    /// Rows beyond the limit can never come in when nothing is taken back.
    fn cut(&mut self) {
        let Some(fetch) = self.spec.fetch.filter(|_| !self.spec.retracts) else { return };
        let most = usize::try_from(self.spec.offset.saturating_add(fetch)).unwrap_or(usize::MAX);
        while self.rows.len() > most {
            if let Some((place, row)) = self.rows.pop_last() {
                self.bytes -= (place.0.len() + row.len()) as u64;
            }
        }
    }

    fn take_in(&mut self, batch: &ChangeBatch) -> Result<()> {
        let sort_columns: Vec<ArrayRef> =
            self.spec.sort.iter().map(|key| Arc::clone(batch.rows.column(key.column))).collect();
        let sort = self.sort.as_ref().map(|sort| sort.convert_columns(&sort_columns)).transpose()?;
        let rows = self.row.convert_columns(batch.rows.columns())?;
        for index in 0..batch.len() {
            let key: Box<[u8]> = sort.as_ref().map_or_else(Box::default, |sort| sort.row(index).data().into());
            let row = rows.row(index);
            if batch.kind(index).is_accumulate() {
                self.bytes += (key.len() + row.data().len()) as u64;
                self.rows.insert((key, self.arrivals), row.data().into());
                self.arrivals += 1;
                continue;
            }
            let equal = self.rows.range((key.clone(), 0)..=(key, u64::MAX)).find(|(_, held)| ***held == *row.data());
            if let Some(place) = equal.map(|(place, _)| place.clone())
                && let Some(gone) = self.rows.remove(&place)
            {
                self.bytes -= (place.0.len() + gone.len()) as u64;
            }
        }
        self.cut();
        Ok(())
    }

    fn give(&self, rows: &[(RowKind, Box<[u8]>)], out: &mut dyn Output) -> Result<()> {
        for rows in rows.chunks(CHUNK_ROWS) {
            let parser = self.row.parser();
            let columns = self.row.convert_rows(rows.iter().map(|(_, row)| parser.parse(row)))?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&self.spec.schema), columns, &options)?;
            out.emit(ChangeBatch::with_kinds(batch, rows.iter().map(|(kind, _)| *kind).collect()))?;
        }
        Ok(())
    }
}

impl Operator for Limit {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        if self.spec.at_end {
            return self.take_in(&batch);
        }
        let before: BTreeMap<Place, Box<[u8]>> =
            self.within().map(|(place, row)| (place.clone(), row.into())).collect();
        self.take_in(&batch)?;
        let after: BTreeMap<Place, Box<[u8]>> = self.within().map(|(place, row)| (place.clone(), row.into())).collect();
        let gone = before.iter().filter(|(place, _)| !after.contains_key(*place));
        let mut changes: Vec<(RowKind, Box<[u8]>)> = gone.map(|(_, row)| (RowKind::Delete, row.clone())).collect();
        let come = after.into_iter().filter(|(place, _)| !before.contains_key(place));
        changes.extend(come.map(|(_, row)| (RowKind::Insert, row)));
        self.give(&changes, out)
    }

    fn end(&mut self, out: &mut dyn Output) -> Result<()> {
        if !self.spec.at_end {
            return Ok(());
        }
        let all: Vec<(RowKind, Box<[u8]>)> = self.within().map(|(_, row)| (RowKind::Insert, row.into())).collect();
        self.give(&all, out)
    }

    /// One task holds all: everything is in the first key group. Per row: arrival, sort key, row bytes.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        let out = state.group(0);
        for ((key, arrival), row) in &self.rows {
            write_u64(out, *arrival);
            write_bytes(out, key);
            write_bytes(out, row);
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let arrival = reader.u64()?;
                let (key, row) = (reader.bytes()?, reader.bytes()?);
                self.arrivals = self.arrivals.max(arrival + 1);
                self.bytes += (key.len() + row.len()) as u64;
                self.rows.insert((key.into(), arrival), row.into());
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize { rows: self.rows.len() as u64, bytes: self.bytes + (self.rows.len() * 64) as u64 }
    }
}

//! List arguments, equality of their elements, and lists made of elements of others.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion_common::{DataFusionError, exec_err, internal_err};
use datafusion_expr::ColumnarValue;

use crate::function::Call;
use crate::types::LogicalType;

/// A list argument; a constant is kept once and stands for all rows.
pub(crate) struct Lists {
    list: ListArray,
    constant: bool,
}

impl Lists {
    pub(crate) fn of(call: &Call, position: usize) -> Result<Self, DataFusionError> {
        let (array, constant) = call.array(position)?;
        match array.as_list_opt::<i32>() {
            Some(list) => Ok(Lists { list: list.clone(), constant }),
            None => internal_err!("a kernel expected an array, not {}", array.data_type()),
        }
    }

    /// The elements of all rows.
    pub(crate) fn values(&self) -> &ArrayRef {
        self.list.values()
    }

    /// Where the elements of a row are in [`Self::values`]; `None` for NULL.
    pub(crate) fn range(&self, row: usize) -> Option<Range<usize>> {
        let row = if self.constant { 0 } else { row };
        range(self.list.value_offsets(), row).filter(|_| self.list.is_valid(row))
    }
}

/// The part between two offsets.
pub(super) fn range(offsets: &[i32], row: usize) -> Option<Range<usize>> {
    let start = usize::try_from(*offsets.get(row)?).ok()?;
    let end = usize::try_from(*offsets.get(row + 1)?).ok()?;
    Some(start..end)
}

/// Elements of several arrays of one type as bytes that are equal exactly when the elements are (NULL equals NULL).
pub(super) struct Elements {
    sources: Vec<Rows>,
}

impl Elements {
    pub(super) fn of(sources: &[&ArrayRef]) -> Result<Self, DataFusionError> {
        let Some(first) = sources.first() else { return Ok(Elements { sources: Vec::new() }) };
        let converter = RowConverter::new(vec![SortField::new(first.data_type().clone())])?;
        let encode = |source: &&ArrayRef| converter.convert_columns(&[Arc::clone(source)]);
        Ok(Elements { sources: sources.iter().map(encode).collect::<Result<_, _>>()? })
    }

    /// Empty for what is not there, which no element is.
    pub(super) fn key(&self, source: usize, index: usize) -> &[u8] {
        match self.sources.get(source) {
            Some(rows) if index < rows.num_rows() => rows.row(index).data(),
            _ => &[],
        }
    }
}

/// Whether elements of this type can be told apart by [`Elements`].
pub(super) fn has_keys(ty: &LogicalType) -> bool {
    match ty {
        LogicalType::Null | LogicalType::Map(..) | LogicalType::Multiset(_) => false,
        LogicalType::Array(element) => has_keys(&element.logical),
        LogicalType::Row(fields) => fields.iter().all(|field| has_keys(&field.ty.logical)),
        _ => true,
    }
}

/// Lists under construction, of elements that other arrays have.
pub(crate) struct ListGather {
    /// Source and index of each element.
    picked: Vec<(usize, usize)>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl ListGather {
    pub(crate) fn new(rows: usize) -> Self {
        ListGather { picked: Vec::new(), ends: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) }
    }

    pub(crate) fn pick(&mut self, source: usize, index: usize) {
        self.picked.push((source, index));
    }

    /// The elements since the list before are a list.
    pub(crate) fn close(&mut self) {
        self.ends.push(self.picked.len());
        self.valid.push(true);
    }

    pub(crate) fn null(&mut self) {
        self.picked.truncate(self.ends.last().copied().unwrap_or(0));
        self.ends.push(self.picked.len());
        self.valid.push(false);
    }

    /// All sources have the element type of `ty`.
    pub(crate) fn finish(self, sources: &[&ArrayRef], ty: &LogicalType) -> Result<ColumnarValue, DataFusionError> {
        let DataType::List(item) = ty.to_arrow() else { return internal_err!("{ty} is no ARRAY") };
        Ok(ColumnarValue::Array(Arc::new(self.lists(sources, item)?)))
    }

    fn lists(self, sources: &[&ArrayRef], item: FieldRef) -> Result<ListArray, DataFusionError> {
        let values = gathered(sources, &self.picked, item.data_type())?;
        let nulls = NullBuffer::from(self.valid);
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(ListArray::try_new(item, offsets(&self.ends)?, values, nulls)?)
    }
}

/// The picked elements in one array.
pub(super) fn gathered(
    sources: &[&ArrayRef],
    picked: &[(usize, usize)],
    ty: &DataType,
) -> Result<ArrayRef, DataFusionError> {
    match sources {
        _ if picked.is_empty() => Ok(new_empty_array(ty)),
        [only] => {
            let indices: UInt64Array = picked.iter().map(|(_, index)| *index as u64).collect();
            Ok(take(only, &indices, None)?)
        }
        _ => {
            let arrays: Vec<&dyn Array> = sources.iter().map(|source| source.as_ref()).collect();
            Ok(interleave(&arrays, picked)?)
        }
    }
}

/// Ends of lists → offsets.
pub(super) fn offsets(ends: &[usize]) -> Result<OffsetBuffer<i32>, DataFusionError> {
    let ends = ends.iter().map(|end| i32::try_from(*end)).collect::<Result<Vec<i32>, _>>();
    match ends {
        Ok(ends) => {
            let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
            Ok(OffsetBuffer::new(offsets.into()))
        }
        Err(_) => exec_err!("The collections of one batch have more than 2147483647 elements."),
    }
}

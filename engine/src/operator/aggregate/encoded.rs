//! Values of one type as bytes that are equal, and ordered, as the values are.

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};

use crate::error::{EngineError, Result};

pub(super) struct Encoded {
    converter: RowConverter,
    null: Box<[u8]>,
}

impl Encoded {
    pub(super) fn new(ty: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(ty.clone())])?;
        let null = converter.convert_columns(&[new_null_array(ty, 1)])?.row(0).data().into();
        Ok(Encoded { converter, null })
    }

    pub(super) fn null(&self) -> &[u8] {
        &self.null
    }

    pub(super) fn encode(&self, values: &ArrayRef) -> Result<Rows> {
        Ok(self.converter.convert_columns(std::slice::from_ref(values))?)
    }

    pub(super) fn decode<'a>(&self, values: impl Iterator<Item = &'a [u8]>) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows: Vec<_> = values.map(|value| parser.parse(value)).collect();
        let mut columns = self.converter.convert_rows(rows)?;
        columns.pop().ok_or_else(|| EngineError::internal("no column was decoded"))
    }
}

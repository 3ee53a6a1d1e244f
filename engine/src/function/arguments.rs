//! Typed access to the arguments of a kernel, row by row, constants included.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray, StringBuilder,
};
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::Call;

/// A column of values; a constant is kept once and repeated.
pub(crate) struct Values<A> {
    array: A,
    constant: bool,
}

impl<A> Values<A> {
    const fn index(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    pub(crate) const fn is_constant(&self) -> bool {
        self.constant
    }
}

impl Values<StringArray> {
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let index = self.index(row);
        self.array.is_valid(index).then(|| self.array.value(index))
    }
}

impl Values<BinaryArray> {
    pub(crate) fn get(&self, row: usize) -> Option<&[u8]> {
        let index = self.index(row);
        self.array.is_valid(index).then(|| self.array.value(index))
    }
}

impl Values<BooleanArray> {
    pub(crate) fn get(&self, row: usize) -> Option<bool> {
        let index = self.index(row);
        self.array.is_valid(index).then(|| self.array.value(index))
    }
}

impl<T: ArrowPrimitiveType> Values<PrimitiveArray<T>> {
    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        let index = self.index(row);
        self.array.is_valid(index).then(|| self.array.value(index))
    }
}

impl Call<'_> {
    /// The argument as an array, and whether it is one value that stands for all rows.
    pub(crate) fn array(&self, position: usize) -> Result<(ArrayRef, bool), DataFusionError> {
        match self.args.get(position) {
            Some(ColumnarValue::Array(array)) => Ok((Arc::clone(array), false)),
            Some(ColumnarValue::Scalar(scalar)) => Ok((scalar.to_array_of_size(1)?, true)),
            None => internal_err!("a kernel was called with too few arguments"),
        }
    }

    pub(crate) fn texts(&self, position: usize) -> Result<Values<StringArray>, DataFusionError> {
        let (array, constant) = self.array(position)?;
        match array.as_string_opt::<i32>() {
            Some(typed) => Ok(Values { array: typed.clone(), constant }),
            None => internal_err!("a kernel expected text, not {}", array.data_type()),
        }
    }

    pub(crate) fn binaries(&self, position: usize) -> Result<Values<BinaryArray>, DataFusionError> {
        let (array, constant) = self.array(position)?;
        match array.as_binary_opt::<i32>() {
            Some(typed) => Ok(Values { array: typed.clone(), constant }),
            None => internal_err!("a kernel expected bytes, not {}", array.data_type()),
        }
    }

    pub(crate) fn booleans(&self, position: usize) -> Result<Values<BooleanArray>, DataFusionError> {
        let (array, constant) = self.array(position)?;
        match array.as_boolean_opt() {
            Some(typed) => Ok(Values { array: typed.clone(), constant }),
            None => internal_err!("a kernel expected booleans, not {}", array.data_type()),
        }
    }

    pub(crate) fn numbers<T: ArrowPrimitiveType>(
        &self,
        position: usize,
    ) -> Result<Values<PrimitiveArray<T>>, DataFusionError> {
        let (array, constant) = self.array(position)?;
        match array.as_primitive_opt::<T>() {
            Some(typed) => Ok(Values { array: typed.clone(), constant }),
            None => internal_err!("a kernel expected {}, not {}", T::DATA_TYPE, array.data_type()),
        }
    }

    /// Text results, one call per row.
    pub(crate) fn text_rows<S: AsRef<str>>(
        &self,
        each: impl FnMut(usize) -> Option<S>,
    ) -> Result<ColumnarValue, DataFusionError> {
        Ok(ColumnarValue::Array(Arc::new((0..self.rows).map(each).collect::<StringArray>())))
    }

    /// Text results that are written into a buffer; NULL for `None`.
    pub(crate) fn written_rows(
        &self,
        mut each: impl FnMut(usize, &mut String) -> Option<()>,
    ) -> Result<ColumnarValue, DataFusionError> {
        let (mut texts, mut text) = (StringBuilder::with_capacity(self.rows, self.rows * 16), String::new());
        for row in 0..self.rows {
            text.clear();
            texts.append_option(each(row, &mut text).map(|()| text.as_str()));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }

    pub(crate) fn binary_rows<B: AsRef<[u8]>>(
        &self,
        each: impl FnMut(usize) -> Option<B>,
    ) -> Result<ColumnarValue, DataFusionError> {
        Ok(ColumnarValue::Array(Arc::new((0..self.rows).map(each).collect::<BinaryArray>())))
    }

    pub(crate) fn boolean_rows(
        &self,
        each: impl FnMut(usize) -> Option<bool>,
    ) -> Result<ColumnarValue, DataFusionError> {
        Ok(ColumnarValue::Array(Arc::new((0..self.rows).map(each).collect::<BooleanArray>())))
    }

    /// Numbers, dates and timestamps: the array takes the Arrow type of the call's result.
    pub(crate) fn number_rows<T: ArrowPrimitiveType>(
        &self,
        each: impl FnMut(usize) -> Option<T::Native>,
    ) -> Result<ColumnarValue, DataFusionError> {
        let array = (0..self.rows).map(each).collect::<PrimitiveArray<T>>();
        Ok(ColumnarValue::Array(Arc::new(array.with_data_type(self.return_type.logical.to_arrow()))))
    }

    /// Like [`Self::number_rows`] for kernels that can fail.
    pub(crate) fn try_number_rows<T: ArrowPrimitiveType>(
        &self,
        each: impl FnMut(usize) -> Result<Option<T::Native>, DataFusionError>,
    ) -> Result<ColumnarValue, DataFusionError> {
        let array = (0..self.rows).map(each).collect::<Result<PrimitiveArray<T>, DataFusionError>>()?;
        Ok(ColumnarValue::Array(Arc::new(array.with_data_type(self.return_type.logical.to_arrow()))))
    }
}

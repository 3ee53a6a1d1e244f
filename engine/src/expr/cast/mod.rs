//! CAST and TRY_CAST with Flink's rules.
//!
//! Integers wrap, floats saturate, decimals that do not fit give NULL, text that cannot be read fails (`Strict`) or gives
//! NULL (`Try`).

mod nested_text;
mod number;
mod number_text;
mod text;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use datafusion_common::{DataFusionError, exec_err, internal_err};

pub(crate) use number_text::{decimal_text, double_text, float_text, parse_decimal};

use super::CastMode;
use crate::function::EvalContext;
use crate::types::{LogicalType, Type};

/// Whether `CAST` accepts the pair at all; asked by the binder.
pub fn is_castable(from: &LogicalType, to: &LogicalType) -> bool {
    use LogicalType as L;
    if from == to {
        return true;
    }
    let time = |ty: &L| ty.is_timestamp() || matches!(ty, L::Date | L::Time(_));
    match (from, to) {
        (L::Null, _) => true,
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (a, L::Boolean) | (L::Boolean, a) if a.is_numeric() => true,
        (a, b) if a.is_character() => {
            b.is_character() || b.is_numeric() || b.is_binary() || time(b) || *b == L::Boolean
        }
        (a, b) if b.is_character() && (a.is_numeric() || a.is_binary() || time(a) || *a == L::Boolean) => true,
        (L::Array(element) | L::Multiset(element), b) if b.is_character() => is_castable(&element.logical, &L::String),
        (L::Map(key, value), b) if b.is_character() => {
            is_castable(&key.logical, &L::String) && is_castable(&value.logical, &L::String)
        }
        (L::Row(fields), b) if b.is_character() => {
            fields.iter().all(|field| is_castable(&field.ty.logical, &L::String))
        }
        (a, b) if a.is_binary() && b.is_binary() => true,
        (L::Date, L::Timestamp(_) | L::TimestampLtz(_)) => true,
        (a, L::Date) if a.is_timestamp() => true,
        (a, L::Time(_)) if a.is_timestamp() => true,
        (L::Time(_), L::Time(_) | L::Timestamp(_) | L::TimestampLtz(_)) => true,
        (a, b) if a.is_timestamp() && b.is_timestamp() => true,
        (L::Array(a), L::Array(b)) | (L::Multiset(a), L::Multiset(b)) => is_castable(&a.logical, &b.logical),
        (L::Map(ak, av), L::Map(bk, bv)) => {
            is_castable(&ak.logical, &bk.logical) && is_castable(&av.logical, &bv.logical)
        }
        (L::Row(a), L::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(from, to)| is_castable(&from.ty.logical, &to.ty.logical))
        }
        _ => false,
    }
}

/// Whether the cast can fail or give NULL for a value that is not NULL; asked for the nullability of the result.
pub fn can_give_null(from: &LogicalType, to: &LogicalType) -> bool {
    matches!(to, LogicalType::Decimal { .. }) && from != to && !from.is_integer()
}

/// One cast, ready to run on batches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cast {
    pub(crate) from: LogicalType,
    pub(crate) to: LogicalType,
    pub(crate) mode: CastMode,
    pub(crate) context: EvalContext,
}

impl Cast {
    pub(crate) fn run(&self, array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
        use LogicalType as L;
        let (from, to) = (&self.from, &self.to);
        if from == to {
            return Ok(Arc::clone(array));
        }
        match (from, to) {
            (L::Null, _) => Ok(new_null_array(&to.to_arrow(), array.len())),
            (a, b) if a.is_numeric() && b.is_numeric() => number::between_numbers(array, from, to),
            (L::Boolean, b) if b.is_numeric() => number::from_boolean(array, to),
            (a, L::Boolean) if a.is_numeric() => number::to_boolean(array, from),
            (a, b) if a.is_character() && b.is_character() => text::fit(array, from, to),
            (a, b) if a.is_character() && b.is_numeric() => number_text::parse(array, to, self.mode),
            (a, L::Boolean) if a.is_character() => text::to_boolean(array, self.mode),
            (a, b) if a.is_character() && b.is_binary() => text::to_binary(array, to),
            (a, b) if a.is_character() => time::parse(self, array, b),
            (a, b) if b.is_character() => text::fit(&self.to_text(array, a)?, &L::String, to),
            (a, b) if a.is_binary() && b.is_binary() => text::fit_binary(array, to),
            (L::Array(a), L::Array(b)) => self.list(array, a, b),
            (L::Map(..), L::Map(..)) | (L::Multiset(_), L::Multiset(_)) => self.map(array),
            (L::Row(a), L::Row(b)) => self.row(array, a, b),
            _ => time::between_times(self, array),
        }
    }

    fn to_text(&self, array: &ArrayRef, from: &LogicalType) -> Result<ArrayRef, DataFusionError> {
        match from {
            ty if ty.is_numeric() => number_text::format(array, ty),
            LogicalType::Boolean => text::from_boolean(array),
            ty if ty.is_binary() => text::from_binary(array),
            LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Multiset(_) | LogicalType::Row(_) => {
                nested_text::format(self, array, from)
            }
            ty => time::format(self, array, ty),
        }
    }

    /// The same cast for parts of a value.
    fn inner(&self, array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, DataFusionError> {
        let inner = Cast { from: from.logical.clone(), to: to.logical.clone(), mode: self.mode, context: self.context };
        inner.run(array)
    }

    fn list(&self, array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, DataFusionError> {
        let Some(list) = array.as_list_opt::<i32>() else { return internal_err!("an ARRAY is not kept as a list") };
        let values = self.inner(list.values(), from, to)?;
        let field = match self.to.to_arrow() {
            arrow::datatypes::DataType::List(field) => field,
            other => return internal_err!("an ARRAY is not kept as {other}"),
        };
        Ok(Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?))
    }

    fn map(&self, array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
        let Some(map) = array.as_map_opt() else { return internal_err!("a MAP is not kept as a map") };
        let (LogicalType::Map(from_key, from_value), LogicalType::Map(to_key, to_value)) = (&self.from, &self.to)
        else {
            return exec_err!("A {} cannot be cast to {}.", self.from, self.to);
        };
        let keys = self.inner(map.keys(), from_key, to_key)?;
        let values = self.inner(map.values(), from_value, to_value)?;
        let arrow::datatypes::DataType::Map(field, sorted) = self.to.to_arrow() else {
            return internal_err!("a MAP is not kept as a map");
        };
        let arrow::datatypes::DataType::Struct(fields) = field.data_type().clone() else {
            return internal_err!("the entries of a MAP are not kept as a struct");
        };
        let entries = StructArray::try_new(fields, vec![keys, values], None)?;
        Ok(Arc::new(MapArray::try_new(field, map.offsets().clone(), entries, map.nulls().cloned(), sorted)?))
    }

    fn row(
        &self,
        array: &ArrayRef,
        from: &[crate::types::Field],
        to: &[crate::types::Field],
    ) -> Result<ArrayRef, DataFusionError> {
        let Some(row) = array.as_struct_opt() else { return internal_err!("a ROW is not kept as a struct") };
        let pairs = from.iter().zip(to).zip(row.columns());
        let columns =
            pairs.map(|((from, to), column)| self.inner(column, &from.ty, &to.ty)).collect::<Result<Vec<_>, _>>()?;
        let arrow::datatypes::DataType::Struct(fields) = self.to.to_arrow() else {
            return internal_err!("a ROW is not kept as a struct");
        };
        Ok(Arc::new(StructArray::try_new(fields, columns, row.nulls().cloned())?))
    }
}

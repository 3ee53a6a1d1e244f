//! Which types become which: by CAST, and by themselves into a sink.

use crate::function::common_type;
use crate::types::{LogicalType, Type};

/// The common type of several results; nullable when one of them is.
pub(super) fn common_of<'t>(mut types: impl Iterator<Item = &'t Type>) -> Option<Type> {
    let first = types.next()?.clone();
    types.try_fold(first, |common, ty| common_type(&common, ty))
}

/// Whether `CAST` exists between the two types.
pub(super) fn can_cast(from: &LogicalType, to: &LogicalType) -> bool {
    use LogicalType as L;
    if from == to || *from == L::Null {
        return true;
    }
    match (from, to) {
        // Everything has a text, and most can be read from one.
        (_, to) if to.is_character() => true,
        (from, L::Binary(_) | L::VarBinary(_) | L::Bytes) => from.is_character() || from.is_binary(),
        (from, _) if from.is_character() => {
            !matches!(to, L::Array(_) | L::Map(..) | L::Row(_) | L::Multiset(_)) && !to.is_interval()
        }
        (L::Boolean, to) => to.is_numeric(),
        (from, L::Boolean) => from.is_numeric(),
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (L::Date, to) => to.is_timestamp(),
        (L::Time(_), to) => to.is_timestamp() || matches!(to, L::Time(_)),
        (from, to) if from.is_timestamp() => to.is_timestamp() || matches!(to, L::Date | L::Time(_)),
        (L::IntervalYearMonth | L::IntervalDayTime, to) => to.is_integer(),
        (from, L::IntervalYearMonth | L::IntervalDayTime) => from.is_integer(),
        (L::Array(a), L::Array(b)) | (L::Multiset(a), L::Multiset(b)) => can_cast(&a.logical, &b.logical),
        (L::Map(ak, av), L::Map(bk, bv)) => can_cast(&ak.logical, &bk.logical) && can_cast(&av.logical, &bv.logical),
        (L::Row(a), L::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| can_cast(&a.ty.logical, &b.ty.logical))
        }
        _ => false,
    }
}

/// Whether a query's column fits a sink's column without a CAST in the script.
pub(super) fn fits_sink(from: &LogicalType, to: &LogicalType) -> bool {
    use LogicalType as L;
    if from == to || *from == L::Null {
        return true;
    }
    match (from, to) {
        (from, to) if from.is_character() => to.is_character(),
        (from, to) if from.is_binary() => to.is_binary(),
        (from, L::Decimal { .. }) => from.is_numeric(),
        (from, L::Double) => from.is_numeric(),
        (from, L::Float) => from.is_integer() || matches!(from, L::Decimal { .. }),
        (from, to) if from.is_integer() && to.is_integer() => rank(from) <= rank(to),
        (from, to) if from.is_timestamp() => to.is_timestamp() || matches!(to, L::Date | L::Time(_)),
        (L::Date, to) => to.is_timestamp(),
        (L::Time(_), L::Time(_)) => true,
        (L::Array(a), L::Array(b)) | (L::Multiset(a), L::Multiset(b)) => fits_sink(&a.logical, &b.logical),
        (L::Map(ak, av), L::Map(bk, bv)) => fits_sink(&ak.logical, &bk.logical) && fits_sink(&av.logical, &bv.logical),
        (L::Row(a), L::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| fits_sink(&a.ty.logical, &b.ty.logical))
        }
        _ => false,
    }
}

const fn rank(ty: &LogicalType) -> u8 {
    match ty {
        LogicalType::TinyInt => 1,
        LogicalType::SmallInt => 2,
        LogicalType::Int => 3,
        _ => 4,
    }
}

//! Which arguments a function of a module takes: what Flink would widen by itself is widened.

use super::signature::AbiType;
use crate::types::{Field, LogicalType, Type};

impl AbiType {
    /// What an argument of this type is cast to; `None` when it does not fit.
    pub(crate) fn accept(&self, given: &Type) -> Option<Type> {
        use LogicalType as L;
        let own = self.logical();
        let logical = match (self, &given.logical) {
            (_, L::Null) => own,
            (Self::Decimal, L::Decimal { .. }) => given.logical.clone(),
            (Self::Decimal, integer) if integer.is_integer() => {
                let precision = digits(integer);
                L::Decimal { precision, scale: 0 }
            }
            (Self::Text | Self::LargeText | Self::Json, text) if text.is_character() => text.clone(),
            (Self::Binary | Self::LargeBinary, bytes) if bytes.is_binary() => bytes.clone(),
            (Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64, integer)
                if integer.is_integer() && digits(integer) <= digits(&own) =>
            {
                own
            }
            (Self::Float32, L::Float | L::Decimal { .. }) => own,
            (Self::Float32, integer) if integer.is_integer() => own,
            (Self::Float64, number) if number.is_numeric() => own,
            (Self::Time, L::Time(_)) | (Self::Timestamp, L::Timestamp(_) | L::TimestampLtz(_) | L::Date) => own,
            (Self::Array(element), L::Array(inner)) => {
                L::Array(Box::new(element.accept(inner).filter(|accepted| accepted.logical == inner.logical)?))
            }
            (Self::Struct(fields), L::Row(inner)) if fields.len() == inner.len() => {
                let accepted = fields.iter().zip(inner).map(|((_, ty), field)| {
                    let accepted = ty.accept(&field.ty).filter(|accepted| accepted.logical == field.ty.logical)?;
                    Some(Field::new(&field.name, accepted))
                });
                L::Row(accepted.collect::<Option<_>>()?)
            }
            (_, logical) if *logical == own => own,
            _ => return None,
        };
        Some(Type::new(logical, given.nullable))
    }
}

/// Decimal digits of an integer type.
const fn digits(ty: &LogicalType) -> u8 {
    match ty {
        LogicalType::TinyInt => 3,
        LogicalType::SmallInt => 5,
        LogicalType::Int => 10,
        _ => 19,
    }
}

/// What all arguments are cast to; the error lists what the function takes.
pub(crate) fn accept_all(name: &str, wanted: &[AbiType], given: &[Type]) -> Result<Vec<Type>, String> {
    let fits = wanted.len() == given.len();
    let accepted = wanted.iter().zip(given).map(|(wanted, given)| wanted.accept(given)).collect::<Option<Vec<_>>>();
    accepted.filter(|_| fits).ok_or_else(|| {
        let words = |types: &mut dyn Iterator<Item = String>| types.collect::<Vec<_>>().join(", ");
        let given = words(&mut given.iter().map(|ty| ty.logical.to_string()));
        let wanted = words(&mut wanted.iter().map(|ty| ty.logical().to_string()));
        format!("{name} does not take ({given}). It takes {name}({wanted}).")
    })
}

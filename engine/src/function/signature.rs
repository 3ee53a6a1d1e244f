//! Which argument types a function takes, and what they are cast to.

use super::{Argument, Kernel, NativeFn, ScalarCall};
use crate::types::{LogicalType, Type};

/// A kind of parameter. Each accepts the types that Flink converts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    Text,
    Bytes,
    Boolean,
    /// TINYINT to INT, as INT. BIGINT is cut to INT where a position or count is meant.
    Int,
    BigInt,
    /// Any number, as DOUBLE.
    Double,
}

impl Param {
    /// The type that an argument is cast to; `None` when it does not fit.
    pub(crate) fn accept(self, ty: &Type) -> Option<Type> {
        use LogicalType as L;
        let logical = match (self, &ty.logical) {
            (Self::Text, L::Null) => L::String,
            (Self::Text, logical) if logical.is_character() => logical.clone(),
            (Self::Bytes, L::Null) => L::Bytes,
            (Self::Bytes, logical) if logical.is_binary() => logical.clone(),
            (Self::Boolean, L::Null | L::Boolean) => L::Boolean,
            (Self::Int, logical) if logical.is_integer() || *logical == L::Null => L::Int,
            (Self::BigInt, logical) if logical.is_integer() || *logical == L::Null => L::BigInt,
            (Self::Double, logical) if logical.is_numeric() || *logical == L::Null => L::Double,
            _ => return None,
        };
        Some(Type::new(logical, ty.nullable))
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Text => "STRING",
            Self::Bytes => "BYTES",
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT",
            Self::BigInt => "BIGINT",
            Self::Double => "NUMERIC",
        }
    }
}

/// Nullability of a function's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// NULL when, and only when, an argument is NULL.
    FromArguments,
    /// May be NULL for arguments that are not.
    Always,
}

/// One way to call a function: parameters in order, the last repeated when `variadic`.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) params: &'static [Param],
    pub(crate) variadic: bool,
    pub(crate) returns: fn(&[Type]) -> LogicalType,
    pub(crate) nulls: Nulls,
    pub(crate) kernel: Kernel,
}

impl Form {
    /// A kernel of ours with exactly these parameters.
    pub(crate) const fn native(
        params: &'static [Param],
        returns: fn(&[Type]) -> LogicalType,
        nulls: Nulls,
        kernel: NativeFn,
    ) -> Self {
        Form { params, variadic: false, returns, nulls, kernel: Kernel::Native(kernel) }
    }

    pub(crate) fn resolve(&self, name: &str, args: &[Argument]) -> Option<ScalarCall> {
        let fits = if self.variadic { args.len() >= self.params.len() } else { args.len() == self.params.len() };
        if !fits {
            return None;
        }
        let last = self.params.last().copied();
        let mut arg_types = Vec::with_capacity(args.len());
        for (position, argument) in args.iter().enumerate() {
            let param = self.params.get(position).copied().or(last)?;
            arg_types.push(param.accept(&argument.ty)?);
        }
        let nullable = match self.nulls {
            Nulls::FromArguments => args.iter().any(|argument| argument.ty.nullable),
            Nulls::Always => true,
        };
        let return_type = Type::new((self.returns)(&arg_types), nullable);
        Some(ScalarCall::new(name, arg_types, return_type, self.kernel))
    }

    /// `SUBSTRING(STRING, INT, INT)`
    pub(crate) fn text(&self, name: &str) -> String {
        let words: Vec<&str> = self.params.iter().map(|param| param.word()).collect();
        format!("{name}({}{})", words.join(", "), if self.variadic { ", …" } else { "" })
    }
}

/// The wider of two types where Flink finds a common one by itself; nullability is the caller's.
pub(crate) fn common(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType as L;
    if left == right {
        return Some(left.clone());
    }
    Some(match (left, right) {
        (L::Null, other) | (other, L::Null) => other.clone(),
        (a, b) if a.is_numeric() && b.is_numeric() => common_number(a, b),
        (a, b) if a.is_character() && b.is_character() => common_text(a, b),
        (a, b) if a.is_binary() && b.is_binary() => L::Bytes,
        (L::Timestamp(a), L::Timestamp(b)) => L::Timestamp(*a.max(b)),
        (L::TimestampLtz(a), L::TimestampLtz(b))
        | (L::Timestamp(a), L::TimestampLtz(b))
        | (L::TimestampLtz(a), L::Timestamp(b)) => L::TimestampLtz(*a.max(b)),
        (L::Date, L::Timestamp(p)) | (L::Timestamp(p), L::Date) => L::Timestamp(*p),
        (L::Date, L::TimestampLtz(p)) | (L::TimestampLtz(p), L::Date) => L::TimestampLtz(*p),
        (L::Time(a), L::Time(b)) => L::Time(*a.max(b)),
        (L::Array(a), L::Array(b)) => L::Array(Box::new(common_type(a, b)?)),
        (L::Map(ak, av), L::Map(bk, bv)) => L::Map(Box::new(common_type(ak, bk)?), Box::new(common_type(av, bv)?)),
        _ => return None,
    })
}

/// [`common`] with nullability: nullable when one of the two is.
pub(crate) fn common_type(left: &Type, right: &Type) -> Option<Type> {
    Some(Type::new(common(&left.logical, &right.logical)?, left.nullable || right.nullable))
}

fn common_number(left: &LogicalType, right: &LogicalType) -> LogicalType {
    use LogicalType as L;
    match (left, right) {
        (L::Double, _) | (_, L::Double) => L::Double,
        // Flink takes DOUBLE where an exact number meets FLOAT.
        (L::Float, L::Float) => L::Float,
        (L::Float, other) | (other, L::Float) if other.is_integer() => L::Float,
        (L::Float, _) | (_, L::Float) => L::Double,
        (L::Decimal { .. }, _) | (_, L::Decimal { .. }) => {
            let ((p1, s1), (p2, s2)) = (as_decimal(left), as_decimal(right));
            let scale = s1.max(s2);
            let precision = ((p1 - s1).max(p2 - s2) + scale).min(38);
            L::Decimal { precision, scale: scale.min(precision) }
        }
        (a, b) if integer_width(a) >= integer_width(b) => a.clone(),
        (_, b) => b.clone(),
    }
}

fn common_text(left: &LogicalType, right: &LogicalType) -> LogicalType {
    use LogicalType as L;
    match (text_length(left), text_length(right)) {
        (Some(a), Some(b)) if matches!((left, right), (L::Char(_), L::Char(_))) && a == b => L::Char(a),
        (Some(a), Some(b)) => L::VarChar(a.max(b)),
        _ => L::String,
    }
}

/// Declared length; `None` for STRING.
pub(crate) const fn text_length(ty: &LogicalType) -> Option<u32> {
    match ty {
        LogicalType::Char(length) | LogicalType::VarChar(length) => Some(*length),
        _ => None,
    }
}

/// Precision and scale of an exact number.
pub(crate) const fn as_decimal(ty: &LogicalType) -> (u8, u8) {
    match ty {
        LogicalType::Decimal { precision, scale } => (*precision, *scale),
        LogicalType::TinyInt => (3, 0),
        LogicalType::SmallInt => (5, 0),
        LogicalType::BigInt => (19, 0),
        _ => (10, 0),
    }
}

const fn integer_width(ty: &LogicalType) -> u8 {
    match ty {
        LogicalType::TinyInt => 1,
        LogicalType::SmallInt => 2,
        LogicalType::Int => 4,
        _ => 8,
    }
}

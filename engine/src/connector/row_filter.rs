//! Simple conditions that a source may apply itself, to send fewer rows. Whoever reads applies them again.

use crate::expr::Value;

/// A row that passes none of the uses is asked for by nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct RowFilter {
    /// All tests of one use have to hold.
    pub uses: Vec<Vec<ColumnTest>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ColumnTest {
    /// Name of a physical column of the table.
    pub column: String,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    IsNull,
    IsNotNull,
    /// The value is not NULL, and of the column's kind: whole numbers, dates, booleans, texts.
    Compare(Comparison, Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub fn of_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// With its sides exchanged.
    pub const fn turned(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

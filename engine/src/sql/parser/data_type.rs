//! Types as Flink writes them: `DECIMAL(10, 2) NOT NULL`, `ROW<a INT, b ARRAY<STRING>>`, `TIMESTAMP(3) WITH LOCAL TIME ZONE`.

use super::{Parse, Parser};
use crate::sql::Problem;
use crate::sql::ast::DataType;
use crate::sql::token::TokenKind;
use crate::types::{Field, LogicalType, Type};

impl Parser<'_> {
    pub(super) fn data_type(&mut self) -> Parse<DataType> {
        Ok(DataType { ty: self.nested(Parser::type_with_nullability)? })
    }

    fn type_with_nullability(&mut self) -> Parse<Type> {
        let mut logical = self.logical_type()?;
        let mut nullable = self.nullability();
        // `INT ARRAY`, `STRING NOT NULL MULTISET`: the postfix form of collections.
        let mut wrapped = 0;
        loop {
            let element = Box::new(Type::new(logical.clone(), nullable));
            logical = if self.take_word("ARRAY") {
                LogicalType::Array(element)
            } else if self.take_word("MULTISET") {
                LogicalType::Multiset(element)
            } else {
                return Ok(Type::new(logical, nullable));
            };
            wrapped += 1;
            if self.depth + wrapped > super::MAX_HEIGHT / 4 {
                return Err(super::too_deep(self.here()));
            }
            nullable = self.nullability();
        }
    }

    fn nullability(&mut self) -> bool {
        if self.take_words(&["NOT", "NULL"]) {
            return false;
        }
        self.take_word("NULL");
        true
    }

    fn logical_type(&mut self) -> Parse<LogicalType> {
        let span = self.here();
        let Some(TokenKind::Word(word)) = self.peek_kind(0) else { return Err(self.expected("a type")) };
        let upper = word.to_ascii_uppercase();
        self.at += 1;
        Ok(match upper.as_str() {
            "BOOLEAN" => LogicalType::Boolean,
            "TINYINT" => LogicalType::TinyInt,
            "SMALLINT" => LogicalType::SmallInt,
            "INT" | "INTEGER" => LogicalType::Int,
            "BIGINT" => LogicalType::BigInt,
            "FLOAT" => LogicalType::Float,
            "DOUBLE" => {
                self.take_word("PRECISION");
                LogicalType::Double
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal()?,
            "CHAR" => LogicalType::Char(self.length()?.unwrap_or(1)),
            "CHARACTER" if self.take_word("VARYING") => self.var_char()?,
            "CHARACTER" => LogicalType::Char(self.length()?.unwrap_or(1)),
            "VARCHAR" => self.var_char()?,
            "STRING" => LogicalType::String,
            "BINARY" if self.take_word("VARYING") => self.var_binary()?,
            "BINARY" => LogicalType::Binary(self.length()?.unwrap_or(1)),
            "VARBINARY" => self.var_binary()?,
            "BYTES" => LogicalType::Bytes,
            "DATE" => LogicalType::Date,
            "TIME" => {
                let precision = self.precision(0, 9)?;
                self.take_words(&["WITHOUT", "TIME", "ZONE"]);
                LogicalType::Time(precision)
            }
            "TIMESTAMP" => {
                let precision = self.precision(6, 9)?;
                if self.take_words(&["WITH", "LOCAL", "TIME", "ZONE"]) {
                    LogicalType::TimestampLtz(precision)
                } else if self.at_words(&["WITH", "TIME", "ZONE"]) {
                    return Err(Problem::error("unsupported", "TIMESTAMP WITH TIME ZONE is not supported.", span)
                        .with_hint("Use TIMESTAMP_LTZ, or TIMESTAMP and a column for the zone."));
                } else {
                    self.take_words(&["WITHOUT", "TIME", "ZONE"]);
                    LogicalType::Timestamp(precision)
                }
            }
            "TIMESTAMP_LTZ" => LogicalType::TimestampLtz(self.precision(6, 9)?),
            "INTERVAL" => self.interval_type()?,
            "ARRAY" => LogicalType::Array(Box::new(self.element_type()?)),
            "MULTISET" => LogicalType::Multiset(Box::new(self.element_type()?)),
            "MAP" => {
                self.expect_sign("<")?;
                let key = self.data_type()?.ty;
                self.expect_sign(",")?;
                let value = self.data_type()?.ty;
                self.close_angle()?;
                LogicalType::Map(Box::new(key), Box::new(value))
            }
            "ROW" => self.row_type()?,
            "RAW" | "VARIANT" | "BITMAP" | "GEOGRAPHY" => {
                return Err(Problem::error("unsupported", format!("The type {upper} is not supported."), span));
            }
            _ => return Err(unknown_type(word, span)),
        })
    }

    fn element_type(&mut self) -> Parse<Type> {
        self.expect_sign("<")?;
        let element = self.data_type()?.ty;
        self.close_angle()?;
        Ok(element)
    }

    fn close_angle(&mut self) -> Parse<()> {
        self.expect_sign(">")
    }

    fn row_type(&mut self) -> Parse<LogicalType> {
        let (open, close) = if self.at_sign("(") { ("(", ")") } else { ("<", ">") };
        self.expect_sign(open)?;
        let mut fields: Vec<Field> = Vec::new();
        // `<>` is one sign, so that `ROW<>` never comes here.
        if !self.take_sign(close) {
            fields = self.separated(|parser| {
                let name = parser.ident_after_dot()?;
                let ty = parser.data_type()?.ty;
                if let Some(TokenKind::Text(_)) = parser.peek_kind(0) {
                    parser.at += 1;
                }
                Ok(Field::new(name.value, ty))
            })?;
            self.expect_sign(close)?;
        }
        for (position, field) in fields.iter().enumerate() {
            if fields.iter().take(position).any(|other| other.name == field.name) {
                let message = format!("The row has two fields named '{}'.", field.name);
                return Err(Problem::error("duplicate-column", message, self.here()));
            }
        }
        Ok(LogicalType::Row(fields))
    }

    fn interval_type(&mut self) -> Parse<LogicalType> {
        let span = self.here();
        let from = self.unit().ok_or_else(|| self.expected("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND"))?;
        self.length()?;
        if self.take_word("TO") {
            self.unit().ok_or_else(|| self.expected("a unit of time"))?;
            self.length()?;
        }
        use crate::sql::ast::Unit;
        match from {
            Unit::Year | Unit::Month => Ok(LogicalType::IntervalYearMonth),
            Unit::Quarter | Unit::Week => Err(Problem::error(
                "parse",
                "An interval type is counted in YEAR, MONTH, DAY, HOUR, MINUTE or SECOND.",
                span,
            )),
            _ => Ok(LogicalType::IntervalDayTime),
        }
    }

    fn decimal(&mut self) -> Parse<LogicalType> {
        let span = self.here();
        if !self.take_sign("(") {
            return Ok(LogicalType::Decimal { precision: 10, scale: 0 });
        }
        let precision = self.count()?;
        let scale = if self.take_sign(",") { self.count()? } else { 0 };
        self.expect_sign(")")?;
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => Ok(LogicalType::Decimal { precision, scale }),
            _ => Err(Problem::error(
                "parse",
                "DECIMAL takes a precision of 1 to 38, and a scale no larger than it.",
                self.since(span),
            )),
        }
    }

    fn var_char(&mut self) -> Parse<LogicalType> {
        Ok(match self.length()? {
            Some(length) if length < MAX_LENGTH => LogicalType::VarChar(length),
            Some(_) => LogicalType::String,
            None => LogicalType::VarChar(1),
        })
    }

    fn var_binary(&mut self) -> Parse<LogicalType> {
        Ok(match self.length()? {
            Some(length) if length < MAX_LENGTH => LogicalType::VarBinary(length),
            Some(_) => LogicalType::Bytes,
            None => LogicalType::VarBinary(1),
        })
    }

    /// `(n)`, n from 1 to 2147483647.
    fn length(&mut self) -> Parse<Option<u32>> {
        let span = self.here();
        if !self.take_sign("(") {
            return Ok(None);
        }
        let length = self.count()?;
        self.expect_sign(")")?;
        if length == 0 || length > MAX_LENGTH {
            return Err(Problem::error("parse", format!("A length goes from 1 to {MAX_LENGTH}."), self.since(span)));
        }
        Ok(Some(length))
    }

    fn precision(&mut self, default: u8, max: u8) -> Parse<u8> {
        let span = self.here();
        if !self.take_sign("(") {
            return Ok(default);
        }
        let precision = self.count()?;
        self.expect_sign(")")?;
        match u8::try_from(precision) {
            Ok(precision) if precision <= max => Ok(precision),
            _ => Err(Problem::error("parse", format!("The precision goes from 0 to {max}."), self.since(span))),
        }
    }

    fn count(&mut self) -> Parse<u32> {
        let parsed = match self.peek_kind(0) {
            Some(TokenKind::Number(digits)) => digits.parse().ok(),
            _ => None,
        };
        let count = parsed.ok_or_else(|| self.expected("a whole number"))?;
        self.at += 1;
        Ok(count)
    }
}

const MAX_LENGTH: u32 = 2_147_483_647;

const TYPE_NAMES: &[&str] = &[
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "CHAR",
    "VARCHAR",
    "STRING",
    "BINARY",
    "VARBINARY",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "INTERVAL",
    "ARRAY",
    "MULTISET",
    "MAP",
    "ROW",
];

fn unknown_type(word: &str, span: crate::sql::Span) -> Problem {
    let other = match word.to_ascii_uppercase().as_str() {
        "TEXT" | "NVARCHAR" | "CLOB" | "LONGTEXT" | "JSON" | "UUID" => Some("STRING"),
        "LONG" | "INT8" | "INT64" | "SERIAL" => Some("BIGINT"),
        "INT4" | "INT32" => Some("INT"),
        "INT2" | "INT16" => Some("SMALLINT"),
        "REAL" | "FLOAT4" | "FLOAT32" => Some("FLOAT"),
        "FLOAT8" | "FLOAT64" | "NUMBER" => Some("DOUBLE"),
        "BOOL" => Some("BOOLEAN"),
        "BLOB" | "BYTEA" => Some("BYTES"),
        "DATETIME" => Some("TIMESTAMP(3)"),
        "TIMESTAMPTZ" => Some("TIMESTAMP_LTZ(3)"),
        "STRUCT" => Some("ROW"),
        _ => crate::sql::suggest::nearest(&word.to_ascii_uppercase(), TYPE_NAMES.iter().copied()),
    };
    let problem = Problem::error("parse", format!("There is no type '{word}'."), span);
    match other {
        Some(other) => problem.with_replacement(other),
        None => problem,
    }
}

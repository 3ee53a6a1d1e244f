//! Reading columns into our types, the same way on both databases.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::Row;
use crate::error::{Error, Result};

/// Short readers over a row; a column that does not hold what it should is an internal error.
pub trait Columns {
    fn text(&self, column: &str) -> Result<String>;
    fn text_or_null(&self, column: &str) -> Result<Option<String>>;
    fn int(&self, column: &str) -> Result<i64>;
    fn int_or_null(&self, column: &str) -> Result<Option<i64>>;
    fn real(&self, column: &str) -> Result<f64>;
    /// An id or a word: anything that parses from text.
    fn parsed<T>(&self, column: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static;
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T>;

    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// A count: negative values cannot be and read as zero.
    fn count(&self, column: &str) -> Result<u64> {
        Ok(u64::try_from(self.int(column)?).unwrap_or(0))
    }
}

impl Columns for Row {
    fn text(&self, column: &str) -> Result<String> {
        Ok(self.try_get::<String, _>(column)?)
    }

    fn text_or_null(&self, column: &str) -> Result<Option<String>> {
        Ok(self.try_get::<Option<String>, _>(column)?)
    }

    fn int(&self, column: &str) -> Result<i64> {
        Ok(self.try_get::<i64, _>(column)?)
    }

    fn int_or_null(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.try_get::<Option<i64>, _>(column)?)
    }

    fn real(&self, column: &str) -> Result<f64> {
        Ok(self.try_get::<f64, _>(column)?)
    }

    fn parsed<T>(&self, column: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        self.text(column)?.parse().map_err(Error::internal)
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(Error::internal)
    }
}

//! A place in a list of lines by time. It stays good while lines arrive: what comes later lies on its side of the place.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The line at which a page ended: its time and its address in its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(crate) at: i64,
    pub(crate) address: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.address)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Cursor, Error> {
        let (at, address) = text.split_once('.').ok_or(Error::Cursor)?;
        Ok(Cursor { at: at.parse().map_err(|_| Error::Cursor)?, address: address.parse().map_err(|_| Error::Cursor)? })
    }
}

//! Dates, times, timestamps and intervals.
//!
//! Units (`EXTRACT(YEAR FROM x)`, `FLOOR(x TO HOUR)`, `TIMESTAMPDIFF(DAY, a, b)`) reach the functions as a literal text:
//! `EXTRACT('YEAR', x)`, `FLOOR(x, 'HOUR')`, `TIMESTAMPDIFF('DAY', a, b)`. A `TIMESTAMP_LTZ` is looked at in the session's
//! time zone.

pub(crate) mod calendar;
pub(crate) mod parse;
pub(crate) mod value;

mod arithmetic;
mod between;
mod convert;
mod field;
mod now;
mod pattern;
mod round;
mod zone_id;

use super::registry::Entry;
pub(crate) use now::CURRENT_WATERMARK;

pub(super) use arithmetic::arithmetic;
pub(super) use round::rounding;

/// The entries of all files of this folder.
pub(super) const GROUPS: [&[Entry]; 4] = [field::ENTRIES, between::ENTRIES, convert::ENTRIES, now::ENTRIES];

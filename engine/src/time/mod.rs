//! Event time: windows, watermarks, zones. All times are milliseconds since 1970, UTC unless a name says `local`.

pub mod alignment;
pub mod watermark;
pub mod window;
pub mod zone;

/// No watermark yet.
pub const NO_WATERMARK: i64 = i64::MIN;

/// All input has ended: every window fires.
pub const END_OF_TIME: i64 = i64::MAX;

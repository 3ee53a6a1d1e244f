//! Wall time and fresh ids. Timers elsewhere use tokio's monotonic clock; this is for what is stored and shown.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// UTC milliseconds since 1970, as on the wire and in the store.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A new UUIDv7: ids made later sort after, to the millisecond.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

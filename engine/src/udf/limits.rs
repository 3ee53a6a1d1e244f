//! What a user's function may use. Enough for any function of rows; not enough to hurt whoever runs next to it.

use std::time::Duration;

/// A module, as a file.
pub(super) const MODULE_BYTES: usize = 32 << 20;

/// Functions of one module.
pub(super) const FUNCTIONS: usize = 1_000;

/// Memory of one instance, with all that a module asks for from the start.
pub(super) const MEMORY_BYTES: usize = 64 << 20;

/// Entries of one table: a module has one for each function that it calls by a pointer.
pub(super) const TABLE_ENTRIES: usize = 100_000;

/// Stack of the guest; recursion deeper than that is a trap.
pub(super) const STACK_BYTES: usize = 512 << 10;

/// One call over one batch, with the answers read.
pub(super) const CALL_TIME: Duration = Duration::from_secs(5);

/// How exact that is.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// One answer.
pub(super) const ANSWER_BYTES: usize = 32 << 20;

/// Rows of a table function for one batch.
pub(super) const TABLE_ROWS: usize = 1 << 20;

/// What a function says of its error.
pub(super) const MESSAGE_BYTES: usize = 2_000;

/// What an instance may write to the job's log in its life.
pub(super) const LOG_BYTES: usize = 16 << 10;

//! What a failure of the database means to the platform.

use crate::error::Error;

/// Database failures map once, here: a closed or exhausted pool is "unavailable", all else is internal.
impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        match cause {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
                Error::unavailable("The metadata database does not answer.").because(cause)
            }
            other => Error::internal(other),
        }
    }
}

/// Another transaction was in the way; the same work may succeed when it is done again.
fn is_collision(error: &sqlx::Error) -> bool {
    // PostgreSQL: serialization failure, deadlock. SQLite: busy and its kinds, locked.
    has_code(error, &["40001", "40P01", "5", "6", "261", "262", "517", "773"])
}

/// True when the error's cause is a collision.
pub fn collided(error: &Error) -> bool {
    database_cause(error).is_some_and(is_collision)
}

/// True when the error's cause is a unique index that somebody else's row stands in.
pub fn is_unique_violation(error: &Error) -> bool {
    database_cause(error).is_some_and(|cause| has_code(cause, &["23505", "2067", "1555"]))
}

/// True when the error's cause is a row that is still referred to, or refers to nothing.
pub fn is_foreign_key_violation(error: &Error) -> bool {
    database_cause(error).is_some_and(|cause| has_code(cause, &["23503", "787"]))
}

fn database_cause(error: &Error) -> Option<&sqlx::Error> {
    error.cause().and_then(|cause| cause.downcast_ref::<sqlx::Error>())
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    let sqlx::Error::Database(database) = error else { return false };
    database.code().is_some_and(|code| codes.contains(&code.as_ref()))
}

//! How a call goes wrong, in words for whoever wrote the function.

use crate::error::EngineError;
use crate::udf::limits;

/// Why a call gave nothing. After any of them the instance is not used again.
#[derive(Debug)]
pub(super) enum Fault {
    /// It ran into its deadline.
    Time,
    /// It wanted more memory than it gets, and could not go on without.
    Memory,
    /// Its calls went too deep.
    Stack,
    /// A trap, by its name, and what the guest said last.
    Trap { what: String, said: String },
    /// It left with `proc_exit`.
    Exit(i32),
    /// What it said is not what the interface says; in words that follow "it".
    Lie(String),
    /// It gave an error itself.
    Said(String),
    /// The host could not do its part.
    Host(String),
}

impl Fault {
    /// The error that ends the job.
    pub(super) fn of(self, function: &str) -> EngineError {
        let message = match self {
            Self::Time => format!(
                "The function {function} was stopped: it took longer than {} seconds for one batch of rows. Look for a \
                 loop that does not end.",
                limits::CALL_TIME.as_secs()
            ),
            Self::Memory => format!(
                "The function {function} was stopped: it needs more than {} MB of memory. Look for data that it keeps \
                 from call to call.",
                limits::MEMORY_BYTES >> 20
            ),
            Self::Stack => {
                format!("The function {function} was stopped: its calls go too deep. Look for a recursion without end.")
            }
            Self::Trap { what, said } => {
                let said = if said.is_empty() { String::new() } else { format!(" It said: {said}") };
                format!(
                    "The function {function} failed: {what}. A panic, an index out of bounds or a division by zero ends \
                     like this.{said}"
                )
            }
            Self::Exit(code) => {
                format!("The function {function} ended its module with code {code} instead of answering.")
            }
            Self::Lie(what) => format!(
                "The function {function} was stopped: it {what}. Build the module with the crate arrow-udf, and without \
                 unsafe code of your own."
            ),
            Self::Said(error) => format!("The function {function} failed: {error}"),
            Self::Host(what) => {
                return EngineError::internal(format!("The function {function} could not be called."))
                    .with_detail(what);
            }
        };
        EngineError::user("function_failed", message)
    }
}

pub(super) type Outcome<T> = Result<T, Fault>;

pub(super) fn lie<T>(what: impl Into<String>) -> Outcome<T> {
    Err(Fault::Lie(what.into()))
}

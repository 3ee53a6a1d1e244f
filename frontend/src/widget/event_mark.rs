//! The colour of an event's mark: that of the state it tells of, else that of its kind.

use millrace_wire::run::RunEventKind;

/// The value of `data-kind`. A state's event begins with the word of the state.
pub fn kind(kind: RunEventKind, message: &str) -> &'static str {
    let state = message.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
    match (state, kind) {
        ("Running", _) => "good",
        ("Recovering", _) => "warn",
        ("Failed", _) | (_, RunEventKind::Error) => "bad",
        (_, RunEventKind::Warning) => "warn",
        (_, RunEventKind::Checkpoint | RunEventKind::Savepoint) => "good",
        (_, RunEventKind::Person) => "deploy",
        (_, RunEventKind::State | RunEventKind::Attempt) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_colour_of_the_state_it_tells_of() {
        assert_eq!(kind(RunEventKind::State, "Running."), "good");
        assert_eq!(kind(RunEventKind::Error, "Recovering. The worker was lost."), "warn");
        assert_eq!(kind(RunEventKind::Error, "Failed. No restart is left."), "bad");
        assert_eq!(kind(RunEventKind::Person, "Starting version 1."), "deploy");
        assert_eq!(kind(RunEventKind::State, "Stopped."), "");
    }
}

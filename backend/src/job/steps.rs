//! The instants between two steps of starting a worker, by name. In tests the server dies at one of them.

/// In the order in which they are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Pending,
    IntentWritten,
    Spawned,
    TokenHandedOver,
    ProcessWritten,
    Linked,
    StartSent,
    RunningReported,
}

/// Reached by the actor; does nothing outside of tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    #[cfg(test)]
    pub(crate) die_at: Option<(Step, std::sync::Arc<tokio::sync::Notify>)>,
}

impl Steps {
    /// In a test that dies here: tells so and never returns, as a killed server would not.
    pub(crate) async fn reached(&self, step: Step) {
        #[cfg(test)]
        if let Some((at, died)) = &self.die_at
            && *at == step
        {
            died.notify_one();
            std::future::pending::<()>().await;
        }
        #[cfg(not(test))]
        let _ = step;
    }
}

#[cfg(test)]
impl Step {
    pub(crate) const ALL: [Step; 8] = [
        Step::Pending,
        Step::IntentWritten,
        Step::Spawned,
        Step::TokenHandedOver,
        Step::ProcessWritten,
        Step::Linked,
        Step::StartSent,
        Step::RunningReported,
    ];
}

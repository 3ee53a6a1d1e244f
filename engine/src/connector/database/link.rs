//! A writer's connection, opened again when it was lost.

use std::sync::Arc;
use std::time::Duration;

use super::super::waiting::rest;
use super::session::Session;
use super::sink::SinkShape;
use super::statement::Statements;
use crate::error::Result;

/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Link {
    shape: Arc<SinkShape>,
    open: Option<Open>,
}

pub(super) struct Open {
    pub(super) session: Session,
    pub(super) statements: Statements,
}

impl Link {
    pub(super) const fn new(shape: Arc<SinkShape>) -> Self {
        Link { shape, open: None }
    }

    /// Does the work in a transaction-free connection; again on a new one as often as the options say, when the failure
    /// may pass. The work has to bear to be done twice: a lost answer does not tell whether it was done.
    pub(super) fn run<T>(&mut self, mut work: impl AsyncFnMut(&mut Open) -> Result<T>) -> Result<T> {
        let runtime = self.shape.runtime.clone();
        let mut failures = 0;
        loop {
            let result = runtime.block_on(async {
                let open = match &mut self.open {
                    Some(open) => open,
                    slot => slot.insert(open(&self.shape).await?),
                };
                work(open).await
            });
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // A transaction that was begun ends with its connection.
            self.open = None;
            if !error.retry || failures >= self.shape.options.retries {
                return Err(error);
            }
            tracing::warn!(reason = %error, detail = error.detail, "writing to a database failed; trying again");
            rest(PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE));
            failures += 1;
        }
    }

    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.shape.runtime.block_on(open.session.close());
        }
    }
}

async fn open(shape: &SinkShape) -> Result<Open> {
    let mut session = Session::open(&shape.target).await?;
    let facts = shape.target.dialect.facts(&mut session, &shape.target).await?;
    Ok(Open { statements: Statements::new(shape, facts)?, session })
}

//! Which server takes care of which run: runs without a keeper are claimed, words that other servers left are heard.

use std::time::Duration;

use tokio::sync::oneshot;

use super::actor::Message;
use super::asked::SavepointBy;
use super::supervisor::Supervisor;
use crate::error::Result;
use crate::store::run;
use crate::store::server::{self, Ask};

/// How soon a run without a keeper is claimed.
const CLAIM_EVERY: Duration = Duration::from_secs(1);
/// How soon a wish that another server took reaches the run.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

impl Supervisor {
    /// Claims a fair share of what has no keeper, and takes care of all that this server keeps: what runs is adopted, what
    /// hangs between two steps goes on. Returns how many were claimed.
    pub async fn claim(&self) -> Result<u64> {
        let shared = &self.shared;
        let me = shared.membership.id();
        let unkept = server::unkept(&shared.store).await?;
        let mut claimed = 0;
        if unkept > 0 {
            let servers = u64::try_from(shared.membership.others().borrow().len()).unwrap_or(0) + 1;
            let share = usize::try_from(unkept.div_ceil(servers)).unwrap_or(usize::MAX);
            claimed = server::claim(&shared.store, me, share).await?;
        }
        for id in server::ids_kept_by(&shared.store, me).await? {
            if shared.handle(id).is_some() {
                continue;
            }
            // Another server wrote the log until now.
            shared.logs.close(id);
            if let Some(row) = run::get(&shared.store, id).await? {
                self.take_care(row);
            }
        }
        Ok(claimed)
    }

    /// Goes on until the server stops.
    pub async fn keep_claiming(self) {
        let mut claim = tokio::time::interval(CLAIM_EVERY);
        let mut listen = tokio::time::interval(LISTEN_EVERY);
        for interval in [&mut claim, &mut listen] {
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            let outcome = tokio::select! {
                _ = claim.tick() => self.claim_and_say().await,
                _ = listen.tick() => self.listen_to_others().await,
                () = self.shared.shutdown.cancelled() => return,
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "runs cannot be looked after; it is tried again");
            }
        }
    }

    async fn claim_and_say(&self) -> Result<()> {
        if !self.shared.membership.holds() {
            return Ok(());
        }
        let claimed = self.claim().await?;
        if claimed > 0 {
            tracing::info!(runs = claimed, "runs of a server that is gone are taken over");
        }
        // Also while no other server is there: it may have left word and gone before this one knew of it.
        self.listen().await
    }

    async fn listen_to_others(&self) -> Result<()> {
        if self.shared.membership.is_alone() || !self.shared.membership.holds() {
            return Ok(());
        }
        self.listen().await
    }

    async fn listen(&self) -> Result<()> {
        for (run, what, by) in server::take_asks(&self.shared.store, self.shared.membership.id()).await? {
            self.send(run, Message::Look { by: by.clone() }).await;
            if what == Ask::Savepoint {
                let (asked, _) = oneshot::channel();
                self.send(run, Message::Savepoint { by: SavepointBy::Person(by), asked }).await;
            }
        }
        Ok(())
    }
}

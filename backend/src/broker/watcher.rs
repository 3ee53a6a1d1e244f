//! Watching a broker that is configured: it belongs to somebody else, so nothing is started or stopped.

use std::time::Duration;

use super::{Keeper, answers};

const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn watch(keeper: &Keeper, bootstrap: String) {
    loop {
        let mut up = false;
        for server in bootstrap.split(',').map(str::trim) {
            up = up || answers(server).await;
        }
        let note = if up {
            "The configured Kafka. Exactly-once needs its transactions; each job says what it has."
        } else {
            "None of the configured Kafka servers answers."
        };
        keeper.tell(&bootstrap, up, note);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = keeper.shutdown.cancelled() => return,
        }
    }
}

//! Checkpoints of runs long past: each start without them leaves a folder behind.
//!
//! Kept are the folder in use, the one before it (somebody may have started afresh by mistake), and every folder with a
//! savepoint, for those are removed by people and by their schedule only. Called once a run has a checkpoint of its
//! own.

use std::path::Path;

use millrace_wire::ids::JobId;

use crate::error::Result;
use crate::store::{Store, restore_point};

const KEPT: usize = 2;

pub(super) async fn old_checkpoints(store: Store, job: JobId) {
    if let Err(error) = remove(&store, job).await {
        tracing::warn!(%job, %error, "old checkpoints cannot be cleared away");
    }
}

async fn remove(store: &Store, job: JobId) -> Result<()> {
    let roots = restore_point::roots(store, job).await?;
    for root in roots.iter().skip(KEPT).filter(|root| root.savepoints == 0) {
        // Forgotten first: what is listed exists.
        restore_point::forget_root(store, job, &root.path).await?;
        match tokio::fs::remove_dir_all(Path::new(&root.path)).await {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%job, folder = root.path, %cause, "a folder of old checkpoints remains");
            }
            _ => {}
        }
    }
    Ok(())
}

//! Which checkpoint an attempt starts from.
//!
//! Where a sink's cluster remembers what was committed last (a [`Committer`]), that is the truth: an attempt of the same
//! run, or one that goes on from a checkpoint, restores exactly that one. Elsewhere an attempt after a failure takes the
//! newest whole checkpoint of its run. A savepoint that a person chose is taken as it is.
//!
//! [`Committer`]: crate::connector::Committer

use std::path::PathBuf;

use millrace_wire::link::{Assignment, Restore};
use millrace_wire::run::RestoreKind;

use crate::checkpoint::{CheckpointStore, Manifest, Restored};
use crate::connector::Committers;
use crate::error::{EngineError, Result};

pub(super) struct Chosen {
    pub(super) manifest: Manifest,
    pub(super) restored: Restored,
}

/// Before anything was asked outside: what the files say.
pub(super) fn by_files(store: &CheckpointStore, assignment: &Assignment) -> Result<Option<Chosen>> {
    let run = assignment.run.to_string();
    if assignment.attempt > 1 {
        let mut newest = store.list()?.into_iter();
        let own = newest.find_map(|(number, path)| match CheckpointStore::read(&path) {
            Ok((manifest, restored)) if manifest.run == run => Some(Chosen { manifest, restored }),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(checkpoint = number, reason = %error, "a checkpoint cannot be used; trying the one before");
                None
            }
        });
        if own.is_some() {
            return Ok(own);
        }
    }
    let Some(restore) = &assignment.restore else { return Ok(None) };
    match read(&PathBuf::from(&restore.path)) {
        Ok(chosen) => Ok(Some(chosen)),
        Err(error) if restore.kind == RestoreKind::Checkpoint && error.code == "checkpoint_corrupt" => {
            tracing::warn!(checkpoint = restore.number, reason = %error, "a checkpoint cannot be used; trying the one before");
            let before = store.newest_whole(Some(restore.number.saturating_sub(1)))?;
            before.map(|(_, manifest, restored)| Some(Chosen { manifest, restored })).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// What is restored after the clusters were asked.
pub(super) struct Decided {
    pub(super) chosen: Option<Chosen>,
    /// The highest number that was ever committed.
    pub(super) last_committed: Option<u64>,
}

/// Asks the clusters, which fences older attempts, and corrects the choice.
pub(super) fn by_commits(
    committers: &dyn Committers,
    store: &CheckpointStore,
    assignment: &Assignment,
    chosen: Option<Chosen>,
) -> Result<Decided> {
    let committers = committers.all();
    let mut last = None;
    for committer in &committers {
        last = last.max(committer.last_committed()?.map(|committed| committed.checkpoint));
    }
    if committers.is_empty() || last.is_some() && last == chosen.as_ref().map(|chosen| chosen.manifest.number) {
        return Ok(Decided { chosen, last_committed: last });
    }
    let found = store.list()?.into_iter().find(|(number, _)| Some(*number) == last);
    let committed = found.map(|(_, path)| read(&path)).transpose()?;
    let own = committed.as_ref().is_some_and(|committed| committed.manifest.run == assignment.run.to_string());
    let chosen = match (&assignment.restore, committed, last) {
        (_, Some(committed), _) if own => Some(committed),
        // Nothing of this run is committed, whatever snapshots it has: it starts where its first attempt did.
        (None, _, _) => None,
        (Some(Restore { kind: RestoreKind::Savepoint, path, .. }), _, _) => Some(read(path.as_ref())?),
        (Some(Restore { kind: RestoreKind::Checkpoint, .. }), Some(committed), _) => Some(committed),
        (Some(Restore { kind: RestoreKind::Checkpoint, path, .. }), None, None) => Some(read(path.as_ref())?),
        (Some(Restore { kind: RestoreKind::Checkpoint, .. }), None, Some(last)) => {
            let message = format!(
                "The output was committed with checkpoint {last}, which is not there any more. Start from a savepoint, or fresh."
            );
            return Err(EngineError::user("checkpoint_missing", message));
        }
    };
    tracing::info!(
        last_committed = last,
        restored = chosen.as_ref().map(|chosen| chosen.manifest.number),
        "what was committed last decides what is restored"
    );
    Ok(Decided { chosen, last_committed: last })
}

fn read(path: &std::path::Path) -> Result<Chosen> {
    let (manifest, restored) = CheckpointStore::read(path)?;
    Ok(Chosen { manifest, restored })
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;

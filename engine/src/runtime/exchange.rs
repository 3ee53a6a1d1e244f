//! Rows to the tasks that own their keys.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::inbox::{Inbox, Message};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::plan::dataflow::Partitioning;
use crate::state::{KeyEncoder, hash_key, key_group, task_of};

/// The sending end of an edge between tasks.
pub(super) struct Exchange {
    targets: Vec<Target>,
    route: Route,
    /// Time spent waiting for room since it was last asked for.
    waited: Duration,
}

pub(super) struct Target {
    pub(super) inbox: Arc<Inbox>,
    pub(super) queue: usize,
}

enum Route {
    /// There is just one target.
    Only,
    Hash(KeyEncoder),
    Turn(usize),
}

impl Exchange {
    pub(super) fn new(partitioning: &Partitioning, schema: &SchemaRef, targets: Vec<Target>) -> Result<Self> {
        let route = match partitioning {
            _ if targets.len() == 1 => Route::Only,
            Partitioning::Hash(columns) => Route::Hash(KeyEncoder::new(schema, columns)?),
            Partitioning::Forward | Partitioning::Rebalance => Route::Turn(0),
        };
        Ok(Exchange { targets, route, waited: Duration::ZERO })
    }

    pub(super) fn rows(&mut self, batch: ChangeBatch) -> Result<()> {
        match &mut self.route {
            Route::Only => self.send(0, Message::Data(batch)),
            Route::Turn(next) => {
                let target = *next;
                *next = (target + 1) % self.targets.len();
                self.send(target, Message::Data(batch))
            }
            Route::Hash(keys) => {
                let parts = split(keys, &batch, self.targets.len())?;
                for (target, part) in parts {
                    self.send(target, Message::Data(part))?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn all(&mut self, message: impl Fn() -> Message) -> Result<()> {
        (0..self.targets.len()).try_for_each(|target| self.send(target, message()))
    }

    pub(super) fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    fn send(&mut self, target: usize, message: Message) -> Result<()> {
        if let Some(target) = self.targets.get(target) {
            self.waited += target.inbox.send(target.queue, message)?;
        }
        Ok(())
    }
}

fn split(keys: &KeyEncoder, batch: &ChangeBatch, tasks: usize) -> Result<Vec<(usize, ChangeBatch)>> {
    let encoded = keys.encode(&batch.rows)?;
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); tasks];
    for row in 0..batch.len() {
        let task = task_of(key_group(hash_key(encoded.key(row))), tasks);
        rows[task].push(row as u32);
    }
    let mut parts = Vec::new();
    for (task, rows) in rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        if rows.len() == batch.len() {
            return Ok(vec![(task, batch.clone())]);
        }
        let kinds = batch.kinds.as_ref().map(|_| rows.iter().map(|row| batch.kind(*row as usize)).collect());
        let taken = take_record_batch(&batch.rows, &UInt32Array::from(rows))?;
        parts.push((
            task,
            kinds.map_or_else(|| ChangeBatch::inserts(taken.clone()), |k| ChangeBatch::with_kinds(taken.clone(), k)),
        ));
    }
    Ok(parts)
}

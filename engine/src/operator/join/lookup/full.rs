//! A table that is loaded whole and looked up in memory, once for all tasks of a join.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, UInt32Array};
use parking_lot::{Condvar, Mutex};

use super::{Answer, LookupFigures, RightSide};
use crate::connector::{Lookup, OpenLookup};
use crate::error::{EngineError, Result};
use crate::state::{KeyEncoder, KeyTable, hash_key};

/// Everything that was there when it was loaded.
#[derive(Default)]
pub(super) struct Loaded {
    table: KeyTable,
    /// By slot.
    rows: Vec<Vec<Arc<[u8]>>>,
    answers: Vec<Answer>,
    bytes: u64,
    ms: u64,
    at: i64,
}

impl Loaded {
    pub(super) fn answer(&self, key: &[u8]) -> Answer {
        let found = self.table.find(0, hash_key(key), key);
        found.and_then(|slot| self.answers.get(slot as usize)).cloned().unwrap_or_default()
    }

    fn add(&mut self, key: &[u8], row: &[u8]) {
        let (slot, _) = self.table.find_or_insert(0, hash_key(key), key);
        let at = slot as usize;
        self.rows.resize_with(self.rows.len().max(at + 1), Vec::new);
        self.bytes += row.len() as u64;
        self.rows[at].push(row.into());
    }
}

pub struct FullTable {
    open: OpenLookup,
    /// Of the columns that are loaded.
    encoder: KeyEncoder,
    right: Mutex<RightSide>,
    reload: Option<Duration>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    loaded: Option<Arc<Loaded>>,
    failed: Option<EngineError>,
}

impl FullTable {
    pub fn new(open: OpenLookup, encoder: KeyEncoder, right: RightSide, reload: Option<Duration>) -> Arc<Self> {
        Arc::new(FullTable {
            open,
            encoder,
            right: Mutex::new(right),
            reload,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// The table as it was loaded last. The first call begins to load it.
    pub(super) fn table(self: &Arc<Self>) -> Result<Option<Arc<Loaded>>> {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.started, true) {
            let this = Arc::downgrade(self);
            self.open.runtime.spawn(keep_loading(this, Arc::clone(&self.open.lookup), self.reload));
        }
        match state.failed.take() {
            Some(error) => {
                state.started = false;
                Err(error)
            }
            None => Ok(state.loaded.clone()),
        }
    }

    /// Until something has changed, or for so long.
    pub(super) fn wait(&self, time: Duration) {
        let mut state = self.state.lock();
        if state.loaded.is_none() && state.failed.is_none() {
            self.changed.wait_for(&mut state, time);
        }
    }

    pub(super) fn figures(&self, figures: &mut LookupFigures) {
        if let Some(loaded) = &self.state.lock().loaded {
            figures.entries = loaded.answers.len() as u64;
            figures.bytes = loaded.bytes + loaded.table.bytes();
            figures.load_ms = Some(loaded.ms);
            figures.loaded_at = Some(loaded.at);
        }
    }

    fn add(&self, into: &mut Loaded, rows: RecordBatch) -> Result<()> {
        let keys = self.encoder.encode(&rows)?;
        let numbers = UInt32Array::from_iter_values(0..rows.num_rows() as u32);
        self.right.lock().rows(rows, numbers, &mut |number, row| into.add(keys.key(number as usize), row))
    }

    fn finish(&self, result: Result<Loaded>) {
        let mut state = self.state.lock();
        match result {
            Ok(mut loaded) => {
                loaded.answers = std::mem::take(&mut loaded.rows).into_iter().map(Answer::from).collect();
                state.loaded = Some(Arc::new(loaded));
            }
            Err(error) if state.loaded.is_none() => state.failed = Some(error),
            Err(error) => tracing::warn!(reason = %error, "a table could not be loaded again; the old rows stay"),
        }
        self.changed.notify_all();
    }
}

/// Loads now, and again and again. Ends when nobody looks anything up any longer.
async fn keep_loading(table: Weak<FullTable>, lookup: Arc<dyn Lookup>, reload: Option<Duration>) {
    loop {
        let since = Instant::now();
        let mut loaded = Loaded::default();
        let mut take = |rows: RecordBatch| match table.upgrade() {
            Some(table) => table.add(&mut loaded, rows),
            None => Err(EngineError::internal("nobody looks anything up any longer")),
        };
        let result = lookup.load(&mut take).await;
        let Some(table) = table.upgrade() else { return };
        loaded.ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        loaded.at = chrono::Utc::now().timestamp_millis();
        let failed = result.is_err();
        table.finish(result.map(|()| loaded));
        let first = failed && table.state.lock().loaded.is_none();
        drop(table);
        match reload {
            // Whoever asks next begins anew.
            _ if first => return,
            Some(reload) => tokio::time::sleep(reload).await,
            None => return,
        }
    }
}

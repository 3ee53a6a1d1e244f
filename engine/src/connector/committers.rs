//! The committers of one run, by the key that their connector gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Committer, Committers};
use crate::error::Result;

#[derive(Default)]
pub struct RunCommitters {
    by_key: Mutex<BTreeMap<String, Arc<dyn Committer>>>,
}

impl Committers for RunCommitters {
    fn all(&self) -> Vec<Arc<dyn Committer>> {
        self.by_key.lock().values().cloned().collect()
    }

    fn get_or_insert(&self, key: &str, make: &dyn Fn() -> Result<Arc<dyn Committer>>) -> Result<Arc<dyn Committer>> {
        if let Some(there) = self.by_key.lock().get(key) {
            return Ok(Arc::clone(there));
        }
        // Made without the lock: a committer may connect, which takes time.
        let made = make()?;
        Ok(Arc::clone(self.by_key.lock().entry(key.to_owned()).or_insert(made)))
    }
}

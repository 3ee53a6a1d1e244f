//! What the host keeps for one instance: its limits and what it has written.

use wasmtime::{ResourceLimiter, Result};

use crate::udf::limits;

pub(super) struct HostState {
    /// Memory was asked for beyond the limit.
    pub(super) hungry: bool,
    /// Written to its standard output or error and not yet told.
    pub(super) written: Vec<u8>,
    /// Of what it may write in its life.
    pub(super) left: usize,
    /// For `random_get`: the same from run to run, so that a job gives the same again.
    pub(super) random: u64,
    pub(super) exit: Option<i32>,
}

impl Default for HostState {
    fn default() -> Self {
        HostState {
            hungry: false,
            written: Vec::new(),
            left: limits::LOG_BYTES,
            random: 0x9E37_79B9_7F4A_7C15,
            exit: None,
        }
    }
}

impl HostState {
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let taken = bytes.get(..bytes.len().min(self.left)).unwrap_or_default();
        self.left -= taken.len();
        self.written.extend_from_slice(taken);
    }

    /// SplitMix64.
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl ResourceLimiter for HostState {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired <= limits::MEMORY_BYTES;
        self.hungry |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= limits::TABLE_ENTRIES)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        4
    }

    fn memories(&self) -> usize {
        1
    }
}

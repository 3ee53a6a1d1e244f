//! What operators keep at slots.

use crate::error::Result;
use crate::state::Reader;

/// No time at which a key has to be looked at.
pub const NEVER: i64 = i64::MAX;

/// What an operator keeps at each slot.
pub trait SlotValues: Send {
    /// Keys come with a tag, such as a window's pane.
    const TAGGED: bool = false;
    /// Something has to be known of each key also while it is on disk: its tag, or when it is due.
    const LISTED: bool = Self::TAGGED;

    /// Makes room for slots below `capacity`; called for each new slot.
    fn grow(&mut self, capacity: usize);

    /// Back to what a new key has, freeing what the slot held.
    fn clear(&mut self, slot: u32);

    /// A key took this slot, which is clear.
    fn placed(&mut self, _slot: u32, _tag: i64) {}

    /// As in a checkpoint that holds the state whole.
    fn write(&self, slot: u32, out: &mut Vec<u8>);

    /// Into a slot that is clear.
    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()>;

    /// As in segments.
    fn write_stored(&self, slot: u32, out: &mut Vec<u8>) {
        self.write(slot, out);
    }

    fn read_stored(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        self.read(slot, from)
    }

    /// When the slot was used last, for its time to live.
    fn used_ms(&self, slot: u32) -> i64;

    /// When the key is to be looked at.
    fn due(&self, _slot: u32) -> i64 {
        NEVER
    }

    /// The same of what [`Self::write_stored`] wrote.
    fn due_stored(&self, _stored: &[u8]) -> Result<i64> {
        Ok(NEVER)
    }

    /// A key of a checkpoint that stays on disk.
    fn passed_by(&mut self, _tag: i64, _stored: &[u8]) -> Result<()> {
        Ok(())
    }

    /// Memory for all slots.
    fn bytes(&self) -> u64;
}

//! What runs between source and sink. One operator per file.
//!
//! An operator gets batches and watermarks on the thread of its task and gives batches to an [`Output`]. It never blocks
//! and never looks at a clock, but for those that ask the outside and the one that is the clock. Watermarks, barriers and
//! the end travel through the task; an operator sees them after all
//! rows before them and may emit rows first.

pub mod aggregate;
mod calc;
mod emit;
mod expand;
mod first_row;
mod group_aggregate;
mod join;
mod map_columns;
mod merge;
mod normalize;
mod over;
mod processing_time;
mod rank;
#[cfg(test)]
mod rank_tests;
mod ranked;
mod repeat;
mod session;
mod sink;
#[cfg(test)]
mod spill_tests;
mod state_clean;
#[cfg(test)]
mod state_clean_tests;
mod stored_rows;
mod table_call;
#[cfg(test)]
mod table_call_tests;
mod table_columns;
#[cfg(test)]
mod tests;
mod time_sort;
mod union;
mod upsert_materialize;
#[cfg(test)]
mod upsert_tests;
mod window_aggregate;
mod window_assign;
mod window_rank;

use std::time::Duration;

use crate::change::ChangeBatch;
use crate::error::Result;
use crate::state::{KeyedState, LogPart, StatePlace, StateSize};
use crate::time::END_OF_TIME;

pub use calc::Calc;
pub use emit::{CHUNK_ROWS, Chunks};
pub use expand::Expand;
pub use first_row::{FirstRow, FirstRowSpec};
pub use group_aggregate::{GroupAggregate, GroupAggregateSpec};
pub use join::{
    CacheMode, FullTable, IntervalJoin, Join, JoinSpec, KeySource, LookupFigures, LookupJoin, LookupJoinSpec,
    LookupSettings, PartialCache, RightSide, RightStep, TemporalJoin, TemporalJoinSpec, WindowJoin, WindowJoinSpec,
};
pub use merge::Merge;
pub use normalize::{Normalize, NormalizeSpec};
pub use over::{OverAggregate, OverAggregateSpec, OverTable, OverTableSpec};
pub use processing_time::ProcessingTime;
pub use rank::{NumberColumn, Rank, RankSpec};
pub use repeat::Repeat;
pub use session::{SessionAggregate, SessionAggregateSpec, SessionAssign, SessionAssignSpec};
pub use sink::SinkOperator;
pub use state_clean::{CleanTest, GroupCleaner};
pub use table_call::TableCall;
pub use table_columns::TableColumns;
pub use time_sort::{TimeSort, TimeSortSpec};
pub use union::Union;
pub use upsert_materialize::{UpsertMaterialize, UpsertMaterializeSpec};
pub use window_aggregate::{GroupColumn, WindowAggregate, WindowAggregateSpec, WindowColumns};
pub use window_assign::WindowAssign;
pub use window_rank::{WindowRank, WindowRankSpec};

/// Where an operator's rows go.
pub trait Output {
    fn emit(&mut self, batch: ChangeBatch) -> Result<()>;

    /// From operators that pass time on themselves.
    fn watermark(&mut self, _watermark: i64) -> Result<()> {
        Ok(())
    }

    fn idle_input(&mut self) -> Result<()> {
        Ok(())
    }

    /// The run is over: whoever waits gives up.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Output for Vec<ChangeBatch> {
    fn emit(&mut self, batch: ChangeBatch) -> Result<()> {
        self.push(batch);
        Ok(())
    }
}

pub trait Operator: Send {
    /// `input` numbers the operator's logical inputs, for joins.
    fn process(&mut self, input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()>;

    /// The watermark has risen to `watermark`; it is passed on after this returns.
    fn watermark(&mut self, _watermark: i64, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// How far behind the watermark, in milliseconds, the event times of rows may be that it gives. The watermark is
    /// passed on that much later.
    fn delay(&self) -> i64 {
        0
    }

    /// Whether the task passes watermarks and idleness on behind this operator. One whose rows wait for answers gives
    /// them to its output itself, at their place among the rows.
    fn passes_time(&self) -> bool {
        true
    }

    /// All inputs are silent. For operators that pass time on themselves.
    fn idle_input(&mut self, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// Rows wait for answers from outside: [`Self::poll`] is to be called soon, also when nothing comes in.
    fn waits(&self) -> bool {
        false
    }

    /// Gives what has been answered.
    fn poll(&mut self, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// How long it stood still for answers since this was asked last.
    fn take_waited(&mut self) -> Duration {
        Duration::ZERO
    }

    /// Figures of a join with a table outside.
    fn lookup_figures(&self) -> Option<LookupFigures> {
        None
    }

    /// What goes on of a watermark that came.
    fn passes(&self, watermark: i64) -> i64 {
        if watermark == END_OF_TIME { watermark } else { watermark.saturating_sub(self.delay()) }
    }

    /// A watermark of its own, by the clock: asked for after rows, and while nothing comes.
    fn clock(&mut self) -> Option<i64> {
        None
    }

    /// No more rows come.
    fn end(&mut self, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// Nothing waits behind the rows that were given.
    fn idle(&mut self) -> Result<()> {
        Ok(())
    }

    /// Frees state that was not used since `now_ms` minus its time to live.
    fn expire(&mut self, _now_ms: i64) {}

    /// Where state goes that is larger than memory; before anything else.
    fn attach(&mut self, _place: StatePlace) {}

    /// Frees state whose clean-up condition became TRUE by itself. Called after [`Operator::expire`].
    fn sweep(&mut self) -> Result<()> {
        Ok(())
    }

    /// State at a barrier. `None` for operators without.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        Ok(None)
    }

    /// The segments of state at the barrier that was just snapshotted, for each table that the operator keeps.
    fn segments(&self) -> Vec<Vec<LogPart>> {
        Vec::new()
    }

    /// Segments of all tasks that the operator had, for each table, after [`Operator::restore`].
    fn adopt(&mut self, _tables: Vec<Vec<LogPart>>) -> Result<()> {
        Ok(())
    }

    /// Groups of this task only, before any row. May be called with several parts.
    fn restore(&mut self, _state: KeyedState) -> Result<()> {
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize::default()
    }

    /// Rows dropped because their window had fired.
    fn late(&self) -> u64 {
        0
    }

    /// Sinks: everything up to the barrier is handed over.
    fn prepare(&mut self, _checkpoint: u64) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Sinks: the checkpoint is durable.
    fn commit(&mut self, _checkpoint: u64) -> Result<()> {
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

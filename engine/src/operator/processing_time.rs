//! Processing time as the time of a stream: rows are stamped as they pass, and the clock makes the watermark.
//!
//! Whatever works in event time then works in processing time: windows, OVER, deduplication. The watermark of the input
//! goes no further, but for its end. The only operator that looks at a clock; all others get their time from here.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::window_assign::timestamps;
use super::{Operator, Output};
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::time::{END_OF_TIME, NO_WATERMARK};

pub struct ProcessingTime {
    column: usize,
    schema: SchemaRef,
    /// Milliseconds since 1970.
    now: fn() -> i64,
    /// The latest time that was seen: it never goes back.
    last: i64,
    /// The last watermark that was given.
    given: i64,
}

impl ProcessingTime {
    pub fn new(column: usize, schema: SchemaRef) -> Self {
        ProcessingTime::by(|| chrono::Utc::now().timestamp_millis(), column, schema)
    }

    fn by(now: fn() -> i64, column: usize, schema: SchemaRef) -> Self {
        ProcessingTime { column, schema, now, last: NO_WATERMARK, given: NO_WATERMARK }
    }

    fn look(&mut self) -> i64 {
        self.last = self.last.max((self.now)());
        self.last
    }
}

impl Operator for ProcessingTime {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let now = self.look();
        let mut columns = batch.rows.columns().to_vec();
        let stamp = columns.get_mut(self.column);
        let stamp = stamp.ok_or_else(|| EngineError::internal("there is no column for the processing time"))?;
        *stamp = timestamps(vec![now; batch.len()], stamp.data_type());
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        out.emit(ChangeBatch { rows, kinds: batch.kinds })
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Output) -> Result<()> {
        if watermark == END_OF_TIME {
            // The clock has no more to say.
            self.given = END_OF_TIME;
        }
        Ok(())
    }

    fn passes(&self, watermark: i64) -> i64 {
        if watermark == END_OF_TIME { watermark } else { self.given }
    }

    fn clock(&mut self) -> Option<i64> {
        // Rows to come may bear this very millisecond.
        let watermark = self.look().saturating_sub(1);
        let risen = watermark > self.given;
        self.given = self.given.max(watermark);
        risen.then_some(watermark)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::cell::Cell;

    use arrow::array::{AsArray, Int64Array, TimestampMillisecondArray};
    use arrow::datatypes::TimestampMillisecondType;

    use super::*;
    use crate::types::{Field, LogicalType, Schema, Type};

    thread_local! {
        static CLOCK: Cell<i64> = const { Cell::new(0) };
    }

    #[test]
    fn rows_get_the_time_of_the_clock_and_the_watermark_stays_behind_them() {
        let field = |name: &str, ty| Field::new(name, Type::nullable(ty));
        let schema =
            Schema::new(vec![field("v", LogicalType::BigInt), field("p", LogicalType::Timestamp(3))]).to_arrow();
        let rows = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![Arc::new(Int64Array::from(vec![1, 2])), Arc::new(TimestampMillisecondArray::from(vec![None, None]))],
        );
        let rows = rows.unwrap();
        let mut operator = ProcessingTime::by(|| CLOCK.get(), 1, schema);
        let mut out = Vec::new();
        CLOCK.set(100);
        operator.process(0, ChangeBatch::inserts(rows.clone()), &mut out).unwrap();
        assert_eq!(operator.clock(), Some(99));
        assert_eq!(operator.clock(), None);
        // An event time of the input says nothing here, and a clock that is set back changes nothing.
        assert_eq!(operator.passes(5_000), 99);
        CLOCK.set(50);
        assert_eq!(operator.clock(), None);
        operator.process(0, ChangeBatch::inserts(rows), &mut out).unwrap();
        CLOCK.set(101);
        assert_eq!(operator.clock(), Some(100));
        operator.watermark(END_OF_TIME, &mut out).unwrap();
        assert_eq!(operator.passes(END_OF_TIME), END_OF_TIME);
        CLOCK.set(102);
        assert_eq!(operator.clock(), None);
        for batch in &out {
            let times = batch.rows.column(1).as_primitive::<TimestampMillisecondType>();
            assert_eq!(times.values().to_vec(), [100, 100]);
        }
    }
}

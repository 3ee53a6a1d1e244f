//! Filter and projection in one step, with the watermark where `CURRENT_WATERMARK` asks for it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, TimestampMillisecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::expr::{Expr, ExprKind, lower::lower_in};
use crate::function::{CURRENT_WATERMARK, EvalContext};
use crate::types::{Field, LogicalType, Schema, Type};

pub struct Calc {
    predicates: Vec<Arc<dyn PhysicalExpr>>,
    /// `None` passes all columns on.
    exprs: Option<Vec<Arc<dyn PhysicalExpr>>>,
    output: SchemaRef,
    /// Where an expression asks for the watermark.
    clock: Option<Clock>,
}

/// The watermark as columns behind those of the input: as TIMESTAMP and as TIMESTAMP_LTZ.
struct Clock {
    schema: SchemaRef,
    watermark: Option<i64>,
}

const CLOCK_COLUMNS: [LogicalType; 2] = [LogicalType::Timestamp(3), LogicalType::TimestampLtz(3)];

fn asks_for_watermark(expr: &Expr) -> bool {
    let own = matches!(&expr.kind, ExprKind::Call { function, .. } if function.name() == CURRENT_WATERMARK);
    own || expr.children().into_iter().any(asks_for_watermark)
}

/// The calls become columns behind the `width` ones of the input.
fn read_clock(expr: &Expr, width: usize) -> Expr {
    expr.replace(&|part| match &part.kind {
        ExprKind::Call { function, .. } if function.name() == CURRENT_WATERMARK => {
            let is_local = matches!(part.ty.logical, LogicalType::TimestampLtz(_));
            Some(Expr { kind: ExprKind::Column(width + usize::from(is_local)), ..part.clone() })
        }
        _ => None,
    })
}

impl Clock {
    fn new(input: &Schema) -> (Self, Schema) {
        let mut fields = input.fields.clone();
        fields.extend(CLOCK_COLUMNS.map(|ty| Field::new("$watermark", Type::nullable(ty))));
        let schema = Schema::new(fields);
        (Clock { schema: schema.to_arrow(), watermark: None }, schema)
    }

    fn extend(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = rows.columns().to_vec();
        for ty in CLOCK_COLUMNS {
            let values = TimestampMillisecondArray::from(vec![self.watermark; rows.num_rows()]);
            let zone = matches!(ty, LogicalType::TimestampLtz(_));
            let zone = self.schema.fields().last().filter(|_| zone).map(|field| field.data_type().clone());
            columns.push(match zone {
                Some(zoned) => Arc::new(values.with_data_type(zoned)),
                None => Arc::new(values),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Calc {
    pub fn new(
        predicates: &[Expr],
        exprs: Option<&[Expr]>,
        input: &Schema,
        output: &Schema,
        context: EvalContext,
    ) -> Result<Self> {
        let clock = predicates.iter().chain(exprs.unwrap_or_default()).any(asks_for_watermark);
        let clock = clock.then(|| Clock::new(input));
        let seen = clock.as_ref().map_or(input, |(_, schema)| schema);
        let lower = |expr: &Expr| match &clock {
            Some(_) => lower_in(&read_clock(expr, input.len()), seen, context),
            None => lower_in(expr, input, context),
        };
        let lower_all = |exprs: &[Expr]| exprs.iter().map(lower).collect::<Result<Vec<_>>>();
        Ok(Calc {
            predicates: lower_all(predicates)?,
            exprs: exprs.map(lower_all).transpose()?,
            output: output.to_arrow(),
            clock: clock.map(|(clock, _)| clock),
        })
    }

    /// What the expressions are evaluated over.
    fn seen(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        self.clock.as_ref().map_or_else(|| Ok(rows.clone()), |clock| clock.extend(rows))
    }

    fn filter(&self, mut batch: ChangeBatch) -> Result<ChangeBatch> {
        for predicate in &self.predicates {
            if batch.is_empty() {
                break;
            }
            let keep = predicate.evaluate(&self.seen(&batch.rows)?)?.into_array(batch.len())?;
            let keep = keep.as_boolean_opt().ok_or_else(|| EngineError::internal("a filter is no BOOLEAN"))?;
            batch = filtered(batch, keep)?;
        }
        Ok(batch)
    }
}

impl Operator for Calc {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let batch = self.filter(batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        let Some(exprs) = &self.exprs else {
            let rows = renamed(batch.rows, &self.output)?;
            return out.emit(ChangeBatch { rows, kinds: batch.kinds });
        };
        let rows = batch.len();
        let seen = self.seen(&batch.rows)?;
        let columns = exprs.iter().map(|expr| Ok(expr.evaluate(&seen)?.into_array(rows)?));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?;
        out.emit(ChangeBatch { rows, kinds: batch.kinds })
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Output) -> Result<()> {
        if let Some(clock) = &mut self.clock {
            clock.watermark = Some(watermark);
        }
        Ok(())
    }
}

/// Rows where `keep` is TRUE, NULL counting as FALSE.
fn filtered(batch: ChangeBatch, keep: &BooleanArray) -> Result<ChangeBatch> {
    let keep = if keep.null_count() > 0 { &arrow::compute::prep_null_mask_filter(keep) } else { keep };
    let kept = keep.true_count();
    if kept == batch.len() {
        return Ok(batch);
    }
    let rows = filter_record_batch(&batch.rows, keep)?;
    let Some(kinds) = &batch.kinds else { return Ok(ChangeBatch::inserts(rows)) };
    let kinds: Vec<RowKind> = keep.values().set_indices().filter_map(|row| kinds.get(row).copied()).collect();
    Ok(ChangeBatch::with_kinds(rows, kinds))
}

/// The same columns under the names that the plan gives them.
pub(super) fn renamed(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), rows.columns().to_vec(), &options)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::Int32Array;

    use super::*;
    use crate::change::ChangeBatch;
    use crate::function::{Argument, resolve_scalar};

    #[test]
    fn the_watermark_is_that_of_the_moment() {
        let event_time = Type::nullable(LogicalType::TimestampLtz(3));
        let input =
            Schema::new(vec![Field::new("id", Type::nullable(LogicalType::Int)), Field::new("ts", event_time.clone())]);
        let argument = Argument { ty: event_time.clone(), literal: None };
        let function = Arc::new(resolve_scalar(CURRENT_WATERMARK, &[argument]).unwrap());
        let args = vec![Expr::column(1, event_time.clone())];
        let call = Expr { kind: ExprKind::Call { function, args }, ty: event_time.clone(), span: None };
        let output = Schema::new(vec![Field::new("w", event_time)]);
        let mut calc = Calc::new(&[], Some(&[call]), &input, &output, EvalContext::default()).unwrap();
        let rows = || {
            let ids = Arc::new(Int32Array::from(vec![1, 2]));
            let times = arrow::array::new_null_array(input.to_arrow().field(1).data_type(), 2);
            ChangeBatch::inserts(RecordBatch::try_new(input.to_arrow(), vec![ids, times]).unwrap())
        };
        let mut out: Vec<ChangeBatch> = Vec::new();
        calc.process(0, rows(), &mut out).unwrap();
        calc.watermark(5, &mut out).unwrap();
        calc.process(0, rows(), &mut out).unwrap();
        let seen: Vec<Option<i64>> = out
            .iter()
            .flat_map(|batch| {
                let column = batch.rows.column(0).as_primitive::<arrow::datatypes::TimestampMillisecondType>();
                column.iter().collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(seen, [None, None, Some(5), Some(5)]);
    }
}

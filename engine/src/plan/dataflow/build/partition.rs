//! Partitions that no query asks for are not read.
//!
//! A scan is shared by all who read its table. It leaves a partition out only when each of them has a filter that rejects
//! it; the filters stay where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use datafusion_physical_expr::PhysicalExpr;

use super::{Builder, NodeKind};
use crate::catalog::{TableDef, TableRef};
use crate::connector::PartitionFilter;
use crate::error::Result;
use crate::expr::Expr;
use crate::expr::lower::lower_in;
use crate::function::EvalContext;
use crate::plan::dataflow::id::scan_key;
use crate::plan::rewrite::conjuncts;

/// Per scan: the filters of each use over the columns of the table.
#[derive(Default)]
pub(super) struct ScanUses {
    by_scan: BTreeMap<String, Vec<Vec<Expr>>>,
}

impl ScanUses {
    /// `predicates` stand right above the scan; none of them when everything is read.
    pub(super) fn note(&mut self, table: &TableRef, predicates: &[Expr]) {
        self.by_scan.entry(scan_key(table)).or_default().push(predicates.to_vec());
    }

    pub(super) fn of(&self, scan: &str) -> Option<&Vec<Vec<Expr>>> {
        self.by_scan.get(scan)
    }
}

impl Builder<'_> {
    /// Once all uses are known.
    pub(super) fn leave_out_partitions(&mut self) {
        let context = EvalContext { zone: self.settings.zone };
        for node in &mut self.nodes {
            let NodeKind::Source { table, source, .. } = &mut node.kind else { continue };
            let uses = self.uses.of(&scan_key(table)).filter(|_| !table.partition_keys.is_empty());
            let filter = uses.and_then(|uses| Filter::new(table, uses, context));
            if let Some(restricted) = filter.and_then(|filter| source.restricted(Arc::new(filter))) {
                *source = restricted;
            }
        }
    }
}

/// A partition is wanted when all conditions of one of the uses hold.
struct Filter {
    uses: Vec<Vec<Arc<dyn PhysicalExpr>>>,
}

impl Filter {
    /// `None` when some use wants every partition, as far as can be told.
    fn new(table: &TableDef, uses: &[Vec<Expr>], context: EvalContext) -> Option<Self> {
        let keys: BTreeSet<usize> = table.partition_keys.iter().copied().collect();
        let about_partitions = |expr: &&Expr| {
            let columns: BTreeSet<usize> = expr.columns().into_iter().collect();
            // Users' functions are not run while planning.
            !columns.is_empty() && columns.is_subset(&keys) && !expr.calls_user()
        };
        let schema = table.schema();
        let lowered = |predicates: &Vec<Expr>| {
            let parts = predicates.iter().flat_map(conjuncts).filter(about_partitions);
            let conditions: Vec<_> = parts.filter_map(|part| lower_in(part, &schema, context).ok()).collect();
            (!conditions.is_empty()).then_some(conditions)
        };
        uses.iter().map(lowered).collect::<Option<Vec<_>>>().map(|uses| Filter { uses })
    }
}

impl PartitionFilter for Filter {
    fn keeps(&self, row: &RecordBatch) -> Result<bool> {
        // What cannot be computed here fails where the filter stands.
        let holds = |condition: &Arc<dyn PhysicalExpr>| {
            let value = condition.evaluate(row).and_then(|value| value.into_array(1));
            value.map_or(true, |value| {
                value.as_boolean_opt().is_none_or(|value| !value.is_empty() && value.is_valid(0) && value.value(0))
            })
        };
        Ok(self.uses.iter().any(|conditions| conditions.iter().all(holds)))
    }
}

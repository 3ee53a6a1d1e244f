//! Conditions that stand right above a scan, for sources that can leave rows out themselves.
//!
//! A scan is shared by all who read its table: a row goes only when each of them has a condition that rejects it. The
//! conditions stay where they are, so a source may let rows pass that fail them, never the other way round.

use super::{Builder, NodeKind};
use crate::catalog::{ColumnKind, TableDef};
use crate::connector::{ColumnTest, Comparison, RowFilter, Test};
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::dataflow::id::scan_key;
use crate::plan::rewrite::conjuncts;
use crate::types::LogicalType;

impl Builder<'_> {
    /// Once all uses are known.
    pub(super) fn leave_out_rows(&mut self) {
        for node in &mut self.nodes {
            let NodeKind::Source { table, source, .. } = &mut node.kind else { continue };
            // A watermark comes from all rows.
            let uses = self.uses.of(&scan_key(table)).filter(|_| table.watermark.is_none());
            let filter = uses.and_then(|uses| row_filter(table, uses));
            if let Some(filtered) = filter.and_then(|filter| source.filtered(&filter)) {
                *source = filtered;
            }
        }
    }
}

/// `None` when some use wants every row, as far as can be told.
fn row_filter(table: &TableDef, uses: &[Vec<Expr>]) -> Option<RowFilter> {
    let tests = |predicates: &Vec<Expr>| {
        let tests: Vec<ColumnTest> =
            predicates.iter().flat_map(conjuncts).filter_map(|part| column_test(table, part)).collect();
        (!tests.is_empty()).then_some(tests)
    };
    let uses = uses.iter().map(tests).collect::<Option<Vec<_>>>()?;
    (!uses.is_empty()).then_some(RowFilter { uses })
}

fn column_test(table: &TableDef, part: &Expr) -> Option<ColumnTest> {
    let ExprKind::Call { function, args } = &part.kind else { return None };
    let (column, test) = match (function.name(), args.as_slice()) {
        ("IS NULL", [tested]) => (column_of(tested)?, Test::IsNull),
        ("IS NOT NULL", [tested]) => (column_of(tested)?, Test::IsNotNull),
        (sign, [left, right]) => {
            let comparison = Comparison::of_sign(sign)?;
            match (literal_of(left), literal_of(right)) {
                (None, Some(value)) => (column_of(left)?, Test::Compare(comparison, value)),
                (Some(value), None) => (column_of(right)?, Test::Compare(comparison.turned(), value)),
                _ => return None,
            }
        }
        _ => return None,
    };
    let column = table.columns.get(column).filter(|column| matches!(column.kind, ColumnKind::Physical))?;
    Some(ColumnTest { column: column.name.clone(), test })
}

/// A column as it is, or a whole number made wider.
fn column_of(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Column(column) => Some(*column),
        ExprKind::Cast { input, .. } if input.ty.logical.is_integer() && expr.ty.logical == LogicalType::BigInt => {
            column_of(input)
        }
        ExprKind::Cast { input, .. } if input.ty.logical.is_integer() && expr.ty.logical == LogicalType::Int => {
            column_of(input).filter(|_| input.ty.logical != LogicalType::BigInt)
        }
        _ => None,
    }
}

fn literal_of(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) if !value.is_null() => Some(value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::catalog::CatalogText;
    use crate::plan::logical::{Rel, RelNode};
    use crate::sql::bind;

    fn filter(condition: &str) -> Option<Vec<String>> {
        let script = format!(
            "CREATE TABLE t (n INT, b BIGINT, k STRING, d DATE, c AS n + 1) WITH ('connector' = 'datagen');
             SELECT n FROM t WHERE {condition}"
        );
        let bound = bind(&script, &CatalogText::default()).unwrap();
        let mut rel: &Rel = &bound.sinks[0].query;
        let mut predicates = Vec::new();
        while let Some(below) = rel.inputs().first().copied() {
            if let RelNode::Filter { predicate, .. } = &rel.node {
                predicates.push(predicate.clone());
            }
            rel = below;
        }
        let RelNode::Scan { table } = &rel.node else { panic!("no scan") };
        let filter = row_filter(table, &[predicates])?;
        Some(filter.uses[0].iter().map(|test| format!("{} {:?}", test.column, test.test)).collect())
    }

    #[test]
    fn comparisons_with_constants_are_found() {
        let found =
            filter("n > 5 AND 3 >= b AND k = 'x' AND d < DATE '2020-01-02' AND n + 1 = 2 AND k IS NOT NULL").unwrap();
        let columns: Vec<&str> = found.iter().filter_map(|test| test.split(' ').next()).collect();
        assert_eq!(columns, ["n", "b", "k", "d", "k"], "{found:?}");
        assert!(found[0].contains("Greater,") && found[1].contains("LessOrEqual"), "{found:?}");
        assert_eq!(filter("n = b"), None);
        assert_eq!(filter("n > 5 OR b = 1"), None);
        assert_eq!(filter("c = 5"), None, "a computed column is not the server's");
        assert_eq!(filter("CAST(n AS BIGINT) = 5").unwrap().len(), 1);
        assert_eq!(filter("CAST(b AS INT) = 5"), None, "it fails here where the number is too large");
    }
}

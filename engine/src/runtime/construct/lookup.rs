//! Joins with tables that are asked by key.

use std::sync::Arc;

use super::Constructor;
use crate::error::{EngineError, Result};
use crate::expr::lower::lower_in;
use crate::operator::{
    CacheMode, FullTable, JoinSpec, KeySource, LookupJoin, LookupJoinSpec, Operator, RightSide, RightStep, TableColumns,
};
use crate::plan::dataflow::{LookupNode, Node};
use crate::state::{KEY_GROUPS, KeyEncoder, groups_of};
use crate::types::Schema;

impl Constructor<'_> {
    pub(super) fn lookup(
        &self,
        index: usize,
        node: &Node,
        lookup: &LookupNode,
        left: &Schema,
        subtask: usize,
    ) -> Result<Box<dyn Operator>> {
        let both = Schema::new(left.fields.iter().chain(&lookup.right.fields).cloned().collect());
        let condition = lookup.join.condition.as_ref().map(|condition| lower_in(condition, &both, self.context()));
        let join = JoinSpec {
            kind: lookup.join.kind,
            keys: Vec::new(),
            condition: condition.transpose()?,
            left: left.to_arrow(),
            right: lookup.right.to_arrow(),
            output: node.schema.to_arrow(),
            ttl_ms: [0; 2],
            at_end: false,
        };
        let key_columns: Vec<usize> = lookup.keys.iter().map(|key| key.column).collect();
        let group = groups_of(subtask, self.tasks_of(index)).start;
        Ok(Box::new(LookupJoin::new(LookupJoinSpec {
            join,
            keys: lookup.keys.iter().map(|key| key.source.clone()).collect::<Vec<KeySource>>(),
            key_schema: lookup.table.schema_of(&key_columns).to_arrow(),
            open: lookup.open.clone(),
            right: self.right_side(lookup)?,
            settings: lookup.settings.clone(),
            full: self.full_table(index, lookup)?,
            own_group: hash_in(group),
        })?))
    }

    /// One for all tasks of the join.
    fn full_table(&self, index: usize, lookup: &LookupNode) -> Result<Option<Arc<FullTable>>> {
        let CacheMode::Full { reload } = lookup.settings.cache else { return Ok(None) };
        if let Some(known) = self.full_tables.borrow().get(&index) {
            return Ok(Some(Arc::clone(known)));
        }
        let place = |column: usize| {
            let place = lookup.read.iter().position(|read| *read == column);
            place.ok_or_else(|| EngineError::internal("a key of a lookup is not read"))
        };
        let keys = lookup.keys.iter().map(|key| place(key.column)).collect::<Result<Vec<usize>>>()?;
        let encoder = KeyEncoder::new(&lookup.table.schema_of(&lookup.read).to_arrow(), &keys)?;
        let table = FullTable::new(lookup.open.clone(), encoder, self.right_side(lookup)?, reload);
        self.full_tables.borrow_mut().insert(index, Arc::clone(&table));
        Ok(Some(table))
    }

    fn right_side(&self, lookup: &LookupNode) -> Result<RightSide> {
        let columns = TableColumns::new(&lookup.table, &lookup.read, &lookup.used, self.context())?;
        let mut below = lookup.table.schema();
        let mut steps = Vec::new();
        for step in &lookup.steps {
            let lowered = |exprs: &[crate::expr::Expr]| {
                exprs.iter().map(|expr| lower_in(expr, &below, self.context())).collect::<Result<Vec<_>>>()
            };
            let exprs = step.exprs.as_deref().map(lowered).transpose()?;
            steps.push(RightStep { predicates: lowered(&step.predicates)?, exprs, schema: step.schema.to_arrow() });
            below = step.schema.clone();
        }
        RightSide::new(columns, steps, &lookup.right.to_arrow())
    }
}

/// Some hash that lies in a key group.
fn hash_in(group: u16) -> u64 {
    let width = u64::MAX / u64::from(KEY_GROUPS);
    u64::from(group) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_in_every_group() {
        assert!((0..KEY_GROUPS).all(|group| crate::state::key_group(hash_in(group)) == group));
    }
}

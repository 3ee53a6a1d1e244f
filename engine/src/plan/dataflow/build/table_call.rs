//! Table functions.

use super::{Builder, Draft};
use crate::plan::dataflow::{Input, NodeKind, Partitioning};
use crate::plan::logical::{Rel, TableCallSpec};
use crate::sql::Problem;

impl Builder<'_> {
    pub(super) fn table_call(&mut self, rel: &Rel, input: &Rel, call: &TableCallSpec) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let above = &self.nodes[from];
        let (changelog, parallelism) = (above.changelog, above.parallelism);
        let args = call.args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let outer = if call.outer { " outer" } else { "" };
        let text = format!("TableCall {}({args}){outer} {:?}", call.function.name(), call.passed);
        Ok(self.add(Draft {
            kind: NodeKind::TableCall { call: call.clone() },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text,
        }))
    }
}

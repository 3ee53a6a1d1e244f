//! UNION ALL: the task merges its inputs; rows only get the union's column names.

use arrow::datatypes::SchemaRef;

use super::calc::renamed;
use super::{Operator, Output};
use crate::change::ChangeBatch;
use crate::error::Result;

pub struct Union {
    schema: SchemaRef,
}

impl Union {
    pub const fn new(schema: SchemaRef) -> Self {
        Union { schema }
    }
}

impl Operator for Union {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        out.emit(ChangeBatch { rows: renamed(batch.rows, &self.schema)?, kinds: batch.kinds })
    }
}

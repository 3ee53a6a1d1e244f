//! Rows into envelopes, one per row.

use arrow::array::RecordBatch;

use super::Dialect;
use crate::change::RowKind;
use crate::error::Result;
use crate::format::json::write::JsonEncoder;
use crate::format::{Encoder, FormatOptions, Slab};
use crate::types::Field;

pub(super) struct ChangelogEncoder {
    dialect: Dialect,
    rows: JsonEncoder,
    skip_nulls: bool,
}

impl ChangelogEncoder {
    pub(super) fn new(dialect: Dialect, fields: &[Field], options: &FormatOptions) -> Self {
        let skip_nulls = options.is_true("encode.ignore-null-fields");
        ChangelogEncoder { dialect, rows: JsonEncoder::new(fields, options), skip_nulls }
    }

    /// What stands before and behind the row.
    fn frame(&self, kind: RowKind) -> (&'static str, &'static str) {
        match (self.dialect, kind.is_accumulate()) {
            (Dialect::Debezium, true) if self.skip_nulls => (r#"{"after":"#, r#","op":"c"}"#),
            (Dialect::Debezium, false) if self.skip_nulls => (r#"{"before":"#, r#","op":"d"}"#),
            (Dialect::Debezium, true) => (r#"{"before":null,"after":"#, r#","op":"c"}"#),
            (Dialect::Debezium, false) => (r#"{"before":"#, r#","after":null,"op":"d"}"#),
            (Dialect::Ogg, true) if self.skip_nulls => (r#"{"after":"#, r#","op_type":"I"}"#),
            (Dialect::Ogg, false) if self.skip_nulls => (r#"{"before":"#, r#","op_type":"D"}"#),
            (Dialect::Ogg, true) => (r#"{"before":null,"after":"#, r#","op_type":"I"}"#),
            (Dialect::Ogg, false) => (r#"{"before":"#, r#","after":null,"op_type":"D"}"#),
            (Dialect::Canal, true) => (r#"{"data":["#, r#"],"type":"INSERT"}"#),
            (Dialect::Canal, false) => (r#"{"data":["#, r#"],"type":"DELETE"}"#),
            (Dialect::Maxwell, true) => (r#"{"data":"#, r#","type":"insert"}"#),
            (Dialect::Maxwell, false) => (r#"{"data":"#, r#","type":"delete"}"#),
        }
    }
}

impl Encoder for ChangelogEncoder {
    fn encode(&mut self, rows: &RecordBatch, kinds: Option<&[RowKind]>, slab: &mut Slab) -> Result<()> {
        let writer = self.rows.writer(rows)?;
        for row in 0..rows.num_rows() {
            let kind = kinds.and_then(|kinds| kinds.get(row).copied()).unwrap_or(RowKind::Insert);
            let (open, close) = self.frame(kind);
            slab.bytes.extend_from_slice(open.as_bytes());
            writer.write(row, &mut slab.bytes)?;
            slab.bytes.extend_from_slice(close.as_bytes());
            slab.end_record();
        }
        Ok(())
    }
}

//! The `parquet` format: whole files, not records. The filesystem connector reads and writes them itself.

use millrace_wire::connector::{FormatSchema, OptionKind, OptionSide};

use super::{Decoder, Encoder, Format, FormatOptions, Framing, defaulted};
use crate::error::{EngineError, Result};
use crate::types::Field;

pub struct Parquet;

impl Format for Parquet {
    fn schema(&self) -> FormatSchema {
        let mut compression =
            defaulted("parquet.compression", "Compression", "Of written files.", OptionKind::Choice, "SNAPPY");
        compression.choices = ["SNAPPY", "ZSTD", "UNCOMPRESSED"].map(str::to_owned).to_vec();
        compression.side = OptionSide::Sink;
        FormatSchema { name: "parquet".to_owned(), title: "Parquet".to_owned(), options: vec![compression] }
    }

    fn by_record(&self) -> bool {
        false
    }

    fn problems(&self, _fields: &[Field], _options: &FormatOptions) -> Vec<(String, String)> {
        Vec::new()
    }

    fn decoder(&self, _fields: &[Field], _wanted: &[usize], _options: &FormatOptions) -> Result<Box<dyn Decoder>> {
        Err(no_records())
    }

    fn encoder(&self, _fields: &[Field], _options: &FormatOptions) -> Result<Box<dyn Encoder>> {
        Err(no_records())
    }

    fn framing(&self, _options: &FormatOptions) -> Framing {
        Framing::Lines
    }
}

fn no_records() -> EngineError {
    EngineError::user("unsupported", "Parquet holds whole files, not single records.")
}

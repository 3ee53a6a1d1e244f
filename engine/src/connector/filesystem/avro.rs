//! Avro files: read block by block by the schema that they carry.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::facts::FileFacts;
use super::partition::FileColumns;
use super::path::shown;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::format::avro::container::{Broken, ContainerReader, RowPlan};
use crate::format::bad_record::{BadRecords, RecordOrigin};
use crate::format::column::Column;
use crate::format::{BadRecord, Decoded};
use crate::types::Field;

/// The columns to take from each file, by name.
pub(super) struct AvroOpener {
    fields: Vec<Field>,
}

/// A file that is being read.
pub(super) struct AvroFile {
    reader: ContainerReader<BufReader<File>>,
    plan: RowPlan,
    columns: Vec<Column>,
    batch_rows: usize,
}

impl AvroOpener {
    pub(super) fn new(fields: &[Field], wanted: &[usize]) -> Self {
        AvroOpener { fields: wanted.iter().filter_map(|index| fields.get(*index)).cloned().collect() }
    }

    /// At the value with the number `skip`.
    pub(super) fn open(&self, file: File, skip: u64, batch_rows: usize, path: &Path) -> Result<AvroFile> {
        let broken = |why: String| unreadable(path, &why);
        let mut reader = ContainerReader::new(BufReader::new(file)).map_err(broken)?;
        let plan = reader.plan(&self.fields.iter().collect::<Vec<_>>()).map_err(broken)?;
        let mut columns: Vec<Column> = self.fields.iter().map(|field| Column::new(&field.ty.logical)).collect();
        reader.skip(skip, &plan, &mut columns).map_err(broken)?;
        Ok(AvroFile { reader, plan, columns, batch_rows })
    }
}

fn unreadable(path: &Path, why: &str) -> EngineError {
    EngineError::user("bad_record", format!("The Avro file '{}' cannot be read: {why}.", shown(path)))
}

impl AvroFile {
    /// `None` at the end; `next` goes on by the values passed. The rest of a block behind a broken value follows the
    /// policy as one record.
    pub(super) fn next(
        &mut self,
        split: &str,
        into: &FileColumns,
        facts: &FileFacts,
        bad: &mut BadRecords,
        next: &mut u64,
    ) -> Result<Option<ChangeBatch>> {
        let (rows, broken) = match self.reader.read(&self.plan, &mut self.columns, self.batch_rows) {
            Ok(0) => return Ok(None),
            Ok(rows) => (rows, None),
            Err((rows, broken)) => (rows, Some(broken)),
        };
        let at = next.saturating_add(rows as u64);
        *next = at;
        match broken {
            None => {}
            Some(Broken::File(why)) => return Err(unreadable(Path::new(split), &why)),
            Some(Broken::Block { reason, values }) => {
                let offset = i64::try_from(at).unwrap_or(i64::MAX);
                let origin = RecordOrigin { split, offset, key: None, value: Some(self.reader.rest_of_block()) };
                bad.handle(&origin, &BadRecord(format!("{reason}; {values} values of its block are lost")))?;
                bad.flush()?;
                *next = at.saturating_add(values);
            }
        }
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        into.batch(facts, rows, Decoded { columns, kinds: None }).map(Some)
    }
}

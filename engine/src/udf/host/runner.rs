//! Calls over batches: cut to pieces, asked, held against the signature, put together.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Date32Type, Int32Type, Time64MicrosecondType, TimestampMicrosecondType};

use super::answer;
use super::compiled::Compiled;
use super::fault::{Fault, Outcome, lie};
use super::instance::Instance;
use super::question;
use crate::error::Result;
use crate::udf::limits;
use crate::udf::module::Function;

/// Rows of one call: enough that crossing costs little, few enough for the deadline.
const PIECE: usize = 1024;

/// A module at one place where its functions are called. Has an instance from the first call on, until something goes
/// wrong.
pub(crate) struct Runner {
    compiled: Arc<Compiled>,
    /// As SQL calls the function.
    name: String,
    instance: Option<Instance>,
}

impl Runner {
    pub(crate) fn new(compiled: Arc<Compiled>, name: &str) -> Self {
        Runner { compiled, name: name.to_owned(), instance: None }
    }

    /// One value per row, in the Arrow type of the result as SQL has it.
    pub(crate) fn scalar(
        &mut self,
        function: &Function,
        columns: &[ArrayRef],
        rows: usize,
        result: &DataType,
    ) -> Result<ArrayRef> {
        let mut parts = Vec::with_capacity(rows.div_ceil(PIECE));
        for start in (0..rows).step_by(PIECE) {
            let count = PIECE.min(rows - start);
            let piece: Vec<ArrayRef> = columns.iter().map(|column| column.slice(start, count)).collect();
            parts.push(self.guarded(|instance| scalar(instance, function, &piece, count, result))?);
        }
        match parts.as_slice() {
            [] => Ok(arrow::array::new_empty_array(result)),
            [one] => Ok(Arc::clone(one)),
            parts => Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
        }
    }

    /// The rows that a table function gives, each with the number of the row that it was made for, ascending.
    pub(crate) fn table(
        &mut self,
        function: &Function,
        columns: &[ArrayRef],
        rows: usize,
        result: &DataType,
    ) -> Result<(Vec<u32>, ArrayRef)> {
        let (mut parents, mut parts) = (Vec::new(), Vec::new());
        for start in (0..rows).step_by(PIECE) {
            let count = PIECE.min(rows - start);
            let piece: Vec<ArrayRef> = columns.iter().map(|column| column.slice(start, count)).collect();
            let asked = Piece { columns: &piece, rows: count, start };
            self.guarded(|instance| table(instance, function, &asked, result, &mut parents, &mut parts))?;
        }
        let values = match parts.as_slice() {
            [] => arrow::array::new_empty_array(result),
            parts => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?,
        };
        Ok((parents, values))
    }

    /// Calls with a deadline. What goes wrong costs the instance.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut Instance) -> Outcome<T>) -> Result<T> {
        let result = match self.instance.take() {
            Some(instance) => Ok(instance),
            None => Instance::new(&self.compiled),
        };
        let result = result.and_then(|mut instance| {
            let ticking = instance.begin()?;
            let given = call(&mut instance);
            drop(ticking);
            self.tell(&mut instance);
            if given.is_ok() {
                self.instance = Some(instance);
            }
            given
        });
        result.map_err(|fault| fault.of(&self.name))
    }

    /// What the guest has written goes to the job's log.
    fn tell(&self, instance: &mut Instance) {
        let written = instance.written();
        for line in written.lines().filter(|line| !line.trim().is_empty()) {
            tracing::info!("function {}: {line}", self.name);
        }
    }
}

fn scalar(
    instance: &mut Instance,
    function: &Function,
    columns: &[ArrayRef],
    rows: usize,
    result: &DataType,
) -> Outcome<ArrayRef> {
    let question = written(function, columns, rows)?;
    let answer = instance.ask(&function.symbol, &question)?;
    let batch = answer::decode(&answer, &[function.signature.result.arrow()]).map_err(Fault::Lie)?;
    if batch.num_rows() != rows {
        return lie(format!("gave {} values for {rows} rows", batch.num_rows()));
    }
    no_errors(&batch, 1)?;
    converted(&batch, 0, result)
}

/// Rows of a batch that are asked for at once, and where they begin in it.
struct Piece<'a> {
    columns: &'a [ArrayRef],
    rows: usize,
    start: usize,
}

fn table(
    instance: &mut Instance,
    function: &Function,
    piece: &Piece<'_>,
    result: &DataType,
    parents: &mut Vec<u32>,
    parts: &mut Vec<ArrayRef>,
) -> Outcome<()> {
    let question = written(function, piece.columns, piece.rows)?;
    let rows = instance.ask_rows(&function.symbol, &question)?;
    let expected = [DataType::Int32, function.signature.result.arrow()];
    let mut last = 0;
    while let Some(answer) = instance.next(&rows)? {
        let batch = answer::decode(&answer, &expected).map_err(Fault::Lie)?;
        no_errors(&batch, 2)?;
        let numbers = batch.column(0).as_primitive::<Int32Type>();
        place(numbers, piece, &mut last, parents)?;
        if parents.len() > limits::TABLE_ROWS {
            return lie(format!("gave more than {} rows for one batch", limits::TABLE_ROWS));
        }
        parts.push(converted(&batch, 1, result)?);
    }
    instance.end(&rows)
}

/// The numbers of rows, when they are some: ascending, and of rows that were asked for.
fn place(numbers: &Int32Array, piece: &Piece<'_>, last: &mut usize, parents: &mut Vec<u32>) -> Outcome<()> {
    for number in numbers {
        let row = number.and_then(|number| usize::try_from(number).ok()).filter(|row| *row < piece.rows);
        let Some(row) = row else { return lie("gave a row for none of its arguments") };
        if row < *last {
            return lie("gave its rows in another order than that of its arguments");
        }
        *last = row;
        parents.push(u32::try_from(piece.start + row).map_err(|_| Fault::Host("rows beyond numbers".to_owned()))?);
    }
    Ok(())
}

fn written(function: &Function, columns: &[ArrayRef], rows: usize) -> Outcome<Vec<u8>> {
    question::write(&function.signature.arguments, columns, rows).map_err(|error| Fault::Host(error.to_string()))
}

/// The column behind those of the result, if there is one, has an error for each row that failed.
fn no_errors(batch: &RecordBatch, at: usize) -> Outcome<()> {
    let Some(errors) = batch.columns().get(at).and_then(|column| column.as_string_opt::<i32>()) else {
        return Ok(());
    };
    match errors.iter().flatten().next() {
        Some(error) => Err(Fault::Said(error.chars().take(limits::MESSAGE_BYTES).collect())),
        None => Ok(()),
    }
}

/// A column of the answer as SQL has it.
fn converted(batch: &RecordBatch, at: usize, result: &DataType) -> Outcome<ArrayRef> {
    if !is_sane(batch.column(at)) {
        return lie("gave a date or time that there is not");
    }
    let cannot = |error| Fault::Lie(format!("gave a value that is no {result} ({error})"));
    question::convert(batch.column(at), result).map_err(cannot)
}

/// Days and microseconds from year 0 to 9999.
const DAYS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;
const DAY: i64 = 86_400_000_000;

/// Whether dates and times are some that everything behind can count with.
fn is_sane(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().iter().flatten().all(|days| DAYS.contains(&days)),
        DataType::Time64(_) => {
            array.as_primitive::<Time64MicrosecondType>().iter().flatten().all(|time| (0..DAY).contains(&time))
        }
        DataType::Timestamp(..) => {
            let days = |time: i64| i32::try_from(time.div_euclid(DAY)).is_ok_and(|days| DAYS.contains(&days));
            array.as_primitive::<TimestampMicrosecondType>().iter().flatten().all(days)
        }
        DataType::List(_) => is_sane(array.as_list::<i32>().values()),
        DataType::Struct(_) => array.as_struct().columns().iter().all(is_sane),
        _ => true,
    }
}

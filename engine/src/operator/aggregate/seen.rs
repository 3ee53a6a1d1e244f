//! The different values of each key, with how often each is there. Several calls that differ in their filters share one
//! set: a value has a count for each of them, its lanes.

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::row::{RowConverter, Rows, SortField};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::error::{EngineError, Result};
use crate::plan::logical::Nulls;
use crate::state::{Reader, SlotColumn, write_bytes, write_i64, write_u32};

/// Bookkeeping per value beside its bytes and counts.
const PER_VALUE: usize = 24;

type Counts<const N: usize> = [i64; N];
type Set<K, const N: usize> = HashMap<K, Counts<N>, FixedState>;

/// Sets of values by slot.
pub(super) struct Seen<const N: usize> {
    converter: RowConverter,
    types: Vec<DataType>,
    sets: Sets<N>,
    heap: usize,
}

enum Sets<const N: usize> {
    /// One integer, or what is kept as one. Its width in bytes.
    Integers(usize, SlotColumn<Set<i64, N>>),
    /// Anything else, row-encoded.
    Bytes(SlotColumn<Set<Box<[u8]>, N>>),
}

/// Values of one batch.
pub(super) enum Coming {
    Integers(Int64Array),
    Rows(Rows),
}

/// What becomes of a value with a change, in each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It was there already, or is there still.
    Stays,
    Appears,
    Goes,
}

impl<const N: usize> Seen<N> {
    /// Without NULLs there is an integer in every row.
    pub(super) fn new(types: &[DataType], nulls: Nulls) -> Result<Self> {
        let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect())?;
        let sets = match types {
            [ty] if nulls == Nulls::LeftOut => width(ty).map_or_else(
                || Sets::Bytes(SlotColumn::default()),
                |width| Sets::Integers(width, SlotColumn::default()),
            ),
            _ => Sets::Bytes(SlotColumn::default()),
        };
        Ok(Seen { converter, types: types.to_vec(), sets, heap: 0 })
    }

    pub(super) fn grow(&mut self, capacity: usize) {
        match &mut self.sets {
            Sets::Integers(_, sets) => sets.grow(capacity),
            Sets::Bytes(sets) => sets.grow(capacity),
        }
    }

    pub(super) fn clear(&mut self, slot: u32) {
        self.heap -= match &mut self.sets {
            Sets::Integers(_, sets) => std::mem::take(&mut sets[slot as usize]).len() * Self::per_value(8),
            Sets::Bytes(sets) => {
                let gone = std::mem::take(&mut sets[slot as usize]);
                gone.keys().map(|value| Self::per_value(value.len())).sum::<usize>()
            }
        };
    }

    pub(super) fn bytes(&self) -> u64 {
        let slots = match &self.sets {
            Sets::Integers(_, sets) => sets.len() * size_of::<Set<i64, N>>(),
            Sets::Bytes(sets) => sets.len() * size_of::<Set<Box<[u8]>, N>>(),
        };
        (slots + self.heap) as u64
    }

    const fn per_value(bytes: usize) -> usize {
        bytes + PER_VALUE + size_of::<Counts<N>>()
    }

    pub(super) fn coming(&self, args: &[ArrayRef]) -> Result<Coming> {
        Ok(match (&self.sets, args) {
            // NULLs become 0, and are looked at by nobody.
            (Sets::Integers(..), [arg]) => Coming::Integers(as_integers(arg)?),
            _ => Coming::Rows(self.converter.convert_columns(args)?),
        })
    }

    /// Changes the counts of the value in a row; each change is -1, 0 or 1.
    pub(super) fn change(&mut self, slot: usize, coming: &Coming, row: usize, changes: Counts<N>) -> [Turn; N] {
        let (turns, added) = match (&mut self.sets, coming) {
            (Sets::Integers(_, sets), Coming::Integers(values)) => {
                let (turns, added) = changed(&mut sets[slot], &values.value(row), |value| *value, changes);
                (turns, added * Self::per_value(8) as isize)
            }
            (Sets::Bytes(sets), Coming::Rows(rows)) => {
                let value = rows.row(row).data();
                let (turns, added) = changed(&mut sets[slot], value, |value| value.into(), changes);
                (turns, added * Self::per_value(value.len()) as isize)
            }
            _ => ([Turn::Stays; N], 0),
        };
        self.heap = self.heap.saturating_add_signed(added);
        turns
    }

    /// What a slot holds in one lane, as arguments with their counts.
    pub(super) fn held(&self, slot: u32, lane: usize) -> Result<(Vec<ArrayRef>, Vec<i64>)> {
        let mut counts = Vec::new();
        let args = match &self.sets {
            Sets::Integers(_, sets) => {
                let there = sets[slot as usize].iter().filter(|(_, held)| held[lane] != 0);
                let values = Int64Array::from_iter_values(there.map(|(value, held)| {
                    counts.push(held[lane]);
                    *value
                }));
                vec![from_integers(values, &self.types)?]
            }
            Sets::Bytes(sets) => {
                let parser = self.converter.parser();
                let there = sets[slot as usize].iter().filter(|(_, held)| held[lane] != 0);
                let rows: Vec<_> = there
                    .map(|(value, held)| {
                        counts.push(held[lane]);
                        parser.parse(value)
                    })
                    .collect();
                self.converter.convert_rows(rows)?
            }
        };
        Ok((args, counts))
    }
}

impl<const N: usize> Seen<N> {
    /// How many values there are in the lane, then each row-encoded, with its count.
    pub(super) fn write(&self, slot: u32, lane: usize, out: &mut Vec<u8>) {
        let start = out.len();
        let mut values = 0;
        write_u32(out, 0);
        match &self.sets {
            Sets::Integers(width, sets) => {
                for (value, held) in sets[slot as usize].iter().filter(|(_, held)| held[lane] != 0) {
                    let (bytes, length) = encoded(*value, *width);
                    write_bytes(out, bytes.get(..length).unwrap_or_default());
                    write_i64(out, held[lane]);
                    values += 1;
                }
            }
            Sets::Bytes(sets) => {
                for (value, held) in sets[slot as usize].iter().filter(|(_, held)| held[lane] != 0) {
                    write_bytes(out, value);
                    write_i64(out, held[lane]);
                    values += 1;
                }
            }
        }
        out[start..start + 4].copy_from_slice(&u32::to_le_bytes(values));
    }

    /// Takes the place of what the lane held.
    pub(super) fn read(&mut self, slot: u32, lane: usize, from: &mut Reader<'_>) -> Result<()> {
        self.empty(slot, lane);
        for _ in 0..from.u32()? {
            let value = from.bytes()?;
            let mut changes = [0; N];
            changes[lane] = from.i64()?;
            let added = match &mut self.sets {
                Sets::Integers(width, sets) => {
                    let value = decoded(value, *width)?;
                    changed(&mut sets[slot as usize], &value, |value| *value, changes).1 * Self::per_value(8) as isize
                }
                Sets::Bytes(sets) => {
                    let size = Self::per_value(value.len()) as isize;
                    changed(&mut sets[slot as usize], value, |value| value.into(), changes).1 * size
                }
            };
            self.heap = self.heap.saturating_add_signed(added);
        }
        Ok(())
    }

    fn empty(&mut self, slot: u32, lane: usize) {
        let gone = |held: &mut Counts<N>| {
            held[lane] = 0;
            held.iter().all(|count| *count == 0)
        };
        let mut freed = 0;
        match &mut self.sets {
            Sets::Integers(_, sets) => sets[slot as usize].retain(|_, held| {
                let gone = gone(held);
                freed += usize::from(gone) * Self::per_value(8);
                !gone
            }),
            Sets::Bytes(sets) => sets[slot as usize].retain(|value, held| {
                let gone = gone(held);
                freed += usize::from(gone) * Self::per_value(value.len());
                !gone
            }),
        }
        self.heap -= freed;
    }
}

/// Changes the counts of a value; what becomes of it, and by how much there are more values in the set.
fn changed<K, Q, const N: usize>(
    set: &mut Set<K, N>,
    value: &Q,
    own: impl Fn(&Q) -> K,
    changes: Counts<N>,
) -> ([Turn; N], isize)
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(held) = set.get_mut(value) {
        let turns = turn(held, changes);
        if held.iter().any(|count| *count != 0) {
            return (turns, 0);
        }
        set.remove(value);
        return (turns, -1);
    }
    let mut held = [0; N];
    let turns = turn(&mut held, changes);
    if changes.iter().all(|change| *change == 0) {
        return (turns, 0);
    }
    set.insert(own(value), held);
    (turns, 1)
}

fn turn<const N: usize>(held: &mut Counts<N>, changes: Counts<N>) -> [Turn; N] {
    let mut turns = [Turn::Stays; N];
    for ((count, change), turn) in held.iter_mut().zip(changes).zip(&mut turns) {
        let before = *count > 0;
        *count += change;
        *turn = match (before, *count > 0) {
            (false, true) => Turn::Appears,
            (true, false) => Turn::Goes,
            _ => Turn::Stays,
        };
    }
    turns
}

/// Bytes of the types that are kept as one integer.
const fn width(ty: &DataType) -> Option<usize> {
    match ty {
        DataType::Int8 => Some(1),
        DataType::Int16 => Some(2),
        DataType::Int32 => Some(4),
        DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, _) => Some(8),
        _ => None,
    }
}

fn as_integers(array: &ArrayRef) -> Result<Int64Array> {
    let array = cast(array, &DataType::Int64)?;
    let values = array.as_primitive_opt::<Int64Type>();
    values.cloned().ok_or_else(|| EngineError::internal("a set of integers got another type"))
}

fn from_integers(values: Int64Array, types: &[DataType]) -> Result<ArrayRef> {
    let ty = types.first().ok_or_else(|| EngineError::internal("a set has no type"))?;
    Ok(cast(&values, ty)?)
}

/// As the row format has it: a byte for "not NULL", then big-endian with the sign turned.
fn encoded(value: i64, width: usize) -> ([u8; 9], usize) {
    let mut bytes = [0; 9];
    bytes[0] = 1;
    let turned = value ^ (1 << (width * 8 - 1));
    bytes[1..=width].copy_from_slice(&turned.to_be_bytes()[8 - width..]);
    (bytes, width + 1)
}

fn decoded(bytes: &[u8], width: usize) -> Result<i64> {
    let digits = bytes.get(1..).filter(|digits| digits.len() == width);
    let digits = digits.ok_or_else(|| {
        EngineError::external("checkpoint_corrupt", "The state of an aggregate in the checkpoint is damaged.")
            .without_retry()
    })?;
    let turned = digits.iter().fold(0_i64, |number, digit| (number << 8) | i64::from(*digit));
    let value = turned ^ (1_i64 << (width * 8 - 1));
    let unused = 64 - width as u32 * 8;
    Ok((value << unused) >> unused)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::array::{Array as _, TimestampMillisecondArray};

    use super::*;

    /// Checkpoints from before there were sets of integers have values row-encoded.
    #[test]
    fn integers_are_written_as_the_row_format_has_them() {
        let values = [i64::MIN, i64::MIN + 1, -70_000, -129, -128, -1, 0, 1, 127, 128, 32_767, 1 << 40, i64::MAX];
        let timestamp = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        for ty in [DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, timestamp] {
            let width = width(&ty).unwrap();
            let converter = RowConverter::new(vec![SortField::new(ty.clone())]).unwrap();
            for value in values {
                let array = cast(&Int64Array::from(vec![value]), &ty).unwrap();
                if array.is_null(0) {
                    continue;
                }
                let rows = converter.convert_columns(&[array]).unwrap();
                let (bytes, length) = encoded(value, width);
                assert_eq!(&bytes[..length], rows.row(0).data(), "{value} as {ty}");
                assert_eq!(decoded(&bytes[..length], width).unwrap(), value, "{value} as {ty}");
            }
        }
        assert!(decoded(&[1, 2], 8).is_err());
    }

    #[test]
    fn lanes_count_for_themselves_and_come_back_from_their_bytes() {
        let ty = DataType::Timestamp(TimeUnit::Millisecond, None);
        let make = || {
            let mut seen: Seen<2> = Seen::new(std::slice::from_ref(&ty), Nulls::LeftOut).unwrap();
            seen.grow(1);
            seen
        };
        let mut seen = make();
        let arg: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![7, -3]));
        let coming = seen.coming(&[arg]).unwrap();
        assert_eq!(seen.change(0, &coming, 0, [1, 0]), [Turn::Appears, Turn::Stays]);
        assert_eq!(seen.change(0, &coming, 0, [1, 1]), [Turn::Stays, Turn::Appears]);
        assert_eq!(seen.change(0, &coming, 1, [0, 0]), [Turn::Stays; 2]);
        assert_eq!(seen.change(0, &coming, 1, [1, 0]), [Turn::Appears, Turn::Stays]);
        let mut again = make();
        for lane in 0..2 {
            let mut bytes = Vec::new();
            seen.write(0, lane, &mut bytes);
            again.read(0, lane, &mut Reader::new(&bytes)).unwrap();
        }
        assert_eq!(again.bytes(), seen.bytes());
        assert_eq!(again.change(0, &coming, 0, [-1, -1]), [Turn::Stays, Turn::Goes]);
        assert_eq!(again.change(0, &coming, 0, [-1, 0]), [Turn::Goes, Turn::Stays]);
        let (args, counts) = again.held(0, 0).unwrap();
        assert_eq!((args[0].data_type(), args[0].len(), counts), (&ty, 1, vec![1]));
        again.clear(0);
        assert_eq!(again.bytes(), make().bytes());
    }
}

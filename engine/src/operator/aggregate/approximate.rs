//! APPROX_COUNT_DISTINCT: how many different values there are, to about one in a hundred.
//!
//! A HyperLogLog sketch of 2^14 registers, estimated as in Otmar Ertl, "New cardinality estimation algorithms for
//! HyperLogLog sketches" (arXiv:1702.01284), algorithm 6. As long as there are few values their hashes are kept instead,
//! and counted.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use foldhash::quality::FixedState;

use super::encoded::Encoded;
use super::{Accumulator, Update};
use crate::error::{EngineError, Result};
use crate::state::{Reader, SlotColumn, write_u32, write_u64};

/// Part of the checkpoint format.
const SEED: u64 = 0x6469_7374_696e_6374;

/// Bits of a hash that choose the register.
const PRECISION: u32 = 14;
const REGISTERS: usize = 1 << PRECISION;
/// Bits of a hash that are left.
const REST: u32 = 64 - PRECISION;

/// Hashes kept before registers take less memory.
const FEW: usize = 512;
const PER_HASH: usize = 12;

pub(super) struct ApproximateCount {
    encoded: Encoded,
    sketches: SlotColumn<Sketch>,
}

enum Sketch {
    Few(BTreeSet<u64>),
    Registers(Box<[u8]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::Few(BTreeSet::new())
    }
}

impl Sketch {
    fn add(&mut self, hash: u64) {
        match self {
            Sketch::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > FEW {
                    let mut registers = vec![0; REGISTERS].into_boxed_slice();
                    hashes.iter().for_each(|hash| register(&mut registers, *hash));
                    *self = Sketch::Registers(registers);
                }
            }
            Sketch::Registers(registers) => register(registers, hash),
        }
    }

    fn merge(&mut self, other: &Sketch) {
        match other {
            Sketch::Few(hashes) => hashes.iter().for_each(|hash| self.add(*hash)),
            Sketch::Registers(others) => {
                let mut merged = others.clone();
                match self {
                    Sketch::Few(hashes) => hashes.iter().for_each(|hash| register(&mut merged, *hash)),
                    Sketch::Registers(own) => {
                        merged.iter_mut().zip(own.iter()).for_each(|(merged, own)| *merged = (*merged).max(*own));
                    }
                }
                *self = Sketch::Registers(merged);
            }
        }
    }

    fn count(&self) -> i64 {
        match self {
            Sketch::Few(hashes) => hashes.len() as i64,
            Sketch::Registers(registers) => estimate(registers),
        }
    }
}

/// Notes where the first bit of the rest of the hash stands.
fn register(registers: &mut [u8], hash: u64) {
    let rest = hash << PRECISION;
    let rank = (rest.leading_zeros().min(REST) + 1) as u8;
    if let Some(register) = registers.get_mut((hash >> REST) as usize) {
        *register = (*register).max(rank);
    }
}

fn estimate(registers: &[u8]) -> i64 {
    let mut with_rank = [0.0_f64; REST as usize + 2];
    for rank in registers {
        with_rank[usize::from(*rank).min(REST as usize + 1)] += 1.0;
    }
    let all = REGISTERS as f64;
    let mut sum = all * tau(1.0 - with_rank[REST as usize + 1] / all);
    for rank in (1..=REST as usize).rev() {
        sum = 0.5 * (sum + with_rank[rank]);
    }
    sum += all * sigma(with_rank[0] / all);
    let count = all * all / (2.0 * std::f64::consts::LN_2) / sum;
    count.round() as i64
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum == before {
            return sum;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum == before {
            return sum / 3.0;
        }
    }
}

impl ApproximateCount {
    pub(super) fn new(ty: &DataType) -> Result<Self> {
        Ok(ApproximateCount { encoded: Encoded::new(ty)?, sketches: SlotColumn::default() })
    }
}

impl Accumulator for ApproximateCount {
    fn grow(&mut self, capacity: usize) {
        self.sketches.grow(capacity);
    }

    fn clear(&mut self, slot: u32) {
        self.sketches[slot as usize] = Sketch::default();
    }

    fn update(&mut self, update: Update<'_>, args: &[ArrayRef]) -> Result<()> {
        let Some(arg) = args.first() else { return Ok(()) };
        let rows = self.encoded.encode(arg)?;
        let hasher = FixedState::with_seed(SEED);
        let nulls = arg.logical_nulls();
        let mut taken_back = false;
        update.each(nulls.as_ref(), |row, slot, retract| {
            taken_back |= retract;
            self.sketches[slot].add(hasher.hash_one(rows.row(row).data()));
        });
        if taken_back {
            return Err(EngineError::user(
                "unsupported",
                "APPROX_COUNT_DISTINCT cannot take rows back. Use COUNT(DISTINCT …) here.",
            ));
        }
        Ok(())
    }

    fn merge(&mut self, into: &[u32], from: &[u32]) -> Result<()> {
        for (into, from) in into.iter().zip(from) {
            let mut merged = std::mem::take(&mut self.sketches[*into as usize]);
            merged.merge(&self.sketches[*from as usize]);
            self.sketches[*into as usize] = merged;
        }
        Ok(())
    }

    fn evaluate(&self, slots: &[u32]) -> Result<ArrayRef> {
        Ok(Arc::new(slots.iter().map(|slot| self.sketches[*slot as usize].count()).collect::<Int64Array>()))
    }

    /// Number of hashes and the hashes; or [`u32::MAX`] and the registers.
    fn write(&self, slot: u32, out: &mut Vec<u8>) {
        match &self.sketches[slot as usize] {
            Sketch::Few(hashes) => {
                write_u32(out, hashes.len() as u32);
                hashes.iter().for_each(|hash| write_u64(out, *hash));
            }
            Sketch::Registers(registers) => {
                write_u32(out, u32::MAX);
                out.extend_from_slice(registers);
            }
        }
    }

    fn read(&mut self, slot: u32, from: &mut Reader<'_>) -> Result<()> {
        let hashes = from.u32()?;
        if hashes == u32::MAX {
            self.sketches[slot as usize] = Sketch::Registers(from.take(REGISTERS)?.into());
            return Ok(());
        }
        self.clear(slot);
        for _ in 0..hashes {
            self.sketches[slot as usize].add(from.u64()?);
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let held = self.sketches.iter().map(|sketch| match sketch {
            Sketch::Few(hashes) => hashes.len() * PER_HASH,
            Sketch::Registers(registers) => registers.len(),
        });
        (self.sketches.len() * size_of::<Sketch>() + held.sum::<usize>()) as u64
    }
}

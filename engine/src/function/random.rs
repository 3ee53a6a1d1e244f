//! RAND and RAND_INTEGER: the numbers of `java.util.Random`, so that a seed gives the sequence that it gives on Flink.
//!
//! A call keeps its generator from batch to batch; two calls with one seed give the same numbers each for itself.

use arrow::datatypes::{Float64Type, Int32Type};
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::Param;
use super::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["RAND"],
        category: "math",
        signature: "RAND([seed])",
        summary: "A random number from 0 to below 1; with a seed always the same sequence.",
        resolver: Resolver::Custom(rand_call),
    },
    Entry {
        names: &["RAND_INTEGER"],
        category: "math",
        signature: "RAND_INTEGER([seed, ]bound)",
        summary: "A random whole number from 0 to below the bound; with a seed always the same sequence.",
        resolver: Resolver::Custom(rand_integer_call),
    },
];

fn ints(args: &[Argument], most: usize) -> Option<Vec<Type>> {
    (args.len() <= most).then_some(())?;
    args.iter().map(|arg| Param::Int.accept(&arg.ty)).collect()
}

fn rand_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let types = ints(args, 1)?;
    Some(random(name, types, LogicalType::Double, rand))
}

fn rand_integer_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let types = ints(args, 2).filter(|types| !types.is_empty())?;
    Some(random(name, types, LogicalType::Int, rand_integer))
}

fn random(name: &str, types: Vec<Type>, logical: LogicalType, kernel: super::SequenceFn) -> ScalarCall {
    let nullable = types.iter().any(|ty| ty.nullable);
    let call = ScalarCall::new(name, types, Type::new(logical, nullable), Kernel::Sequence(kernel));
    ScalarCall { volatile: true, ..call }
}

/// The generator of a call.
struct Random<'s> {
    state: &'s mut Option<u64>,
}

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl Random<'_> {
    /// Begins with the seed, or anywhere without one.
    fn begin(&mut self, seed: Option<i64>) {
        if self.state.is_none() {
            let start = seed.map_or_else(rand::random::<u64>, |seed| seed.cast_unsigned() ^ MULTIPLIER);
            *self.state = Some(start & MASK);
        }
    }

    /// The next 1 to 32 bits.
    fn next(&mut self, bits: u32) -> u64 {
        let state = self.state.unwrap_or_default().wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        *self.state = Some(state);
        state >> (48 - bits)
    }

    fn double(&mut self) -> f64 {
        let (high, low) = (self.next(26), self.next(27));
        // 53 bits: exact.
        ((high << 27) + low) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below a bound above 0.
    fn below(&mut self, bound: i32) -> i32 {
        let bound = i64::from(bound);
        if bound & (bound - 1) == 0 {
            return i32::try_from((bound * self.next(31).cast_signed()) >> 31).unwrap_or(0);
        }
        loop {
            let bits = self.next(31).cast_signed();
            let value = bits % bound;
            // The rest of the range would favour small numbers.
            if bits - value + (bound - 1) <= i64::from(i32::MAX) {
                return i32::try_from(value).unwrap_or(0);
            }
        }
    }
}

fn rand(call: &Call, state: &mut Option<u64>) -> Result<ColumnarValue, DataFusionError> {
    let seed = if call.args.is_empty() { None } else { Some(call.numbers::<Int32Type>(0)?) };
    let mut random = Random { state };
    call.number_rows::<Float64Type>(|row| {
        let seed = match &seed {
            Some(seed) => Some(i64::from(seed.get(row)?)),
            None => None,
        };
        random.begin(seed);
        Some(random.double())
    })
}

fn rand_integer(call: &Call, state: &mut Option<u64>) -> Result<ColumnarValue, DataFusionError> {
    let seeded = call.args.len() > 1;
    let seed = if seeded { Some(call.numbers::<Int32Type>(0)?) } else { None };
    let bound = call.numbers::<Int32Type>(usize::from(seeded))?;
    let mut random = Random { state };
    call.try_number_rows::<Int32Type>(|row| {
        let Some(bound) = bound.get(row) else { return Ok(None) };
        if bound <= 0 {
            return exec_err!("The bound of RAND_INTEGER is above 0, and this is {bound}.");
        }
        let seed = match &seed {
            Some(seed) => match seed.get(row) {
                Some(seed) => Some(i64::from(seed)),
                None => return Ok(None),
            },
            None => None,
        };
        random.begin(seed);
        Ok(Some(random.below(bound)))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Random;

    #[test]
    fn a_seed_gives_the_numbers_of_java() {
        let mut state = None;
        let mut random = Random { state: &mut state };
        random.begin(Some(42));
        // new java.util.Random(42): nextInt(10) five times.
        assert_eq!([0; 5].map(|_| random.below(10)), [0, 3, 8, 4, 0]);
        let mut state = None;
        let mut random = Random { state: &mut state };
        random.begin(Some(42));
        assert!((random.double() - 0.727_563_680_032_868_1).abs() < 1e-15);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut state = None;
        let mut random = Random { state: &mut state };
        random.begin(None);
        for bound in [1, 2, 7, 1 << 30, i32::MAX] {
            assert!((0..1000).all(|_| (0..bound).contains(&random.below(bound))));
        }
    }
}

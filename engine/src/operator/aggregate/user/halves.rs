//! Many rows of one group at once: each row gets a state of its own, and neighbours are merged until one is left.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{concat, is_not_null, take};

use crate::error::Result;
use crate::udf::GuestAggregate;

/// The states of single rows, and which of them belong together, in the order of the rows.
pub(super) struct Halves {
    pub(super) states: ArrayRef,
    pub(super) groups: Vec<Vec<u32>>,
}

impl Halves {
    /// One state for each group, in their order. Takes as many calls as the largest group can be halved.
    pub(super) fn reduce(mut self, guest: &GuestAggregate) -> Result<ArrayRef> {
        while self.groups.iter().any(|group| group.len() > 1) {
            self = self.halved(guest)?;
        }
        let last: Vec<u32> = self.groups.iter().filter_map(|group| group.first().copied()).collect();
        Ok(take(&self.states, &UInt32Array::from(last), None)?)
    }

    fn halved(self, guest: &GuestAggregate) -> Result<Self> {
        let (mut left, mut right, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for group in &self.groups {
            for pair in group.chunks(2) {
                match pair {
                    [first, second] => {
                        left.push(*first);
                        right.push(*second);
                    }
                    single => alone.extend_from_slice(single),
                }
            }
        }
        let pick = |rows: &[u32]| take(&self.states, &UInt32Array::from(rows.to_vec()), None);
        let (firsts, pairs) = (pick(&left)?, left.len());
        let merged = guest.merge(&[firsts.clone(), pick(&right)?], pairs)?;
        // A NULL leaves the first as it was.
        let merged = if merged.null_count() == 0 { merged } else { zip(&is_not_null(&merged)?, &merged, &firsts)? };
        let states = concat(&[merged.as_ref(), pick(&alone)?.as_ref()])?;
        let (mut pair, mut single) = (0_u32, pairs as u32);
        let numbered = |group: &Vec<u32>| {
            let whole = group.len() / 2;
            let mut places: Vec<u32> = (pair..pair + whole as u32).collect();
            pair += whole as u32;
            if group.len() % 2 == 1 {
                places.push(single);
                single += 1;
            }
            places
        };
        let groups = self.groups.iter().map(numbered).collect();
        Ok(Halves { states, groups })
    }
}

//! The records that are read: seeded bids, one JSON object a line.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub(crate) struct Bids {
    text: String,
    /// Where each record ends, without its line feed.
    ends: Vec<usize>,
}

impl Bids {
    pub(crate) fn new(rows: u64) -> Self {
        let mut random = StdRng::seed_from_u64(1);
        let mut bids = Bids { text: String::new(), ends: Vec::new() };
        for row in 0..rows {
            let ts = chrono::DateTime::from_timestamp_millis(1_600_000_000_000 + row as i64 / 10).unwrap();
            let (auction, bidder, price) =
                (random.random_range(0..10_000), random.random_range(0..50_000), random.random_range(1..1_000_000));
            let ts = ts.format("%Y-%m-%d %H:%M:%S%.3f");
            write!(
                bids.text,
                r#"{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"channel-{}","url":"https://example.org/item/{auction}","ts":"{ts}","extra":"{:032x}"}}"#,
                bidder % 100,
                u128::from(random.random::<u64>())
            )
            .unwrap();
            bids.ends.push(bids.text.len());
            bids.text.push('\n');
        }
        bids
    }

    pub(crate) fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// All records, a line feed after each.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        starts.zip(&self.ends).map(|(start, end)| &self.text.as_bytes()[start..*end])
    }
}

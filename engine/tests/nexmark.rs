//! The queries of Nexmark on 100,000 frozen events give what Apache Flink 2.3 gave: the same final tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../benches/nexmark/generator.rs"]
mod generator;
#[allow(dead_code)]
#[path = "../benches/nexmark/queries.rs"]
mod queries;
#[path = "../benches/nexmark/twister.rs"]
mod twister;

use std::collections::BTreeMap;

use queries::{Input, Outlet};
use sha2::{Digest, Sha256};

const FLINK: &str = include_str!("../benches/nexmark/flink-100k.expected");

/// Name → rows and checksum of the final table.
fn expected() -> BTreeMap<&'static str, (i64, u64)> {
    let lines = FLINK.lines().filter(|line| line.starts_with('q'));
    let entry = |line: &'static str| {
        let mut fields = line.split_whitespace();
        let name = fields.next().unwrap();
        let mut value = |key: &str| fields.find_map(|field| field.strip_prefix(key)).unwrap();
        (name, (value("rows=").parse().unwrap(), u64::from_str_radix(value("checksum="), 16).unwrap()))
    };
    lines.map(entry).collect()
}

#[test]
fn the_final_tables_are_those_of_flink() {
    let folder = tempfile::tempdir().unwrap();
    generator::write(100_000, folder.path()).unwrap();
    generator::write_side_input(folder.path()).unwrap();
    for name in ["person.json", "auction.json", "bid.json"] {
        let sum = Sha256::digest(std::fs::read(folder.path().join(name)).unwrap());
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(FLINK.contains(&format!("{sum}  {name}")), "{name} differs from what Flink read: {sum}");
    }
    let input = Input { folder: folder.path(), topics: None };
    let (expected, mut wrong) = (expected(), Vec::new());
    for (name, query) in queries::all() {
        // What it gives depends on the clock.
        if name == "q12" {
            continue;
        }
        for parallelism in [1, 2] {
            let summary = queries::run(query, &input, parallelism, Outlet::Sum);
            println!("{name} at parallelism {parallelism}: {summary:x?}");
            if (summary.rows, summary.checksum) != expected[name] {
                wrong.push(format!("{name} at parallelism {parallelism}: {summary:x?}, Flink {:x?}", expected[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

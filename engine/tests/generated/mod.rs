//! Cases in the form of the golden ones, whose expected rows SQLite gives.

mod data;
mod query;
mod sqlite;

use std::fmt::Write;

use rand::SeedableRng;
use rand::rngs::StdRng;

use data::Table;
use query::Writer;

/// How the rows of the tables come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Batch,
    /// Streaming, rows are only added.
    Appended,
    /// Streaming, rows are changed and deleted as well.
    Changed,
}

pub(crate) fn generate(seed: u64, mode: Mode) -> String {
    let mut random = StdRng::seed_from_u64(seed);
    let tables: Vec<Table> = ["r", "s", "t"].into_iter().map(|name| Table::random(name, &mut random)).collect();
    let query = Writer::new(&mut random).query();
    // Nobody would take the turns of a table that the query does not read.
    let tables: Vec<Table> =
        tables.into_iter().filter(|table| query.sql.contains(&format!(" {} AS ", table.name))).collect();
    let mut text = format!("-- mode {}\n-- tables\n", if mode == Mode::Batch { "batch" } else { "streaming" });
    tables.iter().for_each(|table| text.push_str(&table.ddl(mode)));
    let mut arrivals = Vec::new();
    for table in &tables {
        let lines = table.input(mode, &mut random);
        arrivals.extend(std::iter::repeat_n(table.name, lines.len()));
        write!(text, "-- input {}\n{}\n", table.name, lines.join("\n")).unwrap();
    }
    if mode != Mode::Batch {
        rand::seq::SliceRandom::shuffle(arrivals.as_mut_slice(), &mut random);
        write!(text, "-- arrival\n{}\n", arrivals.join(" ")).unwrap();
    }
    write!(text, "-- query\n{}\n-- compare final\n-- columns\n", query.sql).unwrap();
    for (name, ty) in &query.columns {
        writeln!(text, "{name} {}", ty.flink()).unwrap();
    }
    write!(text, "-- final\n{}\n", sqlite::answer(&tables, &query.sql).join("\n")).unwrap();
    text
}

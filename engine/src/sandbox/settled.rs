//! Ranges of input that are settled before the first record, so that two runs read the same.
//!
//! Tables are given an end where they have none, each source is asked where it begins and ends, and what another run
//! has settled already goes before that. A source that cannot tell is read as it is when its turn comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_wire::link::SettledInput;
use millrace_wire::test_run::{InputRange, SplitRange};
use parking_lot::Mutex;

use crate::catalog::TableDef;
use crate::connector::{
    PartitionFilter, RangeLimit, RowFilter, Source, SourceReader, SplitId, SplitPosition, SplitStart,
};
use crate::error::Result;

pub struct SettledInputs {
    wanted: SettledInput,
    tables: Mutex<BTreeMap<String, Table>>,
}

struct Table {
    source: Arc<dyn Source>,
    /// `None` before it is settled, and where that cannot be.
    range: Option<InputRange>,
}

impl SettledInputs {
    pub fn new(wanted: SettledInput) -> Arc<Self> {
        Arc::new(SettledInputs { wanted, tables: Mutex::default() })
    }

    /// Asks every source of the plan. Before a reader is made.
    pub fn settle(&self) -> Result<BTreeMap<String, InputRange>> {
        let limit = RangeLimit { most: self.wanted.max_records, newest: self.wanted.newest };
        let mut tables = self.tables.lock();
        for (name, table) in tables.iter_mut() {
            let own = table.source.settled(limit)?;
            table.range = own.map(|own| shared(own, self.wanted.ranges.get(name)));
        }
        let known = tables.iter().filter_map(|(name, table)| Some((name.clone(), table.range.clone()?)));
        Ok(known.collect())
    }

    /// Gives the table an end, and its own beginning where one was asked for.
    pub(super) fn bound(&self, table: &mut TableDef) {
        let connector = table.connector().to_owned();
        if let (true, Some(offsets)) = (connector == "kafka", self.wanted.offsets.get(&table.name)) {
            table.options.insert("scan.startup.mode".to_owned(), "specific-offsets".to_owned());
            table.options.insert("scan.startup.specific-offsets".to_owned(), offsets.clone());
        }
        let most = |own: Option<&str>| {
            let own = own.and_then(|own| own.trim().parse::<u64>().ok()).filter(|own| *own > 0);
            own.unwrap_or(u64::MAX).min(self.wanted.max_records).to_string()
        };
        match connector.as_str() {
            "kafka" | "upsert-kafka" => {
                let mode = table.options.entry("scan.bounded.mode".to_owned()).or_default();
                if mode.is_empty() || mode == "unbounded" {
                    "latest-offset".clone_into(mode);
                }
            }
            "datagen" => {
                let rows = most(table.option("number-of-rows"));
                table.options.insert("number-of-rows".to_owned(), rows);
            }
            "nexmark" => {
                let events = most(table.option("events.num"));
                table.options.insert("events.num".to_owned(), events);
                table.options.entry("base-time".to_owned()).or_insert_with(|| self.wanted.at_ms.to_string());
            }
            "filesystem" => {
                table.options.remove("source.monitor-interval");
            }
            _ => {}
        }
    }

    pub(super) fn on(self: &Arc<Self>, table: &str, source: Arc<dyn Source>) -> Arc<dyn Source> {
        let known = Table { source: Arc::clone(&source), range: None };
        self.tables.lock().entry(table.to_owned()).or_insert(known);
        Arc::new(Settled { inner: source, table: table.to_owned(), inputs: Arc::clone(self) })
    }

    fn range(&self, table: &str) -> Option<InputRange> {
        self.tables.lock().get(table)?.range.clone()
    }
}

/// What the other run reads, unless its table of this name lies somewhere else.
fn shared(own: Vec<SplitStart>, other: Option<&InputRange>) -> InputRange {
    match other {
        Some(other) if own.iter().any(|start| other.contains_key(&*start.split)) => other.clone(),
        _ => own.into_iter().map(|start| (start.split.to_string(), whole_or_part(start.position))).collect(),
    }
}

fn whole_or_part(position: Option<SplitPosition>) -> SplitRange {
    SplitRange { position: position.map(|position| position.0) }
}

struct Settled {
    inner: Arc<dyn Source>,
    table: String,
    inputs: Arc<SettledInputs>,
}

impl Settled {
    fn over(&self, inner: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(Settled { inner, table: self.table.clone(), inputs: Arc::clone(&self.inputs) })
    }
}

impl Source for Settled {
    fn bounded(&self) -> bool {
        self.inner.bounded()
    }

    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn changelog(&self) -> bool {
        self.inner.changelog()
    }

    fn upserts(&self) -> bool {
        self.inner.upserts()
    }

    fn restricted(&self, filter: Arc<dyn PartitionFilter>) -> Option<Arc<dyn Source>> {
        Some(self.over(self.inner.restricted(filter)?))
    }

    fn filtered(&self, filter: &RowFilter) -> Option<Arc<dyn Source>> {
        Some(self.over(self.inner.filtered(filter)?))
    }

    fn replayable(&self) -> bool {
        self.inner.replayable()
    }

    /// Without what came after the range was settled.
    fn splits(&self) -> Result<Vec<SplitId>> {
        let mut splits = self.inner.splits()?;
        if let Some(range) = self.inputs.range(&self.table) {
            splits.retain(|split| range.contains_key(&**split));
        }
        Ok(splits)
    }

    fn reader(&self, splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        let range = self.inputs.range(&self.table).unwrap_or_default();
        let placed = splits.into_iter().map(|start| {
            let settled = range.get(&*start.split).and_then(|part| part.position.clone());
            SplitStart { position: start.position.or(settled.map(SplitPosition)), ..start }
        });
        self.inner.reader(placed.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn start(split: &str, offset: i64) -> SplitStart {
        SplitStart { split: split.into(), position: Some(SplitPosition(json!({ "offset": offset }))) }
    }

    #[test]
    fn the_other_runs_range_goes_before_ones_own_where_it_is_of_the_same_place() {
        let other = InputRange::from([("orders/0".to_owned(), SplitRange { position: Some(json!({ "offset": 3 })) })]);
        let moved_on = vec![start("orders/0", 9), start("orders/1", 0)];
        assert_eq!(shared(moved_on.clone(), Some(&other)), other);
        let elsewhere = vec![start("orders-v2/0", 5)];
        assert_eq!(shared(elsewhere, Some(&other)).keys().collect::<Vec<_>>(), ["orders-v2/0"]);
        assert_eq!(shared(moved_on, None).len(), 2);
    }
}

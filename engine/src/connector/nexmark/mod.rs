//! `nexmark`: the auction events of the Nexmark benchmark, as its public generator defines them.
//!
//! Of every 50 events one is a person, three are auctions and 46 are bids, in event-time order. A row has `event_type`
//! (0, 1, 2) and one of the structs `person`, `auction`, `bid`; the others are NULL. Options are those of the benchmark's
//! Flink source: `events.num`, `next-event.rate`, `person.proportion`, … Ours: `seed`; row n is the same whenever and
//! wherever it is made, so that positions restore exactly. The public generator has no seed: ids, times, proportions and
//! hot ratios are its own, values are not.

mod event;
mod make;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use millrace_wire::connection::ConnectionTest;
use millrace_wire::connector::{ConnectorSchema, FixedColumn, OptionKind, OptionSide};
use millrace_wire::table::{EventTime, FetchedSchema};

use super::generator::GeneratorSource;
use super::infer::column;
use super::layout::ReadLayout;
use super::option::{Options, on_side};
use super::registry::problem;
use super::{Connector, ConnectorContext, Sink, Source, TableUse};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};
use crate::format::defaulted;
use crate::sql::Problem;
use event::Settings;

pub struct Nexmark;

/// The physical columns with their types.
const COLUMNS: [(&str, &str); 4] = [
    ("event_type", "INT"),
    (
        "person",
        "ROW<`id` BIGINT, `name` STRING, `emailAddress` STRING, `creditCard` STRING, `city` STRING, `state` STRING, `dateTime` TIMESTAMP(3), `extra` STRING>",
    ),
    (
        "auction",
        "ROW<`id` BIGINT, `itemName` STRING, `description` STRING, `initialBid` BIGINT, `reserve` BIGINT, `dateTime` TIMESTAMP(3), `expires` TIMESTAMP(3), `seller` BIGINT, `category` BIGINT, `extra` STRING>",
    ),
    (
        "bid",
        "ROW<`auction` BIGINT, `bidder` BIGINT, `price` BIGINT, `channel` STRING, `url` STRING, `dateTime` TIMESTAMP(3), `extra` STRING>",
    ),
];

#[async_trait]
impl Connector for Nexmark {
    fn schema(&self) -> ConnectorSchema {
        let number = |name: &str, title: &str, help: &str, default: &str| {
            on_side(defaulted(name, title, help, OptionKind::Integer, default), OptionSide::Source)
        };
        ConnectorSchema {
            name: "nexmark".to_owned(),
            title: "Nexmark".to_owned(),
            summary: "Persons, auctions and bids of the Nexmark benchmark.".to_owned(),
            connection: None,
            takes: Vec::new(),
            source: true,
            sink: false,
            lookup: false,
            bounded: true,
            formats: Vec::new(),
            options: vec![
                number("events.num", "Number of events", "0 means without end.", "0"),
                number(
                    "next-event.rate",
                    "Events per second",
                    "Of event time; also of real time unless the rate is unlimited.",
                    "10000",
                ),
                number("first-event.rate", "First rate", "Accepted for scripts from Flink; the rate is constant.", ""),
                on_side(
                    defaulted(
                        "rate.unlimited",
                        "As fast as it goes",
                        "Event time goes by the rate, real time does not.",
                        OptionKind::Boolean,
                        "false",
                    ),
                    OptionSide::Source,
                ),
                number(
                    "base-time",
                    "First event time",
                    "Milliseconds since 1970; without it the time of the start.",
                    "",
                ),
                number("person.proportion", "Persons", "In the sum of the three.", "1"),
                number("auction.proportion", "Auctions", "In the sum of the three.", "3"),
                number("bid.proportion", "Bids", "In the sum of the three.", "46"),
                number("bid.hot-ratio.auctions", "Hot auctions", "One of so many bids is not for a hot auction.", "2"),
                number("bid.hot-ratio.bidders", "Hot bidders", "One of so many bids is not of a hot bidder.", "4"),
                number(
                    "auction.hot-ratio.sellers",
                    "Hot sellers",
                    "One of so many auctions is not of a hot seller.",
                    "4",
                ),
                number("seed", "Seed", "The same seed gives the same events.", "42"),
                number("scan.parallelism", "Splits", "How many tasks can share the work.", "1"),
            ],
            fixed_columns: COLUMNS
                .map(|(name, data_type)| FixedColumn { name: name.to_owned(), data_type: data_type.to_owned() })
                .to_vec(),
            fetches_schema: true,
        }
    }

    fn validate(&self, table: &TableRef, _use: TableUse) -> Vec<Problem> {
        let mut found = Vec::new();
        for index in table.read_columns() {
            let Some(column) = table.columns.get(index) else { continue };
            let fits = make::field_types()
                .iter()
                .any(|(name, ty)| *name == column.name && *ty == column.ty.logical.to_arrow());
            if !fits {
                let known = COLUMNS.map(|(name, ty)| format!("{name} {ty}")).join(", ");
                found.push(problem(
                    "sink-schema",
                    format!("The column '{}' is none of Nexmark's: {known}.", column.name),
                ));
            }
        }
        if let Err(error) = Settings::of_options(&Options(&table.options), 0) {
            found.push(problem("wrong-arguments", error.message));
        }
        found
    }

    fn source(&self, table: &TableRef, columns: &[usize], context: &ConnectorContext) -> Result<Box<dyn Source>> {
        let options = Options(&table.options);
        let layout = ReadLayout::new(table, columns)?;
        let settings = Settings::of_options(&options, chrono::Utc::now().timestamp_millis())?;
        let rate = (!options.is_true("rate.unlimited")).then_some(settings.rate);
        Ok(Box::new(GeneratorSource {
            rows: options.count("events.num")?.filter(|events| *events > 0),
            rows_per_second: rate,
            splits: options.count("scan.parallelism")?.unwrap_or(1).clamp(1, 1024),
            maker: Arc::new(make::NexmarkRows::new(settings, &layout)?),
            batch_rows: context.batch_rows,
        }))
    }

    fn sink(&self, table: &TableRef, _context: &ConnectorContext) -> Result<Box<dyn Sink>> {
        Err(EngineError::user("unsupported", format!("The table '{}' cannot be written.", table.name)))
    }

    async fn fetch(&self, _options: &BTreeMap<String, String>, _context: &ConnectorContext) -> Result<FetchedSchema> {
        let mut columns: Vec<_> = COLUMNS.iter().map(|(name, data_type)| column(name, data_type)).collect();
        let mut time = column("dateTime", "");
        time.kind = millrace_wire::table::ColumnKind::Computed;
        time.source = Some("CASE WHEN event_type = 0 THEN person.`dateTime` WHEN event_type = 1 THEN auction.`dateTime` ELSE bid.`dateTime` END".to_owned());
        columns.push(time);
        Ok(FetchedSchema {
            primary_key: Vec::new(),
            comment: String::new(),
            format: String::new(),
            columns,
            event_time: Some(EventTime {
                column: "dateTime".to_owned(),
                watermark: "`dateTime` - INTERVAL '4' SECOND".to_owned(),
            }),
            options: BTreeMap::new(),
            origin: "The columns of the Nexmark benchmark.".to_owned(),
            sampled: 0,
        })
    }

    async fn test(&self, _table: &TableRef, _context: &ConnectorContext) -> ConnectionTest {
        ConnectionTest { ok: true, steps: Vec::new() }
    }
}

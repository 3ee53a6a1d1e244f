//! Events as rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};

use super::event::{CATEGORIES, FIRST_CATEGORY, FIRST_ID, Kind, Settings};
use crate::change::ChangeBatch;
use crate::connector::generator::{Dice, RowMaker};
use crate::connector::layout::ReadLayout;
use crate::error::{EngineError, Result};
use crate::format::column::{Column, Data};
use crate::types::{Field, LogicalType, Type};

const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];
const OTHER_CHANNELS: u64 = 10_000;

/// Names and types of the four columns.
pub(super) fn field_types() -> [(&'static str, DataType); 4] {
    logical_types().map(|(name, ty)| (name, ty.to_arrow()))
}

fn logical_types() -> [(&'static str, LogicalType); 4] {
    let (number, text, time) = (LogicalType::BigInt, LogicalType::String, LogicalType::Timestamp(3));
    let row = |fields: &[(&str, &LogicalType)]| {
        LogicalType::Row(fields.iter().map(|(name, ty)| Field::new(*name, Type::nullable((*ty).clone()))).collect())
    };
    let person = [
        ("id", &number),
        ("name", &text),
        ("emailAddress", &text),
        ("creditCard", &text),
        ("city", &text),
        ("state", &text),
        ("dateTime", &time),
        ("extra", &text),
    ];
    let auction = [
        ("id", &number),
        ("itemName", &text),
        ("description", &text),
        ("initialBid", &number),
        ("reserve", &number),
        ("dateTime", &time),
        ("expires", &time),
        ("seller", &number),
        ("category", &number),
        ("extra", &text),
    ];
    let bid = [
        ("auction", &number),
        ("bidder", &number),
        ("price", &number),
        ("channel", &text),
        ("url", &text),
        ("dateTime", &time),
        ("extra", &text),
    ];
    [("event_type", LogicalType::Int), ("person", row(&person)), ("auction", row(&auction)), ("bid", row(&bid))]
}

#[derive(Clone, Copy)]
enum Wanted {
    EventType,
    Struct(Kind),
}

pub(super) struct NexmarkRows {
    settings: Settings,
    wanted: Vec<Wanted>,
    schema: SchemaRef,
}

impl NexmarkRows {
    pub(super) fn new(settings: Settings, layout: &ReadLayout) -> Result<Self> {
        let wanted = layout.schema.fields().iter().map(|field| match field.name().as_str() {
            "event_type" => Ok(Wanted::EventType),
            "person" => Ok(Wanted::Struct(Kind::Person)),
            "auction" => Ok(Wanted::Struct(Kind::Auction)),
            "bid" => Ok(Wanted::Struct(Kind::Bid)),
            other => Err(EngineError::user("bad_column", format!("Nexmark has no column '{other}'."))),
        });
        Ok(NexmarkRows { settings, wanted: wanted.collect::<Result<_>>()?, schema: Arc::clone(&layout.schema) })
    }

    fn push(&self, kind: Kind, event: u64, column: &mut Column) {
        let mut dice = Dice::new(self.settings.seed, 0, event);
        let Data::Row(children) = column.data() else { return column.push_null() };
        let mut row = RowWriter { columns: children.iter_mut() };
        match kind {
            Kind::Person => self.person(event, &mut dice, &mut row),
            Kind::Auction => self.auction(event, &mut dice, &mut row),
            Kind::Bid => self.bid(event, &mut dice, &mut row),
        }
        column.accept();
    }

    fn person(&self, event: u64, dice: &mut Dice, row: &mut RowWriter<'_>) {
        row.number(FIRST_ID + self.settings.last_person(event));
        row.text(&format!("{} {}", pick(&FIRST_NAMES, dice), pick(&LAST_NAMES, dice)));
        row.text(&format!("{}@{}.com", word(7, dice), word(5, dice)));
        let mut card = || dice.below(10_000);
        row.text(&format!("{:04} {:04} {:04} {:04}", card(), card(), card(), card()));
        row.text(pick(&CITIES, dice));
        row.text(pick(&STATES, dice));
        row.time(self.settings.time(event));
        row.text(&extra(60, 40, dice));
    }

    fn auction(&self, event: u64, dice: &mut Dice, row: &mut RowWriter<'_>) {
        let at = self.settings.time(event);
        row.number(FIRST_ID + self.settings.last_auction(event).unwrap_or(0));
        row.text(&word(12, dice));
        row.text(&word(60, dice));
        let first_bid = price(dice);
        row.number(first_bid);
        row.number(first_bid + price(dice));
        row.time(at);
        row.time(at.saturating_add(self.settings.open_for(event, dice)));
        row.number(self.settings.seller(event, dice));
        row.number(FIRST_CATEGORY + dice.below(CATEGORIES));
        row.text(&extra(200, 80, dice));
    }

    fn bid(&self, event: u64, dice: &mut Dice, row: &mut RowWriter<'_>) {
        row.number(self.settings.bid_auction(event, dice));
        row.number(self.settings.bidder(event, dice));
        row.number(price(dice));
        let path =
            format!("https://www.nexmark.com/{}/{}/{}/item.htm?query=1", word(5, dice), word(5, dice), word(5, dice));
        if dice.below(2) == 0 {
            row.text(pick(&HOT_CHANNELS, dice));
            row.text(&path);
        } else {
            let number = dice.below(OTHER_CHANNELS);
            row.text(&format!("channel-{number}"));
            // Ten digits at most, spread over the range, as in the public generator.
            row.text(&format!("{path}&channel_id={}", number * 214_748));
        }
        row.time(self.settings.time(event));
        row.text(&extra(20, 20, dice));
    }
}

impl RowMaker for NexmarkRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn make(&self, first: u64, step: u64, count: usize) -> Result<ChangeBatch> {
        let types = logical_types();
        let mut arrays = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let place = match wanted {
                Wanted::EventType => 0,
                Wanted::Struct(kind) => 1 + *kind as usize,
            };
            let ty = types.get(place).map_or(&LogicalType::Int, |(_, ty)| ty);
            let mut column = Column::new(ty);
            for row in 0..count as u64 {
                let event = first + row * step;
                let kind = self.settings.kind(event);
                match wanted {
                    Wanted::EventType => column.push_i64(kind as i64),
                    Wanted::Struct(wanted) if *wanted == kind => self.push(kind, event, &mut column),
                    Wanted::Struct(_) => column.push_null(),
                }
            }
            arrays.push(column.finish()?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(ChangeBatch::inserts(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?))
    }
}

/// Fills the fields of a struct in order.
struct RowWriter<'a> {
    columns: std::slice::IterMut<'a, Column>,
}

impl RowWriter<'_> {
    fn number(&mut self, value: u64) {
        self.time(i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn time(&mut self, value: i64) {
        if let Some(column) = self.columns.next() {
            column.push_i64(value);
        }
    }

    fn text(&mut self, value: &str) {
        if let Some(column) = self.columns.next() {
            column.push_bytes(value.as_bytes());
        }
    }
}

fn pick<'a>(words: &[&'a str], dice: &mut Dice) -> &'a str {
    let index = usize::try_from(dice.below(words.len() as u64)).unwrap_or(0);
    words.get(index).copied().unwrap_or_default()
}

/// Lower-case letters, eight out of each throw.
fn word(length: usize, dice: &mut Dice) -> String {
    let mut text = String::with_capacity(length + 8);
    while text.len() < length {
        let mut thrown = dice.next();
        for _ in 0..8 {
            text.push(char::from(b'a' + u8::try_from(thrown % 26).unwrap_or(0)));
            thrown /= 26;
        }
    }
    text.truncate(length);
    text
}

fn extra(least: u64, more: u64, dice: &mut Dice) -> String {
    let length = least + dice.below(more);
    word(usize::try_from(length).unwrap_or(0), dice)
}

/// Cents, evenly spread over the magnitudes up to 10 million.
fn price(dice: &mut Dice) -> u64 {
    (10_f64.powf(dice.fraction() * 6.0) * 100.0).round() as u64
}

//! Seeded Nexmark events as JSON lines, in three files: of every 50 events 1 is a person, 3 are auctions and 46 are bids,
//! in the order of event time, 100,000 a second. The same bytes as of the generator that fed Flink.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::twister::Twister;

const BASE_MS: i64 = 1_436_918_400_000; // 2015-07-15 00:00:00
const RATE: i64 = 100_000;
const SEED: u32 = 42;
const FIRST_ID: i64 = 1000;
const EPOCH: i64 = 50;
const AUCTIONS_PER_EPOCH: i64 = 3;
const ACTIVE_PEOPLE: i64 = 1000;
const IN_FLIGHT: i64 = 100;
const ID_LEAD: i64 = 10;
const HOT_STEP: i64 = 100;
const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const FIRST: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// What q13 looks up.
pub(crate) fn write_side_input(folder: &Path) -> std::io::Result<()> {
    let lines: String = (0..10_000).map(|key| format!("{key},{key}\n")).collect();
    std::fs::write(folder.join("side_input.csv"), lines)
}

/// Writes `person.json`, `auction.json` and `bid.json`.
pub(crate) fn write(events: i64, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let open = |name: &str| File::create(folder.join(name)).map(|file| BufWriter::with_capacity(1 << 20, file));
    let mut files = [open("person.json")?, open("auction.json")?, open("bid.json")?];
    let mut generator = Generator { random: Twister::new(SEED) };
    for number in 0..events {
        let (file, row) = match number % EPOCH {
            0 => (0, generator.person(number)),
            1..=AUCTIONS_PER_EPOCH => (1, generator.auction(number)),
            _ => (2, generator.bid(number)),
        };
        files[file].write_all(row.as_bytes())?;
        files[file].write_all(b"\n")?;
    }
    files.iter_mut().try_for_each(Write::flush)
}

struct Generator {
    random: Twister,
}

impl Generator {
    fn below(&mut self, limit: i64) -> i64 {
        (self.random.random() * limit as f64) as i64
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as i64) as usize]
    }

    /// So many letters, out of one draw per eight.
    fn word(&mut self, length: i64) -> String {
        let length = length as usize;
        let mut word = String::with_capacity(length + 8);
        while word.len() < length {
            let mut draw = (self.random.random() * 26_f64.powi(8)) as u64;
            for _ in 0..8 {
                word.push(char::from(b'a' + (draw % 26) as u8));
                draw /= 26;
            }
        }
        word.truncate(length);
        word
    }

    fn price(&mut self) -> i64 {
        // Python rounds halves to even.
        (10_f64.powf(self.random.random() * 6.0) * 100.0).round_ties_even() as i64
    }

    fn next_person(&mut self, number: i64) -> i64 {
        let people = last_person(number) + 1;
        let active = people.min(ACTIVE_PEOPLE);
        people - active + self.below(active + ID_LEAD)
    }

    fn next_auction(&mut self, number: i64) -> i64 {
        let low = (last_auction(number) - IN_FLIGHT).max(0);
        low + self.below(last_auction(number).max(0) - low + 1 + ID_LEAD)
    }

    fn person(&mut self, number: i64) -> String {
        let (first, last) = (self.one_of(&FIRST), self.one_of(&LAST));
        let card: Vec<String> = (0..4).map(|_| format!("{:04}", self.below(10_000))).collect();
        let (name, host) = (self.word(7), self.word(5));
        let (city, state) = (self.one_of(&CITIES), self.one_of(&STATES));
        let length = 60 + self.below(40);
        format!(
            r#"{{"id":{},"name":"{first} {last}","emailAddress":"{name}@{host}.com","creditCard":"{}","city":"{city}","state":"{state}","dateTime":"{}","extra":"{}"}}"#,
            FIRST_ID + last_person(number),
            card.join(" "),
            stamp(ms(number)),
            self.word(length),
        )
    }

    fn auction(&mut self, number: i64) -> String {
        let seller =
            if self.below(4) > 0 { last_person(number) / HOT_STEP * HOT_STEP } else { self.next_person(number) };
        let first_bid = self.price();
        // An auction stays open about as long as it takes until IN_FLIGHT more have begun.
        let horizon = ms(number + IN_FLIGHT * EPOCH / AUCTIONS_PER_EPOCH) - ms(number);
        let (item, description, reserve) = (self.word(12), self.word(60), first_bid + self.price());
        let expires = ms(number) + 1 + self.below((horizon * 2).max(1));
        let category = 10 + self.below(5);
        let length = 200 + self.below(80);
        format!(
            r#"{{"id":{},"itemName":"{item}","description":"{description}","initialBid":{first_bid},"reserve":{reserve},"dateTime":"{}","expires":"{}","seller":{},"category":{category},"extra":"{}"}}"#,
            FIRST_ID + last_auction(number),
            stamp(ms(number)),
            stamp(expires),
            FIRST_ID + seller,
            self.word(length),
        )
    }

    fn bid(&mut self, number: i64) -> String {
        let hot = self.below(2) > 0;
        let auction = if hot { last_auction(number).max(0) / HOT_STEP * HOT_STEP } else { self.next_auction(number) };
        let hot = self.below(4) > 0;
        let bidder = if hot { last_person(number) / HOT_STEP * HOT_STEP + 1 } else { self.next_person(number) };
        let price = self.price();
        let known = self.below(2) == 0;
        let (channel, id) = if known {
            (self.one_of(&CHANNELS).to_owned(), String::new())
        } else {
            let number = self.below(10_000);
            (format!("channel-{number}"), format!("&channel_id={}", number * 214_748))
        };
        let (one, two, three) = (self.word(5), self.word(5), self.word(5));
        let length = 20 + self.below(20);
        format!(
            r#"{{"auction":{},"bidder":{},"price":{price},"channel":"{channel}","url":"https://www.nexmark.com/{one}/{two}/{three}/item.htm?query=1{id}","dateTime":"{}","extra":"{}"}}"#,
            FIRST_ID + auction,
            FIRST_ID + bidder,
            stamp(ms(number)),
            self.word(length),
        )
    }
}

const fn ms(number: i64) -> i64 {
    BASE_MS + number * 1000 / RATE
}

fn stamp(ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(ms).map(|time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string());
    time.unwrap_or_default()
}

const fn last_person(number: i64) -> i64 {
    number / EPOCH
}

const fn last_auction(number: i64) -> i64 {
    let (epoch, offset) = (number / EPOCH, number % EPOCH);
    match offset {
        0 => epoch * AUCTIONS_PER_EPOCH - 1,
        1..=AUCTIONS_PER_EPOCH => epoch * AUCTIONS_PER_EPOCH + offset - 1,
        _ => epoch * AUCTIONS_PER_EPOCH + AUCTIONS_PER_EPOCH - 1,
    }
}

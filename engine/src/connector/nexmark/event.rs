//! Which event has which number: ids, times and the choice of hot keys, by the rules of the public generator.

use crate::connector::generator::Dice;
use crate::connector::option::Options;
use crate::error::{EngineError, Result};

pub(super) const FIRST_ID: u64 = 1000;
pub(super) const FIRST_CATEGORY: u64 = 10;
pub(super) const CATEGORIES: u64 = 5;
const ACTIVE_PEOPLE: u64 = 1000;
const IN_FLIGHT_AUCTIONS: u64 = 100;
/// Ids may be named shortly before their event comes.
const ID_LEAD: u64 = 10;
const HOT_STEP: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    Auction,
    Bid,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) seed: u64,
    pub(super) base_ms: i64,
    /// Events per second of event time.
    pub(super) rate: u64,
    persons: u64,
    auctions: u64,
    epoch: u64,
    hot_auctions: u64,
    hot_bidders: u64,
    hot_sellers: u64,
}

impl Settings {
    pub(super) fn of_options(options: &Options<'_>, now_ms: i64) -> Result<Self> {
        let at_least_one = |name: &str, default: u64| -> Result<u64> {
            match options.count(name)?.unwrap_or(default) {
                0 => Err(EngineError::user("bad_option", format!("'{name}' has to be at least 1."))),
                value => Ok(value.min(1 << 32)),
            }
        };
        let persons = at_least_one("person.proportion", 1)?;
        let auctions = at_least_one("auction.proportion", 3)?;
        Ok(Settings {
            seed: options.integer("seed")?.unwrap_or(42).cast_unsigned(),
            base_ms: options.integer("base-time")?.unwrap_or(now_ms),
            rate: at_least_one("next-event.rate", 10_000)?,
            persons,
            auctions,
            epoch: persons + auctions + at_least_one("bid.proportion", 46)?,
            hot_auctions: at_least_one("bid.hot-ratio.auctions", 2)?,
            hot_bidders: at_least_one("bid.hot-ratio.bidders", 4)?,
            hot_sellers: at_least_one("auction.hot-ratio.sellers", 4)?,
        })
    }

    pub(super) fn kind(&self, event: u64) -> Kind {
        let offset = event % self.epoch;
        if offset < self.persons {
            Kind::Person
        } else if offset < self.persons + self.auctions {
            Kind::Auction
        } else {
            Kind::Bid
        }
    }

    pub(super) fn time(&self, event: u64) -> i64 {
        let after = u128::from(event) * 1000 / u128::from(self.rate);
        self.base_ms.saturating_add(i64::try_from(after).unwrap_or(i64::MAX))
    }

    /// Number of the last person made up to this event, counted from 0.
    pub(super) fn last_person(&self, event: u64) -> u64 {
        let (epoch, offset) = (event / self.epoch, event % self.epoch);
        epoch * self.persons + offset.min(self.persons - 1)
    }

    /// Number of the last auction made up to this event; `None` before the first.
    pub(super) fn last_auction(&self, event: u64) -> Option<u64> {
        let (epoch, offset) = (event / self.epoch, event % self.epoch);
        match offset.checked_sub(self.persons) {
            Some(place) => Some(epoch * self.auctions + place.min(self.auctions - 1)),
            None => (epoch * self.auctions).checked_sub(1),
        }
    }

    /// A person who is active now or comes soon.
    fn any_person(&self, event: u64, dice: &mut Dice) -> u64 {
        let people = self.last_person(event) + 1;
        let active = people.min(ACTIVE_PEOPLE);
        people - active + dice.below(active + ID_LEAD)
    }

    fn any_auction(&self, event: u64, dice: &mut Dice) -> u64 {
        let last = self.last_auction(event).unwrap_or(0);
        let first = last.saturating_sub(IN_FLIGHT_AUCTIONS);
        first + dice.below(last - first + 1 + ID_LEAD)
    }

    pub(super) fn seller(&self, event: u64, dice: &mut Dice) -> u64 {
        let hot = dice.below(self.hot_sellers) > 0;
        FIRST_ID + if hot { self.last_person(event) / HOT_STEP * HOT_STEP } else { self.any_person(event, dice) }
    }

    pub(super) fn bid_auction(&self, event: u64, dice: &mut Dice) -> u64 {
        let hot = dice.below(self.hot_auctions) > 0;
        let last = self.last_auction(event).unwrap_or(0);
        FIRST_ID + if hot { last / HOT_STEP * HOT_STEP } else { self.any_auction(event, dice) }
    }

    pub(super) fn bidder(&self, event: u64, dice: &mut Dice) -> u64 {
        let hot = dice.below(self.hot_bidders) > 0;
        FIRST_ID + if hot { self.last_person(event) / HOT_STEP * HOT_STEP + 1 } else { self.any_person(event, dice) }
    }

    /// How long an auction stays open: about as long as it takes until so many more have begun.
    pub(super) fn open_for(&self, event: u64, dice: &mut Dice) -> i64 {
        let later = event + IN_FLIGHT_AUCTIONS * self.epoch / self.auctions;
        let horizon = u64::try_from(self.time(later) - self.time(event)).unwrap_or(0);
        1 + dice.below((horizon * 2).max(1)).cast_signed()
    }
}

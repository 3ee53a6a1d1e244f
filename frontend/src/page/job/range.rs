//! The time range of all charts of the page, kept in the address.

use leptos::prelude::*;

use super::context::use_job;
use crate::address::use_address;
use crate::clock::{local, now, use_clock};
use crate::i18n::job as text;
use crate::ui::button::{Button, Kind};
use crate::ui::segmented::Segmented;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    /// The last so many minutes, moving with time.
    Last(i64),
    /// From, to; milliseconds.
    Fixed(i64, i64),
}

const CHOICES: [(i64, &str, &str); 4] =
    [(15, "15m", "15 min"), (60, "1h", "hour"), (360, "6h", "6 hours"), (1440, "24h", "24 hours")];
/// How often a moving range is asked for again.
const REFRESH_MS: i64 = 10_000;

impl Range {
    /// `usual`: minutes of the range where the address names none.
    fn parse(word: Option<&str>, from: Option<&str>, to: Option<&str>, usual: i64) -> Range {
        let instant = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        if let (Some(from), Some(to)) = (instant(from), instant(to))
            && from < to
        {
            return Range::Fixed(from, to);
        }
        let known = CHOICES.iter().find(|(_, known, _)| Some(*known) == word);
        Range::Last(known.map_or(usual, |(minutes, _, _)| *minutes))
    }

    pub(super) fn bounds(self, now: i64) -> (i64, i64) {
        match self {
            Range::Last(minutes) => (now - minutes * 60_000, now),
            Range::Fixed(from, to) => (from, to),
        }
    }
}

/// The range of the address and the bounds to ask for, moved on every few seconds.
#[derive(Clone, Copy)]
pub(super) struct Ranged {
    range: Memo<Range>,
    pub(super) bounds: Memo<(i64, i64)>,
}

impl Ranged {
    pub(super) fn of_address() -> Ranged {
        let address = use_address();
        // An hour of a job that is minutes old would be an empty chart.
        let age = use_job().job.value().with_untracked(|job| job.as_ref().map(|job| now() - job.created_at));
        let usual = if age.is_some_and(|age| age < 15 * 60_000) { 15 } else { 60 };
        let (word, from, to) = (address.query("range"), address.query("from"), address.query("to"));
        let range =
            Memo::new(move |_| Range::parse(word.get().as_deref(), from.get().as_deref(), to.get().as_deref(), usual));
        let clock = use_clock();
        let bounds = Memo::new(move |_| match range.get() {
            Range::Last(_) => range.get().bounds(clock.get() / REFRESH_MS * REFRESH_MS),
            fixed => fixed.bounds(now()),
        });
        Ranged { range, bounds }
    }
}

fn set_fixed(address: crate::address::Address, from: i64, to: i64) {
    address.set_query("from", Some(&from.to_string()));
    address.set_query("to", Some(&to.to_string()));
}

/// For charts: drags become the range of the page.
pub(super) fn range_setter() -> Callback<(i64, i64)> {
    let address = use_address();
    Callback::new(move |(from, to)| set_fixed(address, from, to))
}

#[component]
pub(super) fn RangePicker(ranged: Ranged) -> impl IntoView {
    let address = use_address();
    let options = CHOICES.map(|(minutes, _, words)| (minutes, text::last(words))).to_vec();
    let chosen = Signal::derive(move || match ranged.range.get() {
        Range::Last(minutes) => minutes,
        Range::Fixed(..) => 0,
    });
    let choose = Callback::new(move |minutes: i64| {
        address.set_query("from", None);
        address.set_query("to", None);
        let word = CHOICES.iter().find(|(known, _, _)| *known == minutes).map(|(_, word, _)| *word);
        address.set_query("range", word);
    });
    view! {
        {move || match ranged.range.get() {
            Range::Last(_) => ().into_any(),
            Range::Fixed(from, to) => {
                let words = text::chosen_range(local(from).seconds(), local(to).seconds());
                view! {
                    <span class="subtle small nowrap" title=format!("{} – {}", local(from).full(), local(to).full())>{words}</span>
                    <Button kind=Kind::Quiet small=true on_press=move |()| choose.run(60)>{text::back_to_last_hour()}</Button>
                }.into_any()
            }
        }}
        <Segmented label=text::range() options value=chosen on_choose=choose/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_a_range() {
        assert_eq!(Range::parse(None, None, None, 60), Range::Last(60));
        assert_eq!(Range::parse(Some("6h"), None, None, 15), Range::Last(360));
        assert_eq!(Range::parse(Some("nonsense"), Some("x"), Some("9"), 60), Range::Last(60));
        assert_eq!(Range::parse(Some("6h"), Some("5"), Some("9"), 60), Range::Fixed(5, 9));
        assert_eq!(Range::parse(None, Some("9"), Some("5"), 60), Range::Last(60));
    }

    #[test]
    fn a_moving_range_ends_now() {
        assert_eq!(Range::Last(1).bounds(100_000), (40_000, 100_000));
        assert_eq!(Range::Fixed(1, 2).bounds(100_000), (1, 2));
    }
}

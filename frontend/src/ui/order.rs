//! By which column the rows of a table stand. Kept as one word, so that it fits into an address: the name of the column,
//! with `-` before it for the other way round.

use std::cmp::Ordering;

use leptos::prelude::*;

#[derive(Clone, Copy)]
pub struct Order {
    word: Signal<Option<String>>,
    set: Callback<Option<String>>,
}

impl Order {
    pub fn new(word: impl Into<Signal<Option<String>>>, set: impl Fn(Option<String>) + Send + Sync + 'static) -> Order {
        Order { word: word.into(), set: Callback::new(set) }
    }

    /// The column and whether it stands the other way round; tracked. None is the order in which the rows came.
    pub fn chosen(&self) -> Option<(String, bool)> {
        self.word.get().map(|word| read(&word))
    }

    /// Whether this column is the chosen one, and then whether it stands the other way round; tracked.
    pub fn of(&self, column: &str) -> Option<bool> {
        self.chosen().and_then(|(chosen, reversed)| (chosen == column).then_some(reversed))
    }

    /// The usual way first, then the other way round, then as the rows came.
    pub fn press(&self, column: &str) {
        let next = match untrack(|| self.of(column)) {
            None => Some(column.to_owned()),
            Some(false) => Some(format!("-{column}")),
            Some(true) => None,
        };
        self.set.run(next);
    }

    /// Puts rows in order; `compare` says the usual way for a column, for one it does not know that all are alike.
    pub fn sort<T>(&self, rows: &mut [T], compare: impl Fn(&str, &T, &T) -> Ordering) {
        let Some((column, reversed)) = self.chosen() else { return };
        rows.sort_by(|a, b| {
            let usual = compare(&column, a, b);
            if reversed { usual.reverse() } else { usual }
        });
    }
}

fn read(word: &str) -> (String, bool) {
    match word.strip_prefix('-') {
        Some(column) => (column.to_owned(), true),
        None => (word.to_owned(), false),
    }
}

/// Words as people sort them: large and small letters are alike.
pub fn by_words(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_a_column_and_its_way() {
        assert_eq!(read("name"), ("name".to_owned(), false));
        assert_eq!(read("-name"), ("name".to_owned(), true));
    }

    #[test]
    fn letters_are_alike() {
        assert_eq!(by_words("beta", "Alpha"), Ordering::Greater);
        assert_eq!(by_words("BIDS", "bids"), Ordering::Equal);
    }
}

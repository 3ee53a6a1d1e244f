//! A changelog folded into the rows it describes.

use std::collections::HashMap;

use millrace_wire::preview::RowKind;
use serde_json::Value;

/// The rows as they stand after all changes so far, in the order in which they first came.
///
/// With a key, an update replaces the row of its key and a delete removes it; the `-U` half says nothing new. Without
/// one the whole row is its own key, and rows may be there several times.
#[derive(Clone, Debug, Default)]
pub struct CurrentRows {
    /// Columns of the key; empty means the whole row.
    key: Vec<usize>,
    /// Rows with a hole where one went away; holes are closed once they outnumber the rows.
    slots: Vec<Option<Vec<Value>>>,
    places: HashMap<String, Vec<usize>>,
    live: usize,
}

impl CurrentRows {
    pub fn new(key: Vec<usize>) -> Self {
        CurrentRows { key, ..CurrentRows::default() }
    }

    pub fn len(&self) -> usize {
        self.live
    }

    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub fn rows(&self) -> impl Iterator<Item = &Vec<Value>> {
        self.slots.iter().flatten()
    }

    pub fn apply(&mut self, kind: RowKind, values: &[Value]) {
        let key = self.key_of(values);
        match kind {
            RowKind::Insert | RowKind::UpdateAfter if self.key.is_empty() => self.add(key, values),
            RowKind::Insert | RowKind::UpdateAfter => self.put(key, values),
            RowKind::UpdateBefore if !self.key.is_empty() => {}
            RowKind::UpdateBefore | RowKind::Delete => self.take(&key),
        }
    }

    fn key_of(&self, values: &[Value]) -> String {
        if self.key.is_empty() {
            return serde_json::to_string(values).unwrap_or_default();
        }
        let parts: Vec<&Value> = self.key.iter().filter_map(|column| values.get(*column)).collect();
        serde_json::to_string(&parts).unwrap_or_default()
    }

    fn add(&mut self, key: String, values: &[Value]) {
        self.places.entry(key).or_default().push(self.slots.len());
        self.slots.push(Some(values.to_vec()));
        self.live += 1;
    }

    fn put(&mut self, key: String, values: &[Value]) {
        let place = self.places.get(&key).and_then(|places| places.first()).copied();
        match place.and_then(|place| self.slots.get_mut(place)) {
            Some(slot) => *slot = Some(values.to_vec()),
            None => self.add(key, values),
        }
    }

    fn take(&mut self, key: &str) {
        let Some(places) = self.places.get_mut(key) else { return };
        let place = places.pop();
        if places.is_empty() {
            self.places.remove(key);
        }
        if let Some(slot) = place.and_then(|place| self.slots.get_mut(place)) {
            *slot = None;
            self.live = self.live.saturating_sub(1);
        }
        if self.slots.len() > 64 && self.slots.len() > self.live * 2 {
            self.close_holes();
        }
    }

    fn close_holes(&mut self) {
        let kept: Vec<Vec<Value>> = self.slots.drain(..).flatten().collect();
        self.places.clear();
        self.live = 0;
        for row in kept {
            let key = self.key_of(&row);
            self.add(key, &row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
    use serde_json::json;

    fn fold(key: &[usize], changes: &[(RowKind, &str, i64)]) -> Vec<(String, i64)> {
        let mut current = CurrentRows::new(key.to_vec());
        for (kind, name, count) in changes {
            current.apply(*kind, &[json!(name), json!(count)]);
        }
        let rows: Vec<(String, i64)> = current
            .rows()
            .map(|row| (row[0].as_str().unwrap_or_default().to_owned(), row[1].as_i64().unwrap_or_default()))
            .collect();
        assert_eq!(rows.len(), current.len());
        rows
    }

    #[test]
    fn an_update_replaces_the_row_in_its_place() {
        let rows = fold(
            &[0],
            &[(Insert, "a", 1), (Insert, "b", 1), (UpdateBefore, "a", 1), (UpdateAfter, "a", 2), (Delete, "b", 1)],
        );
        assert_eq!(rows, [("a".to_owned(), 2)]);
    }

    #[test]
    fn an_upsert_needs_no_before() {
        assert_eq!(fold(&[0], &[(UpdateAfter, "a", 1), (UpdateAfter, "a", 5)]), [("a".to_owned(), 5)]);
    }

    #[test]
    fn without_a_key_the_whole_row_counts_and_may_come_twice() {
        let rows = fold(&[], &[(Insert, "a", 1), (Insert, "a", 1), (UpdateBefore, "a", 1), (UpdateAfter, "a", 2)]);
        assert_eq!(rows, [("a".to_owned(), 1), ("a".to_owned(), 2)]);
    }

    #[test]
    fn taking_back_what_never_came_changes_nothing() {
        assert_eq!(fold(&[], &[(Delete, "a", 1), (Insert, "a", 1)]), [("a".to_owned(), 1)]);
    }

    #[test]
    fn holes_are_closed_without_losing_a_row() {
        let mut current = CurrentRows::new(vec![0]);
        for number in 0..500 {
            current.apply(Insert, &[json!(number)]);
        }
        for number in 0..490 {
            current.apply(Delete, &[json!(number)]);
        }
        assert_eq!(current.len(), 10);
        assert!(current.slots.len() < 100);
        current.apply(UpdateAfter, &[json!(495)]);
        assert_eq!(current.len(), 10);
    }
}

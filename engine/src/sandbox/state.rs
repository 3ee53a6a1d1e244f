//! What a changelog leaves.

use std::collections::HashMap;

use millrace_wire::preview::{PreviewRow, RowKind};
use serde_json::Value;

/// By key where there is one: the newest row of each key, in the order in which the keys came. Else as a multiset, in
/// the order in which the rows came.
pub fn current_state(changes: &[PreviewRow], key: &[usize]) -> Vec<Vec<Value>> {
    let mut rows: Vec<Option<&Vec<Value>>> = Vec::new();
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for change in changes {
        let adds = matches!(change.kind, RowKind::Insert | RowKind::UpdateAfter);
        let places = places.entry(name(&change.values, key)).or_default();
        match (adds, places.last().copied()) {
            (true, Some(place)) if !key.is_empty() => set(&mut rows, place, Some(&change.values)),
            (true, _) => {
                places.push(rows.len());
                rows.push(Some(&change.values));
            }
            // An update takes its old row back and puts the new one in its place.
            (false, Some(place)) if !key.is_empty() => set(&mut rows, place, None),
            (false, Some(place)) => {
                places.pop();
                set(&mut rows, place, None);
            }
            // Its row came before the first change that is kept.
            (false, None) => {}
        }
    }
    rows.into_iter().flatten().cloned().collect()
}

fn set<'a>(rows: &mut [Option<&'a Vec<Value>>], place: usize, row: Option<&'a Vec<Value>>) {
    if let Some(slot) = rows.get_mut(place) {
        *slot = row;
    }
}

/// The row, or its key, as text.
fn name(values: &[Value], key: &[usize]) -> String {
    let chosen: Vec<&Value> = match key {
        [] => values.iter().collect(),
        key => key.iter().filter_map(|index| values.get(*index)).collect(),
    };
    serde_json::to_string(&chosen).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(kind: RowKind, values: Value) -> PreviewRow {
        PreviewRow { kind, values: values.as_array().cloned().unwrap_or_default() }
    }

    #[test]
    fn by_key_the_newest_row_stays_at_its_place() {
        let changes = [
            change(RowKind::Insert, json!(["a", 1])),
            change(RowKind::Insert, json!(["b", 1])),
            change(RowKind::UpdateAfter, json!(["a", 2])),
            change(RowKind::Delete, json!(["b", 1])),
            change(RowKind::Insert, json!(["c", 9])),
        ];
        assert_eq!(json!(current_state(&changes, &[0])), json!([["a", 2], ["c", 9]]));
    }

    #[test]
    fn without_a_key_rows_are_counted() {
        let changes = [
            change(RowKind::Insert, json!(["a"])),
            change(RowKind::Insert, json!(["a"])),
            change(RowKind::UpdateBefore, json!(["a"])),
            change(RowKind::UpdateAfter, json!(["b"])),
            change(RowKind::Delete, json!(["never there"])),
        ];
        assert_eq!(json!(current_state(&changes, &[])), json!([["a"], ["b"]]));
    }
}

//! What differs between two descriptions of a table, one line for each thing.

use std::collections::BTreeSet;

use millrace_wire::table::{Column, ColumnKind, TableDraft};
use millrace_wire::table_version::{SchemaChange, SchemaChangeKind as Kind};

/// Columns first, in the order of the newer description; then what holds for the whole table.
pub(super) fn changes(old: &TableDraft, new: &TableDraft) -> Vec<SchemaChange> {
    let mut found = Vec::new();
    let mut add = |kind: Kind, name: &str, before: String, after: String| {
        found.push(SchemaChange { kind, name: name.to_owned(), before, after });
    };
    for column in &new.columns {
        match old.columns.iter().find(|known| known.name == column.name) {
            None => add(Kind::ColumnAdded, &column.name, String::new(), shown(column)),
            Some(before) => {
                if (before.kind, &before.source) != (column.kind, &column.source) {
                    add(Kind::SourceChanged, &column.name, shown(before), shown(column));
                } else if before.data_type != column.data_type {
                    add(Kind::TypeChanged, &column.name, shown(before), shown(column));
                } else if before.nullable != column.nullable {
                    add(Kind::NullabilityChanged, &column.name, shown(before), shown(column));
                }
                if before.comment != column.comment {
                    add(Kind::CommentChanged, &column.name, before.comment.clone(), column.comment.clone());
                }
            }
        }
    }
    for column in old.columns.iter().filter(|column| !new.columns.iter().any(|known| known.name == column.name)) {
        add(Kind::ColumnRemoved, &column.name, shown(column), String::new());
    }
    let (before, after) = (common(old, new), common(new, old));
    if before != after {
        add(Kind::OrderChanged, "", before.join(", "), after.join(", "));
    }
    if old.primary_key != new.primary_key {
        add(Kind::KeyChanged, "", old.primary_key.join(", "), new.primary_key.join(", "));
    }
    let watermark = |draft: &TableDraft| {
        draft.event_time.as_ref().map_or_else(String::new, |time| format!("{} AS {}", time.column, time.watermark))
    };
    if watermark(old) != watermark(new) {
        add(Kind::EventTimeChanged, "", watermark(old), watermark(new));
    }
    if old.comment != new.comment {
        add(Kind::CommentChanged, "", old.comment.clone(), new.comment.clone());
    }
    let whole = |draft: &TableDraft| {
        [
            ("database", draft.database.clone()),
            ("name", draft.name.clone()),
            ("connector", draft.connector.clone()),
            ("connection", draft.connection.map(|id| id.to_string()).unwrap_or_default()),
            ("format", draft.format.clone().unwrap_or_default()),
        ]
    };
    for ((name, before), (_, after)) in whole(old).into_iter().zip(whole(new)) {
        if before != after {
            add(Kind::OptionChanged, name, before, after);
        }
    }
    let names: BTreeSet<&String> = old.options.keys().chain(new.options.keys()).collect();
    for name in names {
        let value = |draft: &TableDraft| draft.options.get(name).cloned().unwrap_or_default();
        if old.options.get(name) != new.options.get(name) {
            let is_secret = name.ends_with("password") || name.ends_with("secret");
            let shown =
                |value: String| if is_secret && !value.is_empty() { "••••••".to_owned() } else { value };
            add(Kind::OptionChanged, name, shown(value(old)), shown(value(new)));
        }
    }
    found
}

/// Names of the columns of the first that the second has, too.
fn common(of: &TableDraft, other: &TableDraft) -> Vec<String> {
    let known = |name: &&Column| other.columns.iter().any(|column| column.name == name.name);
    of.columns.iter().filter(known).map(|column| column.name.clone()).collect()
}

fn shown(column: &Column) -> String {
    let source = column.source.as_deref().unwrap_or_default();
    let null =
        if column.nullable || column.data_type.to_ascii_uppercase().ends_with("NOT NULL") { "" } else { " NOT NULL" };
    match column.kind {
        ColumnKind::Physical => format!("{}{null}", column.data_type),
        ColumnKind::Computed => format!("AS {source}"),
        ColumnKind::Metadata if source.is_empty() => format!("{}{null} METADATA", column.data_type),
        ColumnKind::Metadata => format!("{}{null} METADATA FROM '{source}'", column.data_type),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::{Value, json};

    fn draft(change: impl FnOnce(&mut Value)) -> TableDraft {
        let mut draft = json!({
            "database": "main", "name": "orders", "comment": "", "connector": "kafka", "format": "json",
            "options": { "topic": "orders", "password": "one" },
            "columns": [
                { "name": "id", "data_type": "INT", "kind": "physical", "nullable": true },
                { "name": "amount", "data_type": "DOUBLE", "kind": "physical", "nullable": true },
                { "name": "twice", "kind": "computed", "source": "amount * 2" },
            ],
        });
        change(&mut draft);
        serde_json::from_value(draft).unwrap()
    }

    fn lines(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let found = changes(&draft(|_| {}), &draft(change));
        found.iter().map(|one| format!("{} {}: {} > {}", one.kind, one.name, one.before, one.after)).collect()
    }

    #[test]
    fn each_thing_that_differs_is_a_line() {
        assert_eq!(lines(|_| {}), Vec::<String>::new());
        assert_eq!(
            lines(|draft| draft["columns"][0]["data_type"] = json!("BIGINT")),
            ["type_changed id: INT > BIGINT"]
        );
        assert_eq!(
            lines(|draft| draft["columns"][0]["nullable"] = json!(false)),
            ["nullability_changed id: INT > INT NOT NULL"]
        );
        assert_eq!(
            lines(|draft| draft["columns"][1]["comment"] = json!("in euro")),
            ["comment_changed amount:  > in euro"]
        );
        assert_eq!(
            lines(|draft| draft["columns"][2]["source"] = json!("amount * 3")),
            ["source_changed twice: AS amount * 2 > AS amount * 3"]
        );
        assert_eq!(lines(|draft| draft["primary_key"] = json!(["id"])), ["key_changed :  > id"]);
        assert_eq!(lines(|draft| draft["format"] = json!("avro")), ["option_changed format: json > avro"]);
        assert_eq!(
            lines(|draft| draft["event_time"] = json!({ "column": "ts", "watermark": "ts" })),
            ["event_time_changed :  > ts AS ts"]
        );
    }

    #[test]
    fn columns_that_come_go_and_move() {
        let renamed = lines(|draft| draft["columns"][0]["name"] = json!("key"));
        assert_eq!(renamed, ["column_added key:  > INT", "column_removed id: INT > "]);
        let moved = lines(|draft| draft["columns"].as_array_mut().unwrap().swap(0, 1));
        assert_eq!(moved, ["order_changed : id, amount, twice > amount, id, twice"]);
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(
            lines(|draft| draft["options"]["password"] = json!("two")),
            ["option_changed password: •••••• > ••••••"]
        );
    }
}

use millrace_wire::ids::TableId;
use millrace_wire::table::{ColumnKind, ResolvedColumn};

use super::*;

fn table(database: &str, name: &str, columns: &[&str]) -> TableSummary {
    TableSummary {
        id: TableId(uuid::Uuid::nil()),
        database: database.into(),
        name: name.into(),
        connector: "kafka".into(),
        comment: String::new(),
        columns: columns
            .iter()
            .map(|column| ResolvedColumn {
                name: (*column).into(),
                data_type: "STRING".into(),
                kind: ColumnKind::Physical,
                event_time: false,
                key: false,
                comment: String::new(),
            })
            .collect(),
        producers: 0,
        consumers: 0,
        built_in: false,
        updated_at: 0,
    }
}

fn paths(words: &str, opened: &[&str]) -> Vec<String> {
    let tables = [
        table("dw", "clicks", &["user_id", "feed"]),
        table("dim", "users", &["user_id", "city"]),
        table("dw", "ads", &[]),
    ];
    let opened = opened.iter().map(|path| (*path).to_owned()).collect();
    nodes(&tables, words, &opened).into_iter().map(|node| node.path).collect()
}

#[test]
fn closed_databases_are_one_row_each_in_order() {
    assert_eq!(paths("", &[]), ["dim", "dw"]);
    assert_eq!(
        paths("", &["dw", "dw.clicks"]),
        ["dim", "dw", "dw.ads", "dw.clicks", "dw.clicks.user_id", "dw.clicks.feed"]
    );
}

#[test]
fn a_search_opens_what_it_finds() {
    assert_eq!(paths("city", &[]), ["dim", "dim.users", "dim.users.city"]);
    assert_eq!(paths("ads", &[]), ["dw", "dw.ads"]);
    assert_eq!(paths("nothing", &["dw"]), Vec::<String>::new());
}

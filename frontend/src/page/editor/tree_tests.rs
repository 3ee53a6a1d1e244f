use millrace_wire::ids::{DatabaseId, TableId};
use millrace_wire::table::{ColumnKind, ResolvedColumn};

use super::super::catalog::Found;
use super::*;

fn columns(names: &[&str]) -> Vec<ResolvedColumn> {
    let column = |name: &&str| ResolvedColumn {
        name: (*name).into(),
        data_type: "STRING".into(),
        kind: ColumnKind::Physical,
        event_time: false,
        key: false,
        comment: String::new(),
    };
    names.iter().map(column).collect()
}

fn table(database: &str, name: &str, found: &[&str]) -> TableSummary {
    TableSummary {
        id: TableId(uuid::Uuid::nil()),
        database: database.into(),
        name: name.into(),
        connector: "kafka".into(),
        comment: String::new(),
        owner: String::new(),
        tags: Vec::new(),
        columns: 2,
        found: columns(found),
        producers: 0,
        consumers: 0,
        built_in: false,
        restricted: false,
        shared: false,
        updated_at: 0,
    }
}

fn database(name: &str, tables: u64) -> Database {
    let (id, description) = (DatabaseId(uuid::Uuid::nil()), String::new());
    Database { id, name: name.into(), description, tables, built_in: false }
}

fn part(names: &[&str], next: Option<&str>) -> Part {
    let tables = names.iter().map(|name| table("dw", name, &[])).collect();
    Part { tables, total: 5_000, next: next.map(str::to_owned) }
}

fn paths(found: Option<Vec<TableSummary>>, opened: &[&str]) -> Vec<String> {
    let databases = [database("dim", 1), database("dw", 2), database("empty", 0)];
    let shelf = Shelf {
        tables: [("dw".to_owned(), part(&["ads", "clicks"], None))].into(),
        columns: [("dw.clicks".to_owned(), columns(&["user_id", "feed"]))].into(),
        found: found.map(|tables| Found { words: "x".to_owned(), total: tables.len() as u64, tables }),
    };
    let opened = opened.iter().map(|path| (*path).to_owned()).collect();
    nodes(&databases, &shelf, &opened).into_iter().map(|node| node.path).collect()
}

#[test]
fn closed_databases_are_one_row_each_in_order() {
    assert_eq!(paths(None, &[]), ["dim", "dw"]);
    assert_eq!(
        paths(None, &["dw", "dw.clicks"]),
        ["dim", "dw", "dw.ads", "dw.clicks", "dw.clicks.user_id", "dw.clicks.feed"]
    );
}

#[test]
fn what_is_not_fetched_yet_is_an_open_row_without_rows_below() {
    assert_eq!(paths(None, &["dim"]), ["dim", "dw"]);
}

#[test]
fn a_search_opens_what_it_finds() {
    assert_eq!(paths(Some(vec![table("dim", "users", &["city"])]), &[]), ["dim", "dim.users", "dim.users.city"]);
    assert_eq!(paths(Some(vec![table("dw", "ads", &[])]), &[]), ["dw", "dw.ads"]);
    assert_eq!(paths(Some(Vec::new()), &["dw"]), Vec::<String>::new());
    // Opened by hand, a table that was found shows all of its columns.
    assert_eq!(
        paths(Some(vec![table("dw", "clicks", &["feed"])]), &["dw.clicks"]),
        ["dw", "dw.clicks", "dw.clicks.user_id", "dw.clicks.feed"]
    );
}

#[test]
fn tables_that_are_not_fetched_yet_are_told_and_can_be_brought() {
    let shelf = |next| Shelf { tables: [("dw".to_owned(), part(&["ads"], next))].into(), ..Shelf::default() };
    let opened = BTreeSet::from(["dw".to_owned()]);
    let rows = nodes(&[database("dw", 5_000)], &shelf(Some("ads")), &opened);
    let last = rows.last().map(|row| (row.brings.as_deref(), row.end.as_str()));
    assert_eq!(last, Some((Some("dw"), "4,999")));
    let rows = nodes(&[database("dw", 5_000)], &shelf(None), &opened);
    assert!(rows.iter().all(|row| row.brings.is_none()), "all of them are there");
}

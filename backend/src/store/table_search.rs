//! Lists of tables and searches through them, cut and put in order by the database: a team may have thousands.

use millrace_wire::ids::TableId;
use millrace_wire::table::{ResolvedColumn, TableSummary};
use sqlx::{AssertSqlSafe, Row as _};

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::table::{self, TableRow};
use super::{Query, Row, Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;
use crate::transact;

/// Words of a query that are looked for; further ones are taken as part of the last.
const MOST_WORDS: usize = 4;
/// Tables per transaction when old ones are caught up with.
const AT_ONCE: i64 = 200;

/// What a list may be narrowed down to; empty means all.
#[derive(Clone, Debug, Default)]
pub struct TableFilter {
    pub database: String,
    pub connector: String,
    pub tag: String,
    pub owner: String,
    /// All of these must occur, whatever their case.
    pub words: String,
}

/// By which column the tables of a database stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableOrder {
    #[default]
    Name,
    Connector,
    Columns,
    Written,
    Read,
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Usual,
    Reversed,
}

/// The one place that says which tables a list holds: `$1` to `$5` are whose eyes see it, `$6` to `$13` the filter.
const LISTED: &str = concat!(
    "FROM stream_tables s JOIN table_databases d ON d.id = s.database_id WHERE s.team_id = $1 \
     AND ($6 = '' OR d.name = $6) AND ($7 = '' OR s.connector = $7) AND ($8 = '' OR s.owner = $8) \
     AND ($9 = '' OR s.id IN (SELECT t.table_id FROM table_tags t WHERE t.team_id = $1 AND t.tag = $9)) \
     AND ($10 = '' OR s.id IN (SELECT x.table_id FROM table_search x WHERE x.team_id = $1 \
     AND x.words LIKE $10 ESCAPE '\\' AND x.words LIKE $11 ESCAPE '\\' AND x.words LIKE $12 ESCAPE '\\' \
     AND x.words LIKE $13 ESCAPE '\\')) AND ",
    visible!("s", "table_id")
);

/// How many jobs that the eyes see write or read a table by their newest version.
macro_rules! uses {
    ($direction:literal) => {
        concat!(
            "(SELECT COUNT(DISTINCT u.job_id) FROM job_table_use u JOIN jobs j ON j.id = u.job_id \
             AND j.deleted_at IS NULL WHERE u.team_id = s.team_id \
             AND u.database_name = d.name AND u.table_name = s.name AND u.direction = '",
            $direction,
            "' AND u.version_number = (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) AND ",
            visible!("j", "job_id"),
            ")"
        )
    };
}

impl TableOrder {
    const fn text(self) -> &'static str {
        match self {
            TableOrder::Name => "s.name",
            TableOrder::Connector => "s.connector",
            TableOrder::Columns => "s.column_count",
            TableOrder::Written => uses!("write"),
            TableOrder::Read => uses!("read"),
            TableOrder::Changed => "s.updated_at",
        }
    }

    /// Words from the start of the alphabet, figures and times from the largest.
    const fn goes_down(self) -> bool {
        !matches!(self, TableOrder::Name | TableOrder::Connector)
    }
}

fn order_by(order: TableOrder, direction: Direction) -> String {
    let down = order.goes_down() != (direction == Direction::Reversed);
    format!("d.name, {} {}, s.name", order.text(), if down { "DESC" } else { "ASC" })
}

/// `%word%`, lower case, with the signs that mean something to LIKE taken as themselves.
fn contains(word: &str) -> String {
    format!("%{}%", escaped(word))
}

fn escaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn filtered<'q>(query: Query<'q>, sight: &Sight, filter: &TableFilter) -> Query<'q> {
    let words: Vec<&str> = filter.words.split_whitespace().collect();
    let mut patterns: Vec<String> = words.iter().take(MOST_WORDS).map(|word| contains(word)).collect();
    let given = !patterns.is_empty();
    patterns.resize(MOST_WORDS, if given { "%".to_owned() } else { String::new() });
    let query = with_sight(query, sight)
        .bind(filter.database.clone())
        .bind(filter.connector.clone())
        .bind(filter.owner.clone())
        .bind(filter.tag.clone());
    patterns.into_iter().fold(query, Query::bind)
}

/// A part of the list, below the databases in the order of their names, and how long the list is.
pub async fn page(
    store: &Store,
    sight: &Sight,
    filter: &TableFilter,
    (order, direction): (TableOrder, Direction),
    (start, limit): (usize, usize),
) -> Result<(Vec<TableSummary>, u64)> {
    let count = format!("SELECT COUNT(*) {LISTED}");
    let row = filtered(sqlx::query(AssertSqlSafe(count)), sight, filter).fetch_one(store.reader()).await?;
    let total = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
    let order = order_by(order, direction);
    // Long texts of tables that are not shown stay unread.
    let text = format!(
        "SELECT s.id, d.name AS database_name, s.name, s.connector, s.comment, s.owner, s.tags, s.column_count, \
         s.built_in, s.restricted, (SELECT COUNT(*) FROM grants g WHERE g.table_id = s.id) AS grants, s.updated_at, \
         CASE WHEN $10 = '' THEN '[]' ELSE s.resolved END AS resolved, \
         {} AS producers, {} AS consumers \
         FROM (SELECT s.id AS id {LISTED} ORDER BY {order} LIMIT $14 OFFSET $15) p \
         JOIN stream_tables s ON s.id = p.id JOIN table_databases d ON d.id = s.database_id ORDER BY {order}",
        uses!("write"),
        uses!("read")
    );
    let rows = filtered(sqlx::query(AssertSqlSafe(text)), sight, filter)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(i64::try_from(start).unwrap_or(i64::MAX))
        .fetch_all(store.reader())
        .await?;
    let words: Vec<String> = filter.words.split_whitespace().map(str::to_lowercase).collect();
    Ok((rows.iter().map(|row| read(row, &words)).collect::<Result<_>>()?, total))
}

fn read(row: &Row, words: &[String]) -> Result<TableSummary> {
    let mut found: Vec<ResolvedColumn> = row.json("resolved")?;
    found.retain(|column| {
        let text = format!("{} {}", column.name, column.comment).to_lowercase();
        words.iter().any(|word| text.contains(word))
    });
    Ok(TableSummary {
        found,
        id: row.parsed("id")?,
        database: row.text("database_name")?,
        name: row.text("name")?,
        connector: row.text("connector")?,
        comment: row.text("comment")?,
        owner: row.text("owner")?,
        tags: row.json("tags")?,
        columns: row.count("column_count")?,
        producers: row.count("producers")?,
        consumers: row.count("consumers")?,
        built_in: row.flag("built_in")?,
        restricted: row.flag("restricted")?,
        shared: row.int("grants")? > 0,
        updated_at: row.int("updated_at")?,
    })
}

/// A table that a search found, with its columns.
pub struct TableHit {
    pub id: TableId,
    /// `database.table`
    pub name: String,
    pub connector: String,
    pub comment: String,
    pub columns: Vec<ResolvedColumn>,
}

/// The best first: of that name, with a column of that name, beginning so, holding it anywhere.
pub async fn search(store: &Store, sight: &Sight, query: &str, limit: u32) -> Result<Vec<TableHit>> {
    let word = escaped(query);
    let sql = concat!(
        "SELECT s.id, d.name || '.' || s.name AS full_name, s.connector, s.comment, s.resolved \
         FROM (SELECT x.table_id, x.words, CASE WHEN x.words LIKE $7 ESCAPE '\\' THEN 0 \
         WHEN x.words LIKE $8 ESCAPE '\\' THEN 1 WHEN x.words LIKE $9 ESCAPE '\\' THEN 2 ELSE 3 END AS place \
         FROM table_search x JOIN stream_tables v ON v.id = x.table_id \
         WHERE x.team_id = $1 AND x.words LIKE $6 ESCAPE '\\' AND ",
        visible!("v", "table_id"),
        " ORDER BY place, x.words LIMIT $10) p \
         JOIN stream_tables s ON s.id = p.table_id JOIN table_databases d ON d.id = s.database_id \
         ORDER BY p.place, p.words"
    );
    let rows = with_sight(sqlx::query(sql), sight)
        .bind(format!("%{word}%"))
        .bind(format!("\n{word}\n%"))
        .bind(format!("%\n{word}\n%"))
        .bind(format!("\n{word}%"))
        .bind(i64::from(limit))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(TableHit {
                id: row.parsed("id")?,
                name: row.text("full_name")?,
                connector: row.text("connector")?,
                comment: row.text("comment")?,
                columns: row.json("resolved")?,
            })
        })
        .collect()
}

/// Every tag of the team's tables that these eyes see.
pub async fn tags(store: &Store, sight: &Sight) -> Result<Vec<String>> {
    let sql = concat!(
        "SELECT DISTINCT t.tag FROM table_tags t JOIN stream_tables s ON s.id = t.table_id WHERE t.team_id = $1 AND ",
        visible!("s", "table_id"),
        " ORDER BY t.tag LIMIT 500"
    );
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.text("tag")).collect()
}

/// One line each, so that a whole name can be told from a part of one.
fn words_of(table: &TableRow) -> String {
    let draft = &table.draft;
    let mut lines = vec![draft.name.clone(), format!("{}.{}", draft.database, draft.name)];
    lines.extend([&draft.connector, &draft.comment, &table.owner, &table.topic].map(String::clone));
    lines.extend(table.tags.iter().chain(&table.sharers).cloned());
    for column in &table.resolved {
        lines.extend([column.name.clone(), column.comment.clone()]);
    }
    lines.retain(|line| !line.is_empty());
    format!("\n{}\n", lines.join("\n").to_lowercase())
}

/// What finds the table, as it is now.
pub(super) async fn write(tx: &mut Tx, table: &TableRow) -> Result<()> {
    let id = table.id.to_string();
    sqlx::query("DELETE FROM table_search WHERE table_id = $1").bind(id.clone()).execute(&mut **tx).await?;
    sqlx::query("INSERT INTO table_search (table_id, team_id, words) VALUES ($1, $2, $3)")
        .bind(id.clone())
        .bind(table.team.to_string())
        .bind(words_of(table))
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM table_tags WHERE table_id = $1").bind(id.clone()).execute(&mut **tx).await?;
    for tag in &table.tags {
        sqlx::query("INSERT INTO table_tags (table_id, team_id, tag) VALUES ($1, $2, $3)")
            .bind(id.clone())
            .bind(table.team.to_string())
            .bind(tag.clone())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Tables from before there was a search of this kind; called at every start, and at once done when there are none.
pub async fn catch_up(store: &Store) -> Result<()> {
    loop {
        let done = transact!(store, tx => {
            let rows = sqlx::query("SELECT id, team_id FROM stream_tables WHERE column_count < 0 LIMIT $1")
                .bind(AT_ONCE)
                .fetch_all(&mut **tx)
                .await?;
            for row in &rows {
                if let Some(found) = table::get_in(tx, row.parsed("team_id")?, row.parsed("id")?).await? {
                    table::update_in_place(tx, &found).await?;
                }
            }
            Ok(rows.is_empty())
        })?;
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_patterns_are_looked_for_as_they_are() {
        assert_eq!(contains("User_ID"), "%user\\_id%");
        assert_eq!(contains("100%\\"), "%100\\%\\\\%");
    }

    #[test]
    fn figures_stand_from_the_largest_unless_reversed() {
        assert_eq!(order_by(TableOrder::Changed, Direction::Usual), "d.name, s.updated_at DESC, s.name");
        assert_eq!(order_by(TableOrder::Changed, Direction::Reversed), "d.name, s.updated_at ASC, s.name");
        assert_eq!(order_by(TableOrder::Name, Direction::Usual), "d.name, s.name ASC, s.name");
    }
}

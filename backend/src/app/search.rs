//! One search over a team's objects, for the palette and the top bar.

use millrace_wire::search::SearchHit;

use crate::access::identity::TeamCaller;
use crate::error::Result;
use crate::state::App;
use crate::store;

const MOST_HITS: usize = 50;
const MOST_TABLES: u32 = 100;

/// How well a hit fits; smaller is better.
fn rank(hit: &SearchHit, query: &str) -> Option<u8> {
    let (title, detail) = (hit.title.to_lowercase(), hit.detail.to_lowercase());
    let own_name = title.rsplit('.').next().unwrap_or(&title);
    if own_name == query || title == query {
        Some(0)
    } else if own_name.starts_with(query) || title.starts_with(query) {
        Some(1)
    } else if title.contains(query) {
        Some(2)
    } else if detail.contains(query) {
        Some(3)
    } else {
        None
    }
}

/// Best first. An empty query finds nothing.
pub async fn search(app: &App, caller: &TeamCaller, query: &str) -> Result<Vec<SearchHit>> {
    let query = query.trim().to_lowercase();
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(u8, SearchHit)> = all(app, caller, &query)
        .await?
        .into_iter()
        .filter_map(|hit| rank(&hit, &query).map(|rank| (rank, hit)))
        .collect();
    found.sort_by(|(left_rank, left), (right_rank, right)| {
        (left_rank, left.title.len(), &left.title).cmp(&(right_rank, right.title.len(), &right.title))
    });
    found.truncate(MOST_HITS);
    Ok(found.into_iter().map(|(_, hit)| hit).collect())
}

/// Of jobs, tables and columns only those that contain the query, as far as they fit: there may be thousands. Of the rest
/// all that there is.
async fn all(app: &App, caller: &TeamCaller, query: &str) -> Result<Vec<SearchHit>> {
    let (team, sight, base) = (caller.team, caller.sight(), format!("/t/{}", caller.slug));
    let mut hits = Vec::new();
    let mut add = |kind: &str, id: String, title: String, detail: String, path: String| {
        hits.push(SearchHit { kind: kind.to_owned(), id, title, detail, href: format!("{base}/{path}") });
    };
    for table in store::table_search::search(&app.store, &sight, query, MOST_TABLES).await? {
        for column in &table.columns {
            let detail = format!("{} in {}", column.data_type, table.name);
            let detail = if column.comment.is_empty() { detail } else { format!("{detail}: {}", column.comment) };
            add("column", table.id.to_string(), column.name.clone(), detail, format!("tables/{}", table.id));
        }
        let detail = if table.comment.is_empty() { table.connector } else { table.comment };
        add("table", table.id.to_string(), table.name, detail, format!("tables/{}", table.id));
    }
    for job in store::job_list::search(&app.store, &sight, query, MOST_HITS as u64).await? {
        let detail = if job.description.is_empty() { job.tags.join(" ") } else { job.description };
        add("job", job.id.to_string(), job.name, detail, format!("jobs/{}/overview", job.id));
    }
    for (function, newest) in store::function::list(&app.store, team).await? {
        let detail = if function.remark.is_empty() { newest.signature } else { function.remark };
        add("function", function.id.to_string(), function.name, detail, format!("functions/{}", function.id));
    }
    for connection in store::connection::list(&app.store, team).await? {
        let path = format!("connections/{}", connection.id);
        add("connection", connection.id.to_string(), connection.name, connection.description, path);
    }
    for database in store::database::list(&app.store, &sight).await? {
        let path = format!("tables?database={}", database.name);
        add("database", database.id.to_string(), database.name, database.description, path);
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_name_counts_most() {
        let hit = |title: &str, detail: &str| SearchHit {
            kind: "table".into(),
            id: String::new(),
            title: title.into(),
            detail: detail.into(),
            href: String::new(),
        };
        assert_eq!(rank(&hit("main.orders", ""), "orders"), Some(0));
        assert_eq!(rank(&hit("main.orders_eu", ""), "orders"), Some(1));
        assert_eq!(rank(&hit("main.all_orders", ""), "orders"), Some(2));
        assert_eq!(rank(&hit("main.x", "all orders"), "orders"), Some(3));
        assert_eq!(rank(&hit("main.x", ""), "orders"), None);
    }
}

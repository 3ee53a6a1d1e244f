//! A single table as its file, and back.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use millrace_wire::connection::Connection;
use millrace_wire::table::{Table, TableSummary};
use yaml_serde::Value;

use super::super::client::Client;
use super::canonical::{self, TableFile, placeholders};
use super::item::{Item, Key, Kind, key_of};
use super::plan::{Action, Step};
use super::remote::Remote;
use super::variables::Variables;

/// As `export` writes it.
pub(in crate::cli) async fn text(client: &Client, table: &Table) -> anyhow::Result<String> {
    let connections: Vec<Connection> = client.all(&client.team_path("/connections")).await?;
    let own = connections.into_iter().find(|connection| Some(connection.id) == table.draft.connection);
    canonical::write(&TableFile::of(table, own.map(|connection| connection.name)))
}

/// What a file is to bring about.
pub(in crate::cli) struct Wanted<'a> {
    pub(in crate::cli) path: &'a Path,
    /// `database.table`, where the file does not lie as `export` puts it.
    pub(in crate::cli) name: Option<&'a str>,
    pub(in crate::cli) values: &'a [String],
    pub(in crate::cli) accept_breaking: bool,
}

/// The table's name and what was done: `created`, `changed`, or `left` where it is the same.
pub(in crate::cli) async fn apply(client: &Client, wanted: Wanted<'_>) -> anyhow::Result<(String, &'static str)> {
    let variables = Variables::read(wanted.values, None)?;
    let text = std::fs::read_to_string(wanted.path);
    let text = text.with_context(|| format!("{} cannot be read", wanted.path.display()))?;
    let name = match wanted.name {
        Some(name) => name.to_owned(),
        None => name_of(wanted.path)?,
    };
    let item = item(&name, &text, &variables).with_context(|| wanted.path.display().to_string())?;
    let tables: Vec<TableSummary> = client.all(&client.team_path("/tables")).await?;
    let known = tables.iter().find(|table| format!("{}.{}", table.database, table.name) == name);
    let mut remote = Remote::default();
    remote.accept_breaking = wanted.accept_breaking;
    let before = remote.read_for_table(client, known.map(|table| table.id)).await?;
    let same = before.is_some_and(|before| before == item.yaml) && item.secrets.is_empty();
    let action = match (known, same) {
        (None, _) => Action::Create,
        (Some(_), true) => Action::Same,
        (Some(_), false) => Action::Change,
    };
    if action != Action::Same {
        let step = Step::of(action, item);
        remote.carry_out(client, &step, &variables).await?;
    }
    Ok((name, action.done()))
}

/// From `…/tables/<database>/<table>.yaml`.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let folder = path.parent().and_then(Path::parent).and_then(Path::file_name);
    let is_exported = folder.is_some_and(|folder| folder == Kind::Table.folder());
    let part = |path: Option<&Path>| path.and_then(Path::file_stem).and_then(|part| part.to_str()).map(str::to_owned);
    let parts = part(path.parent()).zip(part(Some(path))).filter(|_| is_exported);
    let key = parts.and_then(|(database, table)| key_of(&format!("{}/{database}/{table}", Kind::Table.folder())));
    key.map(|key| key.name).ok_or_else(|| anyhow!("name the table by --name <database>.<table>"))
}

fn item(name: &str, text: &str, variables: &Variables) -> anyhow::Result<Item> {
    let mut document: Value = canonical::read(text)?;
    variables.fill_in(&mut document)?;
    let mut file: TableFile = canonical::read(&canonical::write(&document)?)?;
    let usual = placeholders(name, file.secrets.keys());
    let secrets = std::mem::replace(&mut file.secrets, usual);
    let key = Key { kind: Kind::Table, name: name.to_owned() };
    Ok(Item { key, yaml: canonical::write(&file)?, sql: None, module: None, secrets })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_table_is_named_by_where_its_file_lies() {
        assert_eq!(name_of(Path::new("team/tables/shop/orders.yaml")).unwrap(), "shop.orders");
        assert!(name_of(Path::new("orders.yaml")).is_err());
        assert!(name_of(Path::new("shop/orders.yaml")).is_err());
    }
}

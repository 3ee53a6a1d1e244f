//! `millrace tables …`: over the public API.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use millrace_wire::ids::TableId;
use millrace_wire::table::{Table, TableSummary};

use super::agree::agreed;
use super::bad_records::BadRecords;
use super::client::Client;
use super::files::{WantedTable, apply_table, table_text};
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Tables {
    /// All tables of the team.
    List,
    /// A table as `export` writes it.
    Show(Named),
    /// The CREATE TABLE statement of a table.
    Ddl(Named),
    /// Make or change a table from its file.
    Apply(ApplyTable),
    /// Records that jobs could not decode, newest first.
    BadRecords(BadRecords),
    /// Delete a table; refused while jobs use it.
    Delete(DeleteTable),
}

#[derive(Args)]
pub(super) struct Named {
    /// database.table, the bare name where it is in main, or the id.
    table: String,
}

#[derive(Args)]
pub(super) struct ApplyTable {
    /// As `export` writes it: tables/<database>/<table>.yaml.
    file: PathBuf,
    /// database.table, where the file lies elsewhere.
    #[arg(long, value_name = "DATABASE.TABLE")]
    name: Option<String>,
    /// Change it also where that breaks a job or its compatibility mode.
    #[arg(long)]
    accept_breaking: bool,
    /// A value for `${name}` in the file. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
}

#[derive(Args)]
pub(super) struct DeleteTable {
    /// database.table, the bare name where it is in main, or the id.
    table: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Tables {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Tables::List => list(&client, format).await?,
            Tables::Show(named) => show(&client, &named.table, format).await?,
            Tables::Ddl(named) => ddl(&client, &named.table, format).await?,
            Tables::Apply(apply) => apply.run(&client, format).await?,
            Tables::BadRecords(records) => records.run(&client, format).await?,
            Tables::Delete(delete) => delete.run(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<TableSummary>> {
    client.all(&client.team_path("/tables")).await
}

pub(super) async fn path_of(client: &Client, wanted: &str) -> anyhow::Result<String> {
    if let Ok(id) = wanted.parse::<TableId>() {
        return Ok(client.team_path(&format!("/tables/{id}")));
    }
    let name = if wanted.contains('.') { wanted.to_owned() } else { format!("main.{wanted}") };
    let tables = all(client).await?;
    let found = tables.iter().find(|table| format!("{}.{}", table.database, table.name) == name);
    let found = found.ok_or_else(|| anyhow!("there is no table '{wanted}'"))?;
    Ok(client.team_path(&format!("/tables/{}", found.id)))
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let tables = all(client).await?;
    if format == Output::Json {
        return output::json(&tables);
    }
    let row = |table: &TableSummary| {
        let name = format!("{}.{}", table.database, table.name);
        let (columns, jobs) = (table.columns.to_string(), (table.producers + table.consumers).to_string());
        vec![name, table.connector.clone(), columns, jobs, table.owner.clone(), table.id.to_string()]
    };
    let rows: Vec<Vec<String>> = tables.iter().map(row).collect();
    output::table(&["NAME", "CONNECTOR", "COLUMNS", "JOBS", "OWNER", "ID"], &rows);
    Ok(())
}

async fn get(client: &Client, wanted: &str) -> anyhow::Result<Table> {
    client.get(&path_of(client, wanted).await?, &[]).await
}

async fn show(client: &Client, wanted: &str, format: Output) -> anyhow::Result<()> {
    let table = get(client, wanted).await?;
    match format {
        Output::Json => output::json(&table)?,
        Output::Text => print!("{}", table_text(client, &table).await?),
    }
    Ok(())
}

async fn ddl(client: &Client, wanted: &str, format: Output) -> anyhow::Result<()> {
    let ddl = get(client, wanted).await?.ddl;
    match format {
        Output::Json => output::json(&serde_json::json!({ "ddl": ddl }))?,
        Output::Text => println!("{}", ddl.trim_end()),
    }
    Ok(())
}

impl ApplyTable {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let wanted = WantedTable {
            path: &self.file,
            name: self.name.as_deref(),
            values: &self.variables,
            accept_breaking: self.accept_breaking,
        };
        let (table, done) = apply_table(client, wanted).await?;
        match format {
            Output::Json => output::json(&serde_json::json!({ "table": table, "done": done }))?,
            Output::Text => println!("{table}: {done}"),
        }
        Ok(())
    }
}

impl DeleteTable {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = path_of(client, &self.table).await?;
        if !self.yes && !agreed(&format!("Delete the table {}?", self.table), "nothing was deleted")? {
            bail!("nothing was deleted");
        }
        client.delete(&path).await?;
        eprintln!("{}: deleted", self.table);
        Ok(())
    }
}

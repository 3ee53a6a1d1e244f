//! `millrace connections …`: over the public API. Secrets are never shown.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use millrace_wire::connection::{Connection, ConnectionTest};

use super::agree::agreed;
use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Connections {
    /// All connections of the team.
    List,
    /// A connection with its options, and the names of its secrets.
    Show(Named),
    /// Try to reach what a connection names; ends with 1 where that fails.
    Test(Named),
    /// Delete a connection; refused while tables use it.
    Delete(DeleteConnection),
}

#[derive(Args)]
pub(super) struct Named {
    /// Name or id.
    connection: String,
}

#[derive(Args)]
pub(super) struct DeleteConnection {
    /// Name or id.
    connection: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Connections {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Connections::List => list(&client, format).await?,
            Connections::Show(named) => show(&client, &named.connection, format).await?,
            Connections::Test(named) => return test(&client, &named.connection, format).await,
            Connections::Delete(delete) => delete.run(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<Connection>> {
    client.all(&client.team_path("/connections")).await
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<Connection> {
    let found = all(client).await?.into_iter().find(|one| one.name == wanted || one.id.to_string() == wanted);
    found.ok_or_else(|| anyhow!("there is no connection '{wanted}'"))
}

fn path_of(client: &Client, connection: &Connection) -> String {
    client.team_path(&format!("/connections/{}", connection.id))
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let connections = all(client).await?;
    if format == Output::Json {
        return output::json(&connections);
    }
    let row = |one: &Connection| {
        vec![
            one.name.clone(),
            one.kind.to_string(),
            one.tables.to_string(),
            one.description.clone(),
            one.id.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = connections.iter().map(row).collect();
    output::table(&["NAME", "KIND", "TABLES", "DESCRIPTION", "ID"], &rows);
    Ok(())
}

async fn show(client: &Client, wanted: &str, format: Output) -> anyhow::Result<()> {
    let connection = find(client, wanted).await?;
    if format == Output::Json {
        return output::json(&connection);
    }
    let about = [
        ("name", connection.name.clone()),
        ("kind", connection.kind.to_string()),
        ("description", connection.description.clone()),
        ("tables", connection.tables.to_string()),
        ("id", connection.id.to_string()),
    ];
    let about = about.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    let options = connection.options.into_iter().map(|(name, value)| vec![name, value]);
    let secrets = connection.secrets_set.into_iter().map(|name| vec![name, "(stored)".to_owned()]);
    output::table(&["NAME", "VALUE"], &about.chain(options).chain(secrets).collect::<Vec<_>>());
    Ok(())
}

async fn test(client: &Client, wanted: &str, format: Output) -> Outcome {
    let connection = find(client, wanted).await?;
    let path = format!("{}/test", path_of(client, &connection));
    let tested: ConnectionTest = client.post(&path, &serde_json::json!({})).await?;
    match format {
        Output::Json => output::json(&tested)?,
        Output::Text => {
            let word = |ok: bool| if ok { "ok" } else { "failed" }.to_owned();
            let row = |step: &millrace_wire::connection::TestStep| {
                vec![step.name.clone(), word(step.ok), step.detail.clone()]
            };
            output::table(&["STEP", "OUTCOME", "DETAIL"], &tested.steps.iter().map(row).collect::<Vec<_>>());
        }
    }
    Ok(if tested.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl DeleteConnection {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let connection = find(client, &self.connection).await?;
        if !self.yes && !agreed(&format!("Delete the connection {}?", connection.name), "nothing was deleted")? {
            bail!("nothing was deleted");
        }
        client.delete(&path_of(client, &connection)).await?;
        eprintln!("{}: deleted", connection.name);
        Ok(())
    }
}

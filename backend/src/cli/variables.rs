//! `millrace variables …`: over the public API. Secrets go in and never come out.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use millrace_wire::variable::{Variable, VariableDraft};

use super::agree::agreed;
use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Variables {
    /// All variables of the team.
    List,
    /// Make a variable or change its value.
    Set(Set),
    /// Delete a variable.
    Delete(Delete),
}

#[derive(Args)]
pub(super) struct Set {
    name: String,
    /// `-` reads it from standard input, where no list of processes shows it.
    value: String,
    /// It is shown to nobody from then on.
    #[arg(long)]
    secret: bool,
    #[arg(long)]
    description: Option<String>,
}

#[derive(Args)]
pub(super) struct Delete {
    name: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Variables {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Variables::List => list(&client, format).await?,
            Variables::Set(set) => set.run(&client, format).await?,
            Variables::Delete(delete) => delete.run(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<Variable>> {
    client.all(&client.team_path("/variables")).await
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let variables = all(client).await?;
    if format == Output::Json {
        return output::json(&variables);
    }
    let row = |one: &Variable| {
        let value = if one.secret { "(secret)".to_owned() } else { one.value.clone() };
        vec![one.name.clone(), value, one.description.clone(), one.updated_by.clone()]
    };
    let rows: Vec<Vec<String>> = variables.iter().map(row).collect();
    output::table(&["NAME", "VALUE", "DESCRIPTION", "CHANGED BY"], &rows);
    Ok(())
}

impl Set {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let value = match self.value.as_str() {
            "-" => std::io::read_to_string(std::io::stdin())?.trim_end_matches('\n').to_owned(),
            value => value.to_owned(),
        };
        let there = all(client).await?.into_iter().find(|one| one.name == self.name);
        let kept = |text: fn(&Variable) -> String| there.as_ref().map(text).unwrap_or_default();
        let draft = VariableDraft {
            name: self.name,
            value: Some(value),
            // A secret stays one.
            secret: self.secret || there.as_ref().is_some_and(|one| one.secret),
            description: self.description.unwrap_or_else(|| kept(|one| one.description.clone())),
        };
        let path = client.team_path("/variables");
        let set: Variable = match &there {
            Some(one) => client.put(&format!("{path}/{}", one.id), &draft).await?,
            None => client.post(&path, &draft).await?,
        };
        if format == Output::Json {
            return output::json(&set);
        }
        println!("{}: {}", set.name, if there.is_some() { "changed" } else { "made" });
        Ok(())
    }
}

impl Delete {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let found = all(client).await?.into_iter().find(|one| one.name == self.name);
        let variable = found.ok_or_else(|| anyhow!("there is no variable '{}'", self.name))?;
        if !self.yes && !agreed(&format!("Delete the variable {}?", variable.name), "nothing was deleted")? {
            bail!("nothing was deleted");
        }
        client.delete(&client.team_path(&format!("/variables/{}", variable.id))).await?;
        eprintln!("{}: deleted", variable.name);
        Ok(())
    }
}

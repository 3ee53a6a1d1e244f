//! `millrace functions …`: over the public API.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use millrace_wire::user_function::UserFunctionSummary;

use super::agree::agreed;
use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Functions {
    /// All functions of the team.
    List,
    /// Bring a WebAssembly module: a new function, or its next version.
    Upload(Upload),
    /// Delete a function; refused while jobs use it.
    Delete(Delete),
}

#[derive(Args)]
pub(super) struct Upload {
    /// The function's name in SQL.
    name: String,
    /// The module.
    file: PathBuf,
    /// The function of the module, where it has several.
    #[arg(long)]
    entry: Option<String>,
    #[arg(long)]
    remark: Option<String>,
    /// Make the next version of a function that is there.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Args)]
pub(super) struct Delete {
    name: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Functions {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Functions::List => list(&client, format).await?,
            Functions::Upload(upload) => upload.run(&client).await?,
            Functions::Delete(delete) => delete.run(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<UserFunctionSummary>> {
    client.all(&client.team_path("/functions")).await
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let functions = all(client).await?;
    if format == Output::Json {
        return output::json(&functions);
    }
    let row = |one: &UserFunctionSummary| {
        vec![
            one.name.clone(),
            one.kind.to_string(),
            one.signature.clone(),
            one.version.to_string(),
            one.jobs.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = functions.iter().map(row).collect();
    output::table(&["NAME", "KIND", "SIGNATURE", "VERSION", "JOBS"], &rows);
    Ok(())
}

impl Upload {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let module = std::fs::read(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))?;
        let mut query = vec![("name", self.name.clone()), ("overwrite", self.overwrite.to_string())];
        query.extend(self.entry.map(|entry| ("entry", entry)));
        query.extend(self.remark.map(|remark| ("remark", remark)));
        client.upload(&client.team_path("/functions/modules"), &query, module).await?;
        eprintln!("{}: brought", self.name);
        Ok(())
    }
}

impl Delete {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let found = all(client).await?.into_iter().find(|one| one.name.eq_ignore_ascii_case(&self.name));
        let function = found.ok_or_else(|| anyhow!("there is no function '{}'", self.name))?;
        if !self.yes && !agreed(&format!("Delete the function {}?", function.name), "nothing was deleted")? {
            bail!("nothing was deleted");
        }
        client.delete(&client.team_path(&format!("/functions/{}", function.id))).await?;
        eprintln!("{}: deleted", function.name);
        Ok(())
    }
}

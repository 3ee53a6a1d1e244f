//! `millrace export` and `millrace apply`: a team as readable files, and back. All over the public API, so that nobody
//! can do more by files than in the console.
//!
//! A team's folder:
//! ```text
//! connections/<name>.yaml          secrets stand as ${…}
//! variables/<name>.yaml            likewise
//! databases/<name>.yaml
//! functions/<name>.yaml            and <name>.wasm beside it for a module
//! tables/<database>/<table>.yaml
//! jobs/<name>.yaml, <name>.sql
//! .millrace/<team>@<server>.json   what each object was when it was last written or applied
//! ```
//! The last one makes the comparison three-way: it tells a change of the file from one in the console.

mod canonical;
mod folder;
mod item;
mod job;
mod one_table;
mod plan;
mod remote;
mod team_variable;
mod variables;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::agree::agreed;
use super::client::Client;
use super::{Outcome, Output, output};
use folder::Folder;
pub(super) use one_table::{Wanted as WantedTable, apply as apply_table, text as table_text};
use plan::{Action, Choices, Plan};
use remote::Remote;
pub(super) use team_variable::{TeamVariable, read as read_team_variables};
use variables::Variables;

#[derive(Args)]
pub(super) struct Export {
    /// The folder to write; made when it is missing. Files of objects that are gone are removed.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Overwrite files that were changed since they were written or applied.
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
pub(super) struct Apply {
    /// The team's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
    /// Replace what was changed in the console meanwhile.
    #[arg(long)]
    overwrite: bool,
    /// Change tables also where that breaks a job or their compatibility mode.
    #[arg(long)]
    accept_breaking: bool,
    /// Delete objects that have no file, also those that no file ever stood for.
    #[arg(long)]
    prune: bool,
    /// A value for `${name}` in the files. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// A YAML file of such values, one for each environment.
    #[arg(long, value_name = "FILE")]
    variable_file: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        let folder = Folder::open(&self.folder, &client.place())?;
        let items = Remote::read(&client).await?.items;
        if !self.force {
            let edited = folder.edited()?;
            if !edited.is_empty() {
                bail!(
                    "these files were changed since they were written or applied: {}. Apply them, or use --force.",
                    edited.join(", ")
                );
            }
        }
        folder.write(&items)?;
        match format {
            Output::Json => output::json(&items.iter().map(|item| item.path()).collect::<Vec<_>>())?,
            Output::Text => eprintln!("{} object(s) written to {}", items.len(), self.folder.display()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Apply {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        let variables = Variables::read(&self.variables, self.variable_file.as_deref())?;
        let mut folder = Folder::open(&self.folder, &client.place())?;
        let wanted = folder.read(&variables)?;
        let mut remote = Remote::read(&client).await?;
        remote.accept_breaking = self.accept_breaking;
        let choices = Choices { overwrite: self.overwrite, prune: self.prune };
        let plan = Plan::make(wanted, &remote.items, &folder.base(), choices);
        match format {
            Output::Json => output::json(&plan.steps)?,
            Output::Text => plan.print(),
        }
        if plan.has_conflicts() {
            bail!("nothing was applied: export first and put your change on top, or use --overwrite");
        }
        if self.dry_run || !plan.does_something() {
            return Ok(ExitCode::SUCCESS);
        }
        if !self.yes && !agreed("Apply this?", "nothing was applied")? {
            bail!("nothing was applied");
        }
        // What stands the same on both sides is known from now on, whoever made it so.
        for (path, text) in plan.settled() {
            folder.remember(path, Some(text))?;
        }
        for step in plan.in_order() {
            if let Err(error) = remote.carry_out(&client, step, &variables).await {
                folder.save_base()?;
                return Err(error.context(format!("{} {}", step.action, step.path)));
            }
            let after = if step.action == Action::Delete { None } else { step.wanted.as_deref() };
            folder.remember(&step.path, after)?;
            if format == Output::Text {
                eprintln!("{} {}", step.action.done(), step.path);
            }
        }
        folder.save_base()?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `millrace members …`: over the public API.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use millrace_wire::team::{Member, Role, SetMember};

use super::agree::agreed;
use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Members {
    /// All members of the team with their roles.
    List,
    /// Give somebody who has an account a role in the team.
    Set(Set),
    /// Take somebody out of the team, with what they were given in it.
    Remove(Remove),
}

#[derive(Args)]
pub(super) struct Set {
    email: String,
    /// viewer, developer, operator or owner
    #[arg(value_parser = role)]
    role: Role,
}

#[derive(Args)]
pub(super) struct Remove {
    email: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

fn role(word: &str) -> Result<Role, String> {
    word.parse().map_err(|_| "the roles are viewer, developer, operator and owner".to_owned())
}

impl Members {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Members::List => list(&client, format).await?,
            Members::Set(set) => set.run(&client, format).await?,
            Members::Remove(remove) => remove.run(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<Member>> {
    client.all(&client.team_path("/members")).await
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let members = all(client).await?;
    if format == Output::Json {
        return output::json(&members);
    }
    let row = |one: &Member| vec![one.name.clone(), one.email.clone(), one.role.to_string()];
    output::table(&["NAME", "E-MAIL", "ROLE"], &members.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

impl Set {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let wish = SetMember { email: self.email, role: self.role, new_user: None };
        let member: Member = client.put(&client.team_path("/members"), &wish).await?;
        if format == Output::Json {
            return output::json(&member);
        }
        println!("{}: {}", member.email, member.role);
        Ok(())
    }
}

impl Remove {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let found = all(client).await?.into_iter().find(|one| one.email.eq_ignore_ascii_case(&self.email));
        let member = found.ok_or_else(|| anyhow!("{} is no member", self.email))?;
        if !self.yes && !agreed(&format!("Take {} out of the team?", member.email), "nobody was removed")? {
            bail!("nobody was removed");
        }
        client.delete(&client.team_path(&format!("/members/{}", member.user))).await?;
        eprintln!("{}: no member any more", member.email);
        Ok(())
    }
}

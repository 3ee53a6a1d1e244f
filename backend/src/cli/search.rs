//! `millrace search …`: what the console's search finds.

use std::process::ExitCode;

use clap::Args;
use millrace_wire::page::Page;
use millrace_wire::search::SearchHit;

use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Args)]
pub(super) struct Search {
    /// Part of a name, a description, a tag or a column.
    #[arg(required = true)]
    words: Vec<String>,
}

impl Search {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        let found: Page<SearchHit> = client.get(&client.team_path("/search"), &[("q", self.words.join(" "))]).await?;
        if format == Output::Json {
            output::json(&found.items)?;
        } else {
            let row = |hit: &SearchHit| vec![hit.kind.clone(), hit.title.clone(), hit.detail.clone(), hit.id.clone()];
            output::table(&["KIND", "NAME", "DETAIL", "ID"], &found.items.iter().map(row).collect::<Vec<_>>());
        }
        Ok(ExitCode::SUCCESS)
    }
}

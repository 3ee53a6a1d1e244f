//! `millrace validate`: what the editor would say about a script.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use millrace_wire::sql::{Diagnostic, Severity, Validate as Request, Validation};

use super::client::{Client, Credentials};
use super::script_variables::{ScriptVariables, line};
use super::{Outcome, Output, output, read_script};
use crate::engine::CatalogText;

#[derive(Args)]
pub(super) struct Validate {
    /// A file, or - for standard input.
    script: PathBuf,
    /// Without the server's tables, even when logged in: the script creates its own.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    variables: ScriptVariables,
}

impl Validate {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let sql = read_script(&self.script)?;
        let given = self.variables.read()?;
        let credentials = if self.local { None } else { Credentials::load()? };
        let validation = match credentials {
            Some(credentials) => {
                let client = Client::new(credentials)?;
                let path = client.team_path("/sql/validate");
                // What is not given here is filled in by the server, from the team's variables.
                let filled = given.fill_given(&sql);
                let request = Request { sql: filled.text().to_owned(), parallelism: None };
                filled.validation(client.post(&path, &request).await?)
            }
            None => match given.fill(&sql) {
                Ok(filled) => filled.validation(validate_here(filled.text())),
                Err(problems) => nothing_but(problems),
            },
        };
        let name = self.script.display().to_string();
        match format {
            Output::Json => output::json(&validation)?,
            Output::Text => {
                validation.diagnostics.iter().for_each(|diagnostic| println!("{}", line(&name, diagnostic)))
            }
        }
        let wrong = validation.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if format == Output::Text && !wrong {
            eprintln!("{name}: {} statement(s), no errors", validation.statements.len());
        }
        Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn validate_here(sql: &str) -> Validation {
    let catalog = CatalogText { default_database: "main".to_owned(), ..CatalogText::default() };
    crate::engine::front().validate(sql, &catalog, 1)
}

/// What stands there is not known, so nothing else can be said of the script.
fn nothing_but(diagnostics: Vec<Diagnostic>) -> Validation {
    Validation {
        diagnostics,
        graph: None,
        guarantee: None,
        statements: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        functions: Vec::new(),
    }
}

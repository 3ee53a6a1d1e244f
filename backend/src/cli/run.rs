//! `millrace run`: a script on this machine, without a server. Rows go to standard output, progress to standard error.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::script_variables::{ScriptVariables, line};
use super::{Outcome, Output, read_script};
use crate::engine::{Rows, run_here};

#[derive(Args)]
pub(super) struct Run {
    /// A file, or - for standard input.
    script: PathBuf,
    #[command(flatten)]
    variables: ScriptVariables,
}

impl Run {
    pub(super) fn run(self, format: Output) -> Outcome {
        let given = self.variables.read()?;
        let sql = read_script(&self.script)?;
        let name = self.script.display().to_string();
        let rows = match format {
            Output::Text => Rows::Text,
            Output::Json => Rows::Json,
        };
        match given.fill_for_run(&sql)? {
            Ok(filled) => run_here(&filled, &name, rows),
            Err(problems) => {
                problems.iter().for_each(|problem| eprintln!("{}", line(&name, problem)));
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

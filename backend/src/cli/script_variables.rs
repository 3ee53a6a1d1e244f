//! What `${name}` in a script stands for when it is checked or run on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use millrace_wire::sql::Diagnostic;

use super::files::{TeamVariable, read_team_variables};
use crate::parameter::{self, Filled, Value, Values};

#[derive(Args, Default)]
pub(super) struct ScriptVariables {
    /// What ${NAME} in the script stands for, as a variable of the team. May be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    given: Vec<String>,
    /// A variable's file as `export` writes it, or the folder of them; --var wins. May be given several times.
    #[arg(long = "variables", value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl ScriptVariables {
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.paths.is_empty()
    }

    pub(super) fn read(&self) -> anyhow::Result<Given> {
        let mut all = BTreeMap::new();
        for path in &self.paths {
            all.extend(read_team_variables(path)?);
        }
        for pair in &self.given {
            let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("'{pair}' is not NAME=VALUE"))?;
            if !parameter::is_name(name) {
                return Err(anyhow!("'{name}' cannot be the name of a variable"));
            }
            all.insert(name.to_owned(), TeamVariable::Plain(value.to_owned()));
        }
        Ok(Given(all))
    }
}

/// By name.
pub(super) struct Given(BTreeMap<String, TeamVariable>);

impl Given {
    fn values(&self) -> Values {
        let value = |variable: &TeamVariable| match variable {
            TeamVariable::Plain(value) => Value::Plain(value.clone()),
            TeamVariable::Secret(_) => Value::Secret,
        };
        self.0.iter().map(|(name, variable)| (name.clone(), value(variable))).collect()
    }

    /// With everything filled in, or what the server would say: `${name}` stays where a secret stands.
    pub(super) fn fill(&self, sql: &str) -> Result<Filled, Vec<Diagnostic>> {
        parameter::fill(sql, &self.values())
    }

    /// With what is given filled in; the rest is the server's.
    pub(super) fn fill_given(&self, sql: &str) -> Filled {
        parameter::fill_given(sql, &self.values())
    }

    /// Also with the values of secrets, for a run. Where they may stand was asked by `fill`.
    pub(super) fn fill_for_run(&self, sql: &str) -> anyhow::Result<Result<Filled, Vec<Diagnostic>>> {
        let filled = match self.fill(sql) {
            Ok(filled) => filled,
            Err(problems) => return Ok(Err(problems)),
        };
        let mut values = self.values();
        for name in filled.secrets() {
            let Some(TeamVariable::Secret(Some(value))) = self.0.get(name) else {
                return Err(anyhow!(
                    "the secret {name} needs a value; a variable of the environment keeps it out of the command line: \
                     MILLRACE_VAR_VARIABLE_{}",
                    name.to_uppercase()
                ));
            };
            values.insert(name.clone(), Value::Plain(value.clone()));
        }
        Ok(parameter::fill(sql, &values))
    }
}

/// As compilers write it, so that editors can jump there.
pub(super) fn line(name: &str, diagnostic: &Diagnostic) -> String {
    let place = diagnostic.span.as_ref().map_or(String::new(), |span| format!(":{}:{}", span.line, span.column));
    let hint = diagnostic.hint.as_ref().map_or(String::new(), |hint| format!("\n  hint: {hint}"));
    format!("{name}{place}: {}[{}]: {}{hint}", diagnostic.severity, diagnostic.code, diagnostic.message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn given(pairs: &[&str]) -> Given {
        let given = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        ScriptVariables { given, paths: Vec::new() }.read().unwrap()
    }

    #[test]
    fn what_is_not_given_is_the_servers_error() {
        let problems = given(&["size=5"]).fill("SELECT ${size},\n ${sise}").unwrap_err();
        assert_eq!((problems.len(), problems[0].code.as_str()), (1, parameter::UNKNOWN_VARIABLE));
        assert_eq!(problems[0].hint.as_deref(), Some("Did you mean ${size}?"));
        assert_eq!(problems[0].span.as_ref().map(|span| span.line), Some(2));
        let wrong = ScriptVariables { given: vec!["size".to_owned()], paths: Vec::new() };
        assert!(wrong.read().is_err());
    }

    #[test]
    fn a_server_fills_in_the_rest() {
        let filled = given(&["size=5"]).fill_given("SELECT ${size}, ${other:-1}, '$${kept}', ${mine}");
        assert_eq!(filled.text(), "SELECT 5, ${other:-1}, '$${kept}', ${mine}");
    }

    #[test]
    fn a_run_needs_the_values_of_its_secrets() {
        let sql = "CREATE TABLE t (a INT) WITH ('connector' = 'postgres', 'password' = '${token}')";
        let with = |value: Option<&str>| {
            let secret = TeamVariable::Secret(value.map(str::to_owned));
            Given(BTreeMap::from([("token".to_owned(), secret)]))
        };
        let filled = with(Some("it's")).fill_for_run(sql).unwrap().unwrap();
        assert!(filled.text().ends_with("'password' = 'it''s')"), "{}", filled.text());
        let error = with(None).fill_for_run(sql).unwrap_err().to_string();
        assert!(error.contains("MILLRACE_VAR_VARIABLE_TOKEN"), "{error}");
        assert!(with(Some("x")).fill_for_run("SELECT '${token}'").unwrap().is_err(), "not outside of a credential");
    }
}

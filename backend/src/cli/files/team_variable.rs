//! The variables of a team from their files, for scripts that are checked and run without a server.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use yaml_serde::Value;

use super::canonical::{self, VALUE, VariableFile};
use super::item::{Kind, key_of};
use super::variables::Variables;

/// What a file says that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum TeamVariable {
    Plain(String),
    /// With its value, where one is at hand: `MILLRACE_VAR_<NAME>` in the environment.
    Secret(Option<String>),
}

/// `path`: `variables/<name>.yaml`, or a folder of such files, as `export` writes them.
pub(in crate::cli) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, TeamVariable>> {
    let variables = Variables::read(&[], None)?;
    if !path.is_dir() {
        return Ok(BTreeMap::from([read_one(path, &variables)?]));
    }
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "yaml") {
            let (name, variable) = read_one(&file, &variables)?;
            all.insert(name, variable);
        }
    }
    if all.is_empty() {
        bail!("{} holds no file of a variable: nothing like <name>.yaml is there", path.display());
    }
    Ok(all)
}

fn read_one(path: &Path, variables: &Variables) -> anyhow::Result<(String, TeamVariable)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let variable = parse(&text, variables).with_context(|| path.display().to_string())?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let key = key_of(&format!("{}/{stem}", Kind::Variable.folder()));
    let key = key.with_context(|| format!("{}: the name of this file is not one of a variable", path.display()))?;
    Ok((key.name, variable))
}

fn parse(text: &str, variables: &Variables) -> anyhow::Result<TeamVariable> {
    let mut document: Value = canonical::read(text)?;
    variables.fill_in(&mut document)?;
    let file: VariableFile = canonical::read(&canonical::write(&document)?)?;
    Ok(match (file.secrets.get(VALUE), file.value) {
        (Some(placeholder), None) => TeamVariable::Secret(variables.value_of(placeholder).map(str::to_owned)),
        (None, Some(value)) => TeamVariable::Plain(value),
        _ => bail!("a variable has a value, or secrets with a value"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_file_is_a_value_or_a_secret() {
        let variables = Variables::of(&[("variable_token", "hush")]);
        let read = |text: &str| parse(text, &variables);
        assert_eq!(read("value: '100'").unwrap(), TeamVariable::Plain("100".to_owned()));
        let secret = read("secrets:\n  value: ${variable_token}").unwrap();
        assert_eq!(secret, TeamVariable::Secret(Some("hush".to_owned())));
        assert_eq!(read("secrets:\n  value: ${other}").unwrap(), TeamVariable::Secret(None));
        assert!(read("description: nothing").is_err() && read("values: '1'").is_err());
    }

    #[test]
    fn a_folder_names_them_by_their_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(super::read(folder.path()).is_err());
        std::fs::write(folder.path().join("least.yaml"), "value: '100'\n").unwrap();
        std::fs::write(folder.path().join("README.md"), "about").unwrap();
        let found = super::read(folder.path()).unwrap();
        assert_eq!(found, BTreeMap::from([("least".to_owned(), TeamVariable::Plain("100".to_owned()))]));
    }
}

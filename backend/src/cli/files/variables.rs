//! Values for `${name}` in the files: what differs between environments, and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use yaml_serde::Value;

/// A variable of the environment with this in front gives a value as well, for secrets above all.
const PREFIX: &str = "MILLRACE_VAR_";

#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// `given` wins over the file, and the file over the environment.
    pub(super) fn read(given: &[String], file: Option<&Path>) -> anyhow::Result<Variables> {
        let mut all: BTreeMap<String, String> = std::env::vars()
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase(), value)))
            .collect();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let values: BTreeMap<String, String> = yaml_serde::from_str(&text)
                .with_context(|| format!("{} must hold lines of name: value", path.display()))?;
            all.extend(values);
        }
        for pair in given {
            let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("'{pair}' is not NAME=VALUE"))?;
            all.insert(name.to_owned(), value.to_owned());
        }
        Ok(Variables(all))
    }

    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Variables {
        Variables(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a text that is a variable and nothing else.
    pub(super) fn value_of(&self, text: &str) -> Option<&str> {
        let name = text.strip_prefix("${")?.strip_suffix('}')?;
        self.0.get(name).map(String::as_str)
    }

    /// Every text of the document, but for those below `secrets`, which stay as they are: they are never compared.
    pub(super) fn fill_in(&self, document: &mut Value) -> anyhow::Result<()> {
        match document {
            Value::String(text) => *text = self.filled(text)?,
            Value::Sequence(items) => items.iter_mut().try_for_each(|item| self.fill_in(item))?,
            Value::Mapping(pairs) => {
                for (name, value) in pairs.iter_mut() {
                    if name.as_str() != Some("secrets") {
                        self.fill_in(value)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn filled(&self, text: &str) -> anyhow::Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            let Some(end) = from.find('}') else { break };
            let (name, after) = (&from[2..end], &from[end + 1..]);
            filled.push_str(before);
            match self.0.get(name) {
                Some(value) => filled.push_str(value),
                None => bail!("there is no value for ${{{name}}}; give one by --var {name}=…, or --variable-file"),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// In SQL only what is known is filled in: a script may have such signs of its own, and the names of the team's
    /// variables are left for the server.
    pub(super) fn fill_in_sql(&self, sql: &str, of_team: &BTreeSet<String>) -> String {
        let own = self.0.iter().filter(|(name, _)| !of_team.contains(*name));
        own.fold(sql.to_owned(), |sql, (name, value)| sql.replace(&format!("${{{name}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn texts_are_filled_in_and_secrets_are_left() {
        let variables = Variables::of(&[("prefix", "prod"), ("password", "hidden")]);
        let mut document: Value = yaml_serde::from_str(
            "options:\n  topic: ${prefix}.orders\nlist: [a, \"${prefix}${prefix}\"]\nsecrets:\n  p: ${password}\n",
        )
        .unwrap();
        variables.fill_in(&mut document).unwrap();
        let text = yaml_serde::to_string(&document).unwrap();
        assert_eq!(text, "options:\n  topic: prod.orders\nlist:\n- a\n- prodprod\nsecrets:\n  p: ${password}\n");
    }

    #[test]
    fn a_missing_value_is_told_by_name() {
        let mut document: Value = yaml_serde::from_str("a: x${nowhere}y").unwrap();
        let error = Variables::of(&[]).fill_in(&mut document).unwrap_err().to_string();
        assert!(error.contains("${nowhere}") && error.contains("--var nowhere="), "{error}");
        assert_eq!(Variables::of(&[]).filled("an open ${ stays").unwrap(), "an open ${ stays");
    }

    #[test]
    fn a_value_cannot_change_the_shape_of_the_document() {
        let variables = Variables::of(&[("v", "x\nsecrets: {a: b}")]);
        let mut document: Value = yaml_serde::from_str("a: ${v}").unwrap();
        variables.fill_in(&mut document).unwrap();
        assert_eq!(document["a"].as_str(), Some("x\nsecrets: {a: b}"));
        assert!(document.get("secrets").is_none());
    }

    #[test]
    fn sql_keeps_what_it_does_not_know() {
        let variables = Variables::of(&[("day", "2026-01-01"), ("token", "hush")]);
        let of_team = BTreeSet::from(["token".to_owned()]);
        assert_eq!(
            variables.fill_in_sql("SELECT '${day}', '${other}', '${token}'", &of_team),
            "SELECT '2026-01-01', '${other}', '${token}'",
            "what the team has is filled in by the server"
        );
    }
}

//! Scripts with their parameters filled in, by the team's variables of now or by those that a run started with.

use std::collections::BTreeMap;

use millrace_wire::error::{ErrorDomain, FieldError, Retry};
use millrace_wire::ids::{RunId, TeamId};
use millrace_wire::report::{ChangeKind, ReportedVariable};
use millrace_wire::sql::Diagnostic;
use millrace_wire::variable::ScriptParameter;

use super::sql::LONGEST_SCRIPT;
use super::variable;
use super::version::placed;
use crate::error::{Code, Error, Result};
use crate::parameter::{self, Filled, Use, Value, Values, What};
use crate::state::App;
use crate::store;
use crate::store::variable::StartedWith;

/// What was started with, by name.
pub(super) type Started = BTreeMap<String, StartedWith>;

pub(super) async fn values(app: &App, team: TeamId) -> Result<Values> {
    let rows = store::variable::list(&app.store, team).await?;
    let value = |secret: bool, value: String| if secret { Value::Secret } else { Value::Plain(value) };
    Ok(rows.into_iter().map(|row| (row.name, value(row.secret, row.value))).collect())
}

/// With the variables of now, or what is wrong with its parameters.
pub(super) async fn fill(app: &App, team: TeamId, sql: &str) -> Result<std::result::Result<Filled, Vec<Diagnostic>>> {
    if !parameter::has_parameters(sql) {
        return Ok(Ok(Filled::plain(sql)));
    }
    let filled = parameter::fill(sql, &values(app, team).await?);
    if filled.as_ref().is_ok_and(|filled| filled.text().len() > LONGEST_SCRIPT) {
        return Err(Error::field("sql", "With its variables filled in the script is longer than 512 KB."));
    }
    Ok(filled)
}

/// The same for what cannot go on without.
pub(super) async fn filled(app: &App, team: TeamId, sql: &str) -> Result<Filled> {
    fill(app, team, sql).await?.map_err(|problems| refusal(&problems))
}

/// `None` when its parameters are wrong: a script that is wrong has no plan.
pub(super) async fn if_right(app: &App, team: TeamId, sql: &str) -> Result<Option<Filled>> {
    Ok(fill(app, team, sql).await?.ok())
}

fn refusal(problems: &[Diagnostic]) -> Error {
    let messages: Vec<String> = problems.iter().map(placed).collect();
    let first = messages.first().cloned().unwrap_or_default();
    let hint = problems.first().and_then(|problem| problem.hint.clone());
    let details = messages.into_iter().map(|message| FieldError { field: "sql".to_owned(), message });
    let error = Error::new(Code::InvalidSql, ErrorDomain::User, Retry::AfterChange, first);
    let error = error.at("sql").details(details.collect());
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What a run of this script starts with.
pub(super) async fn started_with(app: &App, team: TeamId, script: &Filled) -> Result<Started> {
    let secrets = variable::opened_secrets(app, team, script.secrets()).await?;
    let with = |name: &String, used: &Use| match used {
        Use::Value(value) => StartedWith::Value { value: value.clone() },
        Use::Default(value) => StartedWith::Default { value: value.clone() },
        Use::Secret => {
            let secret = secrets.get(name).map(String::as_str).unwrap_or_default();
            StartedWith::Secret { digest: app.keys.digest("secret variable", secret) }
        }
    };
    Ok(script.uses().iter().map(|(name, used)| (name.clone(), with(name, used))).collect())
}

/// A run's script as it was started, however often it is tried again: with the values of its start. Secrets are opened
/// anew, as the credentials of connections are, so that a new password is taken over.
pub(super) async fn of_run(
    app: &App,
    team: TeamId,
    run: RunId,
    sql: &str,
) -> Result<(String, BTreeMap<String, String>)> {
    // Also a run that is older than variables: what looks like a parameter in its script is text.
    let Some(started) = store::variable::of_run(&app.store, run).await? else {
        return Ok((sql.to_owned(), BTreeMap::new()));
    };
    let value = |with: StartedWith| match with {
        StartedWith::Value { value } => Some(Value::Plain(value)),
        StartedWith::Default { .. } => None,
        StartedWith::Secret { .. } => Some(Value::Secret),
    };
    let values: Values = started.into_iter().filter_map(|(name, with)| Some((name, value(with)?))).collect();
    let filled = parameter::fill(sql, &values).map_err(|problems| refusal(&problems))?;
    let secrets = variable::opened_secrets(app, team, filled.secrets()).await?;
    Ok((filled.text().to_owned(), secrets))
}

/// What a start would use, beside what the run before it started with.
pub(super) fn reported(now: &Started, before: Option<&Started>) -> Vec<ReportedVariable> {
    let shown = |with: &StartedWith| match with {
        StartedWith::Value { value } | StartedWith::Default { value } => value.clone(),
        StartedWith::Secret { .. } => String::new(),
    };
    let is_secret = |with: &StartedWith| matches!(with, StartedWith::Secret { .. });
    let one = |(name, with): (&String, &StartedWith)| {
        let old = before.and_then(|before| before.get(name));
        let change = match (before, old) {
            (None, _) => None,
            (Some(_), None) => Some(ChangeKind::Added),
            // Whether a value comes from the variable or from the script makes no difference to the job.
            (Some(_), Some(old)) if is_secret(old) == is_secret(with) && shown(old) == shown(with) => {
                (is_secret(with) && old != with).then_some(ChangeKind::Changed)
            }
            (Some(_), Some(_)) => Some(ChangeKind::Changed),
        };
        ReportedVariable {
            name: name.clone(),
            secret: is_secret(with),
            value: shown(with),
            is_default: matches!(with, StartedWith::Default { .. }),
            change,
            before: old.map(shown).unwrap_or_default(),
        }
    };
    let gone = before.into_iter().flatten().filter(|(name, _)| !now.contains_key(*name));
    let gone = gone.map(|(name, with)| ReportedVariable {
        name: name.clone(),
        secret: is_secret(with),
        value: String::new(),
        is_default: false,
        change: Some(ChangeKind::Removed),
        before: shown(with),
    });
    now.iter().map(one).chain(gone).collect()
}

/// What the script uses, in the order in which it first stands there.
pub async fn parameters(app: &App, team: TeamId, sql: &str) -> Result<Vec<ScriptParameter>> {
    if sql.len() > LONGEST_SCRIPT {
        return Err(Error::field("sql", "The script is longer than 512 KB."));
    }
    let rows = store::variable::list(&app.store, team).await?;
    let lines = millrace_engine::sql::LineIndex::new(sql);
    let mut used: Vec<ScriptParameter> = Vec::new();
    for found in parameter::find(sql) {
        let What::Parameter { name, default } = found.what else { continue };
        let place = lines.wire(millrace_engine::sql::Span { start: found.span.start, end: found.span.end });
        if let Some(known) = used.iter_mut().find(|known| known.name == name) {
            known.places.push(place);
            continue;
        }
        let row = rows.iter().find(|row| row.name == name);
        let value = match row {
            Some(row) if row.secret => None,
            Some(row) => Some(row.value.clone()),
            None => default.clone(),
        };
        used.push(ScriptParameter {
            known: row.is_some(),
            secret: row.is_some_and(|row| row.secret),
            is_default: row.is_none() && default.is_some(),
            description: row.map(|row| row.description.clone()).unwrap_or_default(),
            name,
            value,
            places: vec![place],
        });
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_since_the_last_start_is_told() {
        let value = |value: &str| StartedWith::Value { value: value.to_owned() };
        let default = |value: &str| StartedWith::Default { value: value.to_owned() };
        let secret = |digest: &str| StartedWith::Secret { digest: digest.to_owned() };
        let map = |pairs: Vec<(&str, StartedWith)>| -> Started {
            pairs.into_iter().map(|(name, with)| (name.to_owned(), with)).collect()
        };
        let before = map(vec![
            ("a", value("1")),
            ("b", value("1")),
            ("c", secret("x")),
            ("d", secret("x")),
            ("e", default("1")),
            ("f", value("1")),
        ]);
        let now = map(vec![
            ("a", value("1")),
            ("b", value("2")),
            ("c", secret("x")),
            ("d", secret("y")),
            ("e", value("1")),
            ("g", value("1")),
        ]);
        let seen: Vec<_> = reported(&now, Some(&before)).into_iter().map(|one| (one.name, one.change)).collect();
        let expected = [
            ("a", None),
            ("b", Some(ChangeKind::Changed)),
            ("c", None),
            ("d", Some(ChangeKind::Changed)),
            ("e", None),
            ("g", Some(ChangeKind::Added)),
            ("f", Some(ChangeKind::Removed)),
        ];
        assert_eq!(seen, expected.map(|(name, change)| (name.to_owned(), change)));
        assert!(reported(&now, None).iter().all(|one| one.change.is_none()), "nothing to compare with");
        assert!(reported(&now, Some(&before)).iter().all(|one| !one.secret || one.value.is_empty()));
    }
}

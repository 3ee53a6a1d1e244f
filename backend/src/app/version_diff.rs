//! What two versions of a job, or a version and the draft, differ in: SQL, settings, tables, functions, plan.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::graph::{Graph, GraphNode};
use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::job::Version;
use millrace_wire::report::{ChangeKind, NamedChange, OperatorChange, VersionDiff};

use super::job;
use super::version::{self, Sketch, errors};
use crate::access::sight::Sight;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;

/// One side of a comparison.
pub(super) struct Side {
    /// `v3`, `draft`.
    pub(super) name: String,
    pub(super) version: Version,
    /// Why its plan is not there.
    pub(super) problems: Vec<String>,
}

/// `from`, `to`: numbers of versions, or `draft`.
pub async fn between(app: &App, sight: &Sight, id: JobId, from: &str, to: &str) -> Result<VersionDiff> {
    let (left, right) = (side(app, sight, id, "from", from).await?, side(app, sight, id, "to", to).await?);
    difference(Some(&left), &right)
}

async fn side(app: &App, sight: &Sight, id: JobId, field: &str, word: &str) -> Result<Side> {
    if word == "draft" || word.is_empty() {
        return draft(app, sight, id).await;
    }
    let number = word.parse().map_err(|_| Error::field(field, "Give the number of a version, or draft."))?;
    numbered(app, sight.team, id, number).await
}

pub(super) async fn numbered(app: &App, team: TeamId, id: JobId, number: u32) -> Result<Side> {
    job::row(app, team, id).await?;
    let version = store::version::get(&app.store, id, number).await?.ok_or_else(|| Error::not_found("version"))?;
    Ok(Side { name: format!("v{number}"), version, problems: Vec::new() })
}

pub(super) async fn draft(app: &App, sight: &Sight, id: JobId) -> Result<Side> {
    let row = job::row(app, sight.team, id).await?;
    let Sketch { version, validation } = version::sketch(app, sight, id, row.draft.sql, row.draft.settings).await?;
    Ok(Side { name: "draft".to_owned(), version, problems: errors(&validation) })
}

/// Without a left side everything is new, which is not told piece by piece.
pub(super) fn difference(from: Option<&Side>, to: &Side) -> Result<VersionDiff> {
    let Some(from) = from else {
        return Ok(VersionDiff {
            from: String::new(),
            to: to.name.clone(),
            sql_from: String::new(),
            sql_to: to.version.sql.clone(),
            settings: Vec::new(),
            tables: Vec::new(),
            functions: Vec::new(),
            plan: Vec::new(),
            problems: to.problems.clone(),
        });
    };
    let (left, right) = (&from.version, &to.version);
    let problems: Vec<String> = from.problems.iter().chain(&to.problems).cloned().collect();
    let functions = |version: &Version| {
        version.functions.iter().map(|(name, pinned)| (name.clone(), format!("v{}", pinned.version))).collect()
    };
    Ok(VersionDiff {
        from: from.name.clone(),
        to: to.name.clone(),
        sql_from: left.sql.clone(),
        sql_to: right.sql.clone(),
        settings: named(&settings(left)?, &settings(right)?),
        tables: named(&left.tables, &right.tables),
        functions: named(&functions(left), &functions(right)),
        // A script with errors has no plan: that is told as a problem, not as operators that went away.
        plan: if problems.is_empty() { plan(&left.graph, &right.graph) } else { Vec::new() },
        problems,
    })
}

/// Each setting as text, by its name on the wire.
fn settings(version: &Version) -> Result<BTreeMap<String, String>> {
    let value = serde_json::to_value(&version.settings)?;
    let fields = value.as_object().into_iter().flatten();
    Ok(fields.map(|(name, value)| (name.clone(), value.to_string())).collect())
}

fn named(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<NamedChange> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let change = |name: &&String| {
        let (left, right) = (from.get(*name), to.get(*name));
        let change = kind_of(left, right)?;
        let text = |side: Option<&String>| side.cloned().unwrap_or_default();
        Some(NamedChange { change, name: (*name).clone(), from: text(left), to: text(right) })
    };
    names.iter().filter_map(change).collect()
}

fn kind_of<T: PartialEq>(from: Option<T>, to: Option<T>) -> Option<ChangeKind> {
    match (from, to) {
        (None, Some(_)) => Some(ChangeKind::Added),
        (Some(_), None) => Some(ChangeKind::Removed),
        (Some(left), Some(right)) if left != right => Some(ChangeKind::Changed),
        _ => None,
    }
}

/// Operators by their ids, which stay the same as long as their state can; those that only moved by kind and name.
fn plan(from: &Graph, to: &Graph) -> Vec<OperatorChange> {
    let mut left: Vec<&GraphNode> = from.nodes.iter().collect();
    let mut right: Vec<&GraphNode> = to.nodes.iter().collect();
    let mut changes = Vec::new();
    let same_id: fn(&GraphNode, &GraphNode) -> bool = |a, b| a.id == b.id && a.kind == b.kind;
    let same_name: fn(&GraphNode, &GraphNode) -> bool = |a, b| a.kind == b.kind && a.name == b.name;
    for same in [same_id, same_name] {
        left.retain(|old| {
            let Some(place) = right.iter().position(|new| same(old, new)) else { return true };
            let new = right.remove(place);
            if words(old) != words(new) {
                changes.push(changed(ChangeKind::Changed, new, words(old), words(new)));
            }
            false
        });
    }
    changes.extend(left.into_iter().map(|old| changed(ChangeKind::Removed, old, words(old), String::new())));
    changes.extend(right.into_iter().map(|new| changed(ChangeKind::Added, new, String::new(), words(new))));
    changes
}

fn changed(change: ChangeKind, node: &GraphNode, from: String, to: String) -> OperatorChange {
    OperatorChange { change, kind: node.kind.clone(), name: node.name.clone(), from, to }
}

fn words(node: &GraphNode) -> String {
    let tasks = if node.parallelism == 1 { "1 task".to_owned() } else { format!("{} tasks", node.parallelism) };
    match node.detail.as_str() {
        "" => format!("{}, {tasks}", node.name),
        detail => format!("{}, {tasks}: {detail}", node.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, kind: &str, name: &str, detail: &str) -> GraphNode {
        let (id, kind, name, detail) = (id.to_owned(), kind.to_owned(), name.to_owned(), detail.to_owned());
        GraphNode { id, kind, name, detail, parallelism: 1, stateful: false, table: None }
    }

    fn graph(nodes: Vec<GraphNode>) -> Graph {
        Graph { nodes, edges: Vec::new() }
    }

    #[test]
    fn operators_are_told_apart_by_id_then_by_name() {
        let before = graph(vec![
            node("1", "Source", "orders", ""),
            node("2", "Aggregate", "k", "COUNT(*)"),
            node("3", "Calc", "filter", "a > 1"),
        ]);
        let after = graph(vec![
            node("1", "Source", "orders", ""),
            node("9", "Aggregate", "k", "SUM(n)"),
            node("4", "Join", "x", ""),
        ]);
        let seen: Vec<_> = plan(&before, &after).into_iter().map(|c| (c.change, c.kind)).collect();
        assert_eq!(
            seen,
            [
                (ChangeKind::Changed, "Aggregate".to_owned()),
                (ChangeKind::Removed, "Calc".to_owned()),
                (ChangeKind::Added, "Join".to_owned()),
            ]
        );
        assert!(plan(&before, &before).is_empty());
    }

    #[test]
    fn names_are_compared_on_both_sides() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let changes = named(&map(&[("a", "1"), ("b", "1"), ("c", "1")]), &map(&[("b", "2"), ("c", "1"), ("d", "1")]));
        let seen: Vec<_> =
            changes.iter().map(|c| (c.change, c.name.as_str(), c.from.as_str(), c.to.as_str())).collect();
        assert_eq!(
            seen,
            [
                (ChangeKind::Removed, "a", "1", ""),
                (ChangeKind::Changed, "b", "1", "2"),
                (ChangeKind::Added, "d", "", "1")
            ]
        );
    }
}

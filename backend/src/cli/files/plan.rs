//! What applying a folder would do: each object compared three ways, between the file, the server, and what both were
//! when the file was last written or applied.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::folder::hash;
use super::item::{Item, Key, Kind, path_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Create,
    Change,
    Delete,
    /// Both are the same.
    Same,
    /// Changed in the console, the file is as it was: left alone.
    Drift,
    /// On the server only, and no file ever stood for it: left alone.
    Unknown,
    /// Changed on both sides.
    Conflict,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Delete => "delete",
            Action::Same => "same",
            Action::Drift => "drift",
            Action::Unknown => "unknown",
            Action::Conflict => "conflict",
        })
    }
}

impl Action {
    pub(super) const fn done(self) -> &'static str {
        match self {
            Action::Create => "created",
            Action::Change => "changed",
            Action::Delete => "deleted",
            Action::Same | Action::Drift | Action::Unknown | Action::Conflict => "left",
        }
    }

    const fn acts(self) -> bool {
        matches!(self, Action::Create | Action::Change | Action::Delete)
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choices {
    /// The files win over what was changed in the console.
    pub(super) overwrite: bool,
    /// What has no file goes, also what never had one.
    pub(super) prune: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) path: String,
    /// Lines that go and come, with `-` and `+` in front.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) diff: String,
    #[serde(skip)]
    pub(super) key: Key,
    #[serde(skip)]
    pub(super) item: Option<Item>,
    /// The text of the file, for what is remembered after it.
    #[serde(skip)]
    pub(super) wanted: Option<String>,
}

impl Step {
    /// One that is not part of a plan.
    pub(super) fn of(action: Action, item: Item) -> Step {
        let (path, key, wanted) = (path_of(&item.key), item.key.clone(), Some(item.text()));
        Step { action, path, diff: String::new(), key, item: Some(item), wanted }
    }
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// `base`: by path, the hash of what an object was when its file was last written or applied.
    pub(super) fn make(
        wanted: Vec<Item>,
        existing: &[Item],
        base: &BTreeMap<String, String>,
        choices: Choices,
    ) -> Plan {
        let mut wanted: BTreeMap<Key, Item> = wanted.into_iter().map(|item| (item.key.clone(), item)).collect();
        let mut keys: Vec<Key> = existing.iter().map(|item| item.key.clone()).chain(wanted.keys().cloned()).collect();
        keys.sort();
        keys.dedup();
        let steps = keys.into_iter().map(|key| {
            let file = wanted.remove(&key);
            let server = existing.iter().find(|item| item.key == key);
            let path = path_of(&key);
            let (file_text, server_text) = (file.as_ref().map(Item::text), server.map(Item::text));
            let base = base.get(&path).map(String::as_str);
            let action = compare(file_text.as_deref(), server_text.as_deref(), base, choices);
            let shown = action.acts() || matches!(action, Action::Drift | Action::Conflict);
            let diff = match shown {
                true => {
                    difference(server_text.as_deref().unwrap_or_default(), file_text.as_deref().unwrap_or_default())
                }
                false => String::new(),
            };
            Step { action, path, diff, key, item: file, wanted: file_text }
        });
        Plan { steps: steps.collect() }
    }

    pub(super) fn has_conflicts(&self) -> bool {
        self.steps.iter().any(|step| step.action == Action::Conflict)
    }

    pub(super) fn does_something(&self) -> bool {
        self.steps.iter().any(|step| step.action.acts())
    }

    /// Objects that are the same on both sides, with their text.
    pub(super) fn settled(&self) -> impl Iterator<Item = (&str, &str)> {
        let same = self.steps.iter().filter(|step| step.action == Action::Same);
        same.filter_map(|step| Some((step.path.as_str(), step.wanted.as_deref()?)))
    }

    /// What is needed first is made first, and deleted last.
    pub(super) fn in_order(&self) -> Vec<&Step> {
        let of = |kind: Kind, deletes: bool| {
            let steps = self.steps.iter().filter(move |step| step.key.kind == kind && step.action.acts());
            steps.filter(move |step| (step.action == Action::Delete) == deletes)
        };
        let made = Kind::ALL.into_iter().flat_map(|kind| of(kind, false));
        let deleted = Kind::ALL.into_iter().rev().flat_map(|kind| of(kind, true));
        made.chain(deleted).collect()
    }

    pub(super) fn print(&self) {
        for step in self.steps.iter().filter(|step| step.action != Action::Same) {
            println!("{:8} {}", step.action.to_string(), step.path);
            step.diff.lines().for_each(|line| println!("         {line}"));
        }
        let count = |action: Action| self.steps.iter().filter(|step| step.action == action).count();
        if !self.does_something() && count(Action::Conflict) == 0 {
            println!("no change");
        }
        let counted = [
            (Action::Create, "to create"),
            (Action::Change, "to change"),
            (Action::Delete, "to delete"),
            (Action::Same, "the same"),
            (Action::Drift, "changed in the console"),
            (Action::Unknown, "without a file"),
            (Action::Conflict, "in conflict"),
        ];
        let words: Vec<String> = counted
            .into_iter()
            .filter(|(action, _)| count(*action) > 0)
            .map(|(action, words)| format!("{} {words}", count(action)))
            .collect();
        println!("{}", words.join(", "));
    }
}

fn compare(file: Option<&str>, server: Option<&str>, base: Option<&str>, choices: Choices) -> Action {
    let is_base = |text: &str| base == Some(hash(text).as_str());
    match (file, server) {
        (None, None) => Action::Same,
        // Gone from the server although its file was applied: somebody deleted it in the console.
        (Some(file), None) if base.is_some() && !choices.overwrite => {
            if is_base(file) {
                Action::Drift
            } else {
                Action::Conflict
            }
        }
        (Some(_), None) => Action::Create,
        (None, Some(_)) if base.is_none() => {
            if choices.prune {
                Action::Delete
            } else {
                Action::Unknown
            }
        }
        (None, Some(server)) if is_base(server) || choices.overwrite || choices.prune => Action::Delete,
        (None, Some(_)) => Action::Conflict,
        (Some(file), Some(server)) if file == server => Action::Same,
        (Some(_), Some(server)) if base.is_none() || is_base(server) || choices.overwrite => Action::Change,
        (Some(file), Some(_)) if is_base(file) => Action::Drift,
        (Some(_), Some(_)) => Action::Conflict,
    }
}

fn difference(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let mut text = String::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            similar::ChangeTag::Delete => '-',
            similar::ChangeTag::Insert => '+',
            similar::ChangeTag::Equal => continue,
        };
        text.push(sign);
        text.push_str(change.value().trim_end_matches('\n'));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: Kind, name: &str, yaml: &str) -> Item {
        Item {
            key: Key { kind, name: name.to_owned() },
            yaml: yaml.to_owned(),
            sql: None,
            module: None,
            secrets: BTreeMap::new(),
        }
    }

    fn judged(file: Option<&str>, server: Option<&str>, base: Option<&str>, choices: Choices) -> Action {
        compare(file, server, base.map(hash).as_deref(), choices)
    }

    #[test]
    fn three_ways() {
        let usual = Choices::default();
        for (file, server, base, expected) in [
            (Some("a"), None, None, Action::Create),
            (Some("a"), Some("a"), None, Action::Same),
            (Some("b"), Some("a"), None, Action::Change),
            (Some("b"), Some("a"), Some("a"), Action::Change),
            (Some("a"), Some("b"), Some("a"), Action::Drift),
            (Some("c"), Some("b"), Some("a"), Action::Conflict),
            (Some("b"), Some("b"), Some("a"), Action::Same),
            (None, Some("a"), Some("a"), Action::Delete),
            (None, Some("b"), Some("a"), Action::Conflict),
            (None, Some("a"), None, Action::Unknown),
            (Some("a"), None, Some("a"), Action::Drift),
            (Some("b"), None, Some("a"), Action::Conflict),
        ] {
            assert_eq!(judged(file, server, base, usual), expected, "{file:?} {server:?} {base:?}");
        }
    }

    #[test]
    fn the_files_can_be_made_to_win() {
        let files = Choices { overwrite: true, prune: false };
        assert_eq!(judged(Some("c"), Some("b"), Some("a"), files), Action::Change);
        assert_eq!(judged(Some("a"), Some("b"), Some("a"), files), Action::Change);
        assert_eq!(judged(Some("a"), None, Some("a"), files), Action::Create);
        assert_eq!(judged(None, Some("b"), Some("a"), files), Action::Delete);
        assert_eq!(judged(None, Some("b"), None, files), Action::Unknown, "only --prune takes what had no file");
        assert_eq!(judged(None, Some("b"), None, Choices { overwrite: false, prune: true }), Action::Delete);
    }

    #[test]
    fn what_is_needed_comes_first_and_goes_last() {
        let wanted = vec![item(Kind::Job, "j", "x"), item(Kind::Connection, "c", "x"), item(Kind::Table, "d.t", "x")];
        let existing = [item(Kind::Connection, "old", "x"), item(Kind::Table, "d.old", "x")];
        let plan = Plan::make(wanted, &existing, &BTreeMap::new(), Choices { overwrite: false, prune: true });
        let order: Vec<String> = plan.in_order().iter().map(|step| format!("{} {}", step.action, step.path)).collect();
        assert_eq!(
            order,
            [
                "create connections/c",
                "create tables/d/t",
                "create jobs/j",
                "delete tables/d/old",
                "delete connections/old"
            ]
        );
    }

    #[test]
    fn a_difference_shows_what_goes_and_what_comes() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), "-b\n+x\n");
    }
}

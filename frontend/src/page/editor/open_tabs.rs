//! The drafts that are open, remembered for each team.

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use serde::{Deserialize, Serialize};

use crate::theme::{recall, remember};

/// A job's draft, or with `None` the scratch, which is no job yet.
pub(super) type TabKey = Option<JobId>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenTab {
    pub(super) key: TabKey,
    pub(super) name: String,
    /// The draft is not what the newest version holds.
    #[serde(default)]
    pub(super) differs: bool,
}

#[derive(Clone, Copy)]
pub(super) struct OpenTabs {
    pub(super) list: RwSignal<Vec<OpenTab>>,
}

const KEY: &str = "millrace.editor.tabs.";

impl OpenTabs {
    pub(super) fn of_team(team: &str, scratch_name: &str) -> OpenTabs {
        let key = format!("{KEY}{team}");
        let kept = recall(&key).and_then(|text| serde_json::from_str::<Vec<OpenTab>>(&text).ok());
        let list = RwSignal::new(with_scratch(kept.unwrap_or_default(), scratch_name));
        Effect::new(move |_| {
            if let Ok(text) = list.with(serde_json::to_string) {
                remember(&key, &text);
            }
        });
        OpenTabs { list }
    }

    /// Opens a tab, or tells an open one its name.
    pub(super) fn name(&self, key: TabKey, name: &str, differs: bool) {
        let tab = OpenTab { key, name: name.to_owned(), differs };
        let is_there = self.list.with_untracked(|list| list.contains(&tab));
        if !is_there {
            self.list.update(|list| match list.iter_mut().find(|tab| tab.key == key) {
                Some(known) => *known = tab,
                None => list.insert(list.len().saturating_sub(1), tab),
            });
        }
    }

    /// Closes a tab and names the one to show instead.
    pub(super) fn close(&self, key: TabKey) -> TabKey {
        let mut next = None;
        self.list.update(|list| next = without(list, key));
        next
    }
}

/// The scratch stands last and never goes away.
fn with_scratch(mut list: Vec<OpenTab>, name: &str) -> Vec<OpenTab> {
    list.retain(|tab| tab.key.is_some());
    list.push(OpenTab { key: None, name: name.to_owned(), differs: false });
    list
}

fn without(list: &mut Vec<OpenTab>, key: TabKey) -> TabKey {
    let place = list.iter().position(|tab| tab.key == key && key.is_some())?;
    list.remove(place);
    let neighbour = list.get(place.saturating_sub(1)).or_else(|| list.first());
    neighbour.and_then(|tab| tab.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> TabKey {
        Some(JobId(uuid::Uuid::from_bytes([number; 16])))
    }

    fn tab(key: TabKey) -> OpenTab {
        OpenTab { key, name: String::new(), differs: false }
    }

    #[test]
    fn closing_shows_the_neighbour() {
        let mut list = vec![tab(key(1)), tab(key(2)), tab(None)];
        assert_eq!(without(&mut list, key(2)), key(1));
        assert_eq!(without(&mut list, key(1)), None);
        assert_eq!(list, [tab(None)]);
    }

    #[test]
    fn the_scratch_cannot_be_closed() {
        let mut list = with_scratch(vec![tab(None), tab(key(1)), tab(None)], "scratch");
        assert_eq!(list.len(), 2);
        without(&mut list, None);
        assert_eq!(list.len(), 2);
    }
}

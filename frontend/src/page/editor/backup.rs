//! What was typed and not yet saved, kept in the browser for each draft, in case the page goes away before it is saved.
//!
//! Promises: written with each change, removed once the server has it, and never put into a draft unless somebody says
//! so.

use millrace_wire::ids::JobId;
use millrace_wire::job::{Draft, JobSettings};
use serde::{Deserialize, Serialize};

use crate::theme::{forget, recall, remember};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Backup {
    pub(super) sql: String,
    pub(super) settings: JobSettings,
    /// When it was typed.
    pub(super) at: i64,
}

fn key(team: &str, job: JobId) -> String {
    format!("millrace.editor.unsaved.{team}.{job}")
}

pub(super) fn keep(team: &str, job: JobId, backup: &Backup) {
    if let Ok(text) = serde_json::to_string(backup) {
        remember(&key(team, job), &text);
    }
}

pub(super) fn clear(team: &str, job: JobId) {
    forget(&key(team, job));
}

/// What was kept, where it is not what was saved meanwhile.
pub(super) fn offered(team: &str, job: JobId, draft: &Draft) -> Option<Backup> {
    let backup = recall(&key(team, job)).and_then(|text| read(&text, draft));
    if backup.is_none() {
        clear(team, job);
    }
    backup
}

fn read(text: &str, draft: &Draft) -> Option<Backup> {
    let backup = serde_json::from_str::<Backup>(text).ok()?;
    (backup.sql != draft.sql || backup.settings != draft.settings).then_some(backup)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn draft(sql: &str) -> Draft {
        Draft {
            sql: sql.into(),
            settings: JobSettings::default(),
            revision: 3,
            differs: false,
            updated_at: 0,
            updated_by: String::new(),
        }
    }

    #[test]
    fn only_what_differs_from_the_draft_is_offered() {
        let backup = Backup { sql: "SELECT 2;".into(), settings: JobSettings::default(), at: 7 };
        let text = serde_json::to_string(&backup).unwrap();
        assert_eq!(read(&text, &draft("SELECT 1;")), Some(backup));
        assert_eq!(read(&text, &draft("SELECT 2;")), None);
        assert_eq!(read("{", &draft("SELECT 1;")), None);
    }
}

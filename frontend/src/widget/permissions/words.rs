//! Rights in words.

use millrace_wire::access::{Because, Level, ObjectKind};

use crate::i18n::permissions as text;

pub(super) fn level_word(level: Level) -> &'static str {
    match level {
        Level::Read => text::read(),
        Level::Write => text::write(),
        Level::Manage => text::manage(),
    }
}

pub(super) fn level_may(kind: ObjectKind, level: Level) -> &'static str {
    match (kind, level) {
        (ObjectKind::Job, Level::Read) => text::read_job(),
        (ObjectKind::Job, Level::Write) => text::write_job(),
        (ObjectKind::Job, Level::Manage) => text::manage_job(),
        (ObjectKind::Table, Level::Read) => text::read_table(),
        (ObjectKind::Table, Level::Write) => text::write_table(),
        (ObjectKind::Table, Level::Manage) => text::manage_table(),
    }
}

pub(super) fn why(because: &Because) -> String {
    match because {
        Because::Role { role } => text::by_role(role),
        Because::Owner { role } => text::by_owner(role),
        Because::Grant { by, .. } => text::by_grant(by),
    }
}

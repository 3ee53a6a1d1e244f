//! What the golden cases need: reading them, sources in a given order of arrival, comparing changelogs.

pub(crate) mod case;
pub(crate) mod compare;
pub(crate) mod gate;
pub(crate) mod run;

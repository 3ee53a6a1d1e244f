//! `CREATE TABLE … LIKE other (EXCLUDING OPTIONS, …)`.

use super::{Bind, Binder};
use crate::catalog::{ColumnKind, TableDef};
use crate::sql::ast::{Like, LikeChoice};

impl Binder<'_> {
    /// Takes over what the choices say: everything unless excluded, as Flink does.
    pub(super) fn take_from(&mut self, definition: &mut TableDef, like: &Like) -> Bind<()> {
        let source = self.table_to_write(&like.table)?;
        let takes = |what: &str| {
            let named = like.choices.iter().rev().find(|(_, choice)| choice == what);
            let all = like.choices.iter().rev().find(|(_, choice)| choice == "ALL");
            named.or(all).is_none_or(|(choice, _)| *choice != LikeChoice::Excluding)
        };
        if source.columns.iter().any(|column| matches!(column.kind, ColumnKind::Computed(_))) && takes("GENERATED") {
            // Indices inside computed columns stay valid only when every column is taken.
            if !takes("METADATA") {
                return self.unsupported("LIKE with GENERATED but without METADATA", like.table.span);
            }
        }
        let kept = |kind: &ColumnKind| match kind {
            ColumnKind::Physical => true,
            ColumnKind::Computed(_) => takes("GENERATED"),
            ColumnKind::Metadata { .. } => takes("METADATA"),
        };
        definition.columns = source.columns.iter().filter(|column| kept(&column.kind)).cloned().collect();
        let moved = |index: usize| {
            let name = source.columns.get(index).map(|column| column.name.as_str())?;
            definition.columns.iter().position(|column| column.name == name)
        };
        if takes("CONSTRAINTS") {
            definition.primary_key = source.primary_key.iter().filter_map(|index| moved(*index)).collect();
        }
        if takes("PARTITIONS") {
            definition.partition_keys = source.partition_keys.iter().filter_map(|index| moved(*index)).collect();
        }
        if takes("WATERMARKS") && definition.columns.len() == source.columns.len() {
            definition.watermark = source.watermark.clone();
        }
        if takes("OPTIONS") {
            definition.options = source.options.clone();
        }
        Ok(())
    }
}

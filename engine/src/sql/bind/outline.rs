//! What names mean at a place of a half-written script, for completion.

use millrace_wire::function::FunctionInfo;
use millrace_wire::link::TableSource;

use super::{Bind, Binder, Named};
use crate::catalog::CatalogText;
use crate::connector::TableUse;
use crate::sql::ast::{Ident, Name};
use crate::sql::{Span, parser};
use crate::types::{Schema, Type};

/// The names that statements before the caret define, on top of the catalog.
pub(in crate::sql) struct Outline<'a> {
    binder: Binder<'a>,
}

/// A column with its type; whether it is event time.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sql) struct OutlineColumn {
    pub(in crate::sql) name: String,
    pub(in crate::sql) ty: Type,
    pub(in crate::sql) event_time: bool,
}

/// A table or view of the catalog or the script.
pub(in crate::sql) struct OutlineTable {
    /// `database.table`
    pub(in crate::sql) name: String,
    pub(in crate::sql) detail: String,
    pub(in crate::sql) comment: String,
}

impl<'a> Outline<'a> {
    /// Reads the statements of `before`, which ends where the statement with the caret begins.
    pub(in crate::sql) fn read(before: &'a str, catalog: &'a CatalogText) -> Self {
        let mut binder = Binder::new(before, catalog);
        for statement in &parser::parse(before).statements {
            binder.statement(statement);
        }
        // A table that cannot be used the way the script does still has columns.
        binder.spans = false;
        Outline { binder }
    }

    pub(in crate::sql) fn database(&self) -> &str {
        &self.binder.database
    }

    /// Tables and views whose full name is `wanted`, the script's own first, at most `most` of the catalog: describing
    /// one means reading its definition.
    pub(in crate::sql) fn tables(&mut self, wanted: impl Fn(&str) -> bool, most: usize) -> Vec<OutlineTable> {
        let local = self.binder.local.iter().map(|(name, named)| match named {
            Named::Table(table) => OutlineTable {
                name: name.clone(),
                detail: format!("{} table of this script", table.connector()),
                comment: table.comment.clone(),
            },
            _ => OutlineTable { name: name.clone(), detail: "view of this script".to_owned(), comment: String::new() },
        });
        let mut tables: Vec<OutlineTable> = local.collect();
        let catalog = self.binder.catalog;
        for (name, source) in catalog.tables.iter().filter(|(name, _)| wanted(name)).take(most) {
            tables.push(self.catalog_table(name, source));
        }
        for (name, _) in &self.binder.with {
            tables.push(OutlineTable { name: name.clone(), detail: "query above".to_owned(), comment: String::new() });
        }
        tables
    }

    /// The databases of the catalog; of other catalogs as `catalog.database`.
    pub(in crate::sql) fn databases(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.binder.catalog.tables.keys().filter_map(|name| Some(name.rsplit_once('.')?.0)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Functions of the catalog and of the statements before; those that cannot be used are left out.
    pub(in crate::sql) fn functions(&mut self) -> Vec<FunctionInfo> {
        self.binder.user_function_infos()
    }

    fn catalog_table(&mut self, name: &str, source: &TableSource) -> OutlineTable {
        let bound = self.binder.quietly(|binder| binder.catalog_table(name, source));
        match bound {
            Ok(table) => OutlineTable {
                name: name.to_owned(),
                detail: format!("{}, {} columns", table.connector(), table.columns.len()),
                comment: table.comment.clone(),
            },
            Err(_) => OutlineTable { name: name.to_owned(), detail: "not valid".to_owned(), comment: String::new() },
        }
    }

    pub(in crate::sql) fn columns(&mut self, parts: &[String]) -> Option<Vec<OutlineColumn>> {
        let span = Span { start: 0, end: 0 };
        let parts = parts.iter().map(|value| Ident { value: value.clone(), span }).collect();
        let name = Name { parts, span };
        let relation: Bind<_> = self.binder.quietly(|binder| binder.named_relation(&name, &[], TableUse::Read));
        Some(columns(&relation.ok()?.rel.schema))
    }

    /// Columns of a whole query, if it is right.
    pub(in crate::sql) fn query_columns(&mut self, query: &str) -> Option<Vec<OutlineColumn>> {
        let query = parser::parse_query(query).ok()?;
        let relation = self.binder.quietly(|binder| binder.query(&query));
        Some(columns(&relation.ok()?.rel.schema))
    }

    /// Makes a common table expression known to what follows.
    pub(in crate::sql) fn define(&mut self, name: &str, query: &str) {
        let Ok(query) = parser::parse_query(query) else { return };
        let relation = self.binder.quietly(|binder| binder.query(&query));
        let named =
            relation.map_or(Named::Broken, |relation| Named::View(std::sync::Arc::new(relation.rel), relation.window));
        self.binder.with.push((name.to_owned(), named));
    }
}

fn columns(schema: &Schema) -> Vec<OutlineColumn> {
    let numbered = schema.fields.iter().enumerate();
    numbered
        .map(|(index, field)| OutlineColumn {
            name: field.name.clone(),
            ty: field.ty.clone(),
            event_time: schema.event_time.contains(&index),
        })
        .collect()
}

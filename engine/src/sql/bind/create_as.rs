//! `CREATE TABLE t (…) WITH (…) AS SELECT …`: a table with the columns of a query, filled with it.

use super::relation::Relation;
use super::{Bind, Binder, Named};
use crate::plan::logical::BoundSink;
use crate::sql::ast::{Column, ColumnKind, CreateTable, DataType, Ident, Insert, Query};
use crate::types::LogicalType;

impl Binder<'_> {
    pub(super) fn create_filled(&mut self, table: &CreateTable, query: &Query) -> Bind<BoundSink> {
        let full = self.full_name(&table.name);
        let relation = match self.query_columns(table, query) {
            Ok(relation) => relation,
            Err(reported) => {
                // Statements that use it have nothing wrong of their own.
                self.local.insert(full, Named::Broken);
                return Err(reported);
            }
        };
        let columns = named_columns(&relation, query);
        self.define(&with_columns(table, &relation, &columns), full.clone());
        let Some(Named::Table(definition)) = self.local.get(&full).cloned() else { return Err(super::Reported) };
        let insert = Insert {
            table: table.name.clone(),
            columns,
            partition: Vec::new(),
            overwrite: None,
            query: query.clone(),
            hints: Vec::new(),
        };
        self.fill(&insert, definition, relation)
    }

    fn query_columns(&mut self, table: &CreateTable, query: &Query) -> Bind<Relation> {
        if table.like.is_some() {
            return self.refuse("unsupported", "LIKE and AS SELECT cannot stand together.", table.name.span);
        }
        let relation = self.query(query)?;
        self.refuse_duplicates(relation.schema(), query.span)?;
        let untyped = relation.schema().fields.iter().find(|field| field.ty.logical == LogicalType::Null);
        if let Some(name) = untyped.map(|field| field.name.clone()) {
            let message = format!("The column '{name}' is NULL and has no type; give it one with CAST.");
            return self.refuse("type-mismatch", message, query.span);
        }
        Ok(relation)
    }
}

fn named_columns(relation: &Relation, query: &Query) -> Vec<Ident> {
    let named = |name: &String| Ident { value: name.clone(), span: query.span };
    relation.schema().fields.iter().map(|field| named(&field.name)).collect()
}

/// What is declared stands first; a column of the query that is declared has the type that was declared.
fn with_columns(table: &CreateTable, relation: &Relation, names: &[Ident]) -> CreateTable {
    let mut filled = CreateTable { query: None, ..table.clone() };
    for (name, field) in names.iter().zip(&relation.schema().fields) {
        if table.columns.iter().all(|column| column.name.value != name.value) {
            let kind = ColumnKind::Physical { ty: DataType { ty: field.ty.clone() } };
            filled.columns.push(Column { name: name.clone(), kind, comment: String::new() });
        }
    }
    filled
}

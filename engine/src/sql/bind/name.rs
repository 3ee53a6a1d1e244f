//! Column names → column indices and row fields.

use super::relation::Relation;
use super::{Bind, Binder};
use crate::expr::Expr;
use crate::sql::ast::{Ident, Name};
use crate::sql::{Problem, suggest};
use crate::types::LogicalType;

/// A column of the row around a query, and how many parts of the name it takes.
fn find_outer(outer: &Relation, name: &Name) -> Option<(Expr, usize)> {
    (0..name.parts.len().min(3)).rev().find_map(|qualifiers| {
        let (column, qualifier) = name.parts.get(..=qualifiers)?.split_last()?;
        match find(outer, qualifier, &column.value) {
            Found::Column(index) => {
                let ty = outer.schema().fields.get(index)?.ty.clone();
                Some((Expr::column(super::subquery::OUTER_BASE + index, ty), qualifiers + 1))
            }
            _ => None,
        }
    })
}

enum Found {
    Column(usize),
    None,
    Ambiguous,
}

impl Binder<'_> {
    /// `column`, `table.column`, `database.table.column`, each with fields behind it. A table goes before a column of the
    /// same name, as in `UNNEST(…) AS n (n)`.
    pub(super) fn column_name(&mut self, name: &Name, relation: &Relation) -> Bind<Expr> {
        for qualifiers in [2, 1, 0] {
            let Some(column) = name.parts.get(qualifiers) else { continue };
            let qualifier = name.parts.get(..qualifiers).unwrap_or_default();
            match find(relation, qualifier, &column.value) {
                Found::Column(index) => {
                    let Some(mut expr) = relation.column(index) else { break };
                    expr.span = self.span(name.span);
                    let fields = name.parts.get(qualifiers + 1..).unwrap_or_default();
                    return self.fields(expr, fields, name);
                }
                Found::Ambiguous => {
                    let tables: Vec<&str> = relation.tables.iter().map(|table| table.alias.as_str()).collect();
                    let message = format!("The column '{}' is in more than one table.", column.value);
                    let problem = Problem::error("ambiguous-column", message, name.span);
                    let hint = format!("Write the table before it: one of {}.", tables.join(", "));
                    return Err(self.report(problem.with_hint(hint)));
                }
                Found::None => {}
            }
        }
        if let Some((mut column, parts)) = self.outer.last().and_then(|outer| find_outer(outer, name)) {
            column.span = self.span(name.span);
            return self.fields(column, name.parts.get(parts..).unwrap_or_default(), name);
        }
        let further = self.outer.iter().rev().skip(1);
        if further.into_iter().any(|outer| find_outer(outer, name).is_some()) {
            return self.unsupported("A reference to a row further around than that of the query outside", name.span);
        }
        Err(self.unknown_column(name, relation))
    }

    fn fields(&mut self, mut expr: Expr, fields: &[Ident], name: &Name) -> Bind<Expr> {
        for field in fields {
            let known = match &expr.ty.logical {
                LogicalType::Row(fields) => fields.iter().any(|known| known.name == field.value),
                _ => false,
            };
            if !known {
                let message =
                    format!("'{}' has no field '{}'.", name.parts.first().map_or("", |part| &part.value), field.value);
                let mut problem = Problem::error("unknown-column", message, name.span);
                if let LogicalType::Row(known) = &expr.ty.logical {
                    let names: Vec<&str> = known.iter().map(|field| field.name.as_str()).collect();
                    problem = problem.with_hint(format!("Its fields are {}.", names.join(", ")));
                }
                return Err(self.report(problem));
            }
            expr = self.row_field(expr, field)?;
        }
        Ok(expr)
    }

    fn unknown_column(&mut self, name: &Name, relation: &Relation) -> super::Reported {
        let wanted = name.last();
        let names = || relation.schema().fields.iter().map(|field| field.name.as_str());
        let mut problem = Problem::error("unknown-column", format!("There is no column '{}'.", name.text()), name.span);
        if let Some(near) = suggest::nearest(wanted, names()) {
            let mut replacement: Vec<String> =
                name.parts.iter().take(name.parts.len().saturating_sub(1)).map(|part| part.value.clone()).collect();
            replacement.push(near.to_owned());
            problem = problem.with_replacement(&replacement.join("."));
            problem.hint = Some(format!("Did you mean '{near}'? Names of columns are case-sensitive."));
        } else if name.parts.len() > 1
            && !relation.tables.iter().any(|table| Some(&table.alias) == name.parts.first().map(|part| &part.value))
        {
            let tables: Vec<&str> =
                relation.tables.iter().map(|table| table.alias.as_str()).filter(|alias| !alias.is_empty()).collect();
            if !tables.is_empty() {
                problem = problem.with_hint(format!("The tables here are {}.", tables.join(", ")));
            }
        } else {
            let known: Vec<&str> = names().take(12).collect();
            let more = if relation.schema().len() > known.len() { ", …" } else { "" };
            if !known.is_empty() {
                problem = problem.with_hint(format!("The columns here are {}{more}.", known.join(", ")));
            }
        }
        self.report(problem)
    }
}

/// A name without a table in front.
pub(super) fn find_visible(relation: &Relation, column: &str) -> Option<Result<usize, ()>> {
    match find(relation, &[], column) {
        Found::Column(index) => Some(Ok(index)),
        Found::Ambiguous => Some(Err(())),
        Found::None => None,
    }
}

fn find(relation: &Relation, qualifier: &[Ident], column: &str) -> Found {
    let mut found = Found::None;
    if let (Some(star), []) = (&relation.star, qualifier) {
        for index in star {
            if relation.schema().fields.get(*index).is_some_and(|field| field.name == column) {
                match found {
                    Found::None => found = Found::Column(*index),
                    _ => return Found::Ambiguous,
                }
            }
        }
        return found;
    }
    for table in &relation.tables {
        let matches = match qualifier {
            [] => true,
            [alias] => table.alias == alias.value,
            [database, alias] => {
                table.database.as_deref() == Some(database.value.as_str()) && table.alias == alias.value
            }
            _ => false,
        };
        if !matches {
            continue;
        }
        for index in table.columns.clone() {
            if relation.schema().fields.get(index).is_some_and(|field| field.name == column) {
                match found {
                    Found::None => found = Found::Column(index),
                    _ => return Found::Ambiguous,
                }
            }
        }
    }
    found
}

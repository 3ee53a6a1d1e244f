//! `VALUES (1, 'a'), (2, 'b')`.

use super::conversion::common_of;
use super::expr::ExprScope;
use super::query::one_row;
use super::relation::{Relation, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{Rel, RelNode};
use crate::plan::rewrite::constant;
use crate::sql::Span;
use crate::sql::ast::{Expr as AstExpr, ExprKind as Ast};
use crate::types::{Field, Schema};

impl Binder<'_> {
    pub(super) fn values(&mut self, rows: &[AstExpr], span: Span) -> Bind<Relation> {
        let nothing = one_row();
        let mut bound: Vec<Vec<Expr>> = Vec::with_capacity(rows.len());
        for row in rows {
            let items = match &row.kind {
                Ast::Row(items) => items.as_slice(),
                _ => std::slice::from_ref(row),
            };
            bound.push(self.exprs(items, &mut ExprScope::over(&nothing, "VALUES"))?);
        }
        let width = bound.first().map_or(0, Vec::len);
        self.check_width(width, span)?;
        if bound.iter().any(|row| row.len() != width) {
            return self.refuse("type-mismatch", "The rows of VALUES have different numbers of columns.", span);
        }
        let mut fields = Vec::with_capacity(width);
        for index in 0..width {
            let types = bound.iter().filter_map(|row| row.get(index)).map(|expr| &expr.ty);
            match common_of(types) {
                Some(ty) => fields.push(Field::new(format!("EXPR${index}"), ty)),
                None => {
                    return self.refuse(
                        "type-mismatch",
                        format!("Column {} of VALUES has types without a common one.", index + 1),
                        span,
                    );
                }
            }
        }
        let typed: Vec<Vec<Expr>> = bound
            .into_iter()
            .map(|row| row.into_iter().zip(&fields).map(|(expr, field)| self.convert(expr, &field.ty)).collect())
            .collect();
        Ok(self.rows(typed, Schema::new(fields)))
    }

    /// Constants become one relation of rows; what fails or differs from run to run is computed when it runs.
    fn rows(&self, rows: Vec<Vec<Expr>>, schema: Schema) -> Relation {
        let constants: Option<Vec<Vec<Value>>> = rows.iter().map(|row| row.iter().map(value_of).collect()).collect();
        if let Some(rows) = constants {
            return Relation::new(Rel { node: RelNode::Values { rows }, schema }, "");
        }
        let names: Vec<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
        let inputs: Vec<Rel> = rows.into_iter().map(|row| project(one_row().rel, row, names.clone())).collect();
        Relation::new(Rel { node: RelNode::UnionAll { inputs }, schema }, "")
    }
}

fn value_of(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        _ => constant(expr),
    }
}

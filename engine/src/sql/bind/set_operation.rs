//! UNION, INTERSECT, EXCEPT. NULL equals NULL in all of them.

use super::conversion::common_of;
use super::join::{beside, joined};
use super::query::distinct;
use super::relation::{Relation, project};
use super::{Bind, Binder};
use crate::plan::logical::{JoinKind, Rel, RelNode};
use crate::sql::Span;
use crate::sql::ast::{Body, SetOperator};
use crate::types::{Field, Schema, Type};

impl Binder<'_> {
    pub(super) fn set_operation(
        &mut self,
        operator: SetOperator,
        all: bool,
        inputs: &[Body],
        span: Span,
    ) -> Bind<Relation> {
        let bound: Vec<Bind<Relation>> = inputs.iter().map(|input| self.body(input)).collect();
        let relations = bound.into_iter().collect::<Bind<Vec<_>>>()?;
        let what = match operator {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        };
        let types = self.column_types(&relations, what, span)?;
        if operator == SetOperator::Union {
            self.count_nodes(2, span)?;
            return Ok(self.union(relations, &types, all));
        }
        if all {
            return self.unsupported(&format!("{what} ALL"), span);
        }
        self.count_nodes(2 * relations.len(), span)?;
        let kind = if operator == SetOperator::Intersect { JoinKind::Semi } else { JoinKind::Anti };
        self.tested_by_all(relations, &types, kind, span)
    }

    /// Rows of the first relation, each once, that are in all the others (or in none of them).
    fn tested_by_all(
        &mut self,
        relations: Vec<Relation>,
        types: &[Type],
        kind: JoinKind,
        span: Span,
    ) -> Bind<Relation> {
        let names: Vec<String> = relations
            .first()
            .map(|first| first.schema().fields.iter().map(|field| field.name.clone()).collect())
            .unwrap_or_default();
        let width = types.len();
        let typed = relations.into_iter().map(|relation| Relation::new(self.with_types(relation, types, &names), ""));
        let mut typed = typed.collect::<Vec<_>>().into_iter();
        let Some(mut result) = typed.next() else {
            return self.refuse("parse", "A set operation needs two queries.", span);
        };
        for other in typed {
            let both = beside(result, other);
            let mut equal = Vec::with_capacity(width);
            for index in 0..width {
                let sides = [index, index + width].into_iter().filter_map(|column| both.column(column));
                equal.push(self.operator("IS NOT DISTINCT FROM", sides.collect(), span)?);
            }
            let condition = crate::plan::rewrite::all_of(equal);
            result = joined(both, width, kind, condition);
        }
        Ok(distinct(Relation::new(result.rel, "")))
    }

    /// The common type of each column.
    pub(super) fn column_types(&mut self, relations: &[Relation], what: &str, span: Span) -> Bind<Vec<Type>> {
        let Some(first) = relations.first() else {
            return self.refuse("parse", format!("{what} needs two queries."), span);
        };
        let width = first.schema().len();
        if let Some(other) = relations.iter().find(|relation| relation.schema().len() != width) {
            let message = format!("The queries of this {what} have {width} and {} columns.", other.schema().len());
            return self.refuse("type-mismatch", message, span);
        }
        let mut types = Vec::with_capacity(width);
        for index in 0..width {
            let of_column =
                relations.iter().filter_map(|relation| relation.schema().fields.get(index)).map(|field| &field.ty);
            match common_of(of_column) {
                Some(ty) => types.push(ty),
                None => {
                    let message = format!("Column {} of this {what} has types without a common one.", index + 1);
                    return self.refuse("type-mismatch", message, span);
                }
            }
        }
        Ok(types)
    }

    pub(super) fn union(&mut self, relations: Vec<Relation>, types: &[Type], all: bool) -> Relation {
        let names: Vec<String> = relations
            .first()
            .map(|first| first.schema().fields.iter().map(|field| field.name.clone()).collect())
            .unwrap_or_default();
        let inputs: Vec<Rel> = relations.into_iter().map(|relation| self.with_types(relation, types, &names)).collect();
        // Event time goes on where every branch has it.
        let event_time = (0..types.len())
            .filter(|index| inputs.iter().all(|input| input.schema.event_time.contains(index)))
            .collect();
        let fields = names.into_iter().zip(types).map(|(name, ty)| Field::new(name, ty.clone())).collect();
        let rel = Rel { node: RelNode::UnionAll { inputs }, schema: Schema { fields, event_time } };
        let relation = Relation::new(rel, "");
        if all { relation } else { distinct(relation) }
    }

    fn with_types(&self, relation: Relation, types: &[Type], names: &[String]) -> Rel {
        let fits = relation.schema().fields.iter().zip(types).all(|(field, ty)| field.ty.logical == ty.logical);
        if fits {
            return relation.rel;
        }
        let columns =
            types.iter().enumerate().filter_map(|(index, ty)| Some(self.convert(relation.column(index)?, ty)));
        let exprs = columns.collect();
        project(relation.rel, exprs, names.to_vec())
    }
}

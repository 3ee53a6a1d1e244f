//! UNION, INTERSECT, EXCEPT. NULL equals NULL in all of them.

use super::conversion::common_of;
use super::join::{beside, joined};
use super::query::distinct;
use super::relation::{Relation, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind, Value};
use crate::plan::logical::{AggregateCall, AggregateFunction, AggregateSpec, JoinKind, Rel, RelNode};
use crate::plan::rewrite::null_literal;
use crate::sql::Span;
use crate::sql::ast::{Body, SetOperator};
use crate::types::{Field, LogicalType, Schema, Type};

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
        self.count_nodes(3 * relations.len(), span)?;
        if all {
            let mut relations = relations.into_iter();
            let Some(mut result) = relations.next() else {
                return self.refuse("parse", format!("{what} needs two queries."), span);
            };
            for other in relations {
                result = self.counted(operator, result, other, &types, span)?;
            }
            return Ok(result);
        }
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

    /// INTERSECT ALL and EXCEPT ALL: each row as often as it is in both, or more often in the first one.
    fn counted(
        &mut self,
        operator: SetOperator,
        left: Relation,
        right: Relation,
        types: &[Type],
        span: Span,
    ) -> Bind<Relation> {
        let width = types.len();
        let names: Vec<String> = left.schema().fields.iter().map(|field| field.name.clone()).collect();
        let mut marked = Vec::new();
        for (place, relation) in [left, right].into_iter().enumerate() {
            let rel = self.with_types(relation, types, &names);
            let mut exprs: Vec<Expr> = types.iter().cloned().enumerate().map(|(i, ty)| Expr::column(i, ty)).collect();
            let marker = Type::nullable(LogicalType::Boolean);
            exprs.extend((0..2).map(|side| match side == place {
                true => Expr::literal(Value::boolean(true), marker.clone()),
                false => null_literal(&marker),
            }));
            let names = names.iter().cloned().chain(["left$".to_owned(), "right$".to_owned()]);
            marked.push(Relation::new(project(rel, exprs, names.collect()), ""));
        }
        let columns: Vec<Type> = types.iter().cloned().chain(vec![Type::nullable(LogicalType::Boolean); 2]).collect();
        let input = self.union(marked, &columns, true).rel;
        let count = Type::not_null(LogicalType::BigInt);
        let call = |column: usize| AggregateCall {
            function: AggregateFunction::Count,
            args: vec![column],
            distinct: false,
            filter: None,
            constants: Vec::new(),
            return_type: count.clone(),
            user: None,
        };
        let mut fields: Vec<Field> = input.schema.fields.iter().take(width).cloned().collect();
        fields.extend(["left$", "right$"].map(|name| Field::new(name, count.clone())));
        let aggregate = AggregateSpec {
            group: (0..width).collect(),
            calls: vec![call(width), call(width + 1)],
            window: None,
            retention: Box::default(),
        };
        let node = RelNode::Aggregate { input: Box::new(input), aggregate };
        let counts = Rel { node, schema: Schema::new(fields) };
        self.repeated(operator, counts, width, span)
    }

    /// `counts` has the columns, and how often each row is in the first and in the second query.
    fn repeated(&mut self, operator: SetOperator, counts: Rel, width: usize, span: Span) -> Bind<Relation> {
        let count = |side: usize| Expr::column(width + side, Type::not_null(LogicalType::BigInt));
        let fewer = self.operator("<", vec![count(0), count(1)], span)?;
        let (passes, times) = if operator == SetOperator::Intersect {
            let zero = || Expr::literal(Value::big_int(0), Type::not_null(LogicalType::BigInt));
            let in_left = self.operator(">", vec![count(0), zero()], span)?;
            let in_right = self.operator(">", vec![count(1), zero()], span)?;
            let branches = vec![(fewer, count(0))];
            let ty = Type::not_null(LogicalType::BigInt);
            let least = ExprKind::Case { branches, otherwise: Some(Box::new(count(1))) };
            (self.operator("AND", vec![in_left, in_right], span)?, Expr { kind: least, ty, span: None })
        } else {
            (self.operator(">", vec![count(0), count(1)], span)?, self.operator("-", vec![count(0), count(1)], span)?)
        };
        let names: Vec<String> = counts.schema.fields.iter().take(width).map(|field| field.name.clone()).collect();
        let columns: Vec<Expr> = super::decorrelate::columns(&counts).into_iter().take(width).collect();
        let mut exprs = columns.clone();
        exprs.push(times);
        let wide = names.iter().cloned().chain(["times$".to_owned()]).collect();
        let input = project(super::relation::filter(counts, passes), exprs, wide);
        let schema = input.schema.clone();
        let repeated = Rel { node: RelNode::Repeat { input: Box::new(input), times: width }, schema };
        Ok(Relation::new(project(repeated, columns, names), ""))
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

//! ORDER BY, LIMIT, OFFSET.

use super::aggregate::Aggregates;
use super::expr::ExprScope;
use super::query::Selected;
use super::relation::{Relation, passed_column, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelNode, SortKey};
use crate::sql::Problem;
use crate::sql::ast::{self, ExprKind as Ast, Literal, OrderItem, Query};

impl Binder<'_> {
    /// Sort keys of a SELECT: a position, a name of the result, or any expression over the input.
    pub(super) fn sort_keys(
        &mut self,
        items: &[OrderItem],
        selected: &Selected,
        relation: &Relation,
        aggregates: &mut Aggregates,
    ) -> Bind<Vec<Expr>> {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            if let Some(index) = self.result_column(&item.expr, &selected.names)?
                && let Some(expr) = selected.exprs.get(index)
            {
                keys.push(expr.clone());
                continue;
            }
            let mut scope = ExprScope { relation, aggregates: Some(aggregates), clause: "ORDER BY" };
            keys.push(self.expr(&item.expr, &mut scope)?);
        }
        Ok(keys)
    }

    /// Sort keys of a set operation or VALUES: positions and names of the result.
    pub(super) fn sort_keys_over(&mut self, items: &[OrderItem], relation: &Relation) -> Bind<Vec<Expr>> {
        let names: Vec<String> = relation.schema().fields.iter().map(|field| field.name.clone()).collect();
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let index = self.result_column(&item.expr, &names)?;
            match index.and_then(|index| relation.column(index)) {
                Some(column) => keys.push(column),
                None => {
                    let key = self.expr(&item.expr, &mut ExprScope::over(relation, "ORDER BY"))?;
                    if passed_column(&key).is_none() {
                        return self.unsupported("ORDER BY an expression here", item.expr.span);
                    }
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    fn result_column(&mut self, key: &ast::Expr, names: &[String]) -> Bind<Option<usize>> {
        match &key.kind {
            Ast::Literal(Literal::Number(digits)) => match digits.parse::<usize>() {
                Ok(position) if (1..=names.len()).contains(&position) => Ok(Some(position - 1)),
                _ => self.refuse(
                    "wrong-arguments",
                    format!("ORDER BY {digits}: the query has {} columns.", names.len()),
                    key.span,
                ),
            },
            Ast::Name(name) if name.parts.len() == 1 => Ok(names.iter().position(|known| known == name.last())),
            _ => Ok(None),
        }
    }

    /// `keys` are columns of the relation. Columns beyond the visible ones are cut off at the end.
    pub(super) fn order_and_limit(
        &mut self,
        relation: Relation,
        keys: Vec<Expr>,
        visible: usize,
        query: &Query,
    ) -> Bind<Relation> {
        if query.order_by.is_empty() && query.fetch.is_none() && query.offset.is_none() {
            return Ok(relation);
        }
        let mut sort = Vec::with_capacity(keys.len());
        for (key, item) in keys.iter().zip(&query.order_by) {
            let Some(column) = passed_column(key) else { continue };
            // Flink: NULLs are the smallest values.
            sort.push(SortKey {
                column,
                ascending: item.ascending,
                nulls_first: item.nulls_first.unwrap_or(item.ascending),
            });
        }
        let offset = self.row_count(query.offset.as_ref(), "OFFSET")?.unwrap_or(0);
        let fetch = self.row_count(query.fetch.as_ref(), "LIMIT")?;
        let schema = relation.schema().clone();
        let limited = fetch.is_some() || offset > 0;
        if !limited && self.streaming() && !sort.is_empty() {
            let by_time = sort.first().is_some_and(|key| key.ascending && schema.event_time.contains(&key.column));
            if !by_time {
                let span = query.order_by.first().map_or(query.span, |item| item.expr.span);
                let problem = Problem::error(
                    "unsupported",
                    "A stream has no end to sort at: ORDER BY works on the event-time column ascending, or with LIMIT.",
                    span,
                );
                return Err(self.report(problem));
            }
        }
        self.count_nodes(2, query.span)?;
        let input = Box::new(relation.rel);
        let node = if limited { RelNode::Limit { input, sort, offset, fetch } } else { RelNode::Sort { input, sort } };
        let event_time = if limited { Vec::new() } else { schema.event_time.clone() };
        let mut result = Relation {
            rel: Rel { node, schema: crate::types::Schema { event_time, ..schema } },
            tables: relation.tables,
            window: None,
            star: None,
        };
        if visible < result.schema().len() {
            let exprs = (0..visible).filter_map(|index| result.column(index)).collect();
            let names = result.schema().fields.iter().take(visible).map(|field| field.name.clone()).collect();
            result = Relation::new(project(result.rel, exprs, names), "");
        }
        Ok(result)
    }

    fn row_count(&mut self, count: Option<&ast::Expr>, what: &str) -> Bind<Option<u64>> {
        let Some(count) = count else { return Ok(None) };
        let bound = self.expr(count, &mut ExprScope::over(&super::query::one_row(), "LIMIT"))?;
        let number = match &bound.kind {
            ExprKind::Literal(value) => value.as_i64().and_then(|number| u64::try_from(number).ok()),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => self.refuse("wrong-arguments", format!("{what} takes a whole number."), count.span),
        }
    }
}

//! The items of GROUP BY: expressions, and GROUPING SETS, CUBE and ROLLUP, which may hold each other.

use super::{Parse, Parser};
use crate::sql::ast::{Expr, ExprKind, GroupItem};

impl Parser<'_> {
    /// `GROUP BY (a, b)` is `GROUP BY a, b`, and `()` adds nothing.
    pub(super) fn group_items(&mut self) -> Parse<Vec<GroupItem>> {
        Ok(match self.group_item()? {
            GroupItem::Tuple(items) => items.into_iter().map(GroupItem::Expr).collect(),
            item => vec![item],
        })
    }

    fn group_item(&mut self) -> Parse<GroupItem> {
        let start = self.here();
        if self.take_words(&["GROUPING", "SETS"]) {
            self.expect_sign("(")?;
            let items = self.nested(|parser| parser.separated(Parser::group_item))?;
            self.expect_sign(")")?;
            return Ok(GroupItem::Sets { items, span: self.since(start) });
        }
        if self.take_word("CUBE") {
            let items = self.tuples()?;
            return Ok(GroupItem::Cube { items, span: self.since(start) });
        }
        if self.take_word("ROLLUP") {
            let items = self.tuples()?;
            return Ok(GroupItem::Rollup { items, span: self.since(start) });
        }
        if self.at_sign("(") && self.sign_ahead(1, ")") {
            self.at += 2;
            return Ok(GroupItem::Tuple(Vec::new()));
        }
        let expr = self.expr()?;
        Ok(match expr.kind {
            ExprKind::Row(items) => GroupItem::Tuple(items),
            _ => GroupItem::Expr(expr),
        })
    }

    /// `(a, (b, c))`: what CUBE and ROLLUP take or leave together.
    fn tuples(&mut self) -> Parse<Vec<Vec<Expr>>> {
        self.expect_sign("(")?;
        let items = self.separated(|parser| {
            let expr = parser.expr()?;
            Ok(match expr.kind {
                ExprKind::Row(items) => items,
                _ => vec![expr],
            })
        })?;
        self.expect_sign(")")?;
        Ok(items)
    }
}

//! Queries: WITH, SELECT, VALUES, set operations, ORDER BY, LIMIT.

use super::{MAX_HEIGHT, Parse, Parser, too_deep};
use crate::sql::Span;
use crate::sql::ast::{Body, Cte, ExprKind, From, FromKind, Item, OrderItem, Query, Select, SetOperator, Unsupported};
use crate::sql::token::TokenKind;

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Parse<Query> {
        self.nested(Parser::query_inner)
    }

    fn query_inner(&mut self) -> Parse<Query> {
        let start = self.here();
        let mut with = Vec::new();
        if self.take_word("WITH") {
            if self.at_word("RECURSIVE") {
                return Err(crate::sql::Problem::error("unsupported", "WITH RECURSIVE is not supported.", self.here()));
            }
            with = self.separated(|parser| {
                let name = parser.ident("a name for the query")?;
                let columns = parser.optional_columns()?;
                parser.expect_word("AS")?;
                parser.expect_sign("(")?;
                let query = parser.query()?;
                parser.expect_sign(")")?;
                Ok(Cte { name, columns, query })
            })?;
        }
        let body = self.union()?;
        let order_by = if self.take_words(&["ORDER", "BY"]) { self.separated(Parser::order_item)? } else { Vec::new() };
        let (mut offset, mut fetch) = (None, None);
        loop {
            if self.take_word("LIMIT") {
                fetch = if self.take_word("ALL") { None } else { Some(self.expr()?) };
            } else if self.take_word("OFFSET") {
                offset = Some(self.expr()?);
                let _ = self.take_word("ROWS") || self.take_word("ROW");
            } else if self.take_word("FETCH") {
                let _ = self.take_word("FIRST") || self.take_word("NEXT");
                fetch = Some(self.expr()?);
                let _ = self.take_word("ROWS") || self.take_word("ROW");
                self.expect_word("ONLY")?;
            } else {
                break;
            }
        }
        let span = self.since(start);
        let below = with.iter().map(|cte| cte.query.height).max().unwrap_or(0).max(body_height(&body));
        if below >= MAX_HEIGHT {
            return Err(too_deep(span));
        }
        Ok(Query { with, body, order_by, offset, fetch, span, height: below + 1 })
    }

    pub(super) fn order_item(&mut self) -> Parse<OrderItem> {
        let expr = self.expr()?;
        let ascending = if self.take_word("DESC") {
            false
        } else {
            self.take_word("ASC");
            true
        };
        let nulls_first = if self.take_words(&["NULLS", "FIRST"]) {
            Some(true)
        } else if self.take_words(&["NULLS", "LAST"]) {
            Some(false)
        } else {
            None
        };
        Ok(OrderItem { expr, ascending, nulls_first })
    }

    /// UNION and EXCEPT, left to right; INTERSECT binds stronger.
    fn union(&mut self) -> Parse<Body> {
        let start = self.here();
        let mut left = self.intersect()?;
        let mut levels = 0;
        loop {
            levels += usize::from(!matches!(left, Body::SetOperation { operator: SetOperator::Union, all: true, .. }));
            if levels > MAX_HEIGHT {
                return Err(too_deep(self.here()));
            }
            let operator = if self.take_word("UNION") {
                SetOperator::Union
            } else if self.take_word("EXCEPT") || self.take_word("MINUS") {
                SetOperator::Except
            } else {
                return Ok(left);
            };
            let all = self.set_quantifier();
            let right = self.intersect()?;
            left = set_operation(operator, all, left, right, self.since(start));
        }
    }

    fn intersect(&mut self) -> Parse<Body> {
        let start = self.here();
        let mut left = self.query_primary()?;
        let mut levels = 0;
        while self.take_word("INTERSECT") {
            levels += 1;
            if levels > MAX_HEIGHT {
                return Err(too_deep(self.here()));
            }
            let all = self.set_quantifier();
            let right = self.query_primary()?;
            left = set_operation(SetOperator::Intersect, all, left, right, self.since(start));
        }
        Ok(left)
    }

    fn set_quantifier(&mut self) -> bool {
        let all = self.take_word("ALL");
        if !all {
            self.take_word("DISTINCT");
        }
        all
    }

    fn query_primary(&mut self) -> Parse<Body> {
        let start = self.here();
        if self.take_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(Body::Query(Box::new(query)));
        }
        if self.at_word("SELECT") {
            return Ok(Body::Select(Box::new(self.nested(Parser::select)?)));
        }
        if self.take_word("VALUES") {
            let rows = self.separated(Parser::expr)?;
            return Ok(Body::Values { rows, span: self.since(start) });
        }
        if self.take_word("TABLE") {
            return Ok(Body::Table(self.name("a table name")?));
        }
        Err(self.expected("SELECT, VALUES or a query in parentheses"))
    }

    fn select(&mut self) -> Parse<Select> {
        let start = self.here();
        self.expect_word("SELECT")?;
        let hints = self.hints()?;
        let distinct = self.take_word("DISTINCT");
        if !distinct {
            self.take_word("ALL");
        }
        let items = self.separated(Parser::item)?;
        let mut unsupported = Vec::new();
        let from = if self.take_word("FROM") { Some(self.tables()?) } else { None };
        let filter = if self.take_word("WHERE") { Some(self.expr()?) } else { None };
        let mut group_by = Vec::new();
        let grouped = self.take_words(&["GROUP", "BY"]);
        let group_by_distinct = grouped && self.take_word("DISTINCT");
        if grouped {
            self.take_word("ALL");
            for items in self.separated(Parser::group_items)? {
                group_by.extend(items);
            }
        }
        let having = if self.take_word("HAVING") { Some(self.expr()?) } else { None };
        let windows = if self.take_word("WINDOW") { self.named_windows()? } else { Vec::new() };
        let clause = self.here();
        if self.take_word("QUALIFY") {
            self.expr()?;
            unsupported.push(Unsupported { what: "QUALIFY", span: self.since(clause) });
        }
        Ok(Select {
            hints,
            distinct,
            items,
            from,
            filter,
            group_by,
            grouped,
            group_by_distinct,
            having,
            windows,
            unsupported,
            span: self.since(start),
        })
    }

    fn item(&mut self) -> Parse<Item> {
        let start = self.here();
        if self.take_sign("*") {
            return Ok(Item::Star(start));
        }
        if let Some(name) = self.qualified_star()? {
            return Ok(Item::QualifiedStar(name));
        }
        let expr = self.expr()?;
        let alias =
            if self.take_word("AS") { Some(self.ident("a column name")?) } else { self.take_ident_unless_clause() };
        Ok(Item::Expr { expr, alias })
    }

    /// `a.b.*`
    fn qualified_star(&mut self) -> Parse<Option<crate::sql::ast::Name>> {
        let mut ahead = 0;
        while matches!(self.peek_kind(ahead), Some(TokenKind::Word(_) | TokenKind::Quoted(_)))
            && self.sign_ahead(ahead + 1, ".")
        {
            ahead += 2;
        }
        if ahead == 0 || !self.sign_ahead(ahead, "*") {
            return Ok(None);
        }
        let start = self.here();
        let mut parts = vec![self.ident("a table name")?];
        while self.take_sign(".") {
            if self.take_sign("*") {
                break;
            }
            parts.push(self.ident_after_dot()?);
        }
        Ok(Some(crate::sql::ast::Name { parts, span: self.since(start) }))
    }

    /// An alias without AS. Words that go on with the query are none.
    pub(super) fn take_ident_unless_clause(&mut self) -> Option<crate::sql::ast::Ident> {
        const CLAUSES: &[&str] = &["QUALIFY", "MINUS", "WITHIN", "FILTER"];
        if CLAUSES.iter().any(|word| self.at_word(word)) {
            return None;
        }
        self.take_ident()
    }
}

fn set_operation(operator: SetOperator, all: bool, left: Body, right: Body, span: Span) -> Body {
    match left {
        Body::SetOperation { operator: same, all: same_all, mut inputs, .. }
            if same == operator && same_all == all && operator != SetOperator::Except =>
        {
            inputs.push(right);
            Body::SetOperation { operator, all, inputs, span }
        }
        left => Body::SetOperation { operator, all, inputs: vec![left, right], span },
    }
}

fn body_height(body: &Body) -> usize {
    match body {
        Body::Select(select) => select.from.as_ref().map_or(0, from_height) + 1,
        Body::Values { .. } | Body::Table(_) => 1,
        Body::Query(query) => query.height,
        Body::SetOperation { inputs, .. } => inputs.iter().map(body_height).max().unwrap_or(0) + 1,
    }
}

pub(super) fn from_height(from: &From) -> usize {
    match &from.kind {
        FromKind::Query(query) => query.height,
        FromKind::Join { left, right, .. } => from_height(left).max(from_height(right)) + 1,
        FromKind::Function { call, .. } => call
            .args
            .iter()
            .map(|arg| match &arg.value.kind {
                ExprKind::TableArgument { table, .. } => from_height(table) + 1,
                _ => 1,
            })
            .max()
            .unwrap_or(0),
        FromKind::Table { system_time: Some(system_time), .. } => system_time.time.height + 1,
        _ => 1,
    }
}

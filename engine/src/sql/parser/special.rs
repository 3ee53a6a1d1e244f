//! Calls, and the functions with a syntax of their own. The latter become ordinary calls, their keywords symbols.

use super::expr::node;
use super::{Parse, Parser};
use crate::sql::Span;
use crate::sql::ast::{Argument, Call, Expr, ExprKind, Ident, Literal, Name, NullTreatment, Unsupported};
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// `None` when what stands here is an ordinary name or call.
    pub(super) fn special(&mut self, start: Span) -> Parse<Option<Expr>> {
        let Some(TokenKind::Word(word)) = self.peek_kind(0) else { return Ok(None) };
        let upper = word.to_ascii_uppercase();
        let opened = self.sign_ahead(1, "(");
        let expr = match upper.as_str() {
            "CASE" => self.case(start)?,
            "EXISTS" if opened => {
                self.at += 1;
                self.exists(start)?
            }
            "CAST" | "TRY_CAST" if opened => self.cast(start, upper == "TRY_CAST")?,
            "ROW" if opened => {
                let items = self.call_items()?;
                node(ExprKind::Row(items.0), self.since(start), items.1)?
            }
            "ARRAY" | "MAP" if self.sign_ahead(1, "[") => self.collection(start, upper == "MAP")?,
            "ARRAY" | "MAP" | "MULTISET" if opened => {
                self.at += 1;
                self.skip_parentheses()?;
                node(ExprKind::Unsupported("A collection made from a query"), self.since(start), 0)?
            }
            "CURRENT_DATE"
            | "CURRENT_TIME"
            | "CURRENT_TIMESTAMP"
            | "LOCALTIME"
            | "LOCALTIMESTAMP"
            | "CURRENT_ROW_TIMESTAMP"
                if !opened =>
            {
                let name = self.special_name()?;
                self.finish_call(name, Vec::new(), start)?
            }
            "EXTRACT" | "FLOOR" | "CEIL" | "CEILING" | "TRIM" | "SUBSTRING" | "POSITION" | "OVERLAY"
            | "TIMESTAMPADD" | "TIMESTAMPDIFF"
                if opened =>
            {
                self.keyword_call(&upper, start)?
            }
            "DESCRIPTOR" if opened => {
                self.at += 1;
                let columns = self.columns()?;
                node(ExprKind::Descriptor(columns), self.since(start), 0)?
            }
            "TABLE" => self.table_argument(start)?,
            "GROUPING" if opened => {
                let name = self.special_name()?;
                self.call(name)?
            }
            "JSON_OBJECTAGG" | "JSON_ARRAYAGG" if opened => self.json_aggregate(&upper, start)?,
            "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" | "JSON_OBJECT" | "JSON_ARRAY" if opened => {
                self.json_call(&upper, start)?
            }
            _ => return Ok(None),
        };
        Ok(Some(expr))
    }

    pub(super) fn special_name(&mut self) -> Parse<Name> {
        let name = self.ident_after_dot()?;
        Ok(Name { span: name.span, parts: vec![name] })
    }

    fn case(&mut self, start: Span) -> Parse<Expr> {
        self.at += 1;
        let operand = if self.at_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut branches = Vec::new();
        while self.take_word("WHEN") {
            let conditions = match operand {
                Some(_) => self.separated(Self::expr)?,
                None => vec![self.expr()?],
            };
            self.expect_word("THEN")?;
            branches.push((conditions, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.expected("WHEN"));
        }
        let otherwise = if self.take_word("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word("END")?;
        let parts = branches.iter().flat_map(|(conditions, result)| conditions.iter().chain([result]));
        let inner = parts.map(|part| part.height).max().unwrap_or(0);
        let around = operand.iter().chain(&otherwise).map(|expr| expr.height).max().unwrap_or(0);
        node(ExprKind::Case { operand, branches, otherwise }, self.since(start), inner.max(around))
    }

    fn cast(&mut self, start: Span, try_: bool) -> Parse<Expr> {
        self.at += 1;
        self.expect_sign("(")?;
        let input = self.expr()?;
        self.expect_word("AS")?;
        let ty = self.data_type()?;
        self.expect_sign(")")?;
        let height = input.height;
        node(ExprKind::Cast { input: Box::new(input), ty, try_ }, self.since(start), height)
    }

    /// The name, then `( … )`.
    fn call_items(&mut self) -> Parse<(Vec<Expr>, usize)> {
        self.at += 1;
        self.expect_sign("(")?;
        let items = if self.at_sign(")") { Vec::new() } else { self.separated(Parser::expr)? };
        self.expect_sign(")")?;
        let height = items.iter().map(|item| item.height).max().unwrap_or(0);
        Ok((items, height))
    }

    fn collection(&mut self, start: Span, map: bool) -> Parse<Expr> {
        self.at += 1;
        self.expect_sign("[")?;
        let items = if self.at_sign("]") { Vec::new() } else { self.separated(Parser::expr)? };
        self.expect_sign("]")?;
        let height = items.iter().map(|item| item.height).max().unwrap_or(0);
        node(if map { ExprKind::Map(items) } else { ExprKind::Array(items) }, self.since(start), height)
    }

    /// `TABLE t [PARTITION BY a, b]` as an argument.
    fn table_argument(&mut self, start: Span) -> Parse<Expr> {
        self.at += 1;
        let table = if self.take_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            super::from::query_from(query, self.since(start))
        } else {
            self.plain_table()?
        };
        let mut partition = Vec::new();
        if self.take_words(&["PARTITION", "BY"]) {
            // The comma also parts the arguments: a list stands in parentheses.
            partition = if self.take_sign("(") {
                let columns = self.separated(Parser::expr)?;
                self.expect_sign(")")?;
                columns
            } else {
                vec![self.expr()?]
            };
        }
        if self.at_words(&["ORDER", "BY"]) {
            return Err(crate::sql::Problem::error(
                "unsupported",
                "ORDER BY for a table argument is not supported.",
                self.here(),
            ));
        }
        node(ExprKind::TableArgument { table: Box::new(table), partition }, self.since(start), 0)
    }

    /// Functions whose arguments are set apart by words.
    fn keyword_call(&mut self, upper: &str, start: Span) -> Parse<Expr> {
        let mut name = self.special_name()?;
        self.expect_sign("(")?;
        let mut args = Vec::new();
        match upper {
            "EXTRACT" => {
                args.push(self.symbol()?);
                self.expect_word("FROM")?;
                args.push(self.expr()?);
            }
            "TIMESTAMPADD" | "TIMESTAMPDIFF" => {
                args.push(self.symbol()?);
                self.expect_sign(",")?;
                args.extend(self.separated(Parser::expr)?);
            }
            "FLOOR" | "CEIL" | "CEILING" => {
                if upper == "CEILING" {
                    rename(&mut name, "CEIL");
                }
                args.push(self.expr()?);
                if self.take_word("TO") {
                    args.push(self.symbol()?);
                }
            }
            "TRIM" => self.trim(&mut name, &mut args)?,
            "SUBSTRING" | "OVERLAY" => {
                args.push(self.expr()?);
                if upper == "OVERLAY" && self.take_word("PLACING") {
                    args.push(self.expr()?);
                }
                if self.take_word("FROM") {
                    args.push(self.expr()?);
                    if self.take_word("FOR") {
                        args.push(self.expr()?);
                    }
                } else {
                    while self.take_sign(",") {
                        args.push(self.expr()?);
                    }
                }
            }
            _ => {
                // POSITION(a IN b): `IN` is an operator, so that the first argument must stop before it.
                args.push(self.position_needle()?);
                self.expect_word("IN")?;
                args.push(self.expr()?);
                if self.take_word("FROM") {
                    args.push(self.expr()?);
                }
            }
        }
        self.expect_sign(")")?;
        let args = args.into_iter().map(|value| Argument { name: None, value }).collect();
        self.finish_call(name, args, start)
    }

    /// `TRIM(s)`, `TRIM([LEADING|TRAILING|BOTH] [chars] FROM s)`; becomes TRIM, LTRIM or RTRIM of the text.
    fn trim(&mut self, name: &mut Name, args: &mut Vec<Expr>) -> Parse<()> {
        let mut sided = true;
        if self.take_word("LEADING") {
            rename(name, "LTRIM");
        } else if self.take_word("TRAILING") {
            rename(name, "RTRIM");
        } else {
            sided = self.take_word("BOTH");
        }
        if self.take_word("FROM") {
            args.push(self.expr()?);
            return Ok(());
        }
        let first = self.expr()?;
        if self.take_word("FROM") {
            let text = self.expr()?;
            args.extend([text, first]);
        } else if sided {
            return Err(self.expected("FROM"));
        } else {
            args.push(first);
        }
        Ok(())
    }

    fn position_needle(&mut self) -> Parse<Expr> {
        // Everything up to the `IN` of this call, which cannot hold an IN operator without parentheses.
        let mut open = 0_usize;
        let end = (self.at..self.tokens.len()).find(|at| match self.tokens.get(*at).map(|token| &token.kind) {
            Some(TokenKind::Sign("(")) => {
                open += 1;
                false
            }
            Some(TokenKind::Sign(")")) => {
                open = open.saturating_sub(1);
                false
            }
            Some(TokenKind::Word(word)) => open == 0 && word.eq_ignore_ascii_case("IN"),
            _ => false,
        });
        let Some(end) = end else { return Err(self.expected("IN")) };
        let tokens = self.tokens.get(..end).unwrap_or_default();
        let mut inner = Parser { tokens, at: self.at, end: self.end, depth: self.depth };
        let needle = inner.expr()?;
        self.at = inner.at;
        Ok(needle)
    }

    /// A keyword as an argument: a unit of time, a side.
    fn symbol(&mut self) -> Parse<Expr> {
        let span = self.here();
        let word = match self.peek_kind(0) {
            Some(TokenKind::Word(word)) => word.to_ascii_uppercase(),
            _ => return Err(self.expected("a unit such as DAY or HOUR")),
        };
        self.at += 1;
        node(ExprKind::Literal(Literal::Symbol(word)), span, 0)
    }

    /// `name(args)` with what may follow: FILTER, OVER, WITHIN GROUP.
    pub(super) fn call(&mut self, name: Name) -> Parse<Expr> {
        let start = name.span;
        self.expect_sign("(")?;
        let mut call = Call::new(name, Vec::new());
        if self.take_sign("*") {
            call.star = true;
        } else if !self.at_sign(")") {
            call.distinct = self.take_word("DISTINCT");
            if !call.distinct {
                self.take_word("ALL");
            }
            call.args = self.separated(Parser::argument)?;
            self.null_treatment(&mut call);
        }
        self.expect_sign(")")?;
        self.call_suffix(&mut call)?;
        self.call_node(call, start)
    }

    pub(super) fn finish_call(&mut self, name: Name, args: Vec<Argument>, start: Span) -> Parse<Expr> {
        self.call_node(Call::new(name, args), start)
    }

    pub(super) fn call_node(&mut self, call: Call, start: Span) -> Parse<Expr> {
        let height =
            call.args.iter().map(|arg| arg.value.height).chain(call.filter.as_ref().map(|filter| filter.height));
        let over = call.over.iter().flat_map(|over| {
            let order = over.order.iter().map(|item| item.expr.height);
            over.partition.iter().map(|expr| expr.height).chain(order)
        });
        let height = height.chain(over).max();
        node(ExprKind::Call(Box::new(call)), self.since(start), height.unwrap_or(0))
    }

    fn argument(&mut self) -> Parse<Argument> {
        let named = self.sign_ahead(1, "=>");
        let name: Option<Ident> = if named { Some(self.ident_after_dot()?) } else { None };
        if named {
            self.expect_sign("=>")?;
        }
        Ok(Argument { name, value: self.expr()? })
    }

    pub(super) fn call_suffix(&mut self, call: &mut Call) -> Parse<()> {
        let start = self.here();
        if self.take_words(&["WITHIN", "GROUP"]) {
            self.skip_parentheses()?;
            call.unsupported.push(Unsupported { what: "WITHIN GROUP", span: self.since(start) });
        }
        self.null_treatment(call);
        if self.at_word("FILTER") && self.sign_ahead(1, "(") {
            self.at += 2;
            self.expect_word("WHERE")?;
            call.filter = Some(self.expr()?);
            self.expect_sign(")")?;
        }
        if self.take_word("OVER") {
            call.over = Some(Box::new(self.over()?));
        }
        Ok(())
    }

    /// `IGNORE NULLS` within or behind the parentheses.
    fn null_treatment(&mut self, call: &mut Call) {
        let start = self.here();
        let treatment = if self.take_words(&["IGNORE", "NULLS"]) {
            NullTreatment::LeftOut
        } else if self.take_words(&["RESPECT", "NULLS"]) {
            NullTreatment::Kept
        } else {
            return;
        };
        // What the function does anyway may be said.
        let leaves_out = treatment == NullTreatment::LeftOut;
        match call.name.last().to_ascii_uppercase().as_str() {
            "ARRAY_AGG" => call.nulls = Some(treatment),
            "FIRST_VALUE" | "LAST_VALUE" if leaves_out => {}
            "LAG" | "LEAD" if !leaves_out => {}
            _ => {
                let what = if leaves_out { "IGNORE NULLS" } else { "RESPECT NULLS" };
                call.unsupported.push(Unsupported { what, span: self.since(start) });
            }
        }
    }
}

fn rename(name: &mut Name, to: &str) {
    if let Some(part) = name.parts.last_mut() {
        to.clone_into(&mut part.value);
    }
}

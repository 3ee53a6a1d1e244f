//! Expressions by operator precedence, as Calcite ranks them: OR, AND, NOT, IS, comparison, + −, * / % ||, sign.

use super::{MAX_HEIGHT, Parse, Parser, too_deep};
use crate::sql::Span;
use crate::sql::ast::{Expr, ExprKind, Name, Query};
use crate::sql::token::TokenKind;

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARE: u8 = 5;
const ADD: u8 = 6;
const MULTIPLY: u8 = 7;
const SIGN: u8 = 8;

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parse<Expr> {
        self.nested(|parser| parser.expr_above(0))
    }

    /// An expression that stops before AND, OR and comparisons.
    pub(super) fn operand(&mut self) -> Parse<Expr> {
        self.nested(|parser| parser.expr_above(COMPARE))
    }

    fn expr_above(&mut self, lowest: u8) -> Parse<Expr> {
        let mut left = self.prefix()?;
        loop {
            let Some(strength) = self.infix_strength() else { return Ok(left) };
            if strength <= lowest {
                return Ok(left);
            }
            left = match strength {
                OR => self.logical("OR", OR, left)?,
                AND => self.logical("AND", AND, left)?,
                IS => self.is_test(left)?,
                COMPARE => self.comparison(left)?,
                _ => self.arithmetic(strength, left)?,
            };
        }
    }

    /// What follows an operand, if it is an operator at all.
    fn infix_strength(&self) -> Option<u8> {
        match self.peek_kind(0)? {
            TokenKind::Sign("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => Some(COMPARE),
            TokenKind::Sign("+" | "-") => Some(ADD),
            TokenKind::Sign("*" | "/" | "%" | "||") => Some(MULTIPLY),
            TokenKind::Word(word) => match word.to_ascii_uppercase().as_str() {
                "OR" => Some(OR),
                "AND" => Some(AND),
                "IS" => Some(IS),
                "BETWEEN" | "IN" | "LIKE" | "SIMILAR" | "OVERLAPS" => Some(COMPARE),
                "NOT" if ["BETWEEN", "IN", "LIKE", "SIMILAR"].iter().any(|next| self.word_ahead(1, next)) => {
                    Some(COMPARE)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A chain of one operator is one node, so that long conditions do not nest.
    fn logical(&mut self, operator: &'static str, strength: u8, first: Expr) -> Parse<Expr> {
        let mut operands = vec![first];
        while self.take_word(operator) {
            operands.push(self.nested(|parser| parser.expr_above(strength))?);
        }
        self.node_over(operands, |operands| ExprKind::Logical { operator, operands })
    }

    fn arithmetic(&mut self, strength: u8, left: Expr) -> Parse<Expr> {
        let operator = match self.peek_kind(0) {
            Some(TokenKind::Sign(sign)) => *sign,
            _ => return Err(self.expected("an operator")),
        };
        self.at += 1;
        let right = self.nested(|parser| parser.expr_above(strength))?;
        self.binary(operator, left, right)
    }

    fn binary(&mut self, operator: &'static str, left: Expr, right: Expr) -> Parse<Expr> {
        let span = Span { start: left.span.start, end: right.span.end };
        let height = left.height.max(right.height);
        node(ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span, height)
    }

    fn comparison(&mut self, left: Expr) -> Parse<Expr> {
        if let Some(TokenKind::Sign(sign)) = self.peek_kind(0) {
            let operator: &'static str = if *sign == "!=" { "<>" } else { sign };
            self.at += 1;
            for word in ["ALL", "ANY", "SOME"] {
                if self.at_word(word) && self.sign_ahead(1, "(") {
                    self.at += 1;
                    return self.quantified(operator, word == "ALL", left);
                }
            }
            let right = self.nested(|parser| parser.expr_above(COMPARE))?;
            return self.binary(operator, left, right);
        }
        if self.take_word("OVERLAPS") {
            let right = self.nested(|parser| parser.expr_above(COMPARE))?;
            return self.binary("OVERLAPS", left, right);
        }
        let start = left.span;
        let negated = self.take_word("NOT");
        if self.take_word("BETWEEN") {
            let symmetric = self.take_word("SYMMETRIC");
            self.take_word("ASYMMETRIC");
            let low = self.nested(|parser| parser.expr_above(COMPARE))?;
            self.expect_word("AND")?;
            let high = self.nested(|parser| parser.expr_above(COMPARE))?;
            let height = left.height.max(low.height).max(high.height);
            let (input, low, high) = (Box::new(left), Box::new(low), Box::new(high));
            return node(ExprKind::Between { input, low, high, symmetric, negated }, self.since(start), height);
        }
        if self.take_word("IN") {
            return self.in_list(left, negated);
        }
        let operator = if self.take_words(&["SIMILAR", "TO"]) { "SIMILAR TO" } else { "LIKE" };
        if operator == "LIKE" {
            self.expect_word("LIKE")?;
        }
        let pattern = self.nested(|parser| parser.expr_above(COMPARE))?;
        let escape =
            if self.take_word("ESCAPE") { Some(self.nested(|parser| parser.expr_above(COMPARE))?) } else { None };
        let height = left.height.max(pattern.height).max(escape.as_ref().map_or(0, |escape| escape.height));
        let (input, pattern, escape) = (Box::new(left), Box::new(pattern), escape.map(Box::new));
        node(ExprKind::Like { operator, input, pattern, escape, negated }, self.since(start), height)
    }

    /// `> ALL (SELECT …)`, behind ALL.
    fn quantified(&mut self, operator: &'static str, all: bool, left: Expr) -> Parse<Expr> {
        let start = left.span;
        self.expect_sign("(")?;
        if !self.at_query() {
            return Err(self.expected("a query"));
        }
        let query = self.query()?;
        self.expect_sign(")")?;
        let height = left.height.max(query.height);
        let (input, query) = (Box::new(left), Box::new(query));
        node(ExprKind::Quantified { operator, all, input, query }, self.since(start), height)
    }

    fn in_list(&mut self, left: Expr, negated: bool) -> Parse<Expr> {
        let start = left.span;
        self.expect_sign("(")?;
        if self.at_query() {
            let query = self.query()?;
            self.expect_sign(")")?;
            let height = left.height.max(query.height);
            return node(
                ExprKind::InQuery { input: Box::new(left), query: Box::new(query), negated },
                self.since(start),
                height,
            );
        }
        let list = self.separated(Parser::expr)?;
        self.expect_sign(")")?;
        let height = list.iter().map(|item| item.height).max().unwrap_or(0).max(left.height);
        node(ExprKind::InList { input: Box::new(left), list, negated }, self.since(start), height)
    }

    fn is_test(&mut self, input: Expr) -> Parse<Expr> {
        const TESTS: &[(&[&str], &str)] = &[
            (&["NOT", "NULL"], "IS NOT NULL"),
            (&["NULL"], "IS NULL"),
            (&["NOT", "TRUE"], "IS NOT TRUE"),
            (&["TRUE"], "IS TRUE"),
            (&["NOT", "FALSE"], "IS NOT FALSE"),
            (&["FALSE"], "IS FALSE"),
            (&["NOT", "UNKNOWN"], "IS NOT UNKNOWN"),
            (&["UNKNOWN"], "IS UNKNOWN"),
            (&["NOT", "JSON", "OBJECT"], "IS NOT JSON OBJECT"),
            (&["NOT", "JSON", "ARRAY"], "IS NOT JSON ARRAY"),
            (&["NOT", "JSON", "SCALAR"], "IS NOT JSON SCALAR"),
            (&["NOT", "JSON", "VALUE"], "IS NOT JSON VALUE"),
            (&["NOT", "JSON"], "IS NOT JSON VALUE"),
            (&["JSON", "OBJECT"], "IS JSON OBJECT"),
            (&["JSON", "ARRAY"], "IS JSON ARRAY"),
            (&["JSON", "SCALAR"], "IS JSON SCALAR"),
            (&["JSON", "VALUE"], "IS JSON VALUE"),
            (&["JSON"], "IS JSON VALUE"),
        ];
        let start = input.span;
        self.expect_word("IS")?;
        if self.take_words(&["NOT", "DISTINCT", "FROM"]) {
            let right = self.nested(|parser| parser.expr_above(COMPARE))?;
            return self.binary("IS NOT DISTINCT FROM", input, right);
        }
        if self.take_words(&["DISTINCT", "FROM"]) {
            let right = self.nested(|parser| parser.expr_above(COMPARE))?;
            return self.binary("IS DISTINCT FROM", input, right);
        }
        for (words, test) in TESTS {
            if self.take_words(words) {
                let height = input.height;
                return node(ExprKind::Is { input: Box::new(input), test }, self.since(start), height);
            }
        }
        Err(self.expected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON"))
    }

    fn prefix(&mut self) -> Parse<Expr> {
        let start = self.here();
        if self.take_word("NOT") {
            let operand = self.nested(|parser| parser.expr_above(NOT - 1))?;
            let height = operand.height;
            return node(ExprKind::Unary { operator: "NOT", operand: Box::new(operand) }, self.since(start), height);
        }
        for operator in ["-", "+"] {
            if self.take_sign(operator) {
                let operand = self.nested(|parser| parser.expr_above(SIGN))?;
                let height = operand.height;
                return node(ExprKind::Unary { operator, operand: Box::new(operand) }, self.since(start), height);
            }
        }
        let mut expr = self.primary()?;
        // `a[1]`, `f(x).field`
        loop {
            if self.take_sign("[") {
                let index = self.expr()?;
                self.expect_sign("]")?;
                let height = expr.height.max(index.height);
                expr = node(
                    ExprKind::Element { input: Box::new(expr), index: Box::new(index) },
                    self.since(start),
                    height,
                )?;
            } else if self.at_sign(".") {
                self.at += 1;
                let name = self.ident_after_dot()?;
                let height = expr.height;
                expr = node(ExprKind::Field { input: Box::new(expr), name }, self.since(start), height)?;
            } else if self.at_sign("::") {
                return Err(self.expected("CAST(… AS …) instead of '::'"));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Parse<Expr> {
        let start = self.here();
        if let Some(literal) = self.literal()? {
            return node(ExprKind::Literal(literal), self.since(start), 0);
        }
        if self.take_sign("(") {
            return self.in_parentheses(start);
        }
        if let Some(special) = self.special(start)? {
            return Ok(special);
        }
        // LEFT and RIGHT are reserved, and functions.
        let first = match self.peek_kind(0) {
            Some(TokenKind::Word(_)) if self.sign_ahead(1, "(") && (self.at_word("LEFT") || self.at_word("RIGHT")) => {
                self.ident_after_dot()?
            }
            _ => self.ident("an expression or a column name").map_err(|problem| self.explain_expression(problem))?,
        };
        let mut parts = vec![first];
        while self.at_sign(".") && !self.sign_ahead(1, "*") {
            self.at += 1;
            parts.push(self.ident_after_dot()?);
        }
        let name = Name { parts, span: self.since(start) };
        if self.at_sign("(") {
            return self.call(name);
        }
        node(ExprKind::Name(name), self.since(start), 0)
    }

    /// "Expected an expression": shorter, where no reserved word was meant as a name.
    fn explain_expression(&self, mut problem: crate::sql::Problem) -> crate::sql::Problem {
        let clause = ["FROM", "WHERE", "GROUP", "ORDER", "HAVING", "THEN", "END", "AND", "OR"]
            .iter()
            .any(|word| self.at_word(word));
        if clause {
            problem.hint = None;
            problem.replacement = None;
        }
        problem
    }

    /// A query, a row, or an expression; the opening parenthesis is taken.
    fn in_parentheses(&mut self, start: Span) -> Parse<Expr> {
        if self.at_query() {
            let query = self.query()?;
            self.expect_sign(")")?;
            let height = query.height;
            return node(ExprKind::ScalarQuery(Box::new(query)), self.since(start), height);
        }
        let mut items = self.separated(Parser::expr)?;
        self.expect_sign(")")?;
        match (items.pop(), items.is_empty()) {
            // The parentheses belong to the expression's extent in Calcite only for rows.
            (Some(only), true) => Ok(only),
            (last, _) => {
                items.extend(last);
                let height = items.iter().map(|item| item.height).max().unwrap_or(0);
                node(ExprKind::Row(items), self.since(start), height)
            }
        }
    }

    /// Whether a query begins here, possibly behind parentheses.
    pub(super) fn at_query(&self) -> bool {
        let opened = (0..).take_while(|ahead| self.sign_ahead(*ahead, "(")).count();
        let select = ["SELECT", "WITH", "VALUES"].iter().any(|word| self.word_ahead(opened, word));
        // `((SELECT 1) + 2)` begins with a scalar query, which only the expression parser can tell: one level at a time.
        select && opened == 0
    }

    fn node_over(&mut self, operands: Vec<Expr>, kind: impl FnOnce(Vec<Expr>) -> ExprKind) -> Parse<Expr> {
        let start = operands.first().map_or(0, |expr| expr.span.start);
        let end = operands.last().map_or(0, |expr| expr.span.end);
        // Long chains are bound as balanced trees.
        let levels = usize::BITS - operands.len().leading_zeros();
        let height = operands.iter().map(|expr| expr.height).max().unwrap_or(0) + levels as usize;
        node(kind(operands), Span { start, end }, height)
    }

    pub(super) fn exists(&mut self, start: Span) -> Parse<Expr> {
        self.expect_sign("(")?;
        let query: Query = self.query()?;
        self.expect_sign(")")?;
        let height = query.height;
        node(ExprKind::Exists(Box::new(query)), self.since(start), height)
    }
}

/// A node above children of the given height, refused where it would nest too deep.
pub(super) fn node(kind: ExprKind, span: Span, below: usize) -> Parse<Expr> {
    let height = below + 1;
    if height > MAX_HEIGHT {
        return Err(too_deep(span));
    }
    Ok(Expr { kind, span, height })
}

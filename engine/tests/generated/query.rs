//! Random queries in the words that Flink SQL and SQLite share and mean alike.
//!
//! Left out, because the two differ: division, AVG, comparisons of numbers with text, aggregates over a whole table
//! outside of subqueries (a stream says nothing about an empty one), LIMIT without a whole order.

use rand::Rng;
use rand::rngs::StdRng;

use super::data::COLUMNS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Number,
    Text,
}

impl Type {
    pub(crate) fn flink(self) -> &'static str {
        match self {
            Type::Number => "BIGINT",
            Type::Text => "STRING",
        }
    }
}

pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) columns: Vec<(String, Type)>,
}

/// What can be named at a place in the query.
type Scope = Vec<(String, Type)>;

pub(crate) struct Writer<'a> {
    random: &'a mut StdRng,
    aliases: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(random: &'a mut StdRng) -> Self {
        Writer { random, aliases: 0 }
    }

    pub(crate) fn query(&mut self) -> Query {
        let types = self.types();
        let depth = self.below(3);
        self.query_of(&types, depth)
    }

    fn types(&mut self) -> Vec<Type> {
        (0..=self.below(3)).map(|_| if self.chance(0.7) { Type::Number } else { Type::Text }).collect()
    }

    fn query_of(&mut self, types: &[Type], depth: usize) -> Query {
        let names = (0..types.len()).map(|at| format!("o{at}"));
        let columns = names.zip(types.iter().copied()).collect();
        let sql = match self.below(10) {
            0..=1 if depth > 0 => self.set_operation(types, depth - 1),
            2..=3 if depth > 0 => self.top_n(types, depth - 1),
            4..=6 => self.grouped(types, depth),
            7 => self.plain("SELECT DISTINCT", types, depth),
            _ => self.plain("SELECT", types, depth),
        };
        Query { sql, columns }
    }

    fn plain(&mut self, select: &str, types: &[Type], depth: usize) -> String {
        let (from, scope) = self.from(depth);
        let items = self.items(types, |writer, ty| writer.value(ty, &scope, 2));
        let condition = self.condition(&scope);
        format!("{select} {items} FROM {from}{condition}")
    }

    fn grouped(&mut self, types: &[Type], depth: usize) -> String {
        let (from, scope) = self.from(depth);
        let keys: Scope = (0..=self.below(2)).map(|_| self.pick(&scope).clone()).collect();
        let items = self.items(types, |writer, ty| {
            let key = keys.iter().find(|(_, of)| *of == ty).filter(|_| writer.chance(0.5));
            key.map_or_else(|| writer.aggregate(ty, &scope), |(name, _)| name.clone())
        });
        let condition = self.condition(&scope);
        let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
        let having = match self.chance(0.3) {
            true => format!(" HAVING {} {} {}", self.aggregate(Type::Number, &scope), self.comparison(), self.below(4)),
            false => String::new(),
        };
        format!("SELECT {items} FROM {from}{condition} GROUP BY {}{having}", names.join(", "))
    }

    fn set_operation(&mut self, types: &[Type], depth: usize) -> String {
        let (left, right) = (self.query_of(types, depth), self.query_of(types, depth));
        let operation = ["UNION ALL", "UNION", "INTERSECT", "EXCEPT"][self.below(4)];
        let names: Vec<&str> = left.columns.iter().map(|(name, _)| name.as_str()).collect();
        let (names, one, other) = (names.join(", "), self.alias(), self.alias());
        format!(
            "SELECT {names} FROM ({}) AS {one} {operation} SELECT {names} FROM ({}) AS {other}",
            left.sql, right.sql
        )
    }

    /// Ordered by all columns, so that it does not matter which of equal rows come first.
    fn top_n(&mut self, types: &[Type], depth: usize) -> String {
        let inner = self.query_of(types, depth);
        let names: Vec<&str> = inner.columns.iter().map(|(name, _)| name.as_str()).collect();
        let order: Vec<String> =
            names.iter().map(|name| format!("{name}{}", if self.chance(0.5) { " DESC" } else { "" })).collect();
        let partition = match self.chance(0.7) {
            true => format!("PARTITION BY {} ", self.pick(&names)),
            false => String::new(),
        };
        let (rows, ranked, most) = (self.alias(), self.alias(), self.below(3) + 1);
        format!(
            "SELECT {0} FROM (SELECT {0}, ROW_NUMBER() OVER ({partition}ORDER BY {1}) AS place FROM ({2}) AS {rows}) AS {ranked} WHERE place <= {most}",
            names.join(", "),
            order.join(", "),
            inner.sql
        )
    }

    fn items(&mut self, types: &[Type], mut item: impl FnMut(&mut Self, Type) -> String) -> String {
        let items: Vec<String> =
            types.iter().enumerate().map(|(at, ty)| format!("{} AS o{at}", item(self, *ty))).collect();
        items.join(", ")
    }

    fn from(&mut self, depth: usize) -> (String, Scope) {
        let (mut from, mut scope) = self.relation(depth);
        for _ in 0..self.below(2) + self.below(2) {
            let (other, columns) = self.relation(depth.saturating_sub(1));
            let kind = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][self.below(4)];
            let equal = self.equal(&scope, &columns);
            scope.extend(columns);
            let further = match self.chance(0.3) {
                true => format!(" AND {}", self.simple(&scope, 1)),
                false => String::new(),
            };
            from = format!("{from} {kind} {other} ON {equal}{further}");
        }
        (from, scope)
    }

    fn equal(&mut self, left: &Scope, right: &Scope) -> String {
        let numbers = |scope: &Scope| -> Vec<String> {
            scope.iter().filter(|(_, ty)| *ty == Type::Number).map(|(name, _)| name.clone()).collect()
        };
        let (left, right) = (numbers(left), numbers(right));
        match (left.is_empty(), right.is_empty()) {
            (false, false) => format!("{} = {}", self.pick(&left), self.pick(&right)),
            _ => "1 = 1".to_owned(),
        }
    }

    fn relation(&mut self, depth: usize) -> (String, Scope) {
        let alias = self.alias();
        if depth > 0 && self.chance(0.4) {
            let types = self.types();
            let query = self.query_of(&types, depth - 1);
            let scope = query.columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), *ty)).collect();
            return (format!("({}) AS {alias}", query.sql), scope);
        }
        (format!("{} AS {alias}", self.table()), columns_of(&alias))
    }

    fn condition(&mut self, scope: &Scope) -> String {
        if self.chance(0.4) { String::new() } else { format!(" WHERE {}", self.predicate(scope, 2)) }
    }

    fn predicate(&mut self, scope: &Scope, depth: usize) -> String {
        match self.below(10) {
            0..=1 if depth > 0 => {
                let word = if self.chance(0.5) { "AND" } else { "OR" };
                format!("({} {word} {})", self.predicate(scope, depth - 1), self.predicate(scope, depth - 1))
            }
            2 if depth > 0 => format!("NOT ({})", self.predicate(scope, depth - 1)),
            3..=4 => self.with_subquery(scope),
            _ => self.simple(scope, depth),
        }
    }

    fn with_subquery(&mut self, scope: &Scope) -> String {
        let (table, alias) = (self.table(), self.alias());
        let inner = columns_of(&alias);
        let filter = self.simple(&inner, 1);
        let not = if self.chance(0.4) { "NOT " } else { "" };
        match self.below(3) {
            0 => format!(
                "{} {not}IN (SELECT {alias}.a FROM {table} AS {alias} WHERE {filter})",
                self.value(Type::Number, scope, 1)
            ),
            1 => {
                let equal = self.equal(scope, &inner);
                format!("{not}EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {equal} AND {filter})")
            }
            _ => {
                let equal = self.equal(scope, &inner);
                let aggregate = ["MAX", "MIN", "SUM", "COUNT"][self.below(4)];
                format!(
                    "{} {} (SELECT {aggregate}({alias}.b) FROM {table} AS {alias} WHERE {equal} AND {filter})",
                    self.value(Type::Number, scope, 1),
                    self.comparison()
                )
            }
        }
    }

    fn simple(&mut self, scope: &Scope, depth: usize) -> String {
        let ty = if self.chance(0.7) { Type::Number } else { Type::Text };
        match self.below(6) {
            0 => {
                let not = if self.chance(0.5) { "NOT " } else { "" };
                format!("{} IS {not}NULL", self.value(ty, scope, depth))
            }
            1 => format!("{} BETWEEN -1 AND {}", self.value(Type::Number, scope, depth), self.below(4)),
            2 => {
                let not = if self.chance(0.3) { "NOT " } else { "" };
                format!("{} {not}IN (1, {}, -1)", self.value(Type::Number, scope, depth), self.below(4))
            }
            _ => format!("{} {} {}", self.value(ty, scope, depth), self.comparison(), self.value(ty, scope, depth)),
        }
    }

    fn value(&mut self, ty: Type, scope: &Scope, depth: usize) -> String {
        let columns: Vec<String> = scope.iter().filter(|(_, of)| *of == ty).map(|(name, _)| name.clone()).collect();
        if !columns.is_empty() && (depth == 0 || self.chance(0.6)) {
            return self.pick(&columns).clone();
        }
        if depth == 0 || columns.is_empty() {
            return match ty {
                Type::Number => format!("CAST({} AS BIGINT)", self.below(4)),
                Type::Text => "UPPER('y')".to_owned(),
            };
        }
        let deeper = |writer: &mut Self| writer.value(ty, scope, depth - 1);
        match (ty, self.below(4)) {
            (_, 0) => format!("COALESCE({}, {})", deeper(self), deeper(self)),
            (_, 1) => {
                let when = self.simple(scope, depth - 1);
                format!("CASE WHEN {when} THEN {} ELSE {} END", deeper(self), deeper(self))
            }
            (Type::Number, 2) => format!("({} {} {})", deeper(self), ["+", "-", "*"][self.below(3)], deeper(self)),
            (Type::Number, _) => format!("({} % {})", deeper(self), self.below(3) + 2),
            (Type::Text, 2) => format!("({} || {})", deeper(self), deeper(self)),
            (Type::Text, _) => format!("UPPER({})", deeper(self)),
        }
    }

    fn aggregate(&mut self, ty: Type, scope: &Scope) -> String {
        let filter = match self.chance(0.2) {
            true => format!(" FILTER (WHERE {})", self.simple(scope, 1)),
            false => String::new(),
        };
        if ty == Type::Text {
            return format!("{}({}){filter}", ["MIN", "MAX"][self.below(2)], self.value(ty, scope, 1));
        }
        let value = self.value(ty, scope, 1);
        match self.below(6) {
            0 => format!("COUNT(*){filter}"),
            1 => format!("COUNT(DISTINCT {value}){filter}"),
            2 => format!("SUM(DISTINCT {value}){filter}"),
            other => format!("{}({value}){filter}", ["SUM", "MIN", "MAX"][other - 3]),
        }
    }

    fn comparison(&mut self) -> &'static str {
        ["=", "<>", "<", "<=", ">", ">="][self.below(6)]
    }

    fn table(&mut self) -> &'static str {
        ["r", "s", "t"][self.below(3)]
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("q{}", self.aliases)
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    fn pick<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        &from[self.below(from.len())]
    }
}

fn columns_of(alias: &str) -> Scope {
    let ty = |name: &str| if name == "c" { Type::Text } else { Type::Number };
    COLUMNS.iter().map(|name| (format!("{alias}.{name}"), ty(name))).collect()
}

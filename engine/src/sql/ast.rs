//! The syntax tree. It has no optional part that the binder does not look at: what the parser takes, the binder either
//! gives meaning to or refuses by name.

mod call;
mod function;
mod merge;

use super::Span;
use crate::types::Type;

pub(crate) use call::{Argument, Call, Frame, FrameBound, NullTreatment, Over};
pub(crate) use function::{CreateFunction, FunctionBody, Macro};
pub(crate) use merge::{Merge, MergeAction, MergeClause};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ident {
    pub value: String,
    pub span: Span,
}

/// `db.table`, `alias.column.field`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub parts: Vec<Ident>,
    pub span: Span,
}

impl Name {
    pub(crate) fn text(&self) -> String {
        self.parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
    }

    pub(crate) fn last(&self) -> &str {
        self.parts.last().map_or("", |part| part.value.as_str())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum StatementKind {
    CreateTable(Box<CreateTable>),
    CreateView(Box<CreateView>),
    CreateFunction(Box<CreateFunction>),
    Insert(Box<Insert>),
    Merge(Box<Merge>),
    Query(Box<Query>),
    Explain(Box<Statement>),
    Set { key: Option<(String, String)> },
    Use(Name),
    Drop { what: &'static str, name: Name, if_exists: bool },
    DropFunction { name: Name, if_exists: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct CreateTable {
    pub name: Name,
    pub temporary: bool,
    pub if_not_exists: bool,
    pub or_replace: bool,
    pub columns: Vec<Column>,
    pub watermarks: Vec<Watermark>,
    pub primary_keys: Vec<PrimaryKey>,
    pub partition_keys: Vec<Ident>,
    pub comment: String,
    pub options: Vec<TableOption>,
    pub options_span: Option<Span>,
    pub like: Option<Like>,
    /// `AS SELECT …`: the table is filled with it and has its columns.
    pub query: Option<Query>,
    pub unsupported: Vec<Unsupported>,
}

/// A clause that is read and refused by the binder, with its name in words.
#[derive(Clone, Debug)]
pub(crate) struct Unsupported {
    pub what: &'static str,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub name: Ident,
    pub kind: ColumnKind,
    pub comment: String,
}

#[derive(Clone, Debug)]
pub(crate) enum ColumnKind {
    Physical { ty: DataType },
    Computed { expr: Expr },
    Metadata { ty: DataType, key: Option<String>, virtual_: bool },
}

/// A type as written.
#[derive(Clone, Debug)]
pub(crate) struct DataType {
    pub ty: Type,
}

#[derive(Clone, Debug)]
pub(crate) struct Watermark {
    pub column: Name,
    pub expr: Expr,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct PrimaryKey {
    pub columns: Vec<Ident>,
    pub enforced: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct TableOption {
    pub key: String,
    pub value: String,
    pub key_span: Span,
    pub value_span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Like {
    pub table: Name,
    /// `(EXCLUDING OPTIONS, INCLUDING GENERATED, …)`: including or not, what.
    pub choices: Vec<(LikeChoice, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LikeChoice {
    Including,
    Excluding,
    Overwriting,
}

#[derive(Clone, Debug)]
pub(crate) struct CreateView {
    pub name: Name,
    pub if_not_exists: bool,
    pub or_replace: bool,
    pub columns: Vec<Ident>,
    pub query: Query,
}

#[derive(Clone, Debug)]
pub(crate) struct Insert {
    pub table: Name,
    pub columns: Vec<Ident>,
    /// `PARTITION (day = '2020-01-02')`
    pub partition: Vec<(Ident, Expr)>,
    /// Where `OVERWRITE` stands.
    pub overwrite: Option<Span>,
    pub query: Query,
    pub hints: Vec<Hint>,
}

#[derive(Clone, Debug)]
pub(crate) struct Hint {
    pub name: Ident,
    pub args: Vec<HintArg>,
    pub span: Span,
}

/// `'key' = 'value'`; a bare argument has an empty value.
#[derive(Clone, Debug)]
pub(crate) struct HintArg {
    pub key: String,
    pub value: String,
    pub key_span: Span,
    pub value_span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub with: Vec<Cte>,
    pub body: Body,
    pub order_by: Vec<OrderItem>,
    pub offset: Option<Expr>,
    pub fetch: Option<Expr>,
    pub span: Span,
    /// Nesting below this query.
    pub height: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Cte {
    pub name: Ident,
    pub columns: Vec<Ident>,
    pub query: Query,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Select(Box<Select>),
    Values {
        rows: Vec<Expr>,
        span: Span,
    },
    /// `TABLE t`
    Table(Name),
    Query(Box<Query>),
    /// Chains of the same operator are one node.
    SetOperation {
        operator: SetOperator,
        all: bool,
        inputs: Vec<Body>,
        span: Span,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub hints: Vec<Hint>,
    pub distinct: bool,
    pub items: Vec<Item>,
    pub from: Option<From>,
    pub filter: Option<Expr>,
    pub group_by: Vec<GroupItem>,
    /// `GROUP BY ()` is a group of its own, unlike no GROUP BY at all.
    pub grouped: bool,
    /// `GROUP BY DISTINCT`: equal grouping sets count once.
    pub group_by_distinct: bool,
    pub having: Option<Expr>,
    /// `WINDOW w AS (…)`
    pub windows: Vec<(Ident, Over)>,
    pub unsupported: Vec<Unsupported>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Star(Span),
    QualifiedStar(Name),
    Expr { expr: Expr, alias: Option<Ident> },
}

#[derive(Clone, Debug)]
pub(crate) enum GroupItem {
    Expr(Expr),
    /// `(a, b)` within GROUPING SETS; `()` is the group of all rows.
    Tuple(Vec<Expr>),
    /// `GROUPING SETS (…)`
    Sets {
        items: Vec<GroupItem>,
        span: Span,
    },
    /// Every choice among what stands in parentheses together.
    Cube {
        items: Vec<Vec<Expr>>,
        span: Span,
    },
    /// All, then one less from the right each time.
    Rollup {
        items: Vec<Vec<Expr>>,
        span: Span,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct OrderItem {
    pub expr: Expr,
    pub ascending: bool,
    pub nulls_first: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct From {
    pub kind: FromKind,
    pub alias: Option<Alias>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Alias {
    pub name: Ident,
    pub columns: Vec<Ident>,
}

#[derive(Clone, Debug)]
pub(crate) enum FromKind {
    Table {
        name: Name,
        hints: Vec<Hint>,
        system_time: Option<Box<SystemTime>>,
    },
    Query(Box<Query>),
    /// `TABLE(TUMBLE(…))`, `LATERAL TABLE(f(x))`, and bare `TUMBLE(…)`.
    Function {
        call: Box<Call>,
        call_span: Span,
        lateral: bool,
    },
    Unnest {
        input: Expr,
        call_span: Span,
        /// `WITH ORDINALITY`: the position as the last column.
        ordinality: bool,
    },
    Join {
        left: Box<From>,
        right: Box<From>,
        kind: JoinKind,
        condition: JoinCondition,
    },
    Unsupported(&'static str),
}

/// `FOR SYSTEM_TIME AS OF o.ts`: the table as it was at that time.
#[derive(Clone, Debug)]
pub(crate) struct SystemTime {
    pub time: Expr,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// `CROSS JOIN`, and tables with a comma between.
    Cross,
}

#[derive(Clone, Debug)]
pub(crate) enum JoinCondition {
    None,
    On(Expr),
    Using(Vec<Ident>),
    /// Every name that both sides have.
    Natural,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    /// Nesting below this node, to refuse what would overflow a stack later.
    pub height: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Name(Name),
    Literal(Literal),
    /// `AND` / `OR` over two or more operands.
    Logical {
        operator: &'static str,
        operands: Vec<Expr>,
    },
    Binary {
        operator: &'static str,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Unary {
        operator: &'static str,
        operand: Box<Expr>,
    },
    Call(Box<Call>),
    Cast {
        input: Box<Expr>,
        ty: DataType,
        try_: bool,
    },
    Case {
        operand: Option<Box<Expr>>,
        /// With an operand, each may name several values.
        branches: Vec<(Vec<Expr>, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Between {
        input: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        symmetric: bool,
        negated: bool,
    },
    InList {
        input: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InQuery {
        input: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    /// `a > ALL (SELECT …)`, `a = ANY (SELECT …)`
    Quantified {
        operator: &'static str,
        all: bool,
        input: Box<Expr>,
        query: Box<Query>,
    },
    Exists(Box<Query>),
    ScalarQuery(Box<Query>),
    Like {
        operator: &'static str,
        input: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
        negated: bool,
    },
    /// `IS [NOT] NULL`, `IS TRUE`, `IS JSON OBJECT`, …: the words after `IS`.
    Is {
        input: Box<Expr>,
        test: &'static str,
    },
    Row(Vec<Expr>),
    Array(Vec<Expr>),
    Map(Vec<Expr>),
    /// `a[1]`, `m['k']`
    Element {
        input: Box<Expr>,
        index: Box<Expr>,
    },
    /// `f(x).name`
    Field {
        input: Box<Expr>,
        name: Ident,
    },
    /// `TABLE t` as the argument of a window function.
    TableArgument {
        table: Box<From>,
        partition: Vec<Expr>,
    },
    /// `DESCRIPTOR(ts)`
    Descriptor(Vec<Ident>),
    /// Understood, and refused by the binder.
    Unsupported(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Number(String),
    Text(String),
    Binary(Vec<u8>),
    Boolean(bool),
    Null,
    Date(String),
    Time(String),
    Timestamp(String),
    Interval(IntervalLiteral),
    /// A keyword that stands for itself as an argument: the unit of EXTRACT, the side of TRIM.
    Symbol(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IntervalLiteral {
    pub negative: bool,
    pub text: String,
    pub from: Unit,
    pub precision: Option<u32>,
    pub to: Option<Unit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

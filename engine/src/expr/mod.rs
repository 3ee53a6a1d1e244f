//! Bound expressions: every column an index, every node typed, every implicit conversion written out.
//!
//! Operators are calls too (`+`, `=`, `AND`, `IS NULL`, `LIKE`, …), so that one registry ([`crate::function`]) decides
//! types and kernels. [`lower::lower`] turns an expression into a DataFusion physical expression once per operator.

pub mod cast;
pub mod lower;
mod value;

use std::fmt;
use std::sync::Arc;

use crate::function::ScalarCall;
use crate::sql::Span;
use crate::types::Type;

pub use value::Value;

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    /// Where it stands in the script, for messages at run time and in the graph.
    pub span: Option<Span>,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Index into the input's columns.
    Column(usize),
    Literal(Value),
    /// `function` was resolved against the types of `args`, which have been cast to what it wants.
    Call {
        function: Arc<ScalarCall>,
        args: Vec<Expr>,
    },
    /// To `self.ty`.
    Cast {
        input: Box<Expr>,
        mode: CastMode,
    },
    /// Searched CASE; all results have been cast to `self.ty`. No `otherwise` means NULL.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CastMode {
    /// Failing fails the job, as `CAST` does in Flink.
    Strict,
    /// Failing gives NULL: `TRY_CAST`.
    Try,
}

impl Expr {
    pub fn column(index: usize, ty: Type) -> Self {
        Expr { kind: ExprKind::Column(index), ty, span: None }
    }

    pub fn literal(value: Value, ty: Type) -> Self {
        Expr { kind: ExprKind::Literal(value), ty, span: None }
    }

    pub fn cast(self, ty: Type, mode: CastMode) -> Self {
        let span = self.span;
        Expr { kind: ExprKind::Cast { input: Box::new(self), mode }, ty, span }
    }

    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
            ExprKind::Call { args, .. } => args.iter().collect(),
            ExprKind::Cast { input, .. } => vec![input],
            ExprKind::Case { branches, otherwise } => {
                let pairs = branches.iter().flat_map(|(condition, result)| [condition, result]);
                pairs.chain(otherwise.iter().map(AsRef::as_ref)).collect()
            }
        }
    }

    /// The same expression over other columns: `columns[i]` is what column `i` becomes.
    pub fn replace_columns(&self, replace: &impl Fn(usize, &Expr) -> Expr) -> Expr {
        self.replace(&|expr| match expr.kind {
            ExprKind::Column(index) => Some(replace(index, expr)),
            _ => None,
        })
    }

    /// The same expression with other parts in it; what is put in is not looked at again.
    pub fn replace(&self, replace: &impl Fn(&Expr) -> Option<Expr>) -> Expr {
        if let Some(other) = replace(self) {
            return other;
        }
        let again = |expr: &Expr| expr.replace(replace);
        let kind = match &self.kind {
            ExprKind::Column(index) => ExprKind::Column(*index),
            ExprKind::Literal(value) => ExprKind::Literal(value.clone()),
            ExprKind::Call { function, args } => {
                ExprKind::Call { function: Arc::clone(function), args: args.iter().map(again).collect() }
            }
            ExprKind::Cast { input, mode } => ExprKind::Cast { input: Box::new(again(input)), mode: *mode },
            ExprKind::Case { branches, otherwise } => ExprKind::Case {
                branches: branches.iter().map(|(condition, result)| (again(condition), again(result))).collect(),
                otherwise: otherwise.as_ref().map(|expr| Box::new(again(expr))),
            },
        };
        Expr { kind, ty: self.ty.clone(), span: self.span }
    }

    /// Gives another result each time, or at other times.
    pub fn is_volatile(&self) -> bool {
        let own = matches!(&self.kind, ExprKind::Call { function, .. } if function.volatile);
        own || self.children().into_iter().any(Expr::is_volatile)
    }

    /// Calls a function that a user brought.
    pub(crate) fn calls_user(&self) -> bool {
        let own = matches!(&self.kind, ExprKind::Call { function, .. } if function.user.is_some());
        own || self.children().into_iter().any(Expr::calls_user)
    }

    /// Every column the expression reads, each once, ascending.
    pub fn columns(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.collect_columns(&mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    fn collect_columns(&self, found: &mut Vec<usize>) {
        if let ExprKind::Column(index) = self.kind {
            found.push(index);
        }
        for child in self.children() {
            child.collect_columns(found);
        }
    }
}

/// For graphs, stable ids and tests: `$0 + 1`, `CAST($2 AS BIGINT)`. Not SQL to be parsed again.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Column(index) => write!(f, "${index}"),
            ExprKind::Literal(value) => write!(f, "{value}"),
            ExprKind::Cast { input, mode: CastMode::Strict } => write!(f, "CAST({input} AS {})", self.ty.logical),
            ExprKind::Cast { input, mode: CastMode::Try } => write!(f, "TRY_CAST({input} AS {})", self.ty.logical),
            ExprKind::Case { branches, otherwise } => {
                f.write_str("CASE")?;
                for (condition, result) in branches {
                    write!(f, " WHEN {condition} THEN {result}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " ELSE {otherwise}")?;
                }
                f.write_str(" END")
            }
            ExprKind::Call { function, args } => {
                let args: Vec<String> = args.iter().map(ToString::to_string).collect();
                match (function.name(), args.as_slice()) {
                    (name, [left, right]) if !name.starts_with(char::is_alphabetic) => {
                        write!(f, "({left} {name} {right})")
                    }
                    (name, args) => write!(f, "{name}({})", args.join(", ")),
                }
            }
        }
    }
}

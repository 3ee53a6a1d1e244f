//! Calls of functions and operators, through the registry.

use std::sync::Arc;

use super::expr::ExprScope;
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::function::{Argument, CURRENT_WATERMARK, ResolveError, ScalarCall, resolve_scalar};
use crate::sql::ast::{self, Ident};
use crate::sql::{Problem, Span};

impl Binder<'_> {
    pub(super) fn call(&mut self, call: &ast::Call, scope: &mut ExprScope, span: Span) -> Bind<Expr> {
        if let [function] = call.name.parts.as_slice() {
            if let Some(over) = &call.over {
                return self.over_call(call, over, scope, span);
            }
            if let Some(column) = self.window_property(&function.value, call, scope, span)? {
                return Ok(column);
            }
            if let Some(grouping) = self.grouping_call(call, scope, span)? {
                return Ok(grouping);
            }
            if let Some(aggregate) = self.aggregate_named(&function.value) {
                return self.aggregate_call(aggregate, call, scope, span);
            }
        } else {
            return self.refuse("unknown-function", format!("There is no function '{}'.", call.name.text()), span);
        }
        let name = call.name.last().to_ascii_uppercase();
        if let Some(clause) = call.unsupported.first() {
            return self.unsupported(clause.what, span);
        }
        let user = self.user_function(call.name.last());
        for (wrong, what) in [(call.star, "*"), (call.distinct, "DISTINCT"), (call.filter.is_some(), "FILTER")] {
            if wrong {
                // An unknown function is the better thing to say.
                if user.is_none() {
                    self.known_function(&name, call, scope, span)?;
                }
                return self.refuse(
                    "wrong-arguments",
                    format!("{name} is no aggregate and does not take {what}."),
                    span,
                );
            }
        }
        if let Some(named) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return self.unsupported("A named argument of a scalar function", named.span);
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.expr(&arg.value, scope));
        }
        let args: Vec<Expr> = args.into_iter().collect::<Bind<_>>()?;
        if name == "CURRENT_DATABASE" && args.is_empty() {
            let database = crate::sql::ast::Literal::Text(self.database.clone());
            return self.literal(&database, span);
        }
        if let Some(user) = user {
            return self.user_call(user, &call.name, args, span);
        }
        if name == CURRENT_WATERMARK {
            self.check_watermark(&args, scope, span)?;
        }
        match resolve(&name, &args) {
            Ok(function) => Ok(self.apply(function, args)),
            Err(error) => Err(self.unresolved(&name, error, call.name.span, span)),
        }
    }

    /// Reports a function that does not exist at all.
    fn known_function(&mut self, name: &str, call: &ast::Call, scope: &mut ExprScope, span: Span) -> Bind<()> {
        let _ = scope;
        match resolve_scalar(name, &[]) {
            Err(error @ ResolveError::UnknownFunction { .. }) => {
                Err(self.unresolved(name, error, call.name.span, span))
            }
            _ => Ok(()),
        }
    }

    fn unresolved(&mut self, name: &str, error: ResolveError, name_span: Span, span: Span) -> super::Reported {
        let problem = match error {
            ResolveError::UnknownFunction { suggestion } => {
                if super::flink_function::is_known(name) {
                    return self.report(Problem::error("unsupported", format!("{name} is not supported yet."), span));
                }
                let problem = Problem::error("unknown-function", format!("There is no function '{name}'."), span);
                let aggregate =
                    || crate::sql::suggest::nearest(name, super::aggregate::NAMES.iter().copied()).map(str::to_owned);
                let user = || crate::sql::suggest::nearest(name, self.user_function_names()).map(str::to_owned);
                match suggestion.or_else(aggregate).or_else(user) {
                    Some(other) => {
                        let problem = problem.with_hint(format!("Did you mean '{other}'?"));
                        // The span is the whole call; only its name changes.
                        match self.text.get(name_span.end..span.end).filter(|_| self.spans) {
                            Some(arguments) => problem.with_replacement(&format!("{other}{arguments}")),
                            None => problem,
                        }
                    }
                    None => problem,
                }
            }
            ResolveError::WrongArguments { message } => Problem::error("wrong-arguments", message, span),
            ResolveError::Unsupported { message } => Problem::error("unsupported", message, span),
        };
        self.report(problem)
    }

    /// The watermark is known where rows pass by, and it is one of event time.
    fn check_watermark(&mut self, args: &[Expr], scope: &ExprScope, span: Span) -> Bind<()> {
        if !matches!(scope.clause, "SELECT" | "WHERE") {
            let message = format!("CURRENT_WATERMARK cannot stand in {}; SELECT and WHERE can have it.", scope.clause);
            return self.refuse("unsupported", message, span);
        }
        let column = args.first().and_then(super::relation::passed_column);
        if args.len() == 1 && !column.is_some_and(|column| scope.relation.schema().event_time.contains(&column)) {
            return self.refuse("wrong-arguments", "CURRENT_WATERMARK takes a column with a watermark.", span);
        }
        Ok(())
    }

    /// An operator: wrong operands are a mismatch of types.
    pub(super) fn operator(&mut self, name: &str, args: Vec<Expr>, span: Span) -> Bind<Expr> {
        match resolve(name, &args) {
            Ok(function) => {
                let mut expr = self.apply(function, args);
                expr.span = self.span(span);
                Ok(expr)
            }
            Err(ResolveError::WrongArguments { message }) => self.refuse("type-mismatch", message, span),
            Err(ResolveError::Unsupported { message }) => self.refuse("unsupported", message, span),
            Err(ResolveError::UnknownFunction { .. }) => self.unsupported(name, span),
        }
    }

    /// ROW, ARRAY, MAP and access to their elements, where the registry has them.
    pub(super) fn constructor(&mut self, name: &str, args: Vec<Expr>, span: Span) -> Bind<Expr> {
        let what = match name {
            "ITEM" => "Access to an element by [ ]",
            "." => "Access to a field of a row",
            "ROW" => "A ROW value",
            "ARRAY" => "An ARRAY value",
            _ => "A MAP value",
        };
        match resolve(name, &args) {
            Err(ResolveError::UnknownFunction { .. }) => self.unsupported(what, span),
            Err(ResolveError::WrongArguments { message }) if name == "ITEM" => {
                let problem = Problem::error("wrong-arguments", message, span);
                Err(self.report(problem.with_hint("Positions of an array count from 1.")))
            }
            _ => self.operator(name, args, span),
        }
    }

    pub(super) fn row_field(&mut self, row: Expr, field: &Ident) -> Bind<Expr> {
        let span = row.span.unwrap_or(field.span);
        let name = Expr::literal(
            crate::expr::Value::string(&field.value),
            crate::types::Type::not_null(crate::types::LogicalType::String),
        );
        self.constructor(".", vec![row, name], span)
    }

    fn apply(&mut self, function: ScalarCall, args: Vec<Expr>) -> Expr {
        let args = args.into_iter().zip(&function.arg_types).map(|(arg, ty)| self.convert(arg, ty)).collect();
        let ty = function.return_type.clone();
        Expr { kind: ExprKind::Call { function: Arc::new(function), args }, ty, span: None }
    }
}

/// What the registry is told of an argument.
pub(super) fn argument(arg: &Expr) -> Argument {
    let literal = match &arg.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        _ => None,
    };
    Argument { ty: arg.ty.clone(), literal }
}

fn resolve(name: &str, args: &[Expr]) -> Result<ScalarCall, ResolveError> {
    let arguments: Vec<Argument> = args.iter().map(argument).collect();
    let call = resolve_scalar(name, &arguments)?;
    // The registry gives one type per argument; anything else would lose arguments without a word.
    if call.arg_types.len() == args.len() {
        Ok(call)
    } else {
        Err(ResolveError::WrongArguments { message: format!("{name} does not take {} arguments.", args.len()) })
    }
}

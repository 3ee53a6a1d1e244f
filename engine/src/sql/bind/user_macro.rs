//! Macros: expressions over parameters, put in place of their calls.

use super::conversion::fits_sink;
use super::relation::Relation;
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelNode};
use crate::sql::ast::Macro;
use crate::sql::parser::MAX_HEIGHT;
use crate::sql::{Problem, Span};
use crate::types::{Field, Schema};

/// Parts of an expression after macros were put in: each of several that call each other may double it.
const MOST_PARTS: usize = 10_000;

/// A macro that is understood.
#[derive(Debug)]
pub(super) struct BoundMacro {
    pub(super) name: String,
    pub(super) params: Vec<Field>,
    /// Over the parameters as columns; in the type that is returned.
    pub(super) body: Expr,
}

impl BoundMacro {
    /// `hypot(x DOUBLE, y DOUBLE) → DOUBLE`
    pub(super) fn signature(&self) -> String {
        let params: Vec<String> =
            self.params.iter().map(|param| format!("{} {}", param.name, param.ty.logical)).collect();
        format!("{}({}) → {}", self.name, params.join(", "), self.body.ty.logical)
    }
}

impl Binder<'_> {
    pub(super) fn bound_macro(&mut self, name: &str, definition: &Macro) -> Bind<BoundMacro> {
        let mut params: Vec<Field> = Vec::with_capacity(definition.params.len());
        for (param, ty) in &definition.params {
            if params.iter().any(|known| known.name == param.value) {
                let message = format!("The parameter '{}' is there twice.", param.value);
                return self.refuse("duplicate-column", message, param.span);
            }
            // Whoever calls may have NULL.
            params.push(Field::new(&param.value, ty.clone().with_nullable(true)));
        }
        let schema = Schema::new(params.clone());
        let relation = Relation::new(Rel { node: RelNode::Values { rows: Vec::new() }, schema }, "");
        self.resolving.push(name.to_ascii_uppercase());
        let body = self.alone(&definition.body, &relation, "the body of a function");
        self.resolving.pop();
        let body = body?;
        let body = match &definition.returns {
            None => body,
            Some(returns) if fits_sink(&body.ty.logical, &returns.logical) => self.convert(body, returns),
            Some(returns) => {
                let (gives, wanted) = (&body.ty.logical, &returns.logical);
                let message = format!("The function gives {gives}, and says that it returns {wanted}.");
                let problem = Problem::error("type-mismatch", message, definition.body.span);
                return Err(self.report(problem.with_hint(format!("Write CAST(… AS {wanted})."))));
            }
        };
        Ok(BoundMacro { name: name.to_owned(), params, body })
    }

    /// The macro's expression with the arguments in it.
    pub(super) fn inlined(&mut self, definition: &BoundMacro, args: Vec<Expr>, span: Span) -> Bind<Expr> {
        let name = &definition.name;
        let fits = args.len() == definition.params.len()
            && args.iter().zip(&definition.params).all(|(arg, param)| fits_sink(&arg.ty.logical, &param.ty.logical));
        if !fits {
            let given: Vec<String> = args.iter().map(|arg| arg.ty.logical.to_string()).collect();
            let message = format!("{name} does not take ({}). It is {}.", given.join(", "), definition.signature());
            return self.refuse("wrong-arguments", message, span);
        }
        let args: Vec<Expr> =
            args.into_iter().zip(&definition.params).map(|(arg, param)| self.convert(arg, &param.ty)).collect();
        let mut uses = vec![0_usize; args.len()];
        let own = count(&definition.body, &mut uses);
        let parts = args.iter().zip(&uses).map(|(arg, uses)| size(arg).saturating_mul(*uses));
        let parts = parts.fold(own, usize::saturating_add);
        let deepest = args.iter().map(height).max().unwrap_or(0) + height(&definition.body);
        if parts > MOST_PARTS || deepest > MAX_HEIGHT {
            let message = format!("The expression becomes too large when {name} is put in.");
            return self.refuse("unsupported", message, span);
        }
        if args.iter().zip(&uses).any(|(arg, uses)| *uses > 1 && arg.is_volatile()) {
            let message = format!("{name} uses an argument twice, and this one is never the same twice.");
            let problem = Problem::error("unsupported", message, span);
            return Err(self.report(problem.with_hint("Compute the argument in a query below.")));
        }
        let put = |index: usize, column: &Expr| args.get(index).cloned().unwrap_or_else(|| column.clone());
        let ty = definition.body.ty.clone();
        Ok(Expr { ty, ..definition.body.replace_columns(&put) })
    }
}

/// Parts of an expression; counts how often each column is used.
fn count(expr: &Expr, uses: &mut [usize]) -> usize {
    if let ExprKind::Column(index) = expr.kind
        && let Some(uses) = uses.get_mut(index)
    {
        *uses += 1;
    }
    1 + expr.children().into_iter().map(|child| count(child, uses)).sum::<usize>()
}

fn size(expr: &Expr) -> usize {
    count(expr, &mut [])
}

fn height(expr: &Expr) -> usize {
    1 + expr.children().into_iter().map(height).max().unwrap_or(0)
}

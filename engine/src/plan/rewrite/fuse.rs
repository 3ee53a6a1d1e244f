//! Adjacent projections and filters become one step over what lies below them.

use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelNode};

/// A run of projections and filters over `base`: rows of `base` that pass all `predicates`, in this order, give `exprs`.
pub struct Fused<'a> {
    pub base: &'a Rel,
    pub predicates: Vec<Expr>,
    /// `None` passes the columns of `base` on as they are.
    pub exprs: Option<Vec<Expr>>,
}

/// Collects projections and filters from `rel` downwards. Stops where merging would compute an expression twice.
pub fn fuse(rel: &Rel) -> Fused<'_> {
    match &rel.node {
        RelNode::Filter { input, predicate } => {
            let below = fuse(input);
            match substitute_all(std::slice::from_ref(predicate), below.exprs.as_deref()) {
                Some(mut predicate) => {
                    let mut predicates = below.predicates;
                    predicates.append(&mut predicate);
                    Fused { predicates, ..below }
                }
                None => Fused { base: input, predicates: vec![predicate.clone()], exprs: None },
            }
        }
        RelNode::Project { input, exprs } => {
            let below = fuse(input);
            match substitute_all(exprs, below.exprs.as_deref()) {
                Some(exprs) => Fused { exprs: Some(exprs), ..below },
                None => Fused { base: input, predicates: Vec::new(), exprs: Some(exprs.clone()) },
            }
        }
        _ => Fused { base: rel, predicates: Vec::new(), exprs: None },
    }
}

/// `upper` over the input of `lower`; `None` when an expression of `lower` that is more than a column would be
/// computed more than once.
fn substitute_all(upper: &[Expr], lower: Option<&[Expr]>) -> Option<Vec<Expr>> {
    let Some(lower) = lower else { return Some(upper.to_vec()) };
    let mut uses = vec![0_usize; lower.len()];
    for expr in upper {
        count_uses(expr, &mut uses);
    }
    let computed_twice = lower.iter().zip(&uses).any(|(expr, uses)| *uses > 1 && !is_plain(expr));
    if computed_twice {
        return None;
    }
    let replace = |index: usize, column: &Expr| lower.get(index).cloned().unwrap_or_else(|| column.clone());
    Some(upper.iter().map(|expr| expr.replace_columns(&replace)).collect())
}

fn count_uses(expr: &Expr, uses: &mut [usize]) {
    if let ExprKind::Column(index) = expr.kind
        && let Some(uses) = uses.get_mut(index)
    {
        *uses += 1;
    }
    for child in expr.children() {
        count_uses(child, uses);
    }
}

fn is_plain(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_) | ExprKind::Literal(_))
}

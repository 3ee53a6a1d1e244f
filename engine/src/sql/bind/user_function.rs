//! Functions that users bring: of the catalog, and of the script.

use std::sync::Arc;

use millrace_wire::function::{FunctionBody, FunctionInfo, FunctionKind, FunctionSource};

use super::expr::ExprScope;
use super::relation::Relation;
use super::user_macro::BoundMacro;
use super::{Bind, Binder, Reported};
use crate::expr::{Expr, ExprKind};
use crate::function::ScalarCall;
use crate::plan::logical::AggregateFunction;
use crate::sql::ast::{self, CreateFunction, Name};
use crate::sql::{Problem, Span, parser};
use crate::udf::{self, ModuleFunction};

/// What a name stands for.
#[derive(Clone)]
pub(super) enum UserFunction {
    Module(ModuleFunction),
    Macro(Arc<BoundMacro>),
    /// Cannot be used, and why; nothing when that has been said.
    Broken(Option<String>),
}

impl Binder<'_> {
    /// The user's function of this name, in any case.
    pub(super) fn user_function(&mut self, name: &str) -> Option<UserFunction> {
        let upper = name.to_ascii_uppercase();
        if self.resolving.contains(&upper) {
            return Some(UserFunction::Broken(Some(format!("The function {name} calls itself."))));
        }
        if let Some((known, function)) = self.user_functions.get(&upper) {
            self.functions.extend(known.clone());
            return Some(function.clone());
        }
        let mut all = self.catalog.functions.iter();
        let (known, source) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let function = self.catalog_function(known, source);
        self.functions.push(known.clone());
        self.user_functions.insert(upper, (Some(known.clone()), function.clone()));
        Some(function)
    }

    fn catalog_function(&mut self, name: &str, source: &FunctionSource) -> UserFunction {
        let result = match &source.body {
            FunctionBody::Wasm { module, hash, entry } => {
                udf::load(name, Some(source.kind), module, hash, entry).map(UserFunction::Module)
            }
            FunctionBody::Sql { .. } if source.kind != FunctionKind::Scalar => {
                Err("Only scalar functions can be written in SQL.".to_owned())
            }
            FunctionBody::Sql { definition } => self.catalog_macro(name, definition),
        };
        result.unwrap_or_else(|why| UserFunction::Broken(Some(why)))
    }

    /// A macro of the catalog: its text is no part of the script.
    fn catalog_macro(&mut self, name: &str, definition: &str) -> Result<UserFunction, String> {
        let in_words = |problem: Problem| match problem.hint {
            Some(hint) => format!("{} {hint}", problem.message),
            None => problem.message,
        };
        let parsed = parser::parse_macro(definition).map_err(in_words)?;
        let spans = std::mem::replace(&mut self.spans, false);
        let before = self.problems.len();
        let bound = self.bound_macro(name, &parsed);
        self.spans = spans;
        let found = self.problems.split_off(before).into_iter().next();
        match bound {
            Ok(bound) => Ok(UserFunction::Macro(Arc::new(bound))),
            Err(Reported) => Err(found.map_or_else(|| "Its definition is wrong.".to_owned(), in_words)),
        }
    }

    /// An aggregate function by its name: one of the language, or a user's.
    pub(super) fn aggregate_named(&mut self, name: &str) -> Option<AggregateFunction> {
        super::aggregate::find(name).or_else(|| match self.user_function(name)? {
            UserFunction::Module(ModuleFunction::Aggregate(_)) => Some(AggregateFunction::User),
            _ => None,
        })
    }

    /// A call that stands for one value of one row.
    pub(super) fn user_call(&mut self, function: UserFunction, name: &Name, args: Vec<Expr>, span: Span) -> Bind<Expr> {
        let name = name.last();
        match function {
            UserFunction::Module(ModuleFunction::Scalar(function)) => {
                let given: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
                match udf::accept_all(name, function.arguments(), &given) {
                    Ok(types) => {
                        let args = args.into_iter().zip(&types).map(|(arg, ty)| self.convert(arg, ty)).collect();
                        let call = ScalarCall::of_user(function, types);
                        let ty = call.return_type.clone();
                        Ok(Expr { kind: ExprKind::Call { function: Arc::new(call), args }, ty, span: None })
                    }
                    Err(message) => self.refuse("wrong-arguments", message, span),
                }
            }
            UserFunction::Macro(definition) => self.inlined(&definition, args, span),
            UserFunction::Module(ModuleFunction::Rows(_)) => {
                let problem = Problem::error("wrong-arguments", format!("{name} gives rows, not a value."), span);
                Err(self.report(problem.with_hint(format!("Write LATERAL TABLE({name}(…)) in FROM."))))
            }
            UserFunction::Module(ModuleFunction::Aggregate(_)) => {
                self.refuse("wrong-arguments", format!("{name} is an aggregate."), span)
            }
            UserFunction::Broken(why) => self.broken(name, why, span),
        }
    }

    /// The same for a call in FROM.
    pub(super) fn user_rows(
        &mut self,
        function: UserFunction,
        name: &str,
        args: Vec<Expr>,
        span: Span,
    ) -> Bind<(crate::function::table::TableFunctionRef, Vec<Expr>)> {
        match function {
            UserFunction::Module(ModuleFunction::Rows(function)) => {
                let given: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
                match function.of_types(&given) {
                    Ok(function) => {
                        let types = function.arg_types().to_vec();
                        let args = args.into_iter().zip(&types).map(|(arg, ty)| self.convert(arg, ty)).collect();
                        Ok((function, args))
                    }
                    Err(message) => self.refuse("wrong-arguments", message, span),
                }
            }
            UserFunction::Broken(why) => self.broken(name, why, span),
            _ => self.refuse("wrong-arguments", format!("{name} gives a value, not rows."), span),
        }
    }

    fn broken<T>(&mut self, name: &str, why: Option<String>, span: Span) -> Bind<T> {
        match why {
            Some(why) => self.refuse("unsupported", format!("The function {name} cannot be used: {why}"), span),
            None => Err(Reported),
        }
    }

    pub(super) fn create_function(&mut self, create: &CreateFunction) -> Bind<()> {
        let (name, span) = (create.name.last().to_owned(), create.name.span);
        if create.name.parts.len() > 1 {
            return self.refuse("unsupported", "A temporary function has no database before its name.", span);
        }
        udf::check_name(&name).or_else(|message| self.refuse("exists-already", message, span))?;
        let upper = name.to_ascii_uppercase();
        let in_catalog = self.catalog.functions.keys().any(|known| known.eq_ignore_ascii_case(&name));
        if in_catalog || self.user_functions.contains_key(&upper) {
            if create.if_not_exists {
                return Ok(());
            }
            return self.refuse("exists-already", format!("There is a function '{name}' already."), span);
        }
        if self.dropped_functions.contains(&upper) {
            // What was planned with the other one goes by the same name.
            let problem =
                Problem::error("exists-already", format!("There was another function '{name}' before."), span);
            return Err(self.report(problem.with_hint("Choose another name.")));
        }
        let function = match &create.body {
            ast::FunctionBody::Macro(definition) => {
                self.bound_macro(&name, definition).map(|bound| UserFunction::Macro(Arc::new(bound)))
            }
            ast::FunctionBody::Module { entry, file, span } => self.module_of_script(&name, entry, file, *span),
        };
        let function = function.unwrap_or(UserFunction::Broken(None));
        self.user_functions.insert(upper, (None, function));
        Ok(())
    }

    fn module_of_script(&mut self, name: &str, entry: &str, file: &str, span: Span) -> Bind<UserFunction> {
        let Some(roots) = &self.catalog.function_roots else {
            let problem = Problem::error("unsupported", "Modules cannot be read from files here.", span);
            return Err(self.report(problem.with_hint("Upload the module as a function of the catalog.")));
        };
        let loaded = udf::locate(file, roots).and_then(|(path, hash)| udf::load(name, None, &path, &hash, entry));
        match loaded {
            Ok(function) => Ok(UserFunction::Module(function)),
            Err(message) => self.refuse("wrong-arguments", message, span),
        }
    }

    pub(super) fn drop_function(&mut self, name: &Name, if_exists: bool) -> Bind<()> {
        let upper = name.last().to_ascii_uppercase();
        match self.user_functions.get(&upper) {
            Some((None, _)) => {
                self.user_functions.remove(&upper);
                self.dropped_functions.push(upper);
                Ok(())
            }
            _ if if_exists => Ok(()),
            _ if self.catalog.functions.keys().any(|known| known.eq_ignore_ascii_case(&upper)) => {
                let message = "DROP FUNCTION in a script only drops what the script created.";
                self.refuse("unsupported", message, name.span)
            }
            _ => self.refuse("unknown-function", format!("There is no function '{}'.", name.text()), name.span),
        }
    }

    /// Every function that can be used, as it is called.
    pub(super) fn user_function_infos(&mut self) -> Vec<FunctionInfo> {
        let local = self.user_functions.iter().filter(|(_, (known, _))| known.is_none()).map(|(name, _)| name.clone());
        let names: Vec<String> = self.catalog.functions.keys().cloned().chain(local).collect();
        let info = |function: UserFunction| {
            let (name, kind, signature) = match function {
                UserFunction::Module(function) => {
                    (function.name().to_owned(), function.kind(), function.signature(function.name()))
                }
                UserFunction::Macro(definition) => {
                    (definition.name.clone(), FunctionKind::Scalar, definition.signature())
                }
                UserFunction::Broken(_) => return None,
            };
            Some(FunctionInfo { name, kind, signature, summary: String::new(), category: "user".to_owned() })
        };
        names.into_iter().filter_map(|name| self.user_function(&name)).filter_map(info).collect()
    }

    /// Names for suggestions.
    pub(super) fn user_function_names(&self) -> impl Iterator<Item = &str> {
        let local = self.user_functions.keys().map(String::as_str);
        self.catalog.functions.keys().map(String::as_str).chain(local)
    }

    /// Binds an expression over columns alone: nothing around it, no queries in it.
    pub(super) fn alone(&mut self, expr: &ast::Expr, relation: &Relation, clause: &'static str) -> Bind<Expr> {
        let outer = std::mem::take(&mut self.outer);
        let attachments = self.attachments.take();
        let only_truth = std::mem::replace(&mut self.only_truth, false);
        let bound = self.expr(expr, &mut ExprScope::over(relation, clause));
        (self.outer, self.attachments, self.only_truth) = (outer, attachments, only_truth);
        bound
    }
}

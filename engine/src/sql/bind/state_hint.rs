//! The hints STATE_TTL and STATE_CLEAN of a SELECT: which state each argument is about.
//!
//! An argument names an input of the SELECT's own FROM. Where that is an input of a join it is about that side of it;
//! where FROM has this input only, it is about the groups of the SELECT.

use std::time::Duration;

use super::aggregate::Aggregates;
use super::expr::ExprScope;
use super::relation::Relation;
use super::{Bind, Binder};
use crate::expr::Expr;
use crate::plan::retention::Retention;
use crate::plan::settings::parse_duration;
use crate::sql::ast::{From, FromKind, HintArg, Select};
use crate::sql::{Problem, parser, suggest};

/// Arguments of the SELECT that is being bound.
#[derive(Default)]
pub(super) struct StateHints {
    entries: Vec<Entry>,
}

struct Entry {
    hint: &'static str,
    arg: HintArg,
    used: bool,
}

const TTL: &str = "STATE_TTL";
const CLEAN: &str = "STATE_CLEAN";

impl StateHints {
    /// Of several hints the first one counts; within one hint, the last argument with the name.
    fn take(&mut self, hint: &str, input: &str) -> Option<HintArg> {
        let mut found: Option<HintArg> = None;
        for entry in self.entries.iter_mut().filter(|entry| entry.hint == hint && entry.arg.key == input) {
            entry.used = true;
            found.get_or_insert_with(|| entry.arg.clone());
        }
        found
    }
}

impl Binder<'_> {
    /// What the hints at SELECT say about state; other hints are refused.
    pub(super) fn state_hints(&mut self, select: &Select) -> Bind<StateHints> {
        let mut hints = StateHints::default();
        for hint in select.hints.iter().filter(|hint| !super::as_of::is_lookup(hint)) {
            let known = [TTL, CLEAN].into_iter().find(|known| hint.name.value.eq_ignore_ascii_case(known));
            let Some(known) = known else {
                return self.unsupported(&format!("The hint {}", hint.name.value), hint.span);
            };
            let mut inputs = Vec::new();
            select.from.iter().for_each(|from| input_names(from, &mut inputs));
            for arg in hint.args.iter().rev() {
                if !inputs.contains(&arg.key.as_str()) {
                    return Err(self.unknown_input(known, arg, &inputs));
                }
                hints.entries.push(Entry { hint: known, arg: arg.clone(), used: false });
            }
        }
        Ok(hints)
    }

    fn unknown_input(&mut self, hint: &str, arg: &HintArg, inputs: &[&str]) -> super::Reported {
        let message = format!("The hint {hint} names '{}', which is no table or alias of this query.", arg.key);
        let mut problem = Problem::error("wrong-arguments", message, arg.key_span);
        if let Some(near) = suggest::nearest(&arg.key, inputs.iter().copied()) {
            problem = problem.with_hint(format!("Did you mean '{near}'?")).with_replacement(&format!("'{near}'"));
        } else if !inputs.is_empty() {
            problem = problem.with_hint(format!("The tables here are {}.", inputs.join(", ")));
        }
        self.report(problem)
    }

    /// What is said about the rows that a join keeps of this input.
    pub(super) fn side_retention(&mut self, from: &From, relation: &Relation) -> Bind<Retention<Expr>> {
        let Some(input) = input_name(from) else { return Ok(Retention::default()) };
        self.retention(input, &mut ExprScope::over(relation, CLEAN))
    }

    /// What is said about the groups of a SELECT over one input. The condition is over columns and aggregates.
    pub(super) fn group_retention(
        &mut self,
        select: &Select,
        relation: &Relation,
        aggregates: Option<&mut Aggregates>,
    ) -> Bind<Retention<Expr>> {
        let Some(input) = select.from.as_ref().and_then(input_name) else { return Ok(Retention::default()) };
        self.retention(input, &mut ExprScope { relation, aggregates, clause: CLEAN })
    }

    fn retention(&mut self, input: &str, scope: &mut ExprScope) -> Bind<Retention<Expr>> {
        let mut retention = Retention::default();
        if let Some(arg) = self.state_hints.take(TTL, input) {
            retention.ttl = Some(self.time_to_live(&arg)?);
            retention.span = self.span(arg.key_span);
        }
        if let Some(arg) = self.state_hints.take(CLEAN, input) {
            retention.clean = Some(self.clean_condition(&arg, scope)?);
            retention.span = self.span(arg.key_span);
        }
        Ok(retention)
    }

    fn time_to_live(&mut self, arg: &HintArg) -> Bind<Duration> {
        match parse_duration(&arg.value) {
            Some(time) => Ok(time),
            None => {
                let message = format!("{TTL} takes a duration such as '30d', not '{}'.", arg.value);
                self.refuse("wrong-arguments", message, arg.value_span)
            }
        }
    }

    /// The text is one of its own: what is wrong in it is reported at the whole of it.
    fn clean_condition(&mut self, arg: &HintArg, scope: &mut ExprScope) -> Bind<Expr> {
        let before = self.problems.len();
        let spans = std::mem::replace(&mut self.spans, false);
        let attachments = self.attachments.take();
        let bound = match parser::parse_expression(&arg.value) {
            Ok(condition) => self.condition(&condition, scope, CLEAN),
            Err(problem) => Err(self.report(problem)),
        };
        (self.spans, self.attachments) = (spans, attachments);
        for problem in self.problems.iter_mut().skip(before) {
            problem.span = Some(arg.value_span);
            problem.replacement = None;
        }
        bound
    }

    /// Nothing that is said may be without effect.
    pub(super) fn check_hints_used(&mut self, hints: &StateHints) -> Bind<()> {
        let Some(Entry { hint, arg, .. }) = hints.entries.iter().find(|entry| !entry.used) else { return Ok(()) };
        let message = format!("The hint {hint} names '{}', and this SELECT keeps no state for it.", arg.key);
        let problem = Problem::error("wrong-arguments", message, arg.key_span);
        let hint = "It is for the inputs of a JOIN, and for the input of a GROUP BY without window.";
        Err(self.report(problem.with_hint(hint)))
    }
}

/// What an input goes by: its alias, else the name of its table.
fn input_name(from: &From) -> Option<&str> {
    match (&from.alias, &from.kind) {
        (Some(alias), _) => Some(&alias.name.value),
        (None, FromKind::Table { name, .. }) => Some(name.last()),
        _ => None,
    }
}

fn input_names<'f>(from: &'f From, names: &mut Vec<&'f str>) {
    names.extend(input_name(from));
    if let FromKind::Join { left, right, .. } = &from.kind {
        input_names(left, names);
        input_names(right, names);
    }
}

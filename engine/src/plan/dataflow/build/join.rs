//! Joins.

use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use super::rank::comparable;
use super::{Builder, Draft, single};
use crate::expr::Expr;
use crate::plan::dataflow::{Input, NodeKind, Partitioning, problem};
use crate::plan::logical::{AsOf, JoinKind, JoinSpec, Rel};
use crate::plan::retention::Retention;
use crate::plan::rewrite::only_newest;
use crate::sql::Problem;
use crate::types::Schema;

impl Builder<'_> {
    pub(super) fn join(&mut self, rel: &Rel, left: &Rel, right: &Rel, join: &JoinSpec) -> Result<usize, Problem> {
        if let Some(AsOf::Now(lookup)) = &join.as_of {
            return self.lookup_join(rel, left, right, join, lookup);
        }
        let from = [self.rel(left)?, self.rel(right)?];
        comparable(&left.schema, join.keys.iter().map(|key| key.left), "A join")?;
        comparable(&right.schema, join.keys.iter().map(|key| key.right), "A join")?;
        let append = from.iter().all(|node| self.nodes[*node].changelog == ChangelogMode::Append);
        let only_adds = self.settings.batch || matches!(join.kind, JoinKind::Inner | JoinKind::Semi);
        let changelog = if append && only_adds { ChangelogMode::Append } else { ChangelogMode::Retract };
        let keys = [
            join.keys.iter().map(|key| key.left).collect::<Vec<_>>(),
            join.keys.iter().map(|key| key.right).collect::<Vec<_>>(),
        ];
        let alone = self.settings.parallelism == 1 && from.iter().all(|node| self.nodes[*node].parallelism == 1);
        let parallelism = if join.keys.is_empty() { 1 } else { self.settings.parallelism };
        let inputs = from.iter().zip(keys).map(|(from, keys)| {
            let partitioning = match (join.keys.is_empty(), alone) {
                (true, _) => single(self.nodes[*from].parallelism),
                (false, true) => Partitioning::Forward,
                (false, false) => Partitioning::Hash(keys),
            };
            Input { from: *from, partitioning }
        });
        let inputs = inputs.collect();
        let condition = join.condition.as_ref().map_or_else(String::new, ToString::to_string);
        let text = format!(
            "Join {:?} {:?} {condition} | {} | {}",
            join.kind,
            join.keys,
            types(&left.schema),
            types(&right.schema)
        );
        let at_end = self.settings.batch && join.kind != JoinKind::Inner;
        let by_window = join.by_window().filter(|_| append && !self.settings.batch);
        let forgets_by_itself = by_window.is_some() || (join.time.is_some() && !self.settings.batch);
        if let Some(span) = join.retention.iter().find_map(|retention| retention.span.filter(|_| forgets_by_itself)) {
            let message = "STATE_TTL and STATE_CLEAN are for regular joins; a join by window or on close event times \
                           forgets its rows by itself.";
            return Err(Problem { span: Some(span), ..problem("wrong-arguments", message) });
        }
        let by_time = join.time.filter(|_| !self.settings.batch);
        let (kind, changelog, text) = match (&join.as_of, by_window, by_time) {
            (Some(AsOf::Version(times)), ..) => {
                let (times, only_newest) = (*times, only_newest(right));
                let (join, ttl) = (join.clone(), self.settings.state_ttl);
                let kind = NodeKind::TemporalJoin { join, times, only_newest, ttl };
                (kind, self.nodes[from[0]].changelog, format!("Temporal{text} {times:?} {only_newest}"))
            }
            (_, Some(windows), _) => {
                let kind = NodeKind::WindowJoin { join: join.clone(), windows };
                (kind, ChangelogMode::Append, format!("Window{text}"))
            }
            (_, None, Some(_)) if !append => {
                let message = "A join on close event times does not take rows that change.";
                return Err(problem("unsupported", message));
            }
            (_, None, Some(time)) => {
                let kind = NodeKind::IntervalJoin { join: join.clone(), time };
                (kind, ChangelogMode::Append, format!("Interval{text} {time:?}"))
            }
            (_, None, None) => {
                // Bounded input is kept to its end.
                let kept = |retention: &Retention<Expr>| match self.settings.batch {
                    true => (Duration::ZERO, None),
                    false => (retention.ttl.unwrap_or(self.settings.state_ttl), retention.clean.clone()),
                };
                let [(left, clean_left), (right, clean_right)] = join.retention.each_ref().map(kept);
                let (ttl, clean) = ([left, right], Box::new([clean_left, clean_right]));
                (NodeKind::Join { join: join.clone(), ttl, clean, at_end }, changelog, text)
            }
        };
        Ok(self.add(Draft {
            kind,
            inputs,
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: text.clone(),
            text,
        }))
    }
}

/// Rows are kept whole: other types mean other state.
pub(super) fn types(schema: &Schema) -> String {
    schema.fields.iter().map(|field| field.ty.logical.to_string()).collect::<Vec<_>>().join(",")
}

//! Relational plan → nodes.

mod join;
mod lookup;
mod merge;
mod over;
mod partition;
mod rank;
mod row_filter;
mod scan;
mod table_call;
mod upsert;
mod user;

use std::collections::HashMap;
use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use self::join::types;
use self::rank::comparable;
use super::changelog::{combine, into_sink};
use super::detail::function_name;
use super::id::hash_text;
use super::{Dataflow, Endpoints, Input, LeaveOut, Node, NodeKind, Partitioning, WindowInput, guarantee, problem};
use crate::catalog::TableRef;
use crate::plan::logical::{
    AggregateCall, AggregateFunction, AggregateSpec, BoundScript, BoundSink, ExpandSpec, Rel, RelNode, SinkTarget,
    WindowKind,
};
use crate::plan::rewrite::{ScanColumns, fuse, prune, session_by, window_below};
use crate::plan::settings::Settings;
use crate::sql::Problem;
use crate::types::Schema;

pub(super) struct Builder<'a> {
    settings: Settings,
    endpoints: &'a dyn Endpoints,
    scans: ScanColumns,
    uses: partition::ScanUses,
    nodes: Vec<Node>,
    by_id: HashMap<String, usize>,
}

/// A node before it has its place and its id.
struct Draft {
    kind: NodeKind,
    inputs: Vec<Input>,
    schema: Schema,
    changelog: ChangelogMode,
    parallelism: u32,
    state: String,
    /// What it computes, without its inputs.
    text: String,
}

impl<'a> Builder<'a> {
    pub(super) fn new(settings: Settings, endpoints: &'a dyn Endpoints) -> Self {
        Builder {
            settings,
            endpoints,
            scans: ScanColumns::new(),
            uses: partition::ScanUses::default(),
            nodes: Vec::new(),
            by_id: HashMap::new(),
        }
    }

    pub(super) fn build(mut self, script: &BoundScript) -> Result<Dataflow, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut pruned = Vec::new();
        for sink in &script.sinks {
            let all = (0..sink.query.schema.len()).collect();
            pruned.push(prune(&sink.query, &all, &mut self.scans));
        }
        for (sink, query) in script.sinks.iter().zip(&pruned) {
            if let Err(problem) = self.sink(sink, query) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.leave_out_partitions();
        self.leave_out_rows();
        let guarantee = guarantee::guarantee(&self.nodes, &self.settings);
        Ok(Dataflow { nodes: self.nodes, guarantee, settings: self.settings })
    }

    fn sink(&mut self, sink: &BoundSink, query: &Rel) -> Result<(), Problem> {
        let from = self.rel(query)?;
        let (table, target) = match &sink.target {
            SinkTarget::Table(table) => (Some(table), self.endpoints.sink(table)),
            SinkTarget::Collect => (None, self.endpoints.collect()),
        };
        let target = target.map_err(|error| problem("unsupported", error.message))?;
        let checked = target.check(self.settings.checkpoint_interval);
        checked.map_err(|error| problem("wrong-arguments", error.message))?;
        let name = table.map_or("The result", |table| table.name.as_str());
        let key: Vec<usize> = table.map_or_else(Vec::new, key_positions);
        let accepts = target.accepts();
        let from = self.materialized(from, accepts, &key)?;
        let input = &self.nodes[from];
        let leave_out = leave_out(table)?;
        let changelog = into_sink(input.changelog, accepts, leave_out, !key.is_empty(), name);
        let changelog = changelog.map_err(|message| problem("sink-changelog", message))?;
        let (partitioning, parallelism) = if table.is_none() {
            (single(input.parallelism), 1)
        } else if changelog == ChangelogMode::Upsert && input.parallelism > 1 {
            (Partitioning::Hash(key), self.settings.parallelism)
        } else {
            (Partitioning::Forward, input.parallelism)
        };
        let text = format!("Sink {name}");
        let schema = input.schema.clone();
        self.add(Draft {
            kind: NodeKind::Sink { table: table.cloned(), sink: target, accepts, leave_out },
            inputs: vec![Input { from, partitioning }],
            schema,
            changelog,
            parallelism,
            state: String::new(),
            text,
        });
        Ok(())
    }

    fn rel(&mut self, rel: &Rel) -> Result<usize, Problem> {
        match &rel.node {
            RelNode::Scan { table } => {
                self.uses.note(table, &[]);
                self.scan(table)
            }
            RelNode::Values { rows } => {
                let text = rows.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Ok(self.add(Draft {
                    kind: NodeKind::Values { rows: rows.clone() },
                    inputs: Vec::new(),
                    schema: rel.schema.clone(),
                    changelog: ChangelogMode::Append,
                    parallelism: 1,
                    state: String::new(),
                    text: format!("Values {text}"),
                }))
            }
            RelNode::Project { .. } | RelNode::Filter { .. } => self.calc(rel),
            RelNode::ProcessingTime { input, column } => self.processing_time(rel, input, *column),
            RelNode::Window { input, window } => self.window(rel, input, &window.kind, window.time_column),
            RelNode::TableCall { input, call } => self.table_call(rel, input, call),
            RelNode::Aggregate { input, aggregate } => self.aggregate(rel, input, aggregate),
            RelNode::Expand { input, expand } => self.expand(rel, input, expand),
            RelNode::UnionAll { inputs } => self.union(rel, inputs),
            RelNode::Limit { input, sort, offset, fetch } => self.limit(rel, input, sort, *offset, *fetch),
            RelNode::Merge { input, key } => self.merge(rel, input, key),
            RelNode::Repeat { input, times } => self.repeat(rel, input, *times),
            RelNode::Sort { input, sort } => self.sort(rel, input, sort),
            RelNode::Join { left, right, join } => self.join(rel, left, right, join),
            RelNode::Rank { input, rank } => self.rank(rel, input, rank),
            RelNode::Over { input, over } => self.over(rel, input, over),
        }
    }

    fn calc(&mut self, rel: &Rel) -> Result<usize, Problem> {
        let fused = fuse(rel);
        let from = match &fused.base.node {
            RelNode::Scan { table } => {
                self.uses.note(table, &fused.predicates);
                self.scan(table)?
            }
            _ => self.rel(fused.base)?,
        };
        let text = |exprs: &[crate::expr::Expr]| exprs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text =
            format!("Calc {} | {}", text(&fused.predicates), fused.exprs.as_deref().map_or("*".to_owned(), text));
        let input = &self.nodes[from];
        let (changelog, parallelism) = (input.changelog, input.parallelism);
        Ok(self.add(Draft {
            kind: NodeKind::Calc { predicates: fused.predicates, exprs: fused.exprs },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text,
        }))
    }

    fn processing_time(&mut self, rel: &Rel, input: &Rel, column: usize) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let above = &self.nodes[from];
        let (changelog, parallelism) = (above.changelog, above.parallelism);
        Ok(self.add(Draft {
            kind: NodeKind::ProcessingTime { column },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text: format!("ProcessingTime ${column}"),
        }))
    }

    fn window(&mut self, rel: &Rel, input: &Rel, kind: &WindowKind, time_column: usize) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        if let WindowKind::Session { partition, .. } = kind {
            comparable(&input.schema, partition.iter().copied(), "A SESSION window")?;
            let text = format!("Window {kind:?} ${time_column} | {}", types(&input.schema));
            let changelog = self.nodes[from].changelog;
            let node = NodeKind::Window { kind: kind.clone(), time_column };
            return Ok(self.keyed(rel, from, node, partition, changelog, text));
        }
        let above = &self.nodes[from];
        let (changelog, parallelism) = (above.changelog, above.parallelism);
        Ok(self.add(Draft {
            kind: NodeKind::Window { kind: kind.clone(), time_column },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text: format!("Window {kind:?} ${time_column}"),
        }))
    }

    fn aggregate(&mut self, rel: &Rel, input: &Rel, aggregate: &AggregateSpec) -> Result<usize, Problem> {
        let text = aggregate_text(aggregate, &input.schema);
        let Some(window) = &aggregate.window else {
            let from = self.rel(input)?;
            self.takes_back(&aggregate.calls, from)?;
            // Bounded input is kept to its end.
            let (ttl, clean) = match self.settings.batch {
                true => (Duration::ZERO, None),
                false => (
                    aggregate.retention.ttl.unwrap_or(self.settings.state_ttl),
                    aggregate.retention.clean.clone().map(Box::new),
                ),
            };
            let kind = NodeKind::GroupAggregate {
                group: aggregate.group.clone(),
                calls: aggregate.calls.clone(),
                ttl,
                clean,
                at_end: self.settings.batch,
            };
            let changelog = if self.settings.batch { ChangelogMode::Append } else { ChangelogMode::Retract };
            return Ok(self.keyed(rel, from, kind, &aggregate.group, changelog, format!("GroupAggregate {text}")));
        };
        let (start, end, time) = (window.start, window.end, window.time);
        let is_bound = |column: &usize| *column == start || *column == end || Some(*column) == time;
        let mut keys: Vec<usize> = aggregate.group.iter().copied().filter(|column| !is_bound(column)).collect();
        let session = matches!(window.spec, WindowKind::Session { .. });
        let (window_input, from) = if window_below(input, window) && (!session || session_by(input, &keys)) {
            let from = self.rel(&without_window(input))?;
            let kind = window.spec.clone();
            (WindowInput::Assign { kind, time_column: window.time_column, start, end, time }, from)
        } else {
            // Sessions that end alike may begin differently: the end makes the window, the start is one more key. It stands
            // where the operator has it: state and exchange have to agree on the hash of a key.
            if session {
                let is_key = |column: &usize| *column == start || !is_bound(column);
                keys = aggregate.group.iter().copied().filter(is_key).collect();
            }
            let start = if session { end } else { start };
            (WindowInput::Attached { start, end, time, local: window.local }, self.rel(input)?)
        };
        self.takes_back(&aggregate.calls, from)?;
        user::merged(&aggregate.calls, &window_input)?;
        let text = format!("WindowAggregate {window_input:?} {text}");
        let kind = NodeKind::WindowAggregate {
            window: window_input,
            group: aggregate.group.clone(),
            calls: aggregate.calls.clone(),
        };
        Ok(self.keyed(rel, from, kind, &keys, ChangelogMode::Append, text))
    }

    fn expand(&mut self, rel: &Rel, input: &Rel, expand: &ExpandSpec) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let above = &self.nodes[from];
        let (changelog, parallelism) = (above.changelog, above.parallelism);
        Ok(self.add(Draft {
            kind: NodeKind::Expand { expand: expand.clone() },
            inputs: vec![Input { from, partitioning: Partitioning::Forward }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text: format!("Expand {expand:?}"),
        }))
    }

    fn keyed(
        &mut self,
        rel: &Rel,
        from: usize,
        kind: NodeKind,
        keys: &[usize],
        changelog: ChangelogMode,
        text: String,
    ) -> usize {
        let above = self.nodes[from].parallelism;
        let (partitioning, parallelism) = if keys.is_empty() {
            (single(above), 1)
        } else if self.settings.parallelism == 1 && above == 1 {
            (Partitioning::Forward, 1)
        } else {
            (Partitioning::Hash(keys.to_vec()), self.settings.parallelism)
        };
        self.add(Draft {
            kind,
            inputs: vec![Input { from, partitioning }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: text.clone(),
            text,
        })
    }

    fn union(&mut self, rel: &Rel, inputs: &[Rel]) -> Result<usize, Problem> {
        let from: Vec<usize> = inputs.iter().map(|input| self.rel(input)).collect::<Result<_, _>>()?;
        let parallelism = from.iter().map(|node| self.nodes[*node].parallelism).max().unwrap_or(1);
        let changelog = combine(from.iter().map(|node| self.nodes[*node].changelog));
        let edge = |from: usize, nodes: &[Node]| {
            let same = nodes[from].parallelism == parallelism;
            Input { from, partitioning: if same { Partitioning::Forward } else { Partitioning::Rebalance } }
        };
        let inputs = from.into_iter().map(|from| edge(from, &self.nodes)).collect();
        Ok(self.add(Draft {
            kind: NodeKind::Union,
            inputs,
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: String::new(),
            text: "Union".to_owned(),
        }))
    }

    /// The index of the node that computes this; an equal one that is there already, unless it writes.
    fn add(&mut self, draft: Draft) -> usize {
        let below: Vec<&str> = draft.inputs.iter().map(|input| &*self.nodes[input.from].id).collect();
        let writes = matches!(draft.kind, NodeKind::Sink { .. });
        let mut id = hash_text(std::iter::once(draft.text.as_str()).chain(below.iter().copied()));
        if let Some(same) = self.by_id.get(&id) {
            let variant = retention_text(&draft.kind);
            if !writes && retention_text(&self.nodes[*same].kind) == variant {
                return *same;
            }
            let other = if writes { self.nodes.len().to_string() } else { variant };
            id = hash_text([draft.text.as_str(), &other].into_iter().chain(below));
            if let Some(same) = self.by_id.get(&id) {
                return *same;
            }
        }
        let place = self.nodes.len();
        self.by_id.insert(id.clone(), place);
        self.nodes.push(Node {
            id: id.into(),
            kind: draft.kind,
            inputs: draft.inputs,
            schema: draft.schema,
            changelog: draft.changelog,
            parallelism: draft.parallelism,
            state: draft.state,
        });
        place
    }
}

/// How long a node keeps its state. No part of its id, so that a version of a job with other hints takes over the state;
/// but nodes of one job that differ in it are two.
fn retention_text(kind: &NodeKind) -> String {
    match kind {
        NodeKind::Join { ttl, clean, .. } => {
            let clean = clean.each_ref().map(|clean| clean.as_ref().map(ToString::to_string));
            format!("{ttl:?} {clean:?}")
        }
        NodeKind::GroupAggregate { ttl, clean, .. } => {
            format!("{ttl:?} {}", clean.as_ref().map(ToString::to_string).unwrap_or_default())
        }
        _ => String::new(),
    }
}

fn single(parallelism_above: u32) -> Partitioning {
    if parallelism_above == 1 { Partitioning::Forward } else { Partitioning::Hash(Vec::new()) }
}

fn leave_out(table: Option<&TableRef>) -> Result<LeaveOut, Problem> {
    let Some(text) = table.and_then(|table| table.option("sink.drop")) else { return Ok(LeaveOut::default()) };
    let wrong =
        || problem("wrong-arguments", format!("'sink.drop' takes update_before, delete, or both, not '{text}'."));
    LeaveOut::parse(text).ok_or_else(wrong)
}

/// The primary key as positions in the columns that are written.
pub(crate) fn key_positions(table: &TableRef) -> Vec<usize> {
    let written = table.write_columns();
    table.primary_key.iter().filter_map(|key| written.iter().position(|column| column == key)).collect()
}

/// Columns by type as well: other types mean other state.
fn aggregate_text(aggregate: &AggregateSpec, input: &Schema) -> String {
    let typed = |column: &usize| {
        let field = input.fields.get(*column);
        format!("${column}:{}", field.map_or_else(String::new, |field| field.ty.logical.to_string()))
    };
    let list = |columns: &[usize]| columns.iter().map(typed).collect::<Vec<_>>().join(",");
    let call = |call: &AggregateCall| {
        let filter = call.filter.map(|column| format!("?${column}")).unwrap_or_default();
        let distinct = if call.distinct { "!" } else { "" };
        // What is said only where there is something to say leaves older texts as they are.
        let constants = call.constants.iter().map(|constant| format!("|{constant}")).collect::<String>();
        let nulls = match call.function {
            AggregateFunction::ArrayAgg(nulls)
            | AggregateFunction::JsonObjectAgg(nulls)
            | AggregateFunction::JsonArrayAgg(nulls) => format!("|{nulls:?}"),
            _ => call.user.as_ref().map(|user| format!("|{}", user.state_text())).unwrap_or_default(),
        };
        let (name, args) = (function_name(call.function), list(&call.args));
        format!("{name}{distinct}({args}{constants}{nulls}){filter}:{}", call.return_type.logical)
    };
    let calls: Vec<String> = aggregate.calls.iter().map(call).collect();
    format!("[{}] [{}]", list(&aggregate.group), calls.join(" "))
}

/// The plan below a window aggregation that assigns windows itself: the window function becomes a projection that
/// leaves its columns NULL.
fn without_window(rel: &Rel) -> Rel {
    let node = match &rel.node {
        RelNode::Window { input, .. } => {
            let kept = input.schema.fields.iter().enumerate();
            let mut exprs: Vec<crate::expr::Expr> =
                kept.map(|(index, field)| crate::expr::Expr::column(index, field.ty.clone())).collect();
            let appended = rel.schema.fields.iter().skip(input.schema.len());
            exprs.extend(appended.map(|field| crate::plan::rewrite::null_literal(&field.ty)));
            RelNode::Project { input: input.clone(), exprs }
        }
        RelNode::Filter { input, predicate } => {
            RelNode::Filter { input: Box::new(without_window(input)), predicate: predicate.clone() }
        }
        RelNode::Project { input, exprs } => {
            RelNode::Project { input: Box::new(without_window(input)), exprs: exprs.clone() }
        }
        RelNode::Expand { input, expand } => {
            RelNode::Expand { input: Box::new(without_window(input)), expand: expand.clone() }
        }
        other => other.clone(),
    };
    Rel { node, schema: rel.schema.clone() }
}

//! Words for people: kind, name and detail of a node, as the console shows them.

use super::{LookupKey, LookupNode, Node, NodeKind, WindowInput};
use crate::expr::Expr;
use crate::operator::CacheMode;
use crate::plan::logical::{AggregateCall, AggregateFunction, GroupingSet, JoinKind, OverCall, SortKey, WindowKind};
use crate::plan::retention::GroupClean;
use crate::types::Schema;

pub(super) struct Words {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) detail: String,
}

/// `input` is the schema of the first input.
pub(super) fn words(node: &Node, input: Option<&Schema>) -> Words {
    let column = |index: usize| column_name(input, index);
    let columns = |indices: &[usize]| indices.iter().map(|index| column(*index)).collect::<Vec<_>>().join(", ");
    let of = |kind: &str, name: String, detail: String| Words { kind: kind.to_owned(), name, detail };
    match &node.kind {
        NodeKind::Source { table, used, .. } => {
            let names: Vec<&str> =
                used.iter().filter_map(|index| table.columns.get(*index)).map(|c| c.name.as_str()).collect();
            of(
                &format!("{} source", title(table.connector())),
                table.name.clone(),
                format!("Reads {}", names.join(", ")),
            )
        }
        NodeKind::Values { rows } => of("Values", format!("{} rows", rows.len()), String::new()),
        NodeKind::Calc { predicates, exprs } => {
            let show = |expr: &Expr| in_names(expr, input);
            let mut detail = Vec::new();
            if !predicates.is_empty() {
                detail.push(format!("Where {}", predicates.iter().map(show).collect::<Vec<_>>().join(" AND ")));
            }
            if let Some(exprs) = exprs {
                detail.push(format!("Gives {}", exprs.iter().map(show).collect::<Vec<_>>().join(", ")));
            }
            let kind = match (predicates.is_empty(), exprs) {
                (false, None) => "Filter",
                (true, _) => "Projection",
                (false, Some(_)) => "Filter and projection",
            };
            let names: Vec<&str> = node.schema.fields.iter().map(|field| field.name.as_str()).collect();
            of(kind, names.join(", "), detail.join("\n"))
        }
        NodeKind::ProcessingTime { column: time } => {
            of("Processing time", column(*time), "Rows are stamped as they pass".to_owned())
        }
        NodeKind::Window { kind, time_column } => {
            of("Window", window_words(kind), format!("Assigns windows by {}", column(*time_column)))
        }
        NodeKind::TableCall { call } => {
            let args: Vec<String> = call.args.iter().map(|arg| in_names(arg, input)).collect();
            let rest = if call.outer { "\nKeeps rows without a result" } else { "" };
            of("Table function", call.function.name().to_owned(), format!("Of {}{rest}", args.join(", ")))
        }
        NodeKind::Expand { expand } => {
            let set = |set: &GroupingSet| {
                let kept = expand.keys.iter().zip(&set.kept).filter(|(_, kept)| **kept).map(|(key, _)| *key);
                format!("({})", columns(&kept.collect::<Vec<_>>()))
            };
            let sets: Vec<String> = expand.sets.iter().map(set).collect();
            of("Grouping sets", sets.join(", "), format!("Gives every row {} times, once per set", expand.sets.len()))
        }
        NodeKind::WindowAggregate { window, group, calls } => {
            let (kind, start, end, time) = match window {
                WindowInput::Assign { kind, start, end, time, .. } => (window_words(kind), *start, *end, *time),
                WindowInput::Attached { start, end, time, .. } => {
                    ("window of the input".to_owned(), *start, *end, *time)
                }
            };
            let keys: Vec<usize> =
                group.iter().copied().filter(|c| *c != start && *c != end && Some(*c) != time).collect();
            let by = if keys.is_empty() { String::new() } else { format!(" by {}", columns(&keys)) };
            of("Window aggregate", format!("{kind}{by}"), calls_words(calls, input))
        }
        NodeKind::GroupAggregate { group, calls, clean, .. } => {
            let name = if group.is_empty() { "all rows".to_owned() } else { columns(group) };
            let clean = clean.as_deref().map(|clean| match clean {
                GroupClean::Row(index) => format!("\nForgets a group with a row where {}", column(*index)),
                GroupClean::Result(test) => format!("\nForgets a group when {}", in_names(test, Some(&node.schema))),
            });
            of("Group aggregate", name, calls_words(calls, input) + &clean.unwrap_or_default())
        }
        NodeKind::Merge { key } => {
            let names: Vec<String> = key.iter().map(|index| column_name(Some(&node.schema), *index)).collect();
            of("Merge", format!("by {}", names.join(", ")), String::new())
        }
        NodeKind::Repeat { times } => of("Repeat", format!("as often as {}", column(*times)), String::new()),
        NodeKind::Union => of("Union", format!("{} inputs", node.inputs.len()), String::new()),
        NodeKind::LookupJoin(lookup) => {
            let kind = if lookup.join.kind == JoinKind::Left { "Left lookup join" } else { "Lookup join" };
            of(kind, lookup.table.name.clone(), lookup_words(lookup))
        }
        NodeKind::Join { join, .. }
        | NodeKind::IntervalJoin { join, .. }
        | NodeKind::TemporalJoin { join, .. }
        | NodeKind::WindowJoin { join, .. } => {
            let temporal = matches!(&node.kind, NodeKind::TemporalJoin { .. });
            let kind = match join.kind {
                JoinKind::Left if temporal => "Left temporal join",
                _ if temporal => "Temporal join",
                JoinKind::Inner => "Join",
                JoinKind::Left => "Left join",
                JoinKind::Right => "Right join",
                JoinKind::Full => "Full join",
                JoinKind::Semi => "Semi join",
                JoinKind::Anti => "Anti join",
            };
            let keys: Vec<usize> = join.keys.iter().map(|key| key.left).collect();
            let name = if keys.is_empty() { "without key".to_owned() } else { columns(&keys) };
            let detail = match &node.kind {
                NodeKind::IntervalJoin { time, .. } => format!("Event times {} to {} ms apart", time.low, time.high),
                NodeKind::WindowJoin { .. } => "Within the same window".to_owned(),
                NodeKind::Join { clean, .. } => cleans_words(clean),
                NodeKind::TemporalJoin { times, .. } => format!("The version at {}", column(times.left)),
                _ => String::new(),
            };
            of(kind, name, detail)
        }
        NodeKind::Rank { partition, sort, from, to, .. } if partition.is_empty() => {
            let kind = if *to == u64::MAX { "Sort" } else { "Limit" };
            of(kind, range_words(*from, *to), sort_list(sort, input))
        }
        NodeKind::Rank { partition, sort, from, to, latest_first, .. } => {
            let kind = if *latest_first { "Last row" } else { "Top-N" };
            of(kind, format!("{} of each {}", range_words(*from, *to), columns(partition)), sort_list(sort, input))
        }
        NodeKind::FirstRow { keys, time_column, .. } => {
            of("First row", format!("of each {}", columns(keys)), format!("By {}", column(*time_column)))
        }
        NodeKind::Normalize { keys, .. } => {
            of("Changelog normalize", format!("by {}", columns(keys)), "Finds the old row of each update".to_owned())
        }
        NodeKind::UpsertMaterialize { keys, .. } => of(
            "Upsert materialize",
            format!("by {}", columns(keys)),
            "Keeps the rows of each key of the sink".to_owned(),
        ),
        NodeKind::WindowRank { partition, sort, from, to, .. } => {
            let of_each = if partition.is_empty() { String::new() } else { format!(" and {}", columns(partition)) };
            let name = format!("{} of each window{of_each}", range_words(*from, *to));
            of("Window Top-N", name, sort_list(sort, input))
        }
        NodeKind::OverAggregate { partition, time_column, calls, .. } => {
            let name = if partition.is_empty() { "all rows".to_owned() } else { columns(partition) };
            of("Over aggregate", name, format!("{}\nBy {}", over_words(calls, input), column(*time_column)))
        }
        NodeKind::OverTable { partition, sort, calls, .. } => {
            let name = if partition.is_empty() { "all rows".to_owned() } else { columns(partition) };
            of("Over aggregate", name, format!("{}\n{}", over_words(calls, input), sort_list(sort, input)))
        }
        NodeKind::TimeSort { sort, .. } => of("Sort", "by event time".to_owned(), sort_list(sort, input)),
        NodeKind::Sink { table: Some(table), .. } => {
            of(&format!("{} sink", title(table.connector())), table.name.clone(), String::new())
        }
        NodeKind::Sink { table: None, .. } => of("Result", "rows of the SELECT".to_owned(), String::new()),
    }
}

fn cleans_words(clean: &[Option<Expr>; 2]) -> String {
    let of_side = |(clean, side): (&Option<Expr>, &str)| {
        clean.as_ref().map(|clean| format!("Forgets rows of the {side} side where {clean}"))
    };
    clean.iter().zip(["left", "right"]).filter_map(of_side).collect::<Vec<_>>().join("\n")
}

fn lookup_words(lookup: &LookupNode) -> String {
    let name = |key: &LookupKey| lookup.table.columns.get(key.column).map_or("?", |column| column.name.as_str());
    let keys = lookup.keys.iter().map(name).collect::<Vec<_>>().join(", ");
    let cache = match &lookup.settings.cache {
        CacheMode::None => "no cache",
        CacheMode::Partial(_) => "what was found is cached",
        CacheMode::Full { .. } => "loaded whole",
    };
    format!("By {keys}, {cache}")
}

fn title(connector: &str) -> String {
    let mut letters = connector.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn column_name(schema: Option<&Schema>, index: usize) -> String {
    let field = schema.and_then(|schema| schema.fields.get(index));
    field.map_or_else(|| format!("${index}"), |field| field.name.clone())
}

/// The expression with names in place of column numbers.
fn in_names(expr: &Expr, schema: Option<&Schema>) -> String {
    let text = expr.to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let digits = after[1..].find(|c: char| !c.is_ascii_digit()).map_or(after.len(), |end| end + 1);
        match after[1..digits].parse() {
            Ok(index) => out.push_str(&column_name(schema, index)),
            Err(_) => out.push_str(&after[..digits]),
        }
        rest = &after[digits..];
    }
    out.push_str(rest);
    out
}

fn calls_words(calls: &[AggregateCall], input: Option<&Schema>) -> String {
    calls.iter().map(|call| call_words(call, input)).collect::<Vec<_>>().join(", ")
}

fn call_words(call: &AggregateCall, input: Option<&Schema>) -> String {
    let args: Vec<String> = call.args.iter().map(|index| column_name(input, *index)).collect();
    let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let args = call.constants.iter().fold(args, |args, constant| format!("{args}, {constant}"));
    let filter = call.filter.map(|column| format!(" FILTER (WHERE {})", column_name(input, column)));
    let name = call.user.as_ref().map_or_else(|| function_name(call.function), |user| user.module.name.as_str());
    format!("{name}({distinct}{args}){}", filter.unwrap_or_default())
}

fn over_words(calls: &[OverCall], input: Option<&Schema>) -> String {
    let one = |call: &OverCall| match call {
        OverCall::RowNumber => "ROW_NUMBER()".to_owned(),
        OverCall::Rank => "RANK()".to_owned(),
        OverCall::DenseRank => "DENSE_RANK()".to_owned(),
        OverCall::PercentRank => "PERCENT_RANK()".to_owned(),
        OverCall::CumeDist => "CUME_DIST()".to_owned(),
        OverCall::Ntile(parts) => format!("NTILE({parts})"),
        OverCall::Shift { value, back, .. } => {
            let name = if *back < 0 { "LEAD" } else { "LAG" };
            format!("{name}({}, {})", column_name(input, *value), back.unsigned_abs())
        }
        OverCall::Aggregate(call) => call_words(call, input),
    };
    calls.iter().map(one).collect::<Vec<_>>().join(", ")
}

pub(super) fn function_name(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "COUNT",
        AggregateFunction::Sum => "SUM",
        AggregateFunction::Sum0 => "SUM0",
        AggregateFunction::Min => "MIN",
        AggregateFunction::Max => "MAX",
        AggregateFunction::Avg => "AVG",
        AggregateFunction::FirstValue => "FIRST_VALUE",
        AggregateFunction::LastValue => "LAST_VALUE",
        AggregateFunction::ListAgg => "LISTAGG",
        AggregateFunction::Collect => "COLLECT",
        AggregateFunction::ArrayAgg(_) => "ARRAY_AGG",
        AggregateFunction::StddevPop => "STDDEV_POP",
        AggregateFunction::StddevSamp => "STDDEV_SAMP",
        AggregateFunction::VarPop => "VAR_POP",
        AggregateFunction::VarSamp => "VAR_SAMP",
        AggregateFunction::Percentile => "PERCENTILE",
        AggregateFunction::ApproxCountDistinct => "APPROX_COUNT_DISTINCT",
        AggregateFunction::SingleValue => "SINGLE_VALUE",
        AggregateFunction::JsonObjectAgg(_) => "JSON_OBJECTAGG",
        AggregateFunction::JsonArrayAgg(_) => "JSON_ARRAYAGG",
        AggregateFunction::User => "USER",
    }
}

fn sort_list(sort: &[SortKey], input: Option<&Schema>) -> String {
    sort.iter().map(|key| sort_words(key, input)).collect::<Vec<_>>().join(", ")
}

fn range_words(from: u64, to: u64) -> String {
    match (from, to) {
        (1, u64::MAX) => "all rows".to_owned(),
        (1, to) => format!("{to} rows"),
        (from, u64::MAX) => format!("all rows after {}", from - 1),
        (from, to) => format!("{} rows after {}", (to + 1).saturating_sub(from), from - 1),
    }
}

fn sort_words(key: &SortKey, input: Option<&Schema>) -> String {
    let direction = if key.ascending { "ascending" } else { "descending" };
    format!("{} {direction}", column_name(input, key.column))
}

fn window_words(kind: &WindowKind) -> String {
    match kind {
        WindowKind::Tumble { size, .. } => format!("tumbling {}", span_words(*size)),
        WindowKind::Hop { slide, size, .. } => format!("hopping {} every {}", span_words(*size), span_words(*slide)),
        WindowKind::Cumulate { step, size, .. } => format!("cumulating {} by {}", span_words(*size), span_words(*step)),
        WindowKind::Session { gap, .. } => format!("session with a gap of {}", span_words(*gap)),
    }
}

fn span_words(ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms >= *unit && ms % unit == 0);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", ms / unit))
}

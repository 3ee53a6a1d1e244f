//! `a JOIN b FOR SYSTEM_TIME AS OF a.ts ON …`: which state of `b` a row meets. By event time it is the version of that
//! time, of a table with a primary key and a watermark or of a view that is one; at processing time `b` is asked by key.

use std::time::Duration;

use super::relation::Relation;
use super::{Bind, Binder};
use crate::catalog::TableDef;
use crate::connector::TableUse;
use crate::plan::logical::{AsOf, LookupHint, LookupRetry, LookupSpec, VersionTimes};
use crate::plan::rewrite::{fuse, is_processing_time, unique_key};
use crate::plan::settings::parse_duration;
use crate::sql::ast::{ExprKind, From, FromKind, Hint, HintArg, JoinKind, Name, SystemTime};
use crate::sql::{Problem, Span, suggest};
use crate::types::LogicalType;

/// What `/*+ LOOKUP(…) */` takes.
const HINT_OPTIONS: &[&str] = &[
    "table",
    "async",
    "output-mode",
    "capacity",
    "timeout",
    "retry-predicate",
    "retry-strategy",
    "fixed-delay",
    "max-attempts",
    "shuffle",
];

/// Whether a table can be asked for rows by key. Rows of a changelog cannot: they are not the table.
fn offers_lookup(table: &TableDef) -> bool {
    // What is unknown is reported elsewhere.
    let connector = crate::connector::registry::find(table.connector());
    let format = table.option("format").and_then(crate::format::find);
    connector.is_none_or(|connector| connector.schema().lookup) && !format.is_some_and(|format| format.changelog())
}

pub(super) fn is_lookup(hint: &Hint) -> bool {
    hint.name.value.eq_ignore_ascii_case("LOOKUP")
}

impl Binder<'_> {
    /// FROM of a SELECT whose hints say how its tables are looked up.
    pub(super) fn tables_with_hints(&mut self, from: &From, hints: &[Hint]) -> Bind<Relation> {
        let own = hints.iter().filter(|hint| is_lookup(hint)).map(|hint| (hint.clone(), false)).collect();
        let around = std::mem::replace(&mut self.lookup_hints, own);
        let relation = self.from(from);
        let own = std::mem::replace(&mut self.lookup_hints, around);
        let relation = relation?;
        match own.into_iter().find(|(_, used)| !used) {
            Some((hint, _)) => {
                let message = match argument(&hint, "table") {
                    Some(table) => format!("The hint LOOKUP names '{table}', which this query does not look up."),
                    None => "The hint LOOKUP does not say for which table: add 'table' = '…'.".to_owned(),
                };
                self.refuse("wrong-arguments", message, hint.span)
            }
            None => Ok(relation),
        }
    }

    /// The right side of a join, and which of its states a left row meets.
    pub(super) fn as_of(
        &mut self,
        left: &Relation,
        right: &From,
        time: &SystemTime,
        kind: JoinKind,
    ) -> Bind<(Relation, AsOf)> {
        let FromKind::Table { name, hints, .. } = &right.kind else {
            return self.unsupported("FOR SYSTEM_TIME AS OF", time.span);
        };
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            let message = "A join FOR SYSTEM_TIME AS OF is an INNER JOIN or a LEFT JOIN.";
            return self.refuse("unsupported", message, right.span);
        }
        let column = self.time_of_left(left, time)?;
        if is_processing_time(&left.rel, column) {
            let relation = self.looked_up(name, hints)?;
            let alias = right.alias.as_ref().map(|alias| alias.name.value.as_str());
            let hint = self.lookup_hint(name, alias)?;
            let relation = self.aliased(relation, right)?;
            return Ok((relation, AsOf::Now(Box::new(LookupSpec { hint, columns: Vec::new() }))));
        }
        let relation = self.named_relation(name, hints, TableUse::Read)?;
        let right_time = self.version_time(left, column, &relation, name, time.span)?;
        let relation = self.aliased(relation, right)?;
        Ok((relation, AsOf::Version(VersionTimes { left: column, right: right_time })))
    }

    fn time_of_left(&mut self, left: &Relation, time: &SystemTime) -> Bind<usize> {
        let ExprKind::Name(name) = &time.time.kind else {
            let message = "FOR SYSTEM_TIME AS OF takes a time column of the left table, for example o.ts.";
            return self.refuse("unsupported", message, time.time.span);
        };
        let bound = self.column_name(name, left)?;
        match bound.kind {
            crate::expr::ExprKind::Column(column)
                if left.schema().event_time.contains(&column) || is_processing_time(&left.rel, column) =>
            {
                Ok(column)
            }
            _ => {
                let message = format!("'{}' carries neither event time nor processing time.", name.text());
                let problem = Problem::error("unsupported", message, name.span);
                Err(self.report(problem.with_hint(
                    "FOR SYSTEM_TIME AS OF takes a column of the left table that has a WATERMARK, or one computed as \
                     PROCTIME().",
                )))
            }
        }
    }

    /// A table whose connector can be asked by key, or a view of filters and columns over one.
    fn looked_up(&mut self, name: &Name, hints: &[Hint]) -> Bind<Relation> {
        if let Some(table) = self.plain_table(name) {
            if !offers_lookup(&table) {
                return self.no_lookup(name, table.connector());
            }
            return self.named_relation(name, hints, TableUse::Lookup);
        }
        let relation = self.named_relation(name, hints, TableUse::Lookup)?;
        let base = fuse(&relation.rel).base;
        let crate::plan::logical::RelNode::Scan { table } = &base.node else { return self.no_lookup(name, "a query") };
        if !offers_lookup(table) {
            let connector = table.connector().to_owned();
            return self.no_lookup(name, &connector);
        }
        Ok(relation)
    }

    fn no_lookup<T>(&mut self, name: &Name, connector: &str) -> Bind<T> {
        let message = format!("'{}' ({connector}) cannot be asked for rows by key.", name.text());
        let problem = Problem::error("unsupported", message, name.span);
        Err(self.report(problem.with_hint(
            "At processing time a join FOR SYSTEM_TIME AS OF needs a table whose connector offers lookup. Use an event \
             time of the left table for a table with a primary key and a watermark.",
        )))
    }

    /// The event time of a versioned table or view.
    fn version_time(
        &mut self,
        left: &Relation,
        column: usize,
        right: &Relation,
        name: &Name,
        span: Span,
    ) -> Bind<usize> {
        let needs = "A temporal join by event time needs a versioned table: one with a primary key and a watermark.";
        let hint = "A view is one as well that keeps the last row of each key: ROW_NUMBER() OVER (PARTITION BY k ORDER \
                    BY ts DESC) = 1.";
        if unique_key(&right.rel).is_none() {
            let message = format!("{needs} '{}' has no primary key.", name.text());
            return Err(self.report(Problem::error("unsupported", message, name.span).with_hint(hint)));
        }
        let [time] = *right.schema().event_time.as_slice() else {
            let what = if right.schema().event_time.is_empty() { "no event time" } else { "more than one event time" };
            let message = format!("{needs} '{}' has {what}.", name.text());
            return Err(self.report(Problem::error("unsupported", message, name.span).with_hint(hint)));
        };
        let local = |relation: &Relation, column: usize| {
            let field = relation.schema().fields.get(column);
            field.is_some_and(|field| matches!(field.ty.logical, LogicalType::TimestampLtz(_)))
        };
        if local(left, column) != local(right, time) {
            let message = "The event times of both sides of a temporal join are both TIMESTAMP or both TIMESTAMP_LTZ.";
            return self.refuse("type-mismatch", message, span);
        }
        Ok(time)
    }

    /// What the hints of the SELECT say about this table.
    fn lookup_hint(&mut self, name: &Name, alias: Option<&str>) -> Bind<LookupHint> {
        let names = |table: &str| table == alias.unwrap_or_default() || table == name.last() || table == name.text();
        let found = self.lookup_hints.iter_mut().find(|(hint, _)| argument(hint, "table").is_some_and(names));
        let Some((hint, used)) = found else { return Ok(LookupHint::default()) };
        *used = true;
        let hint = hint.clone();
        match read_hint(&hint) {
            Ok(read) => Ok(read),
            Err(message) => self.refuse("wrong-arguments", message, hint.span),
        }
    }
}

fn argument<'a>(hint: &'a Hint, name: &str) -> Option<&'a str> {
    hint.args.iter().find(|arg| arg.key == name).map(|arg| arg.value.as_str())
}

fn read_hint(hint: &Hint) -> Result<LookupHint, String> {
    let known = |arg: &&HintArg| HINT_OPTIONS.contains(&arg.key.as_str());
    if let Some(HintArg { key: unknown, .. }) = hint.args.iter().find(|arg| !known(arg)) {
        let near = suggest::nearest(unknown, HINT_OPTIONS.iter().copied());
        let near = near.map(|near| format!(" Did you mean '{near}'?")).unwrap_or_default();
        return Err(format!("The hint LOOKUP has no option '{unknown}'.{near}"));
    }
    let wrong = |name: &str, wanted: &str| {
        let given = argument(hint, name).unwrap_or_default();
        format!("The hint LOOKUP: '{name}' is {wanted}, not '{given}'.")
    };
    let flag = |name: &str, otherwise: bool| match argument(hint, name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(otherwise),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(wrong(name, "true or false")),
    };
    let number = |name: &str, otherwise: u32| match argument(hint, name) {
        None => Ok(otherwise),
        Some(text) => {
            text.trim().parse().ok().filter(|number| *number > 0).ok_or_else(|| wrong(name, "a number above 0"))
        }
    };
    let duration = |name: &str| match argument(hint, name) {
        None => Ok(None),
        Some(text) => {
            let found = parse_duration(text).filter(|duration| !duration.is_zero());
            found.map(Some).ok_or_else(|| wrong(name, "a duration such as '10s'"))
        }
    };
    let word = |name: &str, known: &[&str]| match argument(hint, name) {
        Some(text) if !known.contains(&text.to_ascii_lowercase().as_str()) => {
            Err(wrong(name, &format!("one of {}", known.join(", "))))
        }
        given => Ok(given.map(str::to_ascii_lowercase)),
    };
    let unordered = word("output-mode", &["ordered", "allow_unordered"])?.is_some_and(|mode| mode != "ordered");
    word("retry-strategy", &["fixed_delay"])?;
    let retry = word("retry-predicate", &["lookup_miss"])?.is_some();
    let retry = match (retry, duration("fixed-delay")?, argument(hint, "max-attempts")) {
        (true, Some(delay), Some(_)) => Some(LookupRetry { delay, attempts: number("max-attempts", 1)? }),
        (true, ..) => {
            return Err("The hint LOOKUP: a retry needs 'retry-strategy' = 'fixed_delay', 'fixed-delay' and \
                        'max-attempts'."
                .to_owned());
        }
        (false, None, None) => None,
        (false, ..) => return Err("The hint LOOKUP: a retry needs 'retry-predicate' = 'lookup_miss'.".to_owned()),
    };
    let default = LookupHint::default();
    Ok(LookupHint {
        asynchronous: flag("async", default.asynchronous)?,
        unordered,
        capacity: number("capacity", 100)? as usize,
        timeout: duration("timeout")?.unwrap_or(Duration::from_secs(180)),
        retry,
        shuffle: flag("shuffle", false)?,
    })
}

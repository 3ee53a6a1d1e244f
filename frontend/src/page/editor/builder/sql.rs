//! The form's SQL. Lines of the form that are not complete are left out; [`super::check`] names them.

use std::fmt::Write;

use super::super::names::{identifier, table};
use super::assign::assigned;
use super::model::{Condition, Conditions, Length, Operator, Query, Shape, Source, WindowKind};
use super::output::{Output, expression, outputs, result_type};
use super::value::{Kind, literal, literals};

/// One statement with its semicolon; nothing as long as there is nothing to select.
pub(super) fn sql(query: &Query) -> String {
    let Some(source) = &query.source else { return String::new() };
    let outputs = outputs(query);
    if outputs.is_empty() {
        return String::new();
    }
    let mut sql = String::new();
    let columns = match query.target.table.as_ref().filter(|_| query.inserts) {
        Some(target) => {
            let assigned = assigned(query);
            let names: Vec<String> = assigned.iter().map(|one| identifier(&one.column.name)).collect();
            let _ = writeln!(sql, "INSERT INTO {} ({})", table(&target.database, &target.name), names.join(", "));
            assigned.iter().map(|one| aliased(&one.expression(), &one.column.name)).collect()
        }
        None => outputs.iter().map(selected).collect::<Vec<_>>(),
    };
    let _ = write!(sql, "SELECT\n  {}\nFROM {}", columns.join(",\n  "), from(query, source));
    let filters =
        conditions(&query.filters, |subject| source.column(subject).map(|column| (identifier(subject), column.kind())));
    push_conditions(&mut sql, "WHERE", &query.filters, &filters);
    if query.shape != Shape::Plain {
        let keys = group_keys(query);
        if !keys.is_empty() {
            let _ = write!(sql, "\nGROUP BY {}", keys.join(", "));
        }
        let having = conditions(&query.having, |subject| aggregate(query, subject));
        push_conditions(&mut sql, "HAVING", &query.having, &having);
    }
    sql.push(';');
    sql
}

fn selected(output: &Output) -> String {
    aliased(&output.expression, &output.name)
}

fn aliased(expression: &str, name: &str) -> String {
    let name = identifier(name);
    if expression == name { name } else { format!("{expression} AS {name}") }
}

fn from(query: &Query, source: &Source) -> String {
    let name = table(&source.database, &source.name);
    let (Shape::Windowed, Some(time)) = (query.shape, source.event_time()) else { return name };
    let window = &query.window;
    let keys: Vec<String> = query.keys.iter().map(|key| identifier(&key.column)).collect();
    // Sessions of different keys are different sessions.
    let partition = match window.kind {
        WindowKind::Session if !keys.is_empty() => format!(" PARTITION BY {}", keys.join(", ")),
        _ => String::new(),
    };
    let mut sizes = vec![interval(&window.size)];
    if window.kind.has_step() {
        sizes.insert(0, interval(&window.step));
    }
    let time = identifier(&time.name);
    format!("TABLE(\n  {}(TABLE {name}{partition}, DESCRIPTOR({time}), {})\n)", window.kind.word(), sizes.join(", "))
}

/// Units have two digits unless they say otherwise.
fn interval(length: &Length) -> String {
    let count = length.count.trim();
    let unit = length.unit.word();
    if count.len() > 2 {
        format!("INTERVAL '{count}' {unit}({})", count.len())
    } else {
        format!("INTERVAL '{count}' {unit}")
    }
}

fn group_keys(query: &Query) -> Vec<String> {
    let ends: &[&str] = if query.shape == Shape::Windowed { &["window_start", "window_end"] } else { &[] };
    ends.iter().map(|end| (*end).to_owned()).chain(query.keys.iter().map(|key| identifier(&key.column))).collect()
}

/// An aggregate that a condition speaks of, with the kind of its value.
pub(super) fn aggregate(query: &Query, subject: &str) -> Option<(String, Kind)> {
    let aggregate = query.aggregate(subject)?;
    let column = query.source.as_ref().and_then(|source| source.column(&aggregate.column));
    let of = column.map(|column| column.data_type.as_str()).unwrap_or_default();
    Some((expression(aggregate), Kind::of(&result_type(aggregate.function, of))))
}

fn conditions(all: &Conditions, of: impl Fn(&str) -> Option<(String, Kind)>) -> Vec<String> {
    let complete = |one: &Condition| {
        let (subject, kind) = of(&one.subject)?;
        condition(&subject, kind, one)
    };
    all.list.iter().filter_map(complete).collect()
}

/// `None` when the operator does not fit, or a value is no value of this kind.
pub(super) fn condition(subject: &str, kind: Kind, one: &Condition) -> Option<String> {
    if !one.operator.fits(kind) {
        return None;
    }
    let word = one.operator.word();
    Some(match one.operator {
        Operator::IsNull | Operator::IsNotNull => format!("{subject} {word}"),
        Operator::In => format!("{subject} IN ({})", literals(kind, &one.value)?.join(", ")),
        Operator::Between => {
            format!("{subject} BETWEEN {} AND {}", literal(kind, &one.value)?, literal(kind, &one.upper)?)
        }
        _ => format!("{subject} {word} {}", literal(kind, &one.value)?),
    })
}

fn push_conditions(sql: &mut String, keyword: &str, all: &Conditions, written: &[String]) {
    if !written.is_empty() {
        let between = format!("\n  {} ", all.joined.word());
        let _ = write!(sql, "\n{keyword} {}", written.join(&between));
    }
}

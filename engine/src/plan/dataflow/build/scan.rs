//! Tables that are read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use super::{Builder, Draft, upsert};
use crate::catalog::{ColumnKind, TableDef, TableRef};
use crate::plan::dataflow::id::{scan_key, scan_text};
use crate::plan::dataflow::{NodeKind, problem};
use crate::plan::settings::parse_duration;
use crate::sql::Problem;
use crate::time::alignment::AlignmentSpec;

const IDLE_TIMEOUT: &str = "scan.watermark.idle-timeout";
const ALIGNMENT_GROUP: &str = "scan.watermark.alignment.group";
const MAX_DRIFT: &str = "scan.watermark.alignment.max-drift";
const UPDATE_INTERVAL: &str = "scan.watermark.alignment.update-interval";

impl Builder<'_> {
    pub(super) fn scan(&mut self, table: &TableRef) -> Result<usize, Problem> {
        let key = scan_key(table);
        let mut used: BTreeSet<usize> = self.scans.get(&key).cloned().unwrap_or_default();
        if let Some(watermark) = &table.watermark {
            used.insert(watermark.column);
            used.extend(watermark.expression.columns());
        }
        let mut needed = used.clone();
        for index in &used {
            if let Some(ColumnKind::Computed(expr)) = table.columns.get(*index).map(|column| &column.kind) {
                needed.extend(expr.columns());
            }
        }
        let all = table.read_columns();
        let wanted: Vec<usize> = (0..all.len()).filter(|at| needed.contains(&all[*at])).collect();
        let read = wanted.iter().map(|at| all[*at]).collect();
        let source = self.endpoints.source(table, &wanted).map_err(|error| problem("unsupported", error.message))?;
        let idle_timeout = duration(table, IDLE_TIMEOUT)?.unwrap_or(self.settings.idle_timeout);
        // Over bounded input that is read as a whole there is no watermark to wait for.
        let alignment = alignment(table)?.filter(|_| !self.settings.batch);
        let changelog = upsert::mode_of(&source);
        if changelog == ChangelogMode::Upsert && upsert::lacks_key(table, &used) {
            self.scans.entry(key).or_default().extend(&table.primary_key);
            return self.scan(table);
        }
        // The name alone makes the id, so that positions survive other columns and options; hints make a second scan.
        let first = !self.nodes.iter().any(|node| {
            matches!(&node.kind, NodeKind::Source { table: other, .. }
            if other.name == table.name && scan_key(other) != key)
        });
        let text = if first { format!("Scan {}", table.name) } else { format!("Scan {}", scan_text(table)) };
        let kind = NodeKind::Source {
            table: Arc::clone(table),
            source,
            read,
            used: used.iter().copied().collect(),
            idle_timeout,
            alignment,
        };
        let scan = self.add(Draft {
            kind,
            inputs: Vec::new(),
            schema: table.schema(),
            changelog,
            parallelism: self.settings.parallelism,
            state: format!("source {}", table.connector()),
            text,
        });
        if changelog == ChangelogMode::Upsert { self.normalize(table, scan, &used) } else { Ok(scan) }
    }
}

fn duration(table: &TableDef, option: &str) -> Result<Option<Duration>, Problem> {
    let Some(text) = table.option(option) else { return Ok(None) };
    let wrong = || problem("wrong-arguments", format!("'{option}' takes a duration such as '10 s', not '{text}'"));
    parse_duration(text).map(Some).ok_or_else(wrong)
}

fn alignment(table: &TableDef) -> Result<Option<AlignmentSpec>, Problem> {
    let max_drift = duration(table, MAX_DRIFT)?;
    let update_interval = duration(table, UPDATE_INTERVAL)?;
    let group = table.option(ALIGNMENT_GROUP).map(str::trim).filter(|group| !group.is_empty());
    let Some(group) = group else {
        if max_drift.is_some() || update_interval.is_some() {
            let message = format!("'{ALIGNMENT_GROUP}' of the table '{}' is missing.", table.name);
            return Err(problem("missing-option", message));
        }
        return Ok(None);
    };
    let Some(max_drift) = max_drift else {
        let message = format!("'{MAX_DRIFT}' of the table '{}' is missing: how far ahead it may be.", table.name);
        return Err(problem("missing-option", message));
    };
    if table.watermark.is_none() {
        let message = format!("The table '{}' cannot be aligned by watermarks: it has no WATERMARK.", table.name);
        return Err(problem("unsupported", message));
    }
    let update_interval = update_interval.unwrap_or(Duration::from_secs(1));
    Ok(Some(AlignmentSpec { group: group.to_owned(), max_drift, update_interval }))
}

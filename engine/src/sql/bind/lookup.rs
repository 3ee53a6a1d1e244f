//! Table names → definitions: CTEs, then the script's own tables and views, then the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::link::TableSource;

use super::relation::{Relation, ScopeTable};
use super::{Bind, Binder, Named, nodes};
use crate::catalog::{TableDef, TableRef};
use crate::connector::{TableUse, credential};
use crate::plan::logical::Rel;
use crate::sql::ast::{CreateView, Hint, Name, StatementKind};
use crate::sql::{Problem, parser, suggest};

/// What Flink calls the catalog of a session that names none.
const DEFAULT_CATALOG: &str = "default_catalog";

impl Binder<'_> {
    /// `database.table`; a name without database is one of the current database. A catalog before it stays, unless it
    /// is the one that Flink calls the default: others hold what belongs to others.
    pub(super) fn full_name(&self, name: &Name) -> String {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.value.as_str()).collect();
        match parts.as_slice() {
            [table] => format!("{}.{table}", self.database),
            [database, table] | [DEFAULT_CATALOG, database, table] => format!("{database}.{table}"),
            parts => parts.join("."),
        }
    }

    /// `database`, or `catalog.database`.
    pub(super) fn database_named(&self, name: &Name) -> String {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.value.as_str()).collect();
        match parts.as_slice() {
            [DEFAULT_CATALOG, database] => (*database).to_owned(),
            parts => parts.join("."),
        }
    }

    fn find_named(&mut self, name: &Name) -> Option<Named> {
        if let [only] = name.parts.as_slice()
            && let Some((_, named)) = self.with.iter().rev().find(|(cte, _)| *cte == only.value)
        {
            return Some(named.clone());
        }
        let full = self.full_name(name);
        if let Some(named) = self.local.get(&full).or_else(|| self.bound.get(&full)) {
            return Some(named.clone());
        }
        let source = self.catalog.tables.get(&full)?;
        let named = self.catalog_definition(&full, source, name);
        self.bound.insert(full, named.clone());
        Some(named)
    }

    /// Binds a definition of the catalog. What is wrong with it is reported at the place that uses it.
    fn catalog_definition(&mut self, full: &str, source: &TableSource, used: &Name) -> Named {
        let before = self.problems.len();
        let result = self.catalog_table(full, source);
        let wrong = self.problems.split_off(before);
        match (result, wrong.first()) {
            (Ok(table), None) => Named::Table(table),
            (_, first) => {
                let why = first.map_or("", |problem| problem.message.as_str());
                let message = format!("The definition of the table '{full}' is not valid: {why}");
                self.problems.push(Problem::error("unsupported", message, used.span));
                Named::Broken
            }
        }
    }

    pub(super) fn catalog_table(&mut self, full: &str, source: &TableSource) -> Bind<TableRef> {
        let parsed = parser::parse(&source.ddl);
        let spans = std::mem::replace(&mut self.spans, false);
        let (outer, attachments) = (std::mem::take(&mut self.outer), self.attachments.take());
        let bound =
            match (parsed.problems.into_iter().next(), parsed.statements.first().map(|statement| &statement.kind)) {
                (Some(problem), _) => Err(self.report(problem)),
                (None, Some(StatementKind::CreateTable(table))) => self.table_definition(table, full),
                (None, _) => {
                    let span = crate::sql::Span { start: 0, end: source.ddl.len() };
                    self.refuse("parse", "It is no CREATE TABLE statement.", span)
                }
            };
        (self.spans, self.outer, self.attachments) = (spans, outer, attachments);
        let mut table = bound?;
        table.options.extend(source.hidden_options.iter().map(|(key, value)| (key.clone(), value.clone())));
        Ok(Arc::new(table))
    }

    /// The table for an INSERT. `None` when it is a view.
    pub(super) fn table_to_write(&mut self, name: &Name) -> Bind<TableRef> {
        match self.find_named(name) {
            Some(Named::Table(table)) => Ok(table),
            Some(Named::View(..)) => self.refuse(
                "sink-schema",
                format!("'{}' is a view, and views cannot be written.", name.text()),
                name.span,
            ),
            Some(Named::Broken) => Err(super::Reported),
            None => Err(self.unknown_table(name)),
        }
    }

    /// A table or view in FROM.
    pub(super) fn named_relation(&mut self, name: &Name, hints: &[Hint], use_: TableUse) -> Bind<Relation> {
        let Some(named) = self.find_named(name) else { return Err(self.unknown_table(name)) };
        let database = match name.parts.as_slice() {
            [.., database, _] => Some(database.value.clone()),
            _ => Some(self.database.clone()),
        };
        let (rel, window) = match named {
            Named::Broken => return Err(super::Reported),
            Named::View(rel, window) => {
                if let Some(hint) = hints.first() {
                    return self.refuse(
                        "unsupported",
                        format!("The hint {} cannot stand at a view.", hint.name.value),
                        hint.span,
                    );
                }
                self.count_nodes(nodes(&rel), name.span)?;
                (Rel::clone(&rel), window)
            }
            Named::Table(table) => {
                self.reads.push(super::table_name(&table).to_owned());
                let table = self.with_hints(table, hints)?;
                self.uses.push(Arc::clone(&table));
                self.check_table(&table, use_, name.span)?;
                self.count_nodes(1, name.span)?;
                (Rel::scan(table), None)
            }
        };
        let columns = 0..rel.schema.len();
        let tables = vec![ScopeTable { alias: name.last().to_owned(), database, columns }];
        Ok(Relation { rel, tables, window, star: None })
    }

    /// `/*+ OPTIONS('key' = 'value') */` gives a definition of its own.
    pub(super) fn with_hints(&mut self, table: TableRef, hints: &[Hint]) -> Bind<TableRef> {
        let mut options = BTreeMap::new();
        for hint in hints {
            // Uses of a table are one scan anyway, unless their options differ.
            if hint.name.value.eq_ignore_ascii_case("REUSE_SOURCE") && hint.args.is_empty() {
                self.read_once.push((table.name.clone(), hint.span));
                continue;
            }
            if !hint.name.value.eq_ignore_ascii_case("OPTIONS") {
                return self.unsupported(&format!("The hint {}", hint.name.value), hint.span);
            }
            options.extend(hint.args.iter().map(|arg| (arg.key.clone(), arg.value.clone())));
            credential::fill_in(&mut options, &self.catalog.secrets);
        }
        if options.is_empty() {
            return Ok(table);
        }
        let mut changed = TableDef::clone(&table);
        changed.options.extend(options);
        Ok(Arc::new(changed))
    }

    /// The table that a name in FROM stands for, if it is one and no view.
    pub(super) fn plain_table(&mut self, name: &Name) -> Option<TableRef> {
        match self.quietly(|binder| binder.find_named(name)) {
            Some(Named::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// `REUSE_SOURCE` asks for one scan; other options elsewhere make a second one.
    pub(super) fn check_read_once(&mut self) {
        for (table, span) in std::mem::take(&mut self.read_once) {
            let mut uses = self.uses.iter().filter(|used| used.name == table);
            let first = uses.next();
            if uses.any(|used| first.is_some_and(|first| first.options != used.options)) {
                let message =
                    format!("'{table}' is read with other options as well, and those are a scan of their own.");
                let problem = Problem::error("unsupported", message, span);
                self.report(problem.with_hint("Write the same OPTIONS at every use, or leave REUSE_SOURCE out."));
            }
        }
    }

    fn unknown_table(&mut self, name: &Name) -> super::Reported {
        let full = self.full_name(name);
        let mut problem = Problem::error("unknown-table", format!("There is no table '{}'.", name.text()), name.span);
        let ctes = self.with.iter().map(|(name, _)| name.as_str());
        let known: Vec<&str> =
            self.local.keys().map(String::as_str).chain(self.catalog.tables.keys().map(String::as_str)).collect();
        let short = |known: &str| known.strip_prefix(&format!("{}.", self.database)).unwrap_or(known).to_owned();
        if let Some(near) = suggest::nearest(name.last(), ctes)
            .map(str::to_owned)
            .or_else(|| suggest::nearest(&full, known.iter().copied()).map(short))
        {
            problem = problem.with_replacement(&near);
        } else if let Some(elsewhere) = known.iter().find(|known| known.rsplit('.').next() == Some(name.last())) {
            problem = problem.with_replacement(elsewhere);
        }
        self.report(problem)
    }

    pub(super) fn create_view(&mut self, view: &CreateView) -> Bind<()> {
        let full = self.full_name(&view.name);
        let is_taken = self.local.contains_key(&full) && !view.or_replace;
        if is_taken || self.catalog.tables.contains_key(&full) {
            if view.if_not_exists {
                return Ok(());
            }
            return self.refuse(
                "exists-already",
                format!("There is a table or view '{}' already.", view.name.text()),
                view.name.span,
            );
        }
        let named = self.view(view);
        self.local.insert(full, named.unwrap_or(Named::Broken));
        Ok(())
    }

    fn view(&mut self, view: &CreateView) -> Bind<Named> {
        let relation = self.query(&view.query)?;
        let relation = self.rename_columns(relation, &view.columns, view.name.span)?;
        self.refuse_duplicates(relation.schema(), view.name.span)?;
        self.check_depth(&relation.rel, view.name.span)?;
        Ok(Named::View(Arc::new(relation.rel), relation.window))
    }

    pub(super) fn drop_local(&mut self, what: &str, name: &Name, if_exists: bool) -> Bind<()> {
        let full = self.full_name(name);
        if self.local.remove(&full).is_some() || if_exists {
            return Ok(());
        }
        if self.catalog.tables.contains_key(&full) {
            return self.refuse(
                "unsupported",
                format!("DROP {what} in a script only drops what the script created."),
                name.span,
            );
        }
        Err(self.unknown_table(name))
    }
}

//! The state of the form: one signal per field, the draft they make, and what the server says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use leptos::prelude::*;
use millrace_wire::connection::Connection;
use millrace_wire::connector::{ConnectorCatalog, ConnectorSchema, FormatSchema};
use millrace_wire::ids::TableId;
use millrace_wire::table::{Column, ColumnKind, Database, EventTime, FetchSchema, Table, TableCheck, TableDraft};

use crate::api::{self, Failure};
use crate::format::text::sql_name;

/// The check waits until typing rests.
const REST: Duration = Duration::from_millis(300);

/// What a connection to a database fills in.
pub(super) const FILLED_IN: [&str; 7] =
    ["url", "hostname", "port", "database-name", "username", "password", "ssl.mode"];

/// One row of the column editor.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct ColumnRow {
    pub(super) key: u32,
    pub(super) name: RwSignal<String>,
    pub(super) data_type: RwSignal<String>,
    pub(super) kind: RwSignal<String>,
    pub(super) source: RwSignal<String>,
    pub(super) comment: RwSignal<String>,
    nullable: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) team: StoredValue<String>,
    pub(super) catalog: StoredValue<ConnectorCatalog>,
    pub(super) editing: StoredValue<Option<TableId>>,
    /// Of the table when it was opened, so that nobody's change is overwritten.
    pub(super) revision: StoredValue<Option<u32>>,
    pub(super) connector: RwSignal<String>,
    pub(super) connection: RwSignal<String>,
    pub(super) format: RwSignal<String>,
    /// Where columns are fetched from instead of the stream; no part of the draft.
    pub(super) registry: RwSignal<String>,
    pub(super) subject: RwSignal<String>,
    pub(super) options: RwSignal<BTreeMap<String, String>>,
    /// Names of the secrets that the server has stored.
    pub(super) stored: StoredValue<Vec<String>>,
    pub(super) columns: RwSignal<Vec<ColumnRow>>,
    pub(super) event_column: RwSignal<String>,
    pub(super) watermark: RwSignal<String>,
    pub(super) key: RwSignal<BTreeSet<String>>,
    pub(super) database: RwSignal<String>,
    pub(super) name: RwSignal<String>,
    pub(super) comment: RwSignal<String>,
    /// Fields the person has been in: only there errors are shown before saving.
    touched: RwSignal<BTreeSet<String>>,
    /// Saving was tried: errors are shown everywhere.
    pub(super) tried: RwSignal<bool>,
    pub(super) saved: RwSignal<bool>,
    pub(super) check: RwSignal<Option<TableCheck>>,
    pub(super) check_failure: RwSignal<Option<Failure>>,
    pub(super) refused: RwSignal<Option<Failure>>,
    start: StoredValue<Option<TableDraft>>,
    next_key: StoredValue<u32>,
}

impl Form {
    pub(super) fn provide(
        team: &str,
        catalog: &ConnectorCatalog,
        databases: &[Database],
        table: Option<&Table>,
    ) -> Form {
        let draft = table.map(|table| &table.draft);
        let text = |read: fn(&TableDraft) -> &str| RwSignal::new(draft.map(read).unwrap_or_default().to_owned());
        let first_database = databases.iter().find(|database| !database.built_in).map(|database| database.name.clone());
        let form = Form {
            team: StoredValue::new(team.to_owned()),
            catalog: StoredValue::new(catalog.clone()),
            editing: StoredValue::new(table.map(|table| table.id)),
            revision: StoredValue::new(table.map(|table| table.revision)),
            connector: text(|draft| &draft.connector),
            connection: RwSignal::new(
                draft.and_then(|draft| draft.connection).map(|id| id.to_string()).unwrap_or_default(),
            ),
            registry: RwSignal::new(String::new()),
            subject: RwSignal::new(String::new()),
            format: text(|draft| draft.format.as_deref().unwrap_or_default()),
            options: RwSignal::new(draft.map(|draft| draft.options.clone()).unwrap_or_default()),
            stored: StoredValue::new(table.map(|table| table.secrets_set.clone()).unwrap_or_default()),
            columns: RwSignal::new(Vec::new()),
            event_column: text(|draft| draft.event_time.as_ref().map_or("", |time| &time.column)),
            watermark: text(|draft| draft.event_time.as_ref().map_or("", |time| &time.watermark)),
            key: RwSignal::new(draft.map(|draft| draft.primary_key.iter().cloned().collect()).unwrap_or_default()),
            database: RwSignal::new(draft.map(|draft| draft.database.clone()).or(first_database).unwrap_or_default()),
            name: text(|draft| &draft.name),
            comment: text(|draft| &draft.comment),
            touched: RwSignal::new(BTreeSet::new()),
            tried: RwSignal::new(false),
            saved: RwSignal::new(false),
            check: RwSignal::new(None),
            check_failure: RwSignal::new(None),
            refused: RwSignal::new(None),
            start: StoredValue::new(None),
            next_key: StoredValue::new(0),
        };
        if let Some(draft) = draft {
            form.set_columns(&draft.columns);
        }
        form.start.set_value(Some(form.draft_now()));
        form.check_while_typing();
        provide_context(form);
        form
    }

    /// Fills in what the address names: a link "make a table of this topic".
    pub(super) fn preset(
        &self,
        connector: Option<String>,
        connection: Option<String>,
        topic: Option<String>,
        database: Option<String>,
        connections: &[Connection],
    ) {
        let known = connection.filter(|id| connections.iter().any(|connection| connection.id.to_string() == *id));
        let connector = connector.or_else(|| known.as_ref().map(|_| "kafka".to_owned()));
        if let Some(connector) = connector {
            self.choose_connector(&connector);
        }
        if let Some(id) = known {
            self.connection.set(id);
        }
        if let Some(topic) = topic {
            self.name.set(sql_name(&topic));
            self.options.update(|options| {
                options.insert("topic".to_owned(), topic);
            });
        }
        if let Some(database) = database {
            self.database.set(database);
        }
        self.start.set_value(Some(self.draft_now()));
    }

    /// As `preset`, for a table of a database: `schema.name`, or the name alone.
    pub(super) fn preset_object(&self, object: &str) {
        let named_apart =
            self.schema_now().is_some_and(|schema| schema.options.iter().any(|option| option.name == "schema-name"));
        let (schema, name) = object.split_once('.').unwrap_or(("", object));
        self.options.update(|options| {
            if named_apart && !schema.is_empty() {
                options.insert("schema-name".to_owned(), schema.to_owned());
                options.insert("table-name".to_owned(), name.to_owned());
            } else {
                options.insert("table-name".to_owned(), object.to_owned());
            }
        });
        self.name.set(sql_name(name));
        self.start.set_value(Some(self.draft_now()));
    }

    pub(super) fn choose_connector(&self, name: &str) {
        if self.connector.with_untracked(|known| known == name) {
            return;
        }
        self.connector.set(name.to_owned());
        self.connection.set(String::new());
        self.options.set(BTreeMap::new());
        let formats = self.schema_now().map(|schema| schema.formats).unwrap_or_default();
        let keep = self.format.with_untracked(|format| formats.contains(format));
        if !keep {
            self.format.set(formats.first().cloned().unwrap_or_default());
        }
    }

    pub(super) fn schema(&self) -> Option<ConnectorSchema> {
        let name = self.connector.get();
        self.catalog.with_value(|catalog| catalog.connectors.iter().find(|known| known.name == name).cloned())
    }

    fn schema_now(&self) -> Option<ConnectorSchema> {
        untrack(|| self.schema())
    }

    pub(super) fn format_schema(&self) -> Option<FormatSchema> {
        let name = self.format.get();
        self.catalog.with_value(|catalog| catalog.formats.iter().find(|known| known.name == name).cloned())
    }

    pub(super) fn set_columns(&self, columns: &[Column]) {
        let rows = columns.iter().map(|column| self.row(column)).collect();
        self.columns.set(rows);
    }

    pub(super) fn add_column(&self) {
        let blank = Column {
            name: String::new(),
            data_type: "STRING".to_owned(),
            kind: ColumnKind::Physical,
            source: None,
            nullable: true,
            comment: String::new(),
        };
        let row = self.row(&blank);
        self.columns.update(|columns| columns.push(row));
    }

    fn row(&self, column: &Column) -> ColumnRow {
        let key = self.next_key.get_value();
        self.next_key.set_value(key.wrapping_add(1));
        ColumnRow {
            key,
            name: RwSignal::new(column.name.clone()),
            data_type: RwSignal::new(column.data_type.clone()),
            kind: RwSignal::new(column.kind.as_str().to_owned()),
            source: RwSignal::new(column.source.clone().unwrap_or_default()),
            comment: RwSignal::new(column.comment.clone()),
            nullable: column.nullable,
        }
    }

    /// A connection that the connector does without is chosen: it fills in address and credentials. Tracked.
    pub(super) fn is_filled_in(&self) -> bool {
        !self.connection.with(String::is_empty) && self.schema().is_some_and(|schema| !schema.takes.is_empty())
    }

    fn options_now(&self) -> BTreeMap<String, String> {
        let mut options = self.options.get();
        if self.is_filled_in() {
            options.retain(|name, _| !FILLED_IN.contains(&name.as_str()));
        }
        options
    }

    /// The draft as the fields stand; tracked.
    pub(super) fn draft(&self) -> TableDraft {
        let columns: Vec<Column> = self.columns.get().iter().map(column_of).collect();
        let known = |name: &String| columns.iter().any(|column| column.name == *name);
        let event_column = self.event_column.get();
        let watermark = self.watermark.get();
        let format = Some(self.format.get()).filter(|format| !format.is_empty());
        let schema = self.schema();
        let takes_format = schema.as_ref().is_some_and(|schema| !schema.formats.is_empty());
        let takes_connection =
            schema.as_ref().is_some_and(|schema| schema.connection.is_some() || !schema.takes.is_empty());
        let fixed = schema.as_ref().is_some_and(|schema| !schema.fixed_columns.is_empty());
        TableDraft {
            database: self.database.get(),
            name: self.name.get().trim().to_owned(),
            comment: self.comment.get().trim().to_owned(),
            connector: self.connector.get(),
            connection: if takes_connection { self.connection.get().parse().ok() } else { None },
            format: format.filter(|_| takes_format),
            options: self.options_now(),
            event_time: (!event_column.is_empty()).then_some(EventTime { column: event_column, watermark }),
            primary_key: self.key.get().into_iter().filter(|name| fixed || known(name)).collect(),
            columns,
        }
    }

    pub(super) fn draft_now(&self) -> TableDraft {
        untrack(|| self.draft())
    }

    pub(super) fn fetch_request(&self) -> FetchSchema {
        let draft = self.draft_now();
        let chosen = |field: RwSignal<String>| Some(field.get_untracked()).filter(|chosen| !chosen.is_empty());
        FetchSchema {
            connector: draft.connector,
            connection: draft.connection,
            format: draft.format,
            options: draft.options,
            registry: chosen(self.registry).and_then(|id| id.parse().ok()),
            subject: chosen(self.subject),
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        let now = self.draft_now();
        !self.saved.get_untracked() && self.start.with_value(|start| start.as_ref().is_some_and(|start| *start != now))
    }

    pub(super) fn touch(&self, field: &str) {
        if !self.touched.with_untracked(|touched| touched.contains(field)) {
            self.touched.update(|touched| {
                touched.insert(field.to_owned());
            });
        }
    }

    /// The message to show at a field now: from the last save, or from the check once the person has been there.
    pub(super) fn error(&self, field: &str) -> Option<String> {
        let refused = self.refused.with(|refused| refused.as_ref().and_then(|failure| failure.at_field(field)));
        refused.or_else(|| {
            let show = self.tried.get() || self.touched.with(|touched| touched.contains(field));
            show.then(|| {
                self.check.with(|check| {
                    let problems = &check.as_ref()?.problems;
                    problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
                })
            })
            .flatten()
        })
    }

    pub(super) fn error_signal(&self, field: impl Into<String>) -> Signal<Option<String>> {
        let (this, field) = (*self, field.into());
        Signal::derive(move || this.error(&field))
    }

    fn check_while_typing(&self) {
        let form = *self;
        let draft = Memo::new(move |_| form.draft());
        let pause = StoredValue::new(None::<TimeoutHandle>);
        Effect::new(move |before: Option<()>| {
            let draft = draft.get();
            // A refusal speaks of what was sent, which is no longer what stands here.
            if before.is_some() && form.refused.with_untracked(Option::is_some) {
                form.refused.set(None);
            }
            if let Some(handle) = pause.get_value() {
                handle.clear();
            }
            if draft.connector.is_empty() {
                return;
            }
            let path = form.team.with_value(|team| api::path::team(team, "tables/check"));
            let ask = move || {
                leptos::task::spawn_local(async move {
                    let answer = api::post::<TableCheck>(&path, &draft).await;
                    // Disposed with the page, or overtaken by later typing.
                    if form.connector.try_get_untracked().is_none() || form.draft_now() != draft {
                        return;
                    }
                    match answer {
                        Ok(check) => {
                            form.check_failure.set(None);
                            form.check.set(Some(check));
                        }
                        Err(failure) => form.check_failure.set(Some(failure)),
                    }
                });
            };
            pause.set_value(set_timeout_with_handle(ask, REST).ok());
        });
        on_cleanup(move || {
            if let Some(handle) = pause.try_get_value().flatten() {
                handle.clear();
            }
        });
    }
}

fn column_of(row: &ColumnRow) -> Column {
    let kind = row.kind.get().parse().unwrap_or(ColumnKind::Physical);
    let source = Some(row.source.get().trim().to_owned()).filter(|source| !source.is_empty());
    Column {
        name: row.name.get().trim().to_owned(),
        data_type: if kind == ColumnKind::Computed { String::new() } else { row.data_type.get().trim().to_owned() },
        kind,
        source: source.filter(|_| kind != ColumnKind::Physical),
        nullable: row.nullable,
        comment: row.comment.get().trim().to_owned(),
    }
}

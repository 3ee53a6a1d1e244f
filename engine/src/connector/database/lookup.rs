//! A table that is asked for rows by key.
//!
//! Whether a row answers a key is for the server to say: its collation may make `a` and `A` equal. Where equality is the
//! same here and there, one condition asks for all keys, and the keys of the rows tell which one they answer. Otherwise
//! each key is a branch of its own that gives its number along with its rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::row::{OwnedRow, RowConverter, SortField};
use async_trait::async_trait;
use futures::StreamExt as _;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::super::layout::ReadLayout;
use super::super::{ConnectorContext, Found, Lookup, LookupColumns};
use super::decode;
use super::dialect::ColumnFacts;
use super::session::{Session, TextRow};
use super::target::{Flavour, Target};
use crate::catalog::TableRef;
use crate::error::{EngineError, Result};
use crate::format::Decoded;
use crate::format::column::Column;
use crate::format::number::parse_integer;
use crate::types::Field;

/// Rows of a piece when the whole table is loaded.
const PIECE: usize = 4096;
/// Connections that are kept for the next request.
const IDLE: usize = 8;

pub(super) struct DatabaseLookup {
    target: Target,
    layout: ReadLayout,
    /// Positions of the keys among the columns asked for.
    keys: Vec<usize>,
    plan: OnceCell<Plan>,
    idle: Mutex<Vec<Session>>,
}

/// What the server's catalog says about the columns asked for.
struct Plan {
    columns: Vec<ColumnFacts>,
    /// Equality is the same here and there, for all keys.
    same_equality: bool,
}

impl DatabaseLookup {
    pub(super) fn new(
        flavour: Flavour,
        table: &TableRef,
        columns: &LookupColumns,
        context: &ConnectorContext,
    ) -> Result<Self> {
        let position = |key: &usize| columns.columns.iter().position(|column| column == key);
        let keys = columns.keys.iter().map(position).collect::<Option<Vec<_>>>();
        Ok(DatabaseLookup {
            target: Target::of_table(flavour, &table.options, context)?,
            layout: ReadLayout::new(table, &columns.columns)?,
            keys: keys.ok_or_else(|| EngineError::internal("a lookup does not read its keys"))?,
            plan: OnceCell::new(),
            idle: Mutex::new(Vec::new()),
        })
    }

    fn fields(&self) -> Vec<&Field> {
        self.layout.wanted.iter().filter_map(|index| self.layout.fields.get(*index)).collect()
    }

    async fn session(&self) -> Result<Session> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(session) => Ok(session),
            None => Session::open(&self.target).await,
        }
    }

    /// After an answer without an error.
    fn keep(&self, session: Session) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(session);
        }
    }

    async fn plan(&self, session: &mut Session) -> Result<&Plan> {
        self.plan
            .get_or_try_init(async || {
                let target = &self.target;
                let facts = target.dialect.facts(session, target).await?.ok_or_else(|| {
                    let message = format!("There is no table '{}' in {}.", target.table, target.place());
                    EngineError::user("no_such_table", message)
                })?;
                let fields = self.fields();
                let columns: Vec<ColumnFacts> = facts.columns_of(&fields, target)?.into_iter().cloned().collect();
                let same = |key: &usize| {
                    let key = columns.get(*key).zip(fields.get(*key));
                    key.is_some_and(|(column, field)| target.dialect.same_equality(column, &field.ty.logical))
                };
                Ok(Plan { same_equality: self.keys.iter().all(same), columns })
            })
            .await
    }

    /// Expressions for the columns asked for.
    fn wanted(&self, plan: &Plan) -> String {
        let read = |(column, field): (&ColumnFacts, &&Field)| self.target.dialect.read(column, &field.ty.logical);
        let wanted: Vec<String> = plan.columns.iter().zip(&self.fields()).map(read).collect();
        wanted.join(", ")
    }

    /// Names of the key columns, or the values of a row of keys, with commas.
    fn key_names(&self, plan: &Plan) -> Vec<String> {
        let names = self.keys.iter().filter_map(|key| plan.columns.get(*key));
        names.map(|column| self.target.dialect.name(&column.name)).collect()
    }

    fn key_values(&self, plan: &Plan, keys: &RecordBatch, row: usize) -> Result<Vec<String>> {
        let columns = self.keys.iter().filter_map(|key| plan.columns.get(*key));
        let value = |(column, array): (&ColumnFacts, &ArrayRef)| {
            let mut out = String::new();
            self.target.dialect.comparable(column, array, row, &mut out)?;
            Ok(out)
        };
        columns.zip(keys.columns()).map(value).collect()
    }

    /// One condition for all keys.
    fn at_once(&self, plan: &Plan, keys: &RecordBatch) -> Result<String> {
        let mut values = Vec::with_capacity(keys.num_rows());
        for row in 0..keys.num_rows() {
            values.push(format!("({})", self.key_values(plan, keys, row)?.join(", ")));
        }
        let (wanted, table) = (self.wanted(plan), self.target.quoted_table());
        let names = self.key_names(plan).join(", ");
        Ok(format!("SELECT {wanted} FROM {table} AS t WHERE ({names}) IN ({})", values.join(", ")))
    }

    /// A branch for each key, with its number as the last column.
    fn one_by_one(&self, plan: &Plan, keys: &RecordBatch) -> Result<String> {
        let (wanted, table, names) = (self.wanted(plan), self.target.quoted_table(), self.key_names(plan));
        let mut branches = Vec::with_capacity(keys.num_rows());
        for row in 0..keys.num_rows() {
            let values = self.key_values(plan, keys, row)?;
            let equal: Vec<String> =
                names.iter().zip(values).map(|(name, value)| format!("{name} = {value}")).collect();
            branches.push(format!("SELECT {wanted}, {row} FROM {table} AS t WHERE {}", equal.join(" AND ")));
        }
        Ok(branches.join(" UNION ALL "))
    }

    async fn ask(&self, session: &mut Session, keys: &RecordBatch) -> Result<Found> {
        let plan = self.plan(session).await?;
        if plan.same_equality {
            let mut rows = Rows::new(self, plan);
            let found = session.rows(self.at_once(plan, keys)?).await?;
            found.iter().try_for_each(|row| rows.push(row))?;
            let rows = rows.take()?;
            let key_of = self.match_keys(keys, &rows)?;
            return Ok(Found { rows, key_of });
        }
        let mut rows = Rows::new(self, plan);
        let mut key_of = Vec::new();
        for row in session.rows(self.one_by_one(plan, keys)?).await? {
            rows.push(&row)?;
            let number = row.value(plan.columns.len())?.and_then(parse_integer);
            let number = number.and_then(|number| u32::try_from(number).ok());
            key_of.push(number.ok_or_else(|| EngineError::internal("a found row names no key"))?);
        }
        Ok(Found { rows: rows.take()?, key_of })
    }

    fn match_keys(&self, keys: &RecordBatch, rows: &RecordBatch) -> Result<Vec<u32>> {
        let types = keys.columns().iter().map(|array| SortField::new(array.data_type().clone())).collect();
        let converter = RowConverter::new(types)?;
        let asked = converter.convert_columns(keys.columns())?;
        let mut numbers: HashMap<OwnedRow, u32, foldhash::fast::RandomState> = HashMap::default();
        for (number, key) in asked.iter().enumerate() {
            numbers.insert(key.owned(), u32::try_from(number).unwrap_or(u32::MAX));
        }
        let own: Vec<ArrayRef> = self.keys.iter().filter_map(|key| rows.columns().get(*key)).map(Arc::clone).collect();
        let found = converter.convert_columns(&own)?;
        let number = |key: arrow::row::Row<'_>| {
            let number = numbers.get(&key.owned()).copied();
            number.ok_or_else(|| EngineError::internal("a found row has a key that was not asked for"))
        };
        found.iter().map(number).collect()
    }
}

#[async_trait]
impl Lookup for DatabaseLookup {
    async fn find(&self, keys: RecordBatch) -> Result<Found> {
        let mut session = self.session().await?;
        match self.ask(&mut session, &keys).await {
            Ok(found) => {
                self.keep(session);
                Ok(found)
            }
            Err(error) => {
                // The server may have closed the others as well.
                self.idle.lock().clear();
                Err(error)
            }
        }
    }

    async fn load(&self, take: &mut (dyn FnMut(RecordBatch) -> Result<()> + Send)) -> Result<()> {
        let mut session = Session::open(&self.target).await?;
        let plan = self.plan(&mut session).await?;
        let statement = format!("SELECT {} FROM {} AS t", self.wanted(plan), self.target.quoted_table());
        let mut rows = Rows::new(self, plan);
        {
            let mut stream = session.stream(statement);
            while let Some(row) = stream.next().await {
                rows.push(&row?)?;
                if rows.count >= PIECE {
                    take(rows.take()?)?;
                }
            }
        }
        if rows.count > 0 {
            take(rows.take()?)?;
        }
        session.close().await;
        Ok(())
    }

    /// Statements with a branch for each key take longer to plan.
    fn keys_per_request(&self) -> usize {
        let same = self.plan.get().is_some_and(|plan| plan.same_equality);
        if same { 500 } else { 100 }
    }
}

/// Rows that are being collected.
struct Rows<'a> {
    lookup: &'a DatabaseLookup,
    facts: &'a [ColumnFacts],
    columns: Vec<Column>,
    count: usize,
}

impl<'a> Rows<'a> {
    fn new(lookup: &'a DatabaseLookup, plan: &'a Plan) -> Self {
        let columns = lookup.fields().iter().map(|field| Column::new(&field.ty.logical)).collect();
        Rows { lookup, facts: &plan.columns, columns, count: 0 }
    }

    fn push(&mut self, row: &TextRow) -> Result<()> {
        for (index, (column, facts)) in self.columns.iter_mut().zip(self.facts).enumerate() {
            decode::push(row.value(index)?, column, facts)?;
        }
        self.count += 1;
        Ok(())
    }

    fn take(&mut self) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<ArrayRef>>>()?;
        let rows = std::mem::take(&mut self.count);
        Ok(self.lookup.layout.batch(rows, Decoded { columns, kinds: None }, &[])?.rows)
    }
}

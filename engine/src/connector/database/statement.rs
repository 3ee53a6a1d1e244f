//! Changes → the statements that make them.
//!
//! With a primary key only the last change of each key is written; as no key is left twice, the order of statements does
//! not matter. Without one all rows are inserted in their order.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::row::{OwnedRow, RowConverter, SortField};

use super::dialect::{ColumnFacts, Dialect, TableFacts};
use super::sink::SinkShape;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};
use crate::types::Field;

/// A statement is closed when it has so many rows,
const ROWS: usize = 1000;
/// or so many bytes: servers take 4 MiB at least.
const BYTES: usize = 1 << 20;

/// A row as batch and row number.
type Place = (usize, usize);

/// What is written, checked against the server's catalog.
pub(super) struct Statements {
    dialect: &'static dyn Dialect,
    table: String,
    /// The column names in quotes.
    names: Vec<String>,
    on_conflict: String,
    key: Vec<(usize, ColumnFacts)>,
}

impl Statements {
    pub(super) fn new(shape: &SinkShape, facts: Option<TableFacts>) -> Result<Self> {
        let target = &shape.target;
        let facts = facts.ok_or_else(|| {
            let message = format!("There is no table '{}' in {}.", target.table, target.place());
            EngineError::user("no_such_table", message)
        })?;
        let fields: Vec<&Field> = shape.fields.iter().collect();
        let columns = facts.columns_of(&fields, target)?;
        let key: Vec<(usize, ColumnFacts)> = shape
            .key
            .iter()
            .filter_map(|position| columns.get(*position).map(|column| (*position, (*column).clone())))
            .collect();
        let key_names: Vec<String> = key.iter().map(|(_, column)| column.name.clone()).collect();
        if !key.is_empty() && !facts.is_unique(&key_names) {
            let message = format!(
                "The table '{}' of {} has no primary key and no unique index on exactly ({}), so that rows cannot be replaced by it.",
                target.table,
                target.place(),
                key_names.join(", ")
            );
            return Err(EngineError::user("no_unique_key", message));
        }
        if shape.options.exactly_once && !facts.transactional {
            let message = format!(
                "The table '{}' has a storage engine without transactions: exactly-once is not possible. Use InnoDB, or at-least-once.",
                target.table
            );
            return Err(EngineError::user("no_transactions", message));
        }
        let others = shape.fields.iter().map(|field| field.name.clone()).filter(|name| !key_names.contains(name));
        let others: Vec<String> = others.collect();
        let dialect = target.dialect;
        Ok(Statements {
            dialect,
            table: target.quoted_table(),
            names: shape.fields.iter().map(|field| dialect.name(&field.name)).collect(),
            on_conflict: if key.is_empty() { String::new() } else { dialect.on_conflict(&key_names, &others) },
            key,
        })
    }

    pub(super) fn of(&self, batches: &[ChangeBatch]) -> Result<Vec<String>> {
        let rows = self.last_changes(batches)?;
        let (written, deleted): (Vec<Place>, Vec<Place>) = rows
            .into_iter()
            .partition(|(batch, row)| batches.get(*batch).is_some_and(|batch| batch.kind(*row).is_accumulate()));
        let mut statements = Vec::new();
        self.deletes(batches, &deleted, &mut statements)?;
        self.inserts(batches, &written, &mut statements)?;
        Ok(statements)
    }

    fn last_changes(&self, batches: &[ChangeBatch]) -> Result<Vec<Place>> {
        let all = batches.iter().enumerate();
        let all = all.flat_map(|(number, batch)| (0..batch.len()).map(move |row| (number, row)));
        let Some(first) = batches.first().filter(|_| !self.key.is_empty()) else { return Ok(all.collect()) };
        let of_key = |batch: &ChangeBatch| -> Vec<ArrayRef> {
            self.key.iter().filter_map(|(position, _)| batch.rows.columns().get(*position)).map(Arc::clone).collect()
        };
        let types = of_key(first).iter().map(|array| SortField::new(array.data_type().clone())).collect();
        let converter = RowConverter::new(types)?;
        let mut last: HashMap<OwnedRow, usize, foldhash::fast::RandomState> = HashMap::default();
        let mut places: Vec<Option<Place>> = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let keys = converter.convert_columns(&of_key(batch))?;
            for (row, key) in keys.iter().enumerate() {
                if let Some(before) = last.insert(key.owned(), places.len()).and_then(|before| places.get_mut(before)) {
                    *before = None;
                }
                places.push(Some((number, row)));
            }
        }
        Ok(places.into_iter().flatten().collect())
    }

    fn inserts(&self, batches: &[ChangeBatch], rows: &[Place], statements: &mut Vec<String>) -> Result<()> {
        let head = format!("INSERT INTO {} ({}) VALUES ", self.table, self.names.join(", "));
        let mut list = List::new(&head, &self.on_conflict, statements);
        for (batch, row) in rows {
            let Some(batch) = batches.get(*batch) else { continue };
            let values = list.open();
            values.push('(');
            for (position, array) in batch.rows.columns().iter().enumerate() {
                if position > 0 {
                    values.push(',');
                }
                if array.is_null(*row) {
                    values.push_str("NULL");
                } else {
                    self.dialect.literal(array, *row, values)?;
                }
            }
            values.push(')');
            list.close_row();
        }
        list.finish();
        Ok(())
    }

    fn deletes(&self, batches: &[ChangeBatch], rows: &[Place], statements: &mut Vec<String>) -> Result<()> {
        let names: Vec<&str> =
            self.key.iter().filter_map(|(position, _)| self.names.get(*position)).map(String::as_str).collect();
        let head = format!("DELETE FROM {} WHERE ({}) IN (", self.table, names.join(", "));
        let mut list = List::new(&head, ")", statements);
        for (batch, row) in rows {
            let Some(batch) = batches.get(*batch) else { continue };
            let values = list.open();
            self.push_key(batch.rows.columns(), *row, values)?;
            list.close_row();
        }
        list.finish();
        Ok(())
    }

    fn push_key(&self, columns: &[ArrayRef], row: usize, out: &mut String) -> Result<()> {
        out.push('(');
        for (number, (position, facts)) in self.key.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            match columns.get(*position).filter(|array| !array.is_null(row)) {
                Some(array) => self.dialect.comparable(facts, array, row, out)?,
                None => out.push_str("NULL"),
            }
        }
        out.push(')');
        Ok(())
    }
}

/// Statements of one kind, each with as many rows as it may have.
struct List<'a> {
    head: &'a str,
    tail: &'a str,
    done: &'a mut Vec<String>,
    text: String,
    rows: usize,
}

impl<'a> List<'a> {
    fn new(head: &'a str, tail: &'a str, done: &'a mut Vec<String>) -> Self {
        List { head, tail, done, text: String::new(), rows: 0 }
    }

    /// Where the next row goes.
    fn open(&mut self) -> &mut String {
        self.text.push_str(if self.rows == 0 { self.head } else { "," });
        &mut self.text
    }

    fn close_row(&mut self) {
        self.rows += 1;
        if self.rows >= ROWS || self.text.len() >= BYTES {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if self.rows > 0 {
            self.text.push_str(self.tail);
            self.done.push(std::mem::take(&mut self.text));
            self.rows = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{context, table};
    use super::super::sink::DatabaseSink;
    use super::super::target::Flavour;
    use super::super::tests::changes;
    use super::*;
    use crate::catalog::{TableDef, TableRef};
    use crate::types::LogicalType;

    fn target(key: &[usize]) -> TableRef {
        let options = [("hostname", "h"), ("database-name", "d"), ("table-name", "t")];
        let columns = [("a", LogicalType::BigInt), ("b", LogicalType::String)];
        Arc::new(TableDef { primary_key: key.to_vec(), ..TableDef::clone(&table(&columns, &options)) })
    }

    fn statements(flavour: Flavour, table: &TableRef) -> Result<Statements> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sink = DatabaseSink::new(flavour, table, &context(&runtime, "job")).unwrap();
        let column = |name: &str, ty: &str| ColumnFacts {
            name: name.to_owned(),
            ty: ty.to_owned(),
            base: ty.to_owned(),
            not_null: false,
            comment: String::new(),
        };
        let facts = TableFacts {
            columns: vec![column("a", "bigint"), column("b", "text")],
            primary_key: vec!["a".to_owned()],
            unique: vec![vec!["a".to_owned()]],
            transactional: true,
            comment: String::new(),
        };
        Statements::new(&sink.shape, Some(facts))
    }

    fn batches(table: &TableRef) -> Vec<ChangeBatch> {
        let first = [r#"+I{"a":1,"b":"x"}"#, r#"+I{"a":2,"b":"y"}"#];
        let second = [r#"-D{"a":2,"b":"y"}"#, r#"+U{"a":1,"b":"it's \\"}"#];
        vec![changes(table, &first), changes(table, &second)]
    }

    #[test]
    fn the_last_change_of_a_key_is_written() {
        let table = target(&[0]);
        let found = statements(Flavour::Postgres, &table).unwrap().of(&batches(&table)).unwrap();
        let expected = [
            r#"DELETE FROM "public"."t" WHERE ("a") IN (('2'::bigint))"#,
            r#"INSERT INTO "public"."t" ("a", "b") VALUES ('1','it''s \') ON CONFLICT ("a") DO UPDATE SET "b" = EXCLUDED."b""#,
        ];
        assert_eq!(found, expected);
        let found = statements(Flavour::MySql, &table).unwrap().of(&batches(&table)).unwrap();
        let expected = [
            "DELETE FROM `d`.`t` WHERE (`a`) IN ((2))",
            r"INSERT INTO `d`.`t` (`a`, `b`) VALUES (1,'it''s \') ON DUPLICATE KEY UPDATE `b` = VALUES(`b`)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn without_a_key_every_row_is_inserted() {
        let table = target(&[]);
        let rows: Vec<String> = (0..ROWS + 1).map(|_| r#"+I{"a":1}"#.to_owned()).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let found = statements(Flavour::MySql, &table).unwrap().of(&[changes(&table, &rows)]).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], "INSERT INTO `d`.`t` (`a`, `b`) VALUES (1,NULL)");
    }

    #[test]
    fn a_key_that_the_server_does_not_know_is_refused() {
        let message = statements(Flavour::Postgres, &target(&[1])).err().map(|error| error.message).unwrap();
        assert!(message.contains("exactly (b)"), "{message}");
        let zero = changes(&target(&[]), &[r#"+I{"b":"\u0000"}"#]);
        let message = statements(Flavour::Postgres, &target(&[])).unwrap().of(&[zero]).unwrap_err().message;
        assert!(message.contains("zero character"), "{message}");
    }
}

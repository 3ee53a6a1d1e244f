//! Tables of test runs: made from the columns and the key of the table that they stand for, and dropped again.

use super::super::{Apart, ConnectorContext};
use super::session::Session;
use super::target::{Flavour, Target};
use crate::catalog::TableDef;
use crate::error::{EngineError, Result};

pub(super) async fn make(flavour: Flavour, apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let target = Target::of_table(flavour, &apart.table().options, context)?;
    let statement = definition(&target, apart.table())?;
    let mut session = Session::open(&target).await?;
    let made = session.run(statement).await;
    session.close().await;
    made.map(drop).map_err(|error| {
        let outer = target.schema.as_deref().unwrap_or(&target.database);
        let message = format!(
            "The {} cannot be made. {}. '{outer}' has to exist, and the connection's user needs the right to create tables in it.",
            apart.title(),
            error.message.trim_end_matches('.')
        );
        EngineError { message, ..error }
    })
}

pub(super) async fn remove(flavour: Flavour, apart: &Apart, context: &ConnectorContext) -> Result<()> {
    let target = Target::of_table(flavour, &apart.table().options, context)?;
    let mut session = Session::open(&target).await?;
    let removed = session.run(format!("DROP TABLE IF EXISTS {}", target.quoted_table())).await;
    session.close().await;
    removed.map(drop).map_err(|error| {
        let message = format!("The {} cannot be dropped. {}", apart.title(), error.message);
        EngineError { message, ..error }
    })
}

/// Never `IF NOT EXISTS`: a table that is there is somebody's.
fn definition(target: &Target, table: &TableDef) -> Result<String> {
    let dialect = target.dialect;
    let mut parts = Vec::new();
    for index in table.write_columns() {
        let Some(column) = table.columns.get(index) else { continue };
        let keyed = table.primary_key.contains(&index);
        let ty = dialect.declared(&column.ty.logical, keyed).ok_or_else(|| {
            let message =
                format!("{} has no type for the column {} ({}).", dialect.title(), column.name, column.ty.logical);
            EngineError::user("sandbox_refused", message)
        })?;
        let null = if column.ty.nullable && !keyed { "" } else { " NOT NULL" };
        parts.push(format!("{} {ty}{null}", dialect.name(&column.name)));
    }
    let key = table.primary_key.iter().filter_map(|index| table.columns.get(*index));
    let key: Vec<String> = key.map(|column| dialect.name(&column.name)).collect();
    if !key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    Ok(format!("CREATE TABLE {} ({})", target.quoted_table(), parts.join(", ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use millrace_wire::link::TableSource;

    use super::*;

    fn defined(flavour: Flavour, connector: &str, columns: &str) -> String {
        let ddl = format!(
            "CREATE TABLE t ({columns}) WITH ('connector' = '{connector}', 'hostname' = 'h', 'database-name' = 'd', \
             'username' = 'u', 'password' = 'p', 'table-name' = 'sandbox.t_1')"
        );
        let source = TableSource { ddl, hidden_options: BTreeMap::new() };
        let table = crate::sql::bind_table("t", &source).unwrap();
        let target = Target::of_options(flavour, &table.options).unwrap();
        definition(&target, &Arc::clone(&table)).unwrap()
    }

    #[test]
    fn the_columns_and_the_key_are_those_of_the_table() {
        let columns = "id INT NOT NULL, name STRING NOT NULL, price DECIMAL(10, 2), at TIMESTAMP(3), ok BOOLEAN, \
                       raw BYTES, PRIMARY KEY (id, name) NOT ENFORCED";
        assert_eq!(
            defined(Flavour::Postgres, "postgres", columns),
            "CREATE TABLE \"sandbox\".\"t_1\" (\"id\" integer NOT NULL, \"name\" text NOT NULL, \"price\" numeric(10, 2), \
             \"at\" timestamp(3), \"ok\" boolean, \"raw\" bytea, PRIMARY KEY (\"id\", \"name\"))"
        );
        assert_eq!(
            defined(Flavour::MySql, "mysql", columns),
            "CREATE TABLE `sandbox`.`t_1` (`id` int NOT NULL, `name` varchar(255) NOT NULL, `price` decimal(10, 2), \
             `at` datetime(3), `ok` tinyint(1), `raw` longblob, PRIMARY KEY (`id`, `name`))"
        );
    }
}

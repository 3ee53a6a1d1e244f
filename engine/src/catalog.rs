//! The tables, views and users' functions that a script can see; tables as resolved definitions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_wire::function::FunctionSource;
use millrace_wire::link::TableSource;

use crate::expr::Expr;
use crate::types::{Field, Schema, Type};

/// What the platform hands in.
#[derive(Clone, Debug, Default)]
pub struct CatalogText {
    pub default_database: String,
    /// DDL texts by `database.table`; of other catalogs by `catalog.database.table`.
    pub tables: BTreeMap<String, TableSource>,
    /// Users' functions by their name in SQL, in any case.
    pub functions: BTreeMap<String, FunctionSource>,
    /// Folders that a script may take modules from, as file connectors have them: empty for anywhere, absent where it
    /// may not.
    pub function_roots: Option<Vec<PathBuf>>,
    /// Secrets that the script names as `${name}`. They are filled in where a table's option is a credential, and
    /// nowhere else: see [`crate::connector::credential`].
    pub secrets: BTreeMap<String, String>,
}

/// A table after its `CREATE TABLE` was parsed and its expressions were bound.
#[derive(Clone, Debug)]
pub struct TableDef {
    /// `database.table`, or the bare name of a temporary table.
    pub name: String,
    pub columns: Vec<ColumnDef>,
    pub watermark: Option<WatermarkDef>,
    /// Indices into `columns`.
    pub primary_key: Vec<usize>,
    /// `PARTITIONED BY`: indices into `columns`, all physical.
    pub partition_keys: Vec<usize>,
    /// All options: those of the DDL, of hints, and the hidden ones of the connection.
    pub options: BTreeMap<String, String>,
    pub comment: String,
}

#[derive(Clone, Debug)]
pub struct ColumnDef {
    pub name: String,
    pub ty: Type,
    pub kind: ColumnKind,
    pub comment: String,
}

#[derive(Clone, Debug)]
pub enum ColumnKind {
    Physical,
    /// Bound over the physical and metadata columns, numbered as in `TableDef::columns`.
    Computed(Expr),
    /// `virtual_` ones are not written by sinks.
    Metadata {
        key: String,
        virtual_: bool,
    },
}

#[derive(Clone, Debug)]
pub struct WatermarkDef {
    /// Index of the event-time column in `TableDef::columns`.
    pub column: usize,
    /// Bound over all columns of the table.
    pub expression: Expr,
}

impl TableDef {
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    pub fn connector(&self) -> &str {
        self.option("connector").unwrap_or_default()
    }

    /// All columns, as a query sees them.
    pub fn schema(&self) -> Schema {
        Schema {
            fields: self.columns.iter().map(|column| Field::new(&column.name, column.ty.clone())).collect(),
            event_time: self.watermark.iter().map(|watermark| watermark.column).collect(),
        }
    }

    /// What a source reader delivers, in this order: physical columns, then metadata columns.
    pub fn read_columns(&self) -> Vec<usize> {
        let physical = self.indices(|kind| matches!(kind, ColumnKind::Physical));
        physical.into_iter().chain(self.indices(|kind| matches!(kind, ColumnKind::Metadata { .. }))).collect()
    }

    /// What a sink takes, in the order of the DDL: physical columns and persisted metadata columns.
    pub fn write_columns(&self) -> Vec<usize> {
        self.indices(|kind| match kind {
            ColumnKind::Physical => true,
            ColumnKind::Metadata { virtual_, .. } => !virtual_,
            ColumnKind::Computed(_) => false,
        })
    }

    /// Schema of the given columns.
    pub fn schema_of(&self, columns: &[usize]) -> Schema {
        let fields = columns.iter().filter_map(|index| self.columns.get(*index));
        Schema::new(fields.map(|column| Field::new(&column.name, column.ty.clone())).collect())
    }

    fn indices(&self, keep: impl Fn(&ColumnKind) -> bool) -> Vec<usize> {
        let numbered = self.columns.iter().enumerate();
        numbered.filter(|(_, column)| keep(&column.kind)).map(|(index, _)| index).collect()
    }
}

pub type TableRef = Arc<TableDef>;

//! Tables → connectors.

use std::sync::Arc;

use super::Endpoints;
use crate::catalog::TableRef;
use crate::connector::{Connector, ConnectorContext, LookupColumns, OpenLookup, Sink, Source, registry};
use crate::error::{EngineError, Result};

/// Sources and sinks as the tables' options name them; rows of bare SELECTs go to `collect`.
pub struct ConnectorEndpoints {
    pub context: ConnectorContext,
    pub collect: Option<Arc<dyn Sink>>,
}

impl ConnectorEndpoints {
    fn connector(table: &TableRef) -> Result<&'static dyn Connector> {
        let unknown = || {
            let message = format!("There is no connector '{}' (table {}).", table.connector(), table.name);
            EngineError::user("unknown-connector", message)
        };
        registry::find(table.connector()).ok_or_else(unknown)
    }
}

impl Endpoints for ConnectorEndpoints {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        Ok(Arc::from(Self::connector(table)?.source(table, columns, &self.context)?))
    }

    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>> {
        Ok(Arc::from(Self::connector(table)?.sink(table, &self.context)?))
    }

    fn lookup(&self, table: &TableRef, columns: &LookupColumns) -> Result<OpenLookup> {
        let lookup = Self::connector(table)?.lookup(table, columns, &self.context)?;
        Ok(OpenLookup { lookup, runtime: self.context.runtime.clone() })
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        self.collect
            .clone()
            .ok_or_else(|| EngineError::user("unsupported", "A job needs an INSERT; a bare SELECT can be previewed."))
    }
}

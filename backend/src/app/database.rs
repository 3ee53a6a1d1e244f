//! Databases: the first half of a table's name.

use millrace_wire::ids::{DatabaseId, TableId};
use millrace_wire::live::LiveEvent;
use millrace_wire::table::{Database, NewDatabase};

use super::account::taken_or;
use super::check;
use super::team::DEFAULT_DATABASE;
use crate::access::identity::TeamCaller;
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

pub async fn list(app: &App, caller: &TeamCaller) -> Result<Vec<Database>> {
    store::database::list(&app.store, &caller.sight()).await
}

pub async fn create(app: &App, caller: &TeamCaller, request: NewDatabase) -> Result<Database> {
    check::sql_name("name", &request.name)?;
    check::description("description", &request.description)?;
    let id = DatabaseId(clock::new_id());
    let (name, description) = (request.name, request.description);
    let database = Database { id, name, description, tables: 0, built_in: false };
    let now = clock::now_ms();
    transact!(app.store, tx => { store::database::insert(tx, caller.team, &database, now).await })
        .map_err(|error| taken_or(error, "name", "A database with this name exists."))?;
    // The tree of databases is drawn from tables: whoever shows it loads it again.
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: TableId(id.0) });
    Ok(database)
}

pub async fn delete(app: &App, caller: &TeamCaller, name: &str) -> Result<Database> {
    let database = transact!(app.store, tx => {
        let found = store::database::by_name(tx, caller.team, name).await?;
        let database = found.ok_or_else(|| Error::not_found("database"))?;
        if database.built_in || database.name == DEFAULT_DATABASE {
            return Err(Error::not_allowed("This database always exists."));
        }
        if database.tables > 0 {
            let message = format!("The database still has {} table(s).", database.tables);
            return Err(Error::conflict(Code::DatabaseInUse, message).hint("Delete them first."));
        }
        store::database::delete(tx, caller.team, database.id).await?;
        Ok(database)
    })?;
    app.live.publish(caller.team, &LiveEvent::TablesChanged { table: TableId(database.id.0) });
    Ok(database)
}

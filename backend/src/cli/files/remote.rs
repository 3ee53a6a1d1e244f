//! The team as it is on the server, and single objects written there.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use millrace_wire::connection::{Connection, ConnectionDraft};
use millrace_wire::ids::{ConnectionId, TableId};
use millrace_wire::job::JobSummary;
use millrace_wire::table::{Database, NewDatabase, Table, TableDraft, TableSummary};
use millrace_wire::table_version::{SaveTable, TableChange};
use millrace_wire::user_function::{NewMacro, UserFunction, UserFunctionSummary};
use millrace_wire::variable::{Variable, VariableDraft};

use super::super::client::Client;
use super::canonical::{self, ConnectionFile, DatabaseFile, FunctionFile, TableFile, VALUE, VariableFile};
use super::item::{Item, Key, Kind};
use super::job::{self, Known};
use super::plan::{Action, Step};
use super::variables::Variables;

/// Objects that are fetched at the same time.
const AT_ONCE: usize = 8;
/// Every team has it, and it cannot be made or deleted.
const DEFAULT_DATABASE: &str = "main";

#[derive(Default)]
pub(super) struct Remote {
    pub(super) items: Vec<Item>,
    /// By kind and name; the API knows objects by their ids.
    ids: BTreeMap<Key, String>,
    jobs: BTreeMap<String, Known>,
    connections: BTreeMap<String, Connection>,
    /// Names of the secrets that a table has stored.
    table_secrets: BTreeMap<String, Vec<String>>,
    /// Tables are changed also where that breaks a job.
    pub(super) accept_breaking: bool,
}

impl Remote {
    /// Everything of the team that a file can stand for; what the platform keeps by itself is not.
    pub(super) async fn read(client: &Client) -> anyhow::Result<Remote> {
        let mut remote = Remote::default();
        let connections: Vec<Connection> = client.all(&client.team_path("/connections")).await?;
        let names: BTreeMap<ConnectionId, String> =
            connections.iter().map(|connection| (connection.id, connection.name.clone())).collect();
        for connection in connections {
            remote.connections.insert(connection.name.clone(), connection.clone());
            if connection.built_in {
                continue;
            }
            let yaml = canonical::write(&ConnectionFile::of(&connection))?;
            remote.add(Kind::Connection, &connection.name, connection.id.to_string(), yaml);
        }
        for variable in client.all::<Variable>(&client.team_path("/variables")).await? {
            let yaml = canonical::write(&VariableFile::of(&variable))?;
            remote.add(Kind::Variable, &variable.name, variable.id.to_string(), yaml);
        }
        let databases: Vec<Database> = client.all(&client.team_path("/databases")).await?;
        for database in databases.iter().filter(|database| !database.built_in && database.name != DEFAULT_DATABASE) {
            let yaml = canonical::write(&DatabaseFile::of(database))?;
            remote.add(Kind::Database, &database.name, database.name.clone(), yaml);
        }
        remote.read_functions(client).await?;
        remote.read_tables(client, &names).await?;
        remote.read_jobs(client).await?;
        remote.items.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(remote)
    }

    fn add(&mut self, kind: Kind, name: &str, id: String, yaml: String) -> &mut Item {
        let key = Key { kind, name: name.to_owned() };
        self.ids.insert(key.clone(), id);
        let at = self.items.len();
        self.items.push(Item { key, yaml, sql: None, module: None, secrets: BTreeMap::new() });
        &mut self.items[at]
    }

    async fn read_functions(&mut self, client: &Client) -> anyhow::Result<()> {
        let functions: Vec<UserFunctionSummary> = client.all(&client.team_path("/functions")).await?;
        for summary in functions {
            let path = client.team_path(&format!("/functions/{}", summary.id));
            let function: UserFunction = client.get(&path, &[]).await?;
            let newest = function.versions.first().context("a function without a version")?;
            let yaml = canonical::write(&FunctionFile::of(&function.remark, newest))?;
            let module = match newest.module_hash {
                Some(_) => Some(client.bytes(&format!("{path}/module")).await?),
                None => None,
            };
            self.add(Kind::Function, &function.name, function.id.to_string(), yaml).module = module;
        }
        Ok(())
    }

    async fn read_tables(&mut self, client: &Client, names: &BTreeMap<ConnectionId, String>) -> anyhow::Result<()> {
        let tables: Vec<TableSummary> = client.all(&client.team_path("/tables")).await?;
        let own = tables.into_iter().filter(|table| !table.built_in);
        let paths: Vec<String> = own.map(|table| client.team_path(&format!("/tables/{}", table.id))).collect();
        let fetched = stream::iter(paths)
            .map(|path| async move { client.get::<Table>(&path, &[]).await })
            .buffered(AT_ONCE)
            .try_collect::<Vec<Table>>();
        for table in fetched.await? {
            let connection = table.draft.connection.and_then(|id| names.get(&id).cloned());
            let yaml = canonical::write(&TableFile::of(&table, connection))?;
            let name = format!("{}.{}", table.draft.database, table.draft.name);
            self.add(Kind::Table, &name, table.id.to_string(), yaml);
            self.table_secrets.insert(name, table.secrets_set);
        }
        Ok(())
    }

    /// What writing one table needs. Gives its canonical text, where it is there.
    pub(super) async fn read_for_table(
        &mut self,
        client: &Client,
        table: Option<TableId>,
    ) -> anyhow::Result<Option<String>> {
        let connections: Vec<Connection> = client.all(&client.team_path("/connections")).await?;
        self.connections = connections.into_iter().map(|one| (one.name.clone(), one)).collect();
        let Some(id) = table else { return Ok(None) };
        let table: Table = client.get(&client.team_path(&format!("/tables/{id}")), &[]).await?;
        let own = self.connections.values().find(|one| Some(one.id) == table.draft.connection);
        let yaml = canonical::write(&TableFile::of(&table, own.map(|one| one.name.clone())))?;
        let name = format!("{}.{}", table.draft.database, table.draft.name);
        self.add(Kind::Table, &name, id.to_string(), yaml.clone());
        self.table_secrets.insert(name, table.secrets_set);
        Ok(Some(yaml))
    }

    async fn read_jobs(&mut self, client: &Client) -> anyhow::Result<()> {
        let by_name = [("sort", "name".to_owned())];
        let jobs: Vec<JobSummary> = client.all_of(&client.team_path("/jobs"), &by_name).await?;
        let paths: Vec<String> = jobs.iter().map(|job| client.team_path(&format!("/jobs/{}", job.id))).collect();
        let fetched = stream::iter(paths)
            .map(|path| async move { Known::read(client, &path).await })
            .buffered(AT_ONCE)
            .try_collect::<Vec<Known>>();
        for known in fetched.await? {
            let yaml = canonical::write(&known.file())?;
            let job = &known.job;
            self.add(Kind::Job, &job.name, job.id.to_string(), yaml).sql = Some(job.draft.sql.clone());
            self.jobs.insert(job.name.clone(), known);
        }
        Ok(())
    }

    fn path(&self, client: &Client, key: &Key) -> anyhow::Result<String> {
        let id = self.ids.get(key).ok_or_else(|| anyhow!("it is not on the server"))?;
        Ok(client.team_path(&format!("/{}/{id}", key.kind.folder())))
    }

    pub(super) async fn carry_out(
        &mut self,
        client: &Client,
        step: &Step,
        variables: &Variables,
    ) -> anyhow::Result<()> {
        let key = &step.key;
        if step.action == Action::Delete {
            return client.delete(&self.path(client, key)?).await;
        }
        let item = step.item.as_ref().context("a file is missing")?;
        let creates = step.action == Action::Create;
        match key.kind {
            Kind::Connection => self.write_connection(client, item, creates, variables).await,
            Kind::Variable => self.write_variable(client, item, creates, variables).await,
            Kind::Database => self.write_database(client, item, creates).await,
            Kind::Function => write_function(client, item).await,
            Kind::Table => self.write_table(client, item, creates, variables).await,
            Kind::Job => job::write(client, item, self.jobs.get(&key.name).filter(|_| !creates)).await,
        }
    }

    async fn write_connection(
        &mut self,
        client: &Client,
        item: &Item,
        creates: bool,
        variables: &Variables,
    ) -> anyhow::Result<()> {
        let file: ConnectionFile = canonical::read(&item.yaml)?;
        let stored = self.connections.get(&item.key.name).map(|known| known.secrets_set.as_slice());
        let secrets = secrets_to_send(item, stored.unwrap_or_default(), variables)?;
        let draft = ConnectionDraft {
            name: item.key.name.clone(),
            kind: file.kind,
            options: file.options,
            secrets,
            description: file.description,
        };
        let written: Connection = if creates {
            client.post(&client.team_path("/connections"), &draft).await?
        } else {
            client.put(&self.path(client, &item.key)?, &draft).await?
        };
        self.connections.insert(written.name.clone(), written);
        Ok(())
    }

    /// A secret without a value at hand keeps the one it has.
    async fn write_variable(
        &self,
        client: &Client,
        item: &Item,
        creates: bool,
        variables: &Variables,
    ) -> anyhow::Result<()> {
        let file: VariableFile = canonical::read(&item.yaml)?;
        let text = item.secrets.get(VALUE);
        let given = text.and_then(|text| variables.value_of(text)).map(str::to_owned);
        if let (Some(text), None, true) = (text, &given, creates) {
            bail!(
                "the secret needs a value for {text}; a variable of the environment keeps it out of the command line:                  MILLRACE_VAR_<NAME>"
            );
        }
        let (name, secret) = (item.key.name.clone(), file.is_secret());
        let draft = VariableDraft { name, value: file.value.or(given), secret, description: file.description };
        if creates {
            client.post::<_, Variable>(&client.team_path("/variables"), &draft).await?;
        } else {
            client.put::<_, Variable>(&self.path(client, &item.key)?, &draft).await?;
        }
        Ok(())
    }

    async fn write_database(&self, client: &Client, item: &Item, creates: bool) -> anyhow::Result<()> {
        if !creates {
            bail!("the description of a database cannot be changed");
        }
        let file: DatabaseFile = canonical::read(&item.yaml)?;
        let request = NewDatabase { name: item.key.name.clone(), description: file.description };
        client.post::<_, Database>(&client.team_path("/databases"), &request).await?;
        Ok(())
    }

    async fn write_table(
        &self,
        client: &Client,
        item: &Item,
        creates: bool,
        variables: &Variables,
    ) -> anyhow::Result<()> {
        let file: TableFile = canonical::read(&item.yaml)?;
        let (database, name) = item.key.name.split_once('.').context("a table lies below its database")?;
        let connection = match &file.connection {
            None => None,
            Some(name) => {
                let known = self.connections.get(name);
                Some(known.ok_or_else(|| anyhow!("there is no connection '{name}'"))?.id)
            }
        };
        let about = TableChange {
            owner: Some(file.owner),
            tags: Some(file.tags),
            sharers: Some(file.sharers),
            compatibility: Some(file.compatibility),
        };
        let stored = self.table_secrets.get(&item.key.name).map(Vec::as_slice);
        let mut options = file.options;
        options.extend(secrets_to_send(item, stored.unwrap_or_default(), variables)?);
        let draft = TableDraft {
            database: database.to_owned(),
            name: name.to_owned(),
            comment: file.comment,
            connector: file.connector,
            connection,
            format: file.format,
            options,
            columns: file.columns,
            event_time: file.event_time,
            primary_key: file.primary_key,
        };
        let written: Table = if creates {
            client.post(&client.team_path("/tables"), &draft).await?
        } else {
            let version_comment = "from files".to_owned();
            let save = SaveTable { draft, version_comment, accept_breaking: self.accept_breaking, revision: None };
            client.put(&self.path(client, &item.key)?, &save).await?
        };
        let path = client.team_path(&format!("/tables/{}", written.id));
        client.patch::<_, Table>(&path, &about).await?;
        Ok(())
    }
}

/// A secret without a value stays as it is stored; one that the file does not name any more goes, by an empty value.
fn secrets_to_send(item: &Item, stored: &[String], variables: &Variables) -> anyhow::Result<BTreeMap<String, String>> {
    let mut secrets = BTreeMap::new();
    for (name, text) in &item.secrets {
        match variables.value_of(text) {
            Some(value) => {
                secrets.insert(name.clone(), value.to_owned());
            }
            None if stored.contains(name) => {}
            None => bail!(
                "the secret {name} needs a value for {text}; a variable of the environment keeps it \
                           out of the command line: MILLRACE_VAR_<NAME>"
            ),
        }
    }
    let gone = stored.iter().filter(|name| !item.secrets.contains_key(*name));
    secrets.extend(gone.map(|name| (name.clone(), String::new())));
    Ok(secrets)
}

async fn write_function(client: &Client, item: &Item) -> anyhow::Result<()> {
    let file: FunctionFile = canonical::read(&item.yaml)?;
    let name = item.key.name.clone();
    if let Some(definition) = file.definition {
        let request = NewMacro { name, definition, remark: file.remark, overwrite: true };
        client.post::<_, UserFunction>(&client.team_path("/functions"), &request).await?;
        return Ok(());
    }
    let entry = file.entry.context("a function needs a definition, or the entry of a module")?;
    let module = item.module.clone().ok_or_else(|| anyhow!("the module {name}.wasm is missing beside the file"))?;
    let query = [("name", name), ("entry", entry), ("remark", file.remark), ("overwrite", "true".to_owned())];
    client.upload(&client.team_path("/functions/modules"), &query, module).await
}

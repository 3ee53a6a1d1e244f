//! What supervision needs of the rules: where workers come from, and tables with their credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_wire::ids::{RunId, TeamId};
use millrace_wire::link::TableSource;

use super::team::DEFAULT_DATABASE;
use super::{catalog, script};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::job::link::link_at;
use crate::job::supervisor::{Places, Tables};
use crate::module;
use crate::state::App;
use crate::store;

/// Filled in once the app exists: it holds the supervisor, which holds this.
#[derive(Default)]
pub struct WorkerTables {
    app: OnceLock<Weak<App>>,
}

impl WorkerTables {
    pub fn belong_to(&self, app: &Arc<App>) {
        // A second call finds the same app.
        let _ = self.app.set(Arc::downgrade(app));
    }

    fn app(&self) -> Result<Arc<App>> {
        let app = self.app.get().and_then(Weak::upgrade);
        app.ok_or_else(|| Error::unavailable("The server is starting or stopping."))
    }
}

impl Tables for WorkerTables {
    fn named(
        &self,
        team: TeamId,
        names: BTreeSet<String>,
    ) -> BoxFuture<'_, Result<(String, BTreeMap<String, TableSource>)>> {
        async move {
            let tables = catalog::for_running(&*self.app()?, team, &names).await?;
            Ok((DEFAULT_DATABASE.to_owned(), tables))
        }
        .boxed()
    }

    fn script(
        &self,
        team: TeamId,
        run: RunId,
        sql: String,
    ) -> BoxFuture<'_, Result<(String, BTreeMap<String, String>)>> {
        async move { script::of_run(&*self.app()?, team, run, &sql).await }.boxed()
    }

    fn team_slug(&self, team: TeamId) -> BoxFuture<'_, Result<String>> {
        async move {
            let teams = store::team::slugs(&self.app()?.store).await?;
            let slug = teams.into_iter().find(|(id, _)| *id == team).map(|(_, slug)| slug);
            slug.ok_or_else(|| Error::not_found("team"))
        }
        .boxed()
    }
}

pub fn places(config: &Config) -> Places {
    Places {
        worker_binary: config.worker_binary.clone(),
        link_url: link_at(&config.peer_address()),
        runs: config.shared_dir.join("runs"),
        file_roots: config.file_roots.clone(),
        modules: module::folder(&config.shared_dir),
    }
}

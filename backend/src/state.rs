//! What all requests and long-lived tasks share. One struct, built once at start, handed around as `Arc<App>`.

use std::sync::Arc;

use millrace_wire::session::BrokerStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::limit::Limits;
use crate::access::password::Passwords;
use crate::access::secret::Keys;
use crate::access::sign_on::SignOn;
use crate::access::token::TokenKeys;
use crate::answers::Answers;
use crate::app::catalog::PlanningCatalogs;
use crate::app::supervision::{self, WorkerTables};
use crate::config::Config;
use crate::engine::EngineFront;
use crate::error::Result;
use crate::job::Supervisor;
use crate::job::supervisor::Surroundings;
use crate::live::LiveHub;
use crate::log::LogStore;
use crate::log::search::LogSearch;
use crate::mail::Mailer;
use crate::metric::MetricStore;
use crate::module::{self, Modules};
use crate::peer::{Membership, Relayed};
use crate::preview::Previews;
use crate::store::{self, Store};
use crate::test_run::TestRuns;
use crate::watch::Mirror;

pub struct App {
    pub config: Arc<Config>,
    /// The metadata database.
    pub store: Store,
    /// Validation, completion, schemas: the SQL engine's front.
    pub engine: Arc<dyn EngineFront>,
    /// Events that go to browsers by themselves.
    pub live: LiveHub,
    /// Lists as they were read last.
    pub answers: Answers,
    /// What scripts can name, as it was read last.
    pub catalogs: PlanningCatalogs,
    /// The server's own broker: where it is and whether it answers. Whoever watches the broker sets it.
    pub broker: watch::Sender<BrokerStatus>,
    /// Seals secrets; other keys derive from it.
    pub keys: Keys,
    pub passwords: Passwords,
    pub tokens: TokenKeys,
    /// Where people can sign in besides here.
    pub sign_on: Option<SignOn>,
    pub limits: Limits,
    /// Log lines of runs, as files.
    pub logs: Arc<LogStore>,
    /// Log lines of all runs and of the server, to be searched.
    pub log_search: LogSearch,
    /// Figures of runs, now and before.
    pub metrics: Arc<MetricStore>,
    /// Sends logs and figures to the platform's own topics.
    pub mirror: Mirror,
    /// This server among those that share the database.
    pub membership: Membership,
    /// What the others tell of their runs.
    pub relayed: Relayed,
    /// Keeps runs going.
    pub jobs: Supervisor,
    pub previews: Previews,
    pub test_runs: TestRuns,
    /// Sends mails; `None` where none is configured.
    pub mailer: Option<Mailer>,
    /// Uploaded modules, as files.
    pub modules: Modules,
    /// The way back from supervision to the tables; filled in by `tasks::start`.
    pub worker_tables: Arc<WorkerTables>,
    /// Cancelled when the server is asked to stop: streams end, loops leave.
    pub shutdown: CancellationToken,
}

impl App {
    /// Opens and migrates the store and reads the keys; starts nothing yet.
    pub async fn open(config: Config, engine: Arc<dyn EngineFront>) -> Result<App> {
        let keys = Keys::load_or_create(&config.secret_key_file)?;
        let store = store::connect::open(&config.database_url).await?;
        store::migrate::run(&store).await?;
        store::table_search::catch_up(&store).await?;
        let broker = watch::Sender::new(initial_broker_status(&config));
        let history = format!("sqlite://{}", config.data_dir.join("metrics.db").display());
        let metrics = Arc::new(MetricStore::open(store::connect::open(&history).await?).await?);
        let logs = Arc::new(LogStore::new(config.shared_dir.join("logs")));
        let log_search = LogSearch::open(&config.log_index_folder(), config.kept_logs);
        let (live, mirror, shutdown) = (LiveHub::default(), Mirror::default(), CancellationToken::new());
        for job in store::grant::restricted_jobs(&store).await? {
            mirror.leave_out(job);
        }
        let worker_tables = Arc::new(WorkerTables::default());
        let (membership, relayed) = (Membership::new(config.peer_address()), Relayed::default());
        let around = Surroundings {
            membership: membership.clone(),
            relayed: relayed.clone(),
            store: store.clone(),
            logs: logs.clone(),
            metrics: metrics.clone(),
            live: live.clone(),
            mirror: mirror.clone(),
            tables: worker_tables.clone(),
            shutdown: shutdown.clone(),
        };
        let back = format!("{}/api/v1/session/sign-on/back", config.origin());
        let sign_on = config.provider.clone().map(|provider| SignOn::new(provider, back)).transpose()?;
        let previews = config.data_dir.join("previews");
        let test_runs = config.data_dir.join("test-runs");
        Ok(App {
            jobs: Supervisor::new(supervision::places(&config), around),
            mailer: Mailer::new(&config)?,
            modules: Modules::new(module::folder(&config.shared_dir)),
            answers: Answers::default(),
            catalogs: PlanningCatalogs::default(),
            previews: Previews::new(config.worker_binary.clone(), previews, shutdown.clone()),
            test_runs: TestRuns::new(config.worker_binary.clone(), test_runs, store.clone(), shutdown.clone()),
            logs,
            log_search,
            metrics,
            mirror,
            worker_tables,
            membership,
            relayed,
            store,
            engine,
            live,
            broker,
            passwords: Passwords::new().await?,
            tokens: TokenKeys::new(&keys),
            sign_on,
            keys,
            limits: Limits::default(),
            shutdown,
            config: Arc::new(config),
        })
    }
}

/// Before anybody has asked the broker, it is not known to be up.
fn initial_broker_status(config: &Config) -> BrokerStatus {
    match &config.kafka {
        Some(bootstrap) => BrokerStatus { demo: false, bootstrap: bootstrap.clone(), up: false, note: String::new() },
        None => BrokerStatus {
            demo: true,
            bootstrap: String::new(),
            up: false,
            note: "The demo broker is starting. It has no transactions: delivery is at least once.".to_owned(),
        },
    }
}

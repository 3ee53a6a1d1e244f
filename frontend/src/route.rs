//! Typed addresses: every view of the console is one [`Route`], and a route is written in one way only.
//!
//! Promises: `Route::parse(&route.href()) == route` for every route, and any text parses to something.

use millrace_wire::ids::{ConnectionId, FunctionId, JobId, TableId};

use crate::format::percent;

#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// `/`: leads to the team that was open last.
    Home,
    SignIn,
    FirstRun,
    Settings,
    /// `/requests`: leads to the requests of the team that was open last.
    Requests,
    /// `/organisations/{organisation}`
    Organisation(String, OrganisationTab),
    /// Every part of the design system in every state, for developers.
    Primitives,
    /// `/t/{team}/…`
    Team(String, TeamRoute),
    NotFound,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TeamRoute {
    Overview,
    Tables,
    TableNew,
    TableImport,
    Table(TableId, TableTab),
    TableEdit(TableId),
    Catalogue,
    Connections,
    ConnectionNew,
    Connection(ConnectionId, ConnectionTab),
    ConnectionEdit(ConnectionId),
    Topic(ConnectionId, String, TopicTab),
    Editor(Option<JobId>),
    Jobs,
    JobsBin,
    Job(JobId, JobTab),
    Functions(FunctionsTab),
    Function(FunctionId, FunctionTab),
    Variables,
    Logs,
    Access(AccessTab),
}

/// A fieldless enum of tabs, each with its word in the address. The first one is the default.
macro_rules! tabs {
    ($($name:ident { $($variant:ident = $word:literal),+ $(,)? })*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|tab| tab.word() == word)
            }
        }
    )*};
}

tabs! {
    TableTab {
        Schema = "schema", Versions = "versions", Sample = "sample", Ddl = "ddl", BadRecords = "bad-records",
        UsedBy = "used-by", Permissions = "permissions",
    }
    ConnectionTab { Topics = "topics", Groups = "groups", Properties = "properties" }
    TopicTab { Messages = "messages", Partitions = "partitions", Groups = "groups" }
    JobTab {
        Overview = "overview", Metrics = "metrics", Logs = "logs", Events = "events", Runs = "runs",
        Versions = "versions", Savepoints = "savepoints", Tests = "tests", Schedule = "schedule",
        Report = "report", Permissions = "permissions", Settings = "settings",
    }
    OrganisationTab { Teams = "teams", Members = "members" }
    FunctionsTab { Own = "own", BuiltIn = "built-in" }
    FunctionTab { Test = "test", Versions = "versions", UsedBy = "used-by" }
    AccessTab { Members = "members", Requests = "requests", Shared = "shared", Tokens = "tokens", Sandbox = "sandbox", Audit = "audit" }
}

impl Route {
    /// Reads the path of an address, without query and fragment.
    pub fn parse(path: &str) -> Route {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(percent::decode).collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => Route::Home,
            ["sign-in"] => Route::SignIn,
            ["first-run"] => Route::FirstRun,
            ["settings"] => Route::Settings,
            ["requests"] => Route::Requests,
            ["organisations", slug] => Route::Organisation((*slug).to_owned(), OrganisationTab::Teams),
            ["organisations", slug, tab] => {
                OrganisationTab::parse(tab).map_or(Route::NotFound, |tab| Route::Organisation((*slug).to_owned(), tab))
            }
            ["primitives"] => Route::Primitives,
            ["t", team] => Route::Team((*team).to_owned(), TeamRoute::Overview),
            ["t", team, rest @ ..] => {
                TeamRoute::parse(rest).map_or(Route::NotFound, |inner| Route::Team((*team).to_owned(), inner))
            }
            _ => Route::NotFound,
        }
    }

    /// The path of this view.
    pub fn href(&self) -> String {
        match self {
            Route::Home | Route::NotFound => "/".to_owned(),
            Route::SignIn => "/sign-in".to_owned(),
            Route::FirstRun => "/first-run".to_owned(),
            Route::Settings => "/settings".to_owned(),
            Route::Requests => "/requests".to_owned(),
            Route::Organisation(slug, OrganisationTab::Teams) => format!("/organisations/{}", percent::encode(slug)),
            Route::Organisation(slug, tab) => format!("/organisations/{}/{}", percent::encode(slug), tab.word()),
            Route::Primitives => "/primitives".to_owned(),
            Route::Team(team, inner) => format!("/t/{}/{}", percent::encode(team), inner.tail()),
        }
    }

    /// The same page for a person: routes that differ by tab only have the same identity.
    pub fn identity(&self) -> Route {
        match self {
            Route::Team(team, inner) => Route::Team(team.clone(), inner.identity()),
            Route::Organisation(slug, _) => Route::Organisation(slug.clone(), OrganisationTab::Teams),
            other => other.clone(),
        }
    }
}

impl TeamRoute {
    pub fn of(self, team: &str) -> Route {
        Route::Team(team.to_owned(), self)
    }

    fn parse(words: &[&str]) -> Option<TeamRoute> {
        Some(match words {
            ["overview"] => TeamRoute::Overview,
            ["tables"] => TeamRoute::Tables,
            ["tables", "new"] => TeamRoute::TableNew,
            ["tables", "import"] => TeamRoute::TableImport,
            ["tables", id, "edit"] => TeamRoute::TableEdit(id.parse().ok()?),
            ["tables", id] => TeamRoute::Table(id.parse().ok()?, TableTab::Schema),
            ["tables", id, tab] => TeamRoute::Table(id.parse().ok()?, TableTab::parse(tab)?),
            ["catalogue"] => TeamRoute::Catalogue,
            ["connections"] => TeamRoute::Connections,
            ["connections", "new"] => TeamRoute::ConnectionNew,
            ["connections", id, "edit"] => TeamRoute::ConnectionEdit(id.parse().ok()?),
            ["connections", id, "topics", topic] => {
                TeamRoute::Topic(id.parse().ok()?, (*topic).to_owned(), TopicTab::Messages)
            }
            ["connections", id, "topics", topic, tab] => {
                TeamRoute::Topic(id.parse().ok()?, (*topic).to_owned(), TopicTab::parse(tab)?)
            }
            ["connections", id] => TeamRoute::Connection(id.parse().ok()?, ConnectionTab::Topics),
            ["connections", id, tab] => TeamRoute::Connection(id.parse().ok()?, ConnectionTab::parse(tab)?),
            ["editor"] => TeamRoute::Editor(None),
            ["editor", id] => TeamRoute::Editor(Some(id.parse().ok()?)),
            ["jobs"] => TeamRoute::Jobs,
            ["jobs", "bin"] => TeamRoute::JobsBin,
            ["jobs", id] => TeamRoute::Job(id.parse().ok()?, JobTab::Overview),
            ["jobs", id, tab] => TeamRoute::Job(id.parse().ok()?, JobTab::parse(tab)?),
            ["functions"] => TeamRoute::Functions(FunctionsTab::Own),
            ["functions", word] => match FunctionsTab::parse(word) {
                Some(tab) => TeamRoute::Functions(tab),
                None => TeamRoute::Function(word.parse().ok()?, FunctionTab::Test),
            },
            ["functions", id, tab] => TeamRoute::Function(id.parse().ok()?, FunctionTab::parse(tab)?),
            ["variables"] => TeamRoute::Variables,
            ["logs"] => TeamRoute::Logs,
            ["access"] => TeamRoute::Access(AccessTab::Members),
            ["access", tab] => TeamRoute::Access(AccessTab::parse(tab)?),
            _ => return None,
        })
    }

    fn tail(&self) -> String {
        match self {
            TeamRoute::Overview => "overview".to_owned(),
            TeamRoute::Tables => "tables".to_owned(),
            TeamRoute::TableNew => "tables/new".to_owned(),
            TeamRoute::TableImport => "tables/import".to_owned(),
            TeamRoute::Table(id, TableTab::Schema) => format!("tables/{id}"),
            TeamRoute::Table(id, tab) => format!("tables/{id}/{}", tab.word()),
            TeamRoute::TableEdit(id) => format!("tables/{id}/edit"),
            TeamRoute::Catalogue => "catalogue".to_owned(),
            TeamRoute::Connections => "connections".to_owned(),
            TeamRoute::ConnectionNew => "connections/new".to_owned(),
            TeamRoute::Connection(id, ConnectionTab::Topics) => format!("connections/{id}"),
            TeamRoute::Connection(id, tab) => format!("connections/{id}/{}", tab.word()),
            TeamRoute::ConnectionEdit(id) => format!("connections/{id}/edit"),
            TeamRoute::Topic(id, topic, tab) => {
                let path = format!("connections/{id}/topics/{}", percent::encode(topic));
                match tab {
                    TopicTab::Messages => path,
                    tab => format!("{path}/{}", tab.word()),
                }
            }
            TeamRoute::Editor(None) => "editor".to_owned(),
            TeamRoute::Editor(Some(id)) => format!("editor/{id}"),
            TeamRoute::Jobs => "jobs".to_owned(),
            TeamRoute::JobsBin => "jobs/bin".to_owned(),
            TeamRoute::Job(id, tab) => format!("jobs/{id}/{}", tab.word()),
            TeamRoute::Functions(FunctionsTab::Own) => "functions".to_owned(),
            TeamRoute::Functions(tab) => format!("functions/{}", tab.word()),
            TeamRoute::Function(id, FunctionTab::Test) => format!("functions/{id}"),
            TeamRoute::Function(id, tab) => format!("functions/{id}/{}", tab.word()),
            TeamRoute::Variables => "variables".to_owned(),
            TeamRoute::Logs => "logs".to_owned(),
            TeamRoute::Access(AccessTab::Members) => "access".to_owned(),
            TeamRoute::Access(tab) => format!("access/{}", tab.word()),
        }
    }

    /// A job or a table, which may be open to people outside of the team.
    pub fn is_of_one_object(&self) -> bool {
        matches!(self, TeamRoute::Job(..) | TeamRoute::Table(..))
    }

    fn identity(&self) -> TeamRoute {
        match self {
            TeamRoute::Table(id, _) => TeamRoute::Table(*id, TableTab::Schema),
            TeamRoute::Connection(id, _) => TeamRoute::Connection(*id, ConnectionTab::Topics),
            TeamRoute::Topic(id, topic, _) => TeamRoute::Topic(*id, topic.clone(), TopicTab::Messages),
            TeamRoute::Job(id, _) => TeamRoute::Job(*id, JobTab::Overview),
            TeamRoute::Functions(_) => TeamRoute::Functions(FunctionsTab::Own),
            TeamRoute::Function(id, _) => TeamRoute::Function(*id, FunctionTab::Test),
            TeamRoute::Access(_) => TeamRoute::Access(AccessTab::Members),
            // The editor keeps its open tabs while another job comes to the front.
            TeamRoute::Editor(_) => TeamRoute::Editor(None),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests;

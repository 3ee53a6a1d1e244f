#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const ID: &str = "0198f3a2-1c00-7000-8000-000000000001";

fn team(inner: TeamRoute) -> Route {
    inner.of("ads")
}

fn every_route() -> Vec<Route> {
    let table = ID.parse().unwrap();
    let connection = ID.parse().unwrap();
    let job = ID.parse().unwrap();
    let function = ID.parse().unwrap();
    let mut routes = vec![
        Route::Home,
        Route::SignIn,
        Route::FirstRun,
        Route::Settings,
        Route::Requests,
        Route::Primitives,
        Route::Organisation("north".to_owned(), OrganisationTab::Teams),
        Route::Organisation("a/b c".to_owned(), OrganisationTab::Members),
        team(TeamRoute::Overview),
        team(TeamRoute::Tables),
        team(TeamRoute::TableNew),
        team(TeamRoute::TableImport),
        team(TeamRoute::Catalogue),
        team(TeamRoute::TableEdit(table)),
        team(TeamRoute::Connections),
        team(TeamRoute::ConnectionNew),
        team(TeamRoute::ConnectionEdit(connection)),
        team(TeamRoute::Editor(None)),
        team(TeamRoute::Editor(Some(job))),
        team(TeamRoute::Jobs),
        team(TeamRoute::JobsBin),
        team(TeamRoute::Functions(FunctionsTab::Own)),
        team(TeamRoute::Functions(FunctionsTab::BuiltIn)),
        team(TeamRoute::Function(function, FunctionTab::Test)),
        team(TeamRoute::Function(function, FunctionTab::UsedBy)),
        team(TeamRoute::Variables),
        team(TeamRoute::Logs),
        TeamRoute::Jobs.of("päd/agogik & co"),
    ];
    routes.extend(TableTab::ALL.iter().map(|tab| team(TeamRoute::Table(table, *tab))));
    routes.extend(ConnectionTab::ALL.iter().map(|tab| team(TeamRoute::Connection(connection, *tab))));
    routes.extend(TopicTab::ALL.iter().map(|tab| team(TeamRoute::Topic(connection, "a/b c.%".to_owned(), *tab))));
    routes.extend(JobTab::ALL.iter().map(|tab| team(TeamRoute::Job(job, *tab))));
    routes.extend(AccessTab::ALL.iter().map(|tab| team(TeamRoute::Access(*tab))));
    routes
}

#[test]
fn a_route_is_read_back_as_it_was_written() {
    for route in every_route() {
        assert_eq!(Route::parse(&route.href()), route, "{}", route.href());
    }
}

#[test]
fn the_documented_addresses_are_known() {
    for path in [
        "/sign-in",
        "/first-run",
        "/t/ads/overview",
        "/t/ads/tables",
        "/t/ads/tables/new",
        "/t/ads/connections/new",
        "/t/ads/editor",
        "/t/ads/jobs",
        "/t/ads/functions",
        "/t/ads/access",
        "/settings",
    ] {
        let route = Route::parse(path);
        assert_ne!(route, Route::NotFound, "{path}");
        assert_eq!(route.href(), path);
    }
}

#[test]
fn a_team_alone_leads_to_its_overview() {
    assert_eq!(Route::parse("/t/ads"), team(TeamRoute::Overview));
    assert_eq!(Route::parse("/t/ads/"), team(TeamRoute::Overview));
}

#[test]
fn a_job_without_tab_shows_its_overview() {
    let route = Route::parse(&format!("/t/ads/jobs/{ID}"));
    assert_eq!(route, team(TeamRoute::Job(ID.parse().unwrap(), JobTab::Overview)));
}

#[test]
fn nonsense_is_not_found() {
    for path in ["/x", "/t/ads/nothing", "/t/ads/jobs/17", "/t/ads/tables/new/edit", "/t/ads/jobs/%zz/logs"] {
        assert_eq!(Route::parse(path), Route::NotFound, "{path}");
    }
}

#[test]
fn tabs_share_an_identity_and_objects_do_not() {
    let job: JobId = ID.parse().unwrap();
    let other: JobId = "0198f3a2-1c00-7000-8000-000000000002".parse().unwrap();
    let logs = team(TeamRoute::Job(job, JobTab::Logs));
    assert_eq!(logs.identity(), team(TeamRoute::Job(job, JobTab::Runs)).identity());
    assert_ne!(logs.identity(), team(TeamRoute::Job(other, JobTab::Logs)).identity());
}

//! Route × role × own or other team, generated from the policy table.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use millrace_backend::access::audit;
use millrace_backend::access::policy::{Audit, OUTSIDE, RULES, Rule, Who};
use millrace_backend::access::sight::Object;
use millrace_backend::http::router;
use millrace_backend::store;
use millrace_backend::store::grant::GrantedTo;
use millrace_backend::transact;
use millrace_wire::access::Level;
use millrace_wire::organisation::OrganisationRole;
use millrace_wire::team::Role;
use serde_json::json;

use crate::support::{As, People, TestApp};

/// Who calls, and what they are by the table's measure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Nobody,
    Member(Role),
    /// The owner by API token.
    OwnerToken,
    /// An owner of another team.
    Outsider,
    Administrator,
}

const STANDINGS: [Standing; 8] = [
    Standing::Nobody,
    Standing::Member(Role::Viewer),
    Standing::Member(Role::Developer),
    Standing::Member(Role::Operator),
    Standing::Member(Role::Owner),
    Standing::OwnerToken,
    Standing::Outsider,
    Standing::Administrator,
];

#[derive(Debug, PartialEq)]
enum Expected {
    Passes,
    Unauthorized,
    Forbidden,
    TeamNotFound,
    OrganisationNotFound,
    NotFound,
}

/// The meaning of the table, said once more and independently of the guard.
fn expected(rule: &Rule, standing: Standing) -> Expected {
    let role = match standing {
        Standing::Member(role) => Some(role),
        Standing::OwnerToken => Some(Role::Owner),
        Standing::Nobody | Standing::Outsider | Standing::Administrator => None,
    };
    match (rule.who, standing) {
        (Who::Public | Who::Worker, _) => Expected::Passes,
        // These callers have no address. Those that have one are in `metrics_are_for_this_machine`.
        (Who::Machine | Who::Server, _) => Expected::NotFound,
        (Who::Nobody, _) => Expected::Forbidden,
        (_, Standing::Nobody) => Expected::Unauthorized,
        (Who::SignedIn, _) => Expected::Passes,
        (Who::InPerson | Who::Administrator, Standing::OwnerToken) => Expected::Forbidden,
        (Who::InPerson, _) => Expected::Passes,
        (Who::Administrator, Standing::Administrator) => Expected::Passes,
        (Who::Administrator, _) => Expected::Forbidden,
        (Who::Organisation(_), Standing::Administrator | Standing::Member(Role::Owner)) => Expected::Passes,
        // The owner's token is good for a team of another organisation.
        (Who::Organisation(_), Standing::Outsider | Standing::OwnerToken) => Expected::OrganisationNotFound,
        (Who::Organisation(OrganisationRole::Member), _) => Expected::Passes,
        (Who::Organisation(OrganisationRole::Owner), _) => Expected::Forbidden,
        // Of an object that is not there. Those that are there: `every_object_opens_to_whom_the_table_says`.
        (Who::Team(least) | Who::Job(_, least) | Who::Table(_, least), _) => match role {
            None => Expected::TeamNotFound,
            Some(role) if role < least => Expected::Forbidden,
            Some(_) => Expected::Passes,
        },
    }
}

fn caller(people: &People, standing: Standing) -> As {
    match standing {
        Standing::Nobody => As::Nobody,
        Standing::Member(Role::Viewer) => people.viewer.clone(),
        Standing::Member(Role::Developer) => people.developer.clone(),
        Standing::Member(Role::Operator) => people.operator.clone(),
        Standing::Member(Role::Owner) => people.owner.clone(),
        Standing::OwnerToken => people.owner_token.clone(),
        Standing::Outsider => people.outsider.clone(),
        Standing::Administrator => people.administrator.clone(),
    }
}

/// The rule's path with the team's name and ids that nothing has.
pub(crate) fn fill(path: &str, slug: &str) -> String {
    let part = |part: &str| match part {
        "{team}" => slug.to_owned(),
        "{organisation}" => People::organisation_of(slug),
        "{number}" => "1".to_owned(),
        "{topic}" | "{database}" => "nothing".to_owned(),
        other if other.starts_with('{') => uuid::Uuid::now_v7().to_string(),
        other => other.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says() {
    // In demo mode, so that no public route is shut for a reason of its own.
    let test = TestApp::with(&[("demo", "true")]).await;
    let mut cases = 0;
    for rule in RULES {
        for standing in STANDINGS {
            // Fresh people each time: some calls delete the team or end the session.
            let people = People::settle(&test.app).await;
            let body = (rule.method != "GET").then(|| json!({}));
            if rule.path.contains("{organisation}") {
                people.settle_organisation(&test.app).await;
            }
            let answer = test.call(&caller(&people, standing), rule.method, &fill(rule.path, &people.slug), body).await;
            let team_is_missing = answer.body["message"] == "There is no such team.";
            let organisation_is_missing = answer.body["message"] == "There is no such organisation.";
            let seen = match answer.status {
                StatusCode::NOT_FOUND if organisation_is_missing => Expected::OrganisationNotFound,
                StatusCode::UNAUTHORIZED => Expected::Unauthorized,
                StatusCode::FORBIDDEN => Expected::Forbidden,
                StatusCode::NOT_FOUND if team_is_missing => Expected::TeamNotFound,
                _ => Expected::Passes,
            };
            // An API token cannot sign itself out: the rule lets it in, the handler tells it so.
            let signs_out = rule.method == "DELETE" && rule.path == "/session" && standing == Standing::OwnerToken;
            if !signs_out {
                let place = format!("{} {} as {standing:?}: {} {}", rule.method, rule.path, answer.status, answer.body);
                assert_eq!(seen, expected(rule, standing), "{place}");
            }
            assert_ne!(
                answer.status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{} {}: {}",
                rule.method,
                rule.path,
                answer.body
            );
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert_eq!(cases, RULES.len() * STANDINGS.len());
    the_trail_is_complete(&test).await;
}

/// What the matrix did must be in the trail, as the table decides.
async fn the_trail_is_complete(test: &TestApp) {
    let trail = store::audit::list(&test.app.store, 0, 100_000).await.unwrap();
    assert_eq!(audit::verify(&trail), None);
    for rule in RULES {
        let action = format!("{} {}", rule.method, rule.path);
        let entries = trail.iter().filter(|link| link.entry.action == action).count();
        let refused = STANDINGS.iter().filter(|standing| expected(rule, **standing) != Expected::Passes).count();
        match rule.audit {
            Audit::Always => assert_eq!(entries, STANDINGS.len(), "{action}"),
            Audit::Refusals => assert_eq!(entries, refused, "{action}"),
            Audit::Never => assert_eq!(entries, 0, "{action}"),
        }
    }
}

#[tokio::test]
async fn every_route_has_a_rule_and_every_rule_a_route() {
    let test = TestApp::new().await;
    for (routes, rules) in [(router::api(test.app.clone()), RULES), (router::outside(test.app.clone()), OUTSIDE)] {
        let registered: BTreeSet<String> =
            routes.registered().iter().map(|(method, path)| format!("{method} {path}")).collect();
        let ruled: BTreeSet<String> = rules.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
        assert_eq!(registered.len(), routes.registered().len(), "a route is registered twice");
        assert_eq!(ruled.len(), rules.len(), "a rule stands twice");
        let without_rule: Vec<_> = registered.difference(&ruled).collect();
        let without_route: Vec<_> = ruled.difference(&registered).collect();
        assert!(without_rule.is_empty(), "routes without a rule: {without_rule:?}");
        assert!(without_route.is_empty(), "rules without a route: {without_route:?}");
    }
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let ask = async |from: Option<&str>, header: Option<(&str, &str)>| {
        let mut request = Request::builder().uri("/metrics").header("host", crate::support::HOST);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(from) = from {
            request.extensions_mut().insert(ConnectInfo(from.parse::<SocketAddr>().unwrap()));
        }
        test.send(request).await
    };
    for from in ["127.0.0.1:5000", "[::1]:5000"] {
        let answer = ask(Some(from), None).await;
        assert!(answer.status.is_success() && answer.body.as_str().unwrap().contains("millrace_"), "{}", answer.body);
    }
    let As::Session(cookie) = &people.administrator else { panic!("an administrator signs in in person") };
    for (from, header) in [
        (None, None),
        (Some("10.0.0.7:5000"), None),
        (Some("127.0.0.1:5000"), Some(("x-forwarded-for", "10.0.0.7"))),
        (Some("127.0.0.1:5000"), Some(("forwarded", "for=10.0.0.7"))),
        (Some("10.0.0.7:5000"), Some(("cookie", format!("millrace={cookie}").as_str()))),
    ] {
        ask(from, header).await.refused(404, "not_found");
    }
}

#[test]
fn whatever_changes_something_is_audited() {
    // Asking is not changing, however it is sent.
    let asking = [
        "/tables/check",
        "/schedule/check",
        "/tables/{table}/impact",
        "/bad-records/decode",
        "/bad-records/{record}/decode",
        "/functions/inspect",
        "/functions/check",
        "/sql/validate",
        "/sql/complete",
        "/sql/format",
        "/sql/parameters",
        "/sandbox-targets/offers",
    ];
    for rule in RULES.iter().filter(|rule| rule.method != "GET") {
        let only_asks = asking.iter().any(|path| rule.path.ends_with(path));
        assert_eq!(rule.audit == Audit::Always, !only_asks, "{} {}", rule.method, rule.path);
    }
}

/// What was granted, and to whom: to the caller, or to the caller's team.
const GRANTS: [Option<(Level, ToWhom)>; 7] = [
    None,
    Some((Level::Read, ToWhom::Person)),
    Some((Level::Write, ToWhom::Person)),
    Some((Level::Manage, ToWhom::Person)),
    Some((Level::Read, ToWhom::Team)),
    Some((Level::Write, ToWhom::Team)),
    Some((Level::Manage, ToWhom::Team)),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum ToWhom {
    Person,
    Team,
}

#[derive(Debug, PartialEq)]
enum Opens {
    Passes,
    Unauthorized,
    Forbidden,
    /// As a team that is not there.
    TeamNotFound,
    /// As an object that is not there.
    Hidden,
}

/// Once more what the table means, for an object that is there.
fn opens(rule: &Rule, standing: Standing, restricted: bool, granted: Option<Level>) -> Opens {
    let (level, least) = match rule.who {
        Who::Job(level, role) | Who::Table(level, role) => (level, role),
        other => panic!("{other:?} is about no object"),
    };
    let role = match standing {
        Standing::Nobody => return Opens::Unauthorized,
        Standing::Member(role) => Some(role),
        Standing::OwnerToken => Some(Role::Owner),
        Standing::Outsider | Standing::Administrator => None,
    };
    let counts = role.filter(|role| !restricted || *role == Role::Owner);
    match (counts, granted, role) {
        (Some(role), _, _) if role >= least => Opens::Passes,
        (_, Some(granted), _) if granted >= level => Opens::Passes,
        (None, None, None) => Opens::TeamNotFound,
        (None, None, Some(role)) if role >= least => Opens::Hidden,
        _ => Opens::Forbidden,
    }
}

fn granted_to(people: &People, standing: Standing, to: ToWhom) -> Option<GrantedTo> {
    let (user, team) = match standing {
        Standing::Nobody => return None,
        Standing::Member(Role::Viewer) => (people.viewer_id, Some(people.team)),
        Standing::Member(Role::Developer) => (people.developer_id, Some(people.team)),
        Standing::Member(Role::Operator) => (people.operator_id, Some(people.team)),
        Standing::Member(Role::Owner) | Standing::OwnerToken => (people.owner_id, Some(people.team)),
        Standing::Outsider => (people.outsider_id, Some(people.other_team)),
        Standing::Administrator => (people.administrator_id, None),
    };
    match to {
        ToWhom::Person => Some(GrantedTo::Person(user)),
        ToWhom::Team => team.map(GrantedTo::Team),
    }
}

#[tokio::test]
async fn every_object_opens_to_whom_the_table_says() {
    let test = TestApp::new().await;
    let mut cases = 0;
    let about_objects = RULES.iter().filter(|rule| matches!(rule.who, Who::Job(..) | Who::Table(..)));
    for rule in about_objects {
        let people = People::settle(&test.app).await;
        let maker = people.maker(&test.app).await;
        for restricted in [false, true] {
            for standing in STANDINGS {
                for grant in GRANTS {
                    let to = grant.map(|(_, to)| granted_to(&people, standing, to));
                    if to == Some(None) {
                        continue;
                    }
                    // Fresh each time: some calls delete it. Nobody of the matrix owns it.
                    let object = fresh_object(&test, &people, &maker, rule, cases).await;
                    let done: millrace_backend::error::Result<()> = transact!(test.app.store, tx => {
                        store::grant::set_restricted(tx, object, restricted).await?;
                        if let (Some((level, _)), Some(Some(to))) = (grant, to) {
                            store::grant::give(tx, object, to, level, "test", 0).await?;
                        }
                        Ok(())
                    });
                    done.unwrap();
                    let id = object.id().to_string();
                    let path = rule.path.replace("{job}", &id).replace("{table}", &id);
                    let body = (rule.method != "GET").then(|| json!({}));
                    let answer =
                        test.call(&caller(&people, standing), rule.method, &fill(&path, &people.slug), body).await;
                    let message = answer.body["message"].as_str().unwrap_or_default();
                    let seen = match answer.status {
                        StatusCode::UNAUTHORIZED => Opens::Unauthorized,
                        StatusCode::FORBIDDEN => Opens::Forbidden,
                        StatusCode::NOT_FOUND if message == "There is no such team." => Opens::TeamNotFound,
                        StatusCode::NOT_FOUND if message == format!("There is no such {}.", object.word()) => {
                            Opens::Hidden
                        }
                        status => {
                            assert_ne!(
                                status,
                                StatusCode::INTERNAL_SERVER_ERROR,
                                "{} {path}: {}",
                                rule.method,
                                answer.body
                            );
                            Opens::Passes
                        }
                    };
                    let wanted = opens(rule, standing, restricted, grant.map(|(level, _)| level));
                    let place = format!(
                        "{} {} as {standing:?} with {grant:?}, restricted: {restricted}",
                        rule.method, rule.path
                    );
                    assert_eq!(seen, wanted, "{place}: {} {}", answer.status, answer.body);
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} cases");
    assert!(cases > 2_000, "{cases}");
    let trail = store::audit::list(&test.app.store, 0, 100_000).await.unwrap();
    assert_eq!(audit::verify(&trail), None);
}

async fn fresh_object(test: &TestApp, people: &People, maker: &As, rule: &Rule, number: usize) -> Object {
    let name = format!("object_{number}");
    let made = |made: serde_json::Value| made["id"].as_str().unwrap().to_owned();
    if matches!(rule.who, Who::Job(..)) {
        let job = json!({ "name": name, "sql": "SELECT 1" });
        let job = test.post(maker, &people.path("/jobs"), job).await.good();
        Object::Job(made(job).parse().unwrap())
    } else {
        let table = test.post(maker, &people.path("/tables"), crate::table::draft(&name)).await.good();
        Object::Table(made(table).parse().unwrap())
    }
}

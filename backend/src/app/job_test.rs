//! SQL tests of jobs: kept with the job, run inside the server on supplied rows alone, and where it is wished, in the
//! way of a version that does not pass them.

use std::sync::Arc;

use millrace_wire::error::{ErrorDomain, FieldError, Retry};
use millrace_wire::ids::{JobId, JobTestId, TeamId};
use millrace_wire::job::Version;
use millrace_wire::job_test::{JobTest, JobTests, RunTests, SetTestGate, TestDraft, TestGate, TestReport, TestResult};
use millrace_wire::live::LiveEvent;

use super::account::taken_or;
use super::{catalog, check, job, script, sql, version};
use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::clock::{new_id, now_ms};
use crate::engine::{CatalogText, TestRequest};
use crate::error::{Code, Error, Result};
use crate::module;
use crate::parameter::Filled;
use crate::state::App;
use crate::store;
use crate::transact;

const MOST_TESTS: u64 = 200;
/// Input and expectation of one test together.
const MOST_ROWS: usize = 5_000;
const MOST_PARALLELISM: u32 = 16;

pub async fn list(app: &App, team: TeamId, id: JobId) -> Result<JobTests> {
    job::row(app, team, id).await?;
    let tests = store::job_test::list(&app.store, id).await?;
    Ok(JobTests { tests, gate: store::job_test::gate(&app.store, team, id).await? })
}

pub async fn create(app: &App, caller: &TeamCaller, id: JobId, draft: TestDraft) -> Result<JobTest> {
    job::row(app, caller.team, id).await?;
    let draft = checked(draft)?;
    let (updated_by, updated_at) = (caller.caller.name.clone(), now_ms());
    let test = JobTest { id: JobTestId(new_id()), job: id, draft, updated_by, updated_at, last: None };
    transact!(app.store, tx => {
        if store::job_test::count(tx, id).await? >= MOST_TESTS {
            return Err(Error::bad_request(format!("A job has at most {MOST_TESTS} tests.")));
        }
        store::job_test::insert(tx, caller.team, &test).await
    })
    .map_err(name_taken)?;
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    Ok(test)
}

pub async fn change(
    app: &App,
    caller: &TeamCaller,
    id: JobId,
    test: JobTestId,
    draft: TestDraft,
) -> Result<(JobTest, JobTest)> {
    let before = one(app, caller.team, id, test).await?;
    let draft = checked(draft)?;
    let (by, now) = (caller.caller.name.clone(), now_ms());
    transact!(app.store, tx => {
        if store::job_test::change(tx, id, test, &draft, &by, now).await? {
            return Ok(());
        }
        Err(Error::not_found("test"))
    })
    .map_err(name_taken)?;
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    Ok((before, one(app, caller.team, id, test).await?))
}

pub async fn delete(app: &App, caller: &TeamCaller, id: JobId, test: JobTestId) -> Result<JobTest> {
    let before = one(app, caller.team, id, test).await?;
    transact!(app.store, tx => { store::job_test::delete(tx, id, test).await })?;
    app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    Ok(before)
}

async fn one(app: &App, team: TeamId, id: JobId, test: JobTestId) -> Result<JobTest> {
    job::row(app, team, id).await?;
    let tests = store::job_test::list(&app.store, id).await?;
    tests.into_iter().find(|known| known.id == test).ok_or_else(|| Error::not_found("test"))
}

fn name_taken(error: Error) -> Error {
    taken_or(error, "name", "The job has a test of this name.")
}

fn checked(mut draft: TestDraft) -> Result<TestDraft> {
    check::display_name("name", &draft.name)?;
    draft.name = draft.name.trim().to_owned();
    if !(1..=MOST_PARALLELISM).contains(&draft.parallelism) {
        return Err(Error::field("parallelism", format!("Choose 1 to {MOST_PARALLELISM}.")));
    }
    let given = draft.inputs.iter().map(|input| input.rows.len());
    let expected = draft.expected.iter().map(|sink| sink.rows.len());
    if given.chain(expected).sum::<usize>() > MOST_ROWS {
        return Err(Error::field("inputs", format!("A test has at most {MOST_ROWS} rows.")));
    }
    if draft.expected.is_empty() {
        return Err(Error::field("expected", "Say of at least one table what it should get."));
    }
    let twice = |names: Vec<&String>| names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if twice(draft.inputs.iter().map(|input| &input.table).collect()) {
        return Err(Error::field("inputs", "A table stands among the inputs twice."));
    }
    let tolerance = |tolerance: f64| tolerance.is_finite() && tolerance >= 0.0;
    if !draft.expected.iter().all(|sink| tolerance(sink.float_tolerance)) {
        return Err(Error::field("expected", "A tolerance is a number that is not negative."));
    }
    Ok(draft)
}

/// Results of saved tests are stored: with the version, or as those of the draft.
pub async fn run(app: &App, caller: &TeamCaller, id: JobId, request: RunTests) -> Result<TestReport> {
    app.limits.preview(caller.caller.user)?;
    let row = job::row(app, caller.team, id).await?;
    let frozen = match request.version {
        Some(number) => Some(version::get(app, caller.team, id, number).await?),
        None => None,
    };
    let unsaved_text = request.sql.is_some();
    let text = match (&frozen, request.sql) {
        (Some(_), Some(_)) => return Err(Error::field("version", "Give the text or a version, not both.")),
        (Some(version), None) => version.sql.clone(),
        (None, Some(text)) => text,
        (None, None) => row.draft.sql,
    };
    let catalog = catalog_of(app, &caller.sight(), id, frozen.as_ref()).await?;
    let known = store::job_test::list(&app.store, id).await?;
    let (chosen, keep) = match request.draft {
        Some(draft) => (vec![(None, checked(draft)?)], false),
        None => {
            let wanted = |test: &JobTest| request.tests.is_empty() || request.tests.contains(&test.id);
            let chosen: Vec<_> = known.into_iter().filter(wanted).map(|test| (Some(test.id), test.draft)).collect();
            if chosen.is_empty() && !request.tests.is_empty() {
                return Err(Error::not_found("test"));
            }
            (chosen, !unsaved_text)
        }
    };
    let filled = script::filled(app, caller.team, &text).await?;
    let results = results(app, &filled, &catalog, chosen).await?;
    let number = frozen.map(|version| version.summary.number);
    if keep {
        store_results(app, number, &results).await?;
        app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
    }
    Ok(report(results, number))
}

fn report(results: Vec<TestResult>, version: Option<u32>) -> TestReport {
    let passed = results.iter().filter(|result| result.passed).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    TestReport { passed: count(passed), failed: count(results.len() - passed), results, version }
}

async fn store_results(app: &App, version: Option<u32>, results: &[TestResult]) -> Result<()> {
    let now = now_ms();
    transact!(app.store, tx => {
        for result in results {
            if let Some(test) = result.test {
                store::job_test::keep_result(tx, test, version, result, now).await?;
            }
        }
        Ok(())
    })
}

async fn results(
    app: &App,
    script: &Filled,
    catalog: &CatalogText,
    tests: Vec<(Option<JobTestId>, TestDraft)>,
) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    for (id, test) in tests {
        let request = TestRequest { sql: script.text().to_owned(), catalog: catalog.clone(), test };
        let result = sql::plan(app, move |engine| engine.run_test(request)).await?;
        let error = result.error.map(|diagnostic| script.diagnostic(diagnostic));
        results.push(TestResult { test: id, error, ..result });
    }
    Ok(results)
}

/// Without secrets: nothing outside is touched. A version is tested with the tables and functions it was made with.
async fn catalog_of(app: &App, sight: &Sight, job: JobId, version: Option<&Version>) -> Result<CatalogText> {
    let Some(version) = version else { return Ok(catalog::for_planning(app, sight, Some(job)).await?.text) };
    let mut catalog = catalog::for_version(app, sight, version).await?;
    let tables = Arc::make_mut(&mut catalog.tables);
    for (name, ddl) in &version.tables {
        if let Some(table) = tables.get_mut(name) {
            table.ddl.clone_from(ddl);
        }
    }
    let modules = module::folder(&app.config.shared_dir);
    for (name, pinned) in &version.functions {
        if let Some(source) = module::pinned(pinned, &modules) {
            catalog.functions.insert(name.clone(), source);
        }
    }
    Ok(catalog)
}

pub async fn set_gate(app: &App, caller: &TeamCaller, job: Option<JobId>, request: SetTestGate) -> Result<TestGate> {
    if let Some(id) = job {
        job::row(app, caller.team, id).await?;
    }
    let (by, now) = (&caller.caller.name, now_ms());
    transact!(app.store, tx => {
        store::job_test::set_gate(tx, caller.team, job, request.must_pass, by, now).await
    })?;
    match job {
        Some(id) => {
            app.live.publish(caller.team, &LiveEvent::JobsChanged { job: id });
            store::job_test::gate(&app.store, caller.team, id).await
        }
        None => Ok(TestGate { job: false, team: request.must_pass }),
    }
}

/// Before a version is started: where the job or the team asks for it, all tests have to pass on that version now.
pub(super) async fn gate(app: &App, team: TeamId, id: JobId, version: &Version) -> Result<()> {
    let gate = store::job_test::gate(&app.store, team, id).await?;
    if !gate.job && !gate.team {
        return Ok(());
    }
    let tests = store::job_test::list(&app.store, id).await?;
    let tests = tests.into_iter().map(|test| (Some(test.id), test.draft)).collect();
    let catalog = catalog_of(app, &Sight::platform(team), id, Some(version)).await?;
    let script = script::filled(app, team, &version.sql).await?;
    let results = results(app, &script, &catalog, tests).await?;
    store_results(app, Some(version.summary.number), &results).await?;
    let failed: Vec<&TestResult> = results.iter().filter(|result| !result.passed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = failed.iter().map(|result| result.name.as_str()).collect();
    let number = version.summary.number;
    let message = match names.as_slice() {
        [name] => format!("Version {number} was not started: its test “{name}” fails."),
        names => format!("Version {number} was not started: {} of its tests fail: {}.", names.len(), names.join(", ")),
    };
    let details = failed.iter().map(|result| FieldError { field: "tests".to_owned(), message: why(result) });
    Err(Error::new(Code::TestsFailed, ErrorDomain::User, Retry::AfterChange, message)
        .hint("Look at the tests of the job, mend the script or the test, and start again.")
        .details(details.collect()))
}

fn why(result: &TestResult) -> String {
    if let Some(error) = &result.error {
        return format!("{}: {}", result.name, error.message);
    }
    let sink = result.sinks.iter().find(|sink| !sink.passed);
    let sink = sink.map_or_else(String::new, |sink| {
        let counts = [
            (sink.missing.len(), "missing"),
            (sink.unexpected.len(), "unexpected"),
            (sink.different.len(), "different"),
        ];
        let said: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let said = if said.is_empty() { sink.note.clone() } else { said.join(", ") };
        format!("{}: {said}", sink.table)
    });
    format!("{}: {sink}", result.name)
}

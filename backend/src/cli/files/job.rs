//! A job with what hangs on it: its SQL tests, whether they gate a start, and its schedules.

use anyhow::Context as _;
use millrace_wire::job::{Job, JobChange, JobKind, NewJob, SaveDraft};
use millrace_wire::job_test::{JobTest, JobTests, SetTestGate, TestDraft, TestGate};
use millrace_wire::savepoint::{JobSavepointSchedule, SavepointSchedule};
use millrace_wire::schedule::{JobSchedule, Schedule};

use super::super::client::Client;
use super::canonical::{self, JobFile};
use super::item::Item;

/// As it is on the server.
pub(super) struct Known {
    pub(super) job: Job,
    tests: JobTests,
    schedule: Option<Schedule>,
    savepoints: Option<SavepointSchedule>,
}

impl Known {
    /// `path`: of the job in the API.
    pub(super) async fn read(client: &Client, path: &str) -> anyhow::Result<Known> {
        let job: Job = client.get(path, &[]).await?;
        let tests = client.get(&format!("{path}/tests"), &[]).await?;
        let schedule = match job.kind {
            JobKind::Batch => client.get::<JobSchedule>(&format!("{path}/schedule"), &[]).await?.schedule,
            JobKind::Stream => None,
        };
        let savepoints: JobSavepointSchedule = client.get(&format!("{path}/savepoint-schedule"), &[]).await?;
        Ok(Known { job, tests, schedule, savepoints: savepoints.schedule })
    }

    pub(super) fn file(&self) -> JobFile {
        let mut tests: Vec<TestDraft> = self.tests.tests.iter().map(|test| test.draft.clone()).collect();
        tests.sort_by(|a, b| a.name.cmp(&b.name));
        JobFile {
            description: self.job.description.clone(),
            tags: self.job.tags.clone(),
            folder: self.job.folder.clone(),
            kind: self.job.kind,
            settings: self.job.draft.settings.clone(),
            schedule: self.schedule.clone(),
            savepoints: self.savepoints.clone(),
            tests_must_pass: self.tests.gate.job,
            tests,
        }
    }
}

/// `known`: what is there; without it the job is made.
pub(super) async fn write(client: &Client, item: &Item, known: Option<&Known>) -> anyhow::Result<()> {
    let file: JobFile = canonical::read(&item.yaml)?;
    let sql = item.sql.clone().context("a job needs a file of SQL beside it")?;
    let path = match known {
        Some(known) => change(client, &file, sql, known).await?,
        None => create(client, &item.key.name, &file, sql).await?,
    };
    write_tests(client, &path, &file, known.map_or(&[], |known| &known.tests.tests)).await?;
    if known.is_some_and(|known| known.tests.gate.job) != file.tests_must_pass {
        let gate = SetTestGate { must_pass: file.tests_must_pass };
        client.put::<_, TestGate>(&format!("{path}/tests-gate"), &gate).await?;
    }
    let before = known.and_then(|known| known.schedule.as_ref());
    match &file.schedule {
        Some(schedule) if before != Some(schedule) => {
            client.put::<_, JobSchedule>(&format!("{path}/schedule"), schedule).await?;
        }
        None if before.is_some() => client.delete(&format!("{path}/schedule")).await?,
        _ => {}
    }
    let before = known.and_then(|known| known.savepoints.as_ref());
    match &file.savepoints {
        Some(wanted) if before != Some(wanted) => {
            client.put::<_, JobSavepointSchedule>(&format!("{path}/savepoint-schedule"), wanted).await?;
        }
        None if before.is_some() => client.delete(&format!("{path}/savepoint-schedule")).await?,
        _ => {}
    }
    Ok(())
}

fn path_of(client: &Client, job: &Job) -> String {
    client.team_path(&format!("/jobs/{}", job.id))
}

async fn create(client: &Client, name: &str, file: &JobFile, sql: String) -> anyhow::Result<String> {
    let new = NewJob {
        name: name.to_owned(),
        description: file.description.clone(),
        tags: file.tags.clone(),
        folder: file.folder.clone(),
        kind: Some(file.kind),
        sql,
        settings: Some(file.settings.clone()),
    };
    let made: Job = client.post(&client.team_path("/jobs"), &new).await?;
    Ok(path_of(client, &made))
}

async fn change(client: &Client, file: &JobFile, sql: String, known: &Known) -> anyhow::Result<String> {
    let (job, path) = (&known.job, path_of(client, &known.job));
    if job.description != file.description
        || job.tags != file.tags
        || job.folder != file.folder
        || job.kind != file.kind
    {
        let change = JobChange {
            name: None,
            description: Some(file.description.clone()),
            tags: Some(file.tags.clone()),
            folder: Some(file.folder.clone()),
            kind: Some(file.kind),
        };
        client.patch::<_, Job>(&path, &change).await?;
    }
    if job.draft.sql != sql || job.draft.settings != file.settings {
        // With the revision that was compared: somebody who saves meanwhile is not overwritten.
        let draft = SaveDraft { sql, settings: file.settings.clone(), revision: job.draft.revision };
        client.put::<_, Job>(&format!("{path}/draft"), &draft).await?;
    }
    Ok(path)
}

async fn write_tests(client: &Client, path: &str, file: &JobFile, known: &[JobTest]) -> anyhow::Result<()> {
    for test in &file.tests {
        match known.iter().find(|known| known.draft.name == test.name) {
            Some(same) if same.draft == *test => {}
            Some(other) => {
                client.put::<_, JobTest>(&format!("{path}/tests/{}", other.id), test).await?;
            }
            None => {
                client.post::<_, JobTest>(&format!("{path}/tests"), test).await?;
            }
        }
    }
    for gone in known.iter().filter(|known| !file.tests.iter().any(|test| test.name == known.draft.name)) {
        client.delete(&format!("{path}/tests/{}", gone.id)).await?;
    }
    Ok(())
}

//! Our own two tables beside a table that is written exactly once.
//!
//! `millrace_offsets` has a row per writer: the last checkpoint whose rows are in the table, and the attempt that may
//! write. `millrace_staged` holds rows of epochs that are too large for a checkpoint, until they are committed.

use std::sync::OnceLock;

use super::session::Session;
use super::sink::SinkShape;
use crate::error::{EngineError, Result};

const OFFSETS: &str = "millrace_offsets";
const STAGED: &str = "millrace_staged";
/// What our columns of text hold.
const LONGEST: usize = 200;

/// Tells this process from other attempts of its job.
pub(super) fn attempt() -> &'static str {
    static ATTEMPT: OnceLock<String> = OnceLock::new();
    ATTEMPT.get_or_init(|| uuid::Uuid::now_v7().simple().to_string())
}

/// The identity of a job as our tables hold it.
pub(super) fn job_name(identity: &str) -> String {
    identity.chars().filter(char::is_ascii_graphic).take(LONGEST).collect()
}

pub(super) struct Journal<'a> {
    shape: &'a SinkShape,
    offsets: String,
    staged: String,
    job: String,
    attempt: String,
}

/// What `millrace_offsets` says about a writer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) checkpoint: u64,
    pub(super) own_job: bool,
    pub(super) own_attempt: bool,
}

impl<'a> Journal<'a> {
    pub(super) fn new(shape: &'a SinkShape) -> Result<Self> {
        let dialect = shape.target.dialect;
        Ok(Journal {
            shape,
            offsets: shape.target.quoted(OFFSETS),
            staged: shape.target.quoted(STAGED),
            job: dialect.text_literal(&shape.identity)?,
            attempt: dialect.text_literal(&shape.attempt)?,
        })
    }

    fn literal(&self, text: &str) -> Result<String> {
        self.shape.target.dialect.text_literal(text)
    }

    /// Makes the tables where they are missing. Outside of any transaction.
    pub(super) async fn create(&self, session: &mut Session) -> Result<()> {
        let look =
            format!("SELECT 1 FROM {} WHERE 1 = 0 UNION ALL SELECT 1 FROM {} WHERE 1 = 0", self.offsets, self.staged);
        if session.rows(look).await.is_ok() {
            return Ok(());
        }
        let (text, bytes) = self.shape.target.dialect.own_types();
        let offsets = format!(
            "CREATE TABLE IF NOT EXISTS {} (writer {text} NOT NULL PRIMARY KEY, job {text} NOT NULL, \
             attempt {text} NOT NULL, checkpoint bigint NOT NULL, committed_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            self.offsets
        );
        let staged = format!(
            "CREATE TABLE IF NOT EXISTS {} (writer {text} NOT NULL, attempt {text} NOT NULL, number bigint NOT NULL, \
             job {text} NOT NULL, piece {bytes} NOT NULL, PRIMARY KEY (writer, attempt, number))",
            self.staged
        );
        for statement in [offsets, staged] {
            // Two writers may do it at the same time: PostgreSQL then refuses one of them.
            if session.run(statement.clone()).await.is_err() {
                session.run(statement).await.map_err(|error| {
                    let message = format!(
                        "Exactly-once needs the tables {OFFSETS} and {STAGED} beside the table, and they cannot be created. {}",
                        error.message
                    );
                    EngineError::user("no_offset_table", message)
                })?;
            }
        }
        Ok(())
    }

    /// From now on no older attempt of the job commits anything.
    pub(super) async fn fence(&self, session: &mut Session) -> Result<()> {
        let Journal { offsets, job, attempt, .. } = self;
        // Ordered and by key, so that writers that do it at the same time do not wait for each other in a circle.
        let others = format!(
            "SELECT writer FROM {offsets} WHERE job = {job} AND attempt NOT IN ({attempt}, '') ORDER BY writer"
        );
        for row in session.rows(others).await? {
            let writer = self.literal(&row.text(0)?)?;
            let one = format!("writer = {writer} AND attempt <> {attempt}");
            session.run(format!("DELETE FROM {offsets} WHERE {one} AND checkpoint = 0")).await?;
            session.run(format!("UPDATE {offsets} SET attempt = '' WHERE {one}")).await?;
        }
        Ok(())
    }

    /// The entry of a writer, held until the transaction ends.
    pub(super) async fn lock(&self, session: &mut Session, writer: &str) -> Result<Option<Entry>> {
        let writer = self.literal(writer)?;
        let statement =
            format!("SELECT checkpoint, job, attempt FROM {} WHERE writer = {writer} FOR UPDATE", self.offsets);
        let rows = session.rows(statement).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let checkpoint = row.text(0)?.parse();
        Ok(Some(Entry {
            checkpoint: checkpoint.map_err(|_| EngineError::internal("a stored checkpoint is no number"))?,
            own_job: row.text(1)? == self.shape.identity,
            own_attempt: row.text(2)? == self.shape.attempt,
        }))
    }

    pub(super) async fn insert(&self, session: &mut Session, writer: &str) -> Result<()> {
        let writer = self.literal(writer)?;
        let statement = format!(
            "INSERT INTO {} (writer, job, attempt, checkpoint) VALUES ({writer}, {}, {}, 0)",
            self.offsets, self.job, self.attempt
        );
        session.run(statement).await.map(|_| ())
    }

    pub(super) async fn set(&self, session: &mut Session, writer: &str, checkpoint: u64) -> Result<()> {
        let writer = self.literal(writer)?;
        let statement = format!(
            "UPDATE {} SET attempt = {}, checkpoint = {checkpoint}, committed_at = CURRENT_TIMESTAMP WHERE writer = {writer}",
            self.offsets, self.attempt
        );
        session.run(statement).await.map(|_| ())
    }

    pub(super) async fn stage(&self, session: &mut Session, writer: &str, number: u64, piece: &[u8]) -> Result<()> {
        let (id, bytes) = (self.literal(writer)?, self.shape.target.dialect.bytes_literal(piece));
        // Again after a lost answer: what is there already is the same.
        let there = format!("writer = {id} AND attempt = {} AND number = {number}", self.attempt);
        session.run(format!("DELETE FROM {} WHERE {there}", self.staged)).await?;
        let statement = format!(
            "INSERT INTO {} (writer, attempt, number, job, piece) VALUES ({id}, {}, {number}, {}, {bytes})",
            self.staged, self.attempt, self.job
        );
        session.run(statement).await.map(|_| ())
    }

    pub(super) async fn staged(&self, session: &mut Session, at: &StagedAt, writer: &str) -> Result<Vec<u8>> {
        let rows = session.rows(format!("SELECT piece FROM {} WHERE {}", self.staged, self.place(at, writer)?)).await?;
        let missing = || {
            let message = "Rows that a checkpoint had put aside in millrace_staged are not there any more.";
            EngineError::user("staged_rows_missing", message)
        };
        let value = rows.first().map(|row| row.value(0)).transpose()?.flatten().ok_or_else(missing)?;
        if !self.shape.target.dialect.has_schemas() {
            return Ok(value.to_vec());
        }
        let bytes = value.strip_prefix(b"\\x").and_then(super::dialect::from_hex);
        bytes.ok_or_else(missing)
    }

    pub(super) async fn unstage(&self, session: &mut Session, at: &StagedAt, writer: &str) -> Result<()> {
        session.run(format!("DELETE FROM {} WHERE {}", self.staged, self.place(at, writer)?)).await.map(|_| ())
    }

    /// Removes what earlier attempts put aside; all of it that counts was written before.
    pub(super) async fn clean(&self, session: &mut Session) -> Result<()> {
        let statement = format!("DELETE FROM {} WHERE job = {} AND attempt <> {}", self.staged, self.job, self.attempt);
        session.run(statement).await.map(|_| ())
    }

    fn place(&self, at: &StagedAt, writer: &str) -> Result<String> {
        let (writer, attempt) = (self.literal(writer)?, self.literal(&at.attempt)?);
        Ok(format!("writer = {writer} AND attempt = {attempt} AND number = {}", at.number))
    }
}

/// Where a piece was put aside.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct StagedAt {
    pub(super) attempt: String,
    pub(super) number: u64,
}

//! Who this worker is: told by its environment, on every log line.

use std::str::FromStr;

use millrace_wire::ids::{JobId, RunId, WorkerId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub job: JobId,
    pub job_name: String,
    pub run: RunId,
    pub attempt: u32,
    pub worker: WorkerId,
    pub team: String,
}

impl Identity {
    /// From `MILLRACE_JOB_ID`, `MILLRACE_JOB_NAME`, `MILLRACE_RUN_ID`, `MILLRACE_ATTEMPT`, `MILLRACE_WORKER_ID` and
    /// `MILLRACE_TEAM`. The message names the one that is missing or wrong.
    pub fn from_env() -> Result<Self, String> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str| variable(name).ok_or_else(|| format!("{name} is not set"));
        Ok(Identity {
            job: parsed("MILLRACE_JOB_ID", &text("MILLRACE_JOB_ID")?)?,
            job_name: text("MILLRACE_JOB_NAME")?,
            run: parsed("MILLRACE_RUN_ID", &text("MILLRACE_RUN_ID")?)?,
            attempt: parsed("MILLRACE_ATTEMPT", &text("MILLRACE_ATTEMPT")?)?,
            worker: parsed("MILLRACE_WORKER_ID", &text("MILLRACE_WORKER_ID")?)?,
            team: text("MILLRACE_TEAM")?,
        })
    }
}

fn parsed<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} is not what it should be: '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let missing = Identity::read(|name| {
            (name != "MILLRACE_ATTEMPT").then(|| "0198a000-0000-7000-8000-000000000000".to_owned())
        });
        assert_eq!(missing, Err("MILLRACE_ATTEMPT is not set".to_owned()));
    }
}

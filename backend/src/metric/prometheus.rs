//! The newest figures as Prometheus text (exposition format 0.0.4).

use std::fmt::Write as _;

use millrace_wire::job::JobFigures;
use millrace_wire::run::RunState;

/// One job as it is shown there.
pub struct Exposed {
    pub team: String,
    pub job: String,
    pub state: Option<RunState>,
    pub figures: Option<JobFigures>,
}

type Reading = fn(&JobFigures) -> Option<f64>;

const FIGURES: &[(&str, &str, Reading)] = &[
    ("millrace_job_records_in_per_second", "Records read per second.", |f| Some(f.records_in_per_s)),
    ("millrace_job_records_out_per_second", "Records written per second.", |f| Some(f.records_out_per_s)),
    ("millrace_job_lag_records", "Records not read yet.", |f| f.lag_records.map(|lag| lag as f64)),
    ("millrace_job_lag_seconds", "Age of the newest record read.", |f| f.lag_ms.map(|lag| lag as f64 / 1000.0)),
    ("millrace_job_bad_records", "Records of this attempt that could not be decoded.", |f| Some(f.bad_records as f64)),
    ("millrace_job_late_records", "Records of this attempt that came too late.", |f| Some(f.late_records as f64)),
    ("millrace_job_state_bytes", "Bytes of keyed state.", |f| Some(f.state_bytes as f64)),
    ("millrace_job_memory_bytes", "Resident memory of the worker.", |f| Some(f.memory_bytes as f64)),
    ("millrace_job_cpu_cores", "Processor cores in use.", |f| Some(f.cpu_cores)),
    ("millrace_job_checkpoint_seconds", "Duration of the last checkpoint.", |f| {
        f.checkpoint_ms.map(|ms| ms as f64 / 1000.0)
    }),
];

pub fn text(jobs: &[Exposed]) -> String {
    let mut out = String::new();
    head(&mut out, "millrace_job_state", "1 for the state a job is in.");
    for job in jobs {
        let state = job.state.map_or("never_run", RunState::as_str);
        line(&mut out, "millrace_job_state", job, &format!(",state=\"{state}\""), 1.0);
    }
    for (name, help, read) in FIGURES {
        head(&mut out, name, help);
        for job in jobs {
            if let Some(value) = job.figures.as_ref().and_then(read) {
                line(&mut out, name, job, "", value);
            }
        }
    }
    out
}

// Writing to a string cannot fail.
fn head(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn line(out: &mut String, name: &str, job: &Exposed, more: &str, value: f64) {
    let _ = writeln!(out, "{name}{{team=\"{}\",job=\"{}\"{more}}} {value}", escaped(&job.team), escaped(&job.job));
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

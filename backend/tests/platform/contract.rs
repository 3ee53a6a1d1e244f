//! Schemathesis on the OpenAPI document, as three roles: no answer that is the server's fault, none that the document
//! does not describe. `cargo xtask contract` brings the program.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{NO_KAFKA, Server};

const ROLES: [&str; 3] = ["viewer", "developer", "owner"];
/// How many jobs and tables there are to try on; calls that delete come last, and leave some.
const OBJECTS: usize = 8;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// Streams that never end; sign-out, and what would lock the caller out; the worker link; modules, which Schemathesis
/// cannot make up; everything that would connect to an address that somebody made up.
const LEFT_OUT: &str = concat!(
    "^/api/v1(/link|/session.*|/teams/[^/]+/live|.*/logs/tail|.*/(previews|test-runs)/[^/]+/events|/teams/[^/]+/members.*",
    "|/teams/[^/]+/functions/(modules|inspect)|/teams/[^/]+/connections/.*|/teams/[^/]+/tables/(test|fetch)|.*/sample)$"
);

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_documented_whatever_is_asked() {
    let Some(schemathesis) = std::env::var_os("MILLRACE_SCHEMATHESIS") else {
        println!("skipped: MILLRACE_SCHEMATHESIS does not say where the program is");
        return;
    };
    let Some(server) = Server::start(NO_KAFKA).await else { return };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    // Without a time it is the short form: the role that may most.
    let asked = number("MILLRACE_SCHEMATHESIS_SECONDS");
    let (roles, seconds) = asked.map_or((&ROLES[2..], 12), |seconds| (&ROLES[..], seconds));
    let seed = number("MILLRACE_SCHEMATHESIS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    let known = known(&server).await;
    std::fs::write(
        &document,
        with_known(server.call(Method::GET, "/openapi.json", None).await.good(), &known).to_string(),
    )
    .unwrap();

    let mut findings = Vec::new();
    for role in roles {
        let headers = headers_of(&server, role).await;
        // What deletes comes last, and gets a fourth of the time.
        for (which, seconds) in [("--exclude-method", seconds * 3 / 4), ("--include-method", seconds / 4)] {
            let mut program = Command::new(&schemathesis);
            program.arg("run").arg(&document).arg("--url").arg(server.origin());
            program.args([which, "DELETE", "--exclude-path-regex", LEFT_OUT, "--checks", CHECKS]);
            program.args(["--max-time", &seconds.max(5).to_string(), "--seed", &seed.to_string()]);
            program.args(["--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off"]);
            program.args(["--request-timeout", "30", "--generation-database", "none"]);
            program.args(["--output-sanitize", "false"]);
            for header in &headers {
                program.args(["--header", header]);
            }
            let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            println!("campaign {role}, {which} DELETE, seed {seed}: {}", summary(&said));
            if !output.status.success() {
                findings.push(format!("{role}:\n{said}\n{}", String::from_utf8_lossy(&output.stderr)));
            }
        }
    }
    assert!(findings.is_empty(), "{}\n{}", findings.join("\n\n"), server.log());
}

/// Identifiers that lead somewhere, for each parameter of a path.
async fn known(server: &Server) -> Vec<(&'static str, Vec<Value>)> {
    let connection = server
        .post(
            "/connections",
            json!({ "name": "events", "kind": "kafka", "options": { "bootstrap.servers": NO_KAFKA } }),
        )
        .await;
    let column = json!({ "name": "id", "data_type": "BIGINT", "kind": "physical", "nullable": true });
    let (mut tables, mut jobs, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..OBJECTS {
        let draft = json!({ "database": "main", "name": format!("numbers_{number}"), "connector": "datagen",
            "options": { "number-of-rows": "10" }, "columns": [column] });
        tables.push(server.post("/tables", draft).await["id"].clone());
        let sql = format!("INSERT INTO out_{number} SELECT id FROM numbers_{number}");
        let sink = json!({ "database": "main", "name": format!("out_{number}"), "connector": "blackhole",
            "options": {}, "columns": [column] });
        server.post("/tables", sink).await;
        let job = server.post("/jobs", json!({ "name": format!("Job {number}"), "sql": sql })).await["id"].clone();
        let path = format!("/jobs/{}/versions", job.as_str().unwrap());
        server.post(&path, json!({ "note": "" })).await;
        jobs.push(job);
    }
    let run = server
        .post("/test-runs", json!({ "sql": "INSERT INTO out_0 SELECT id FROM numbers_0", "from": "table" }))
        .await;
    runs.push(run["id"].clone());
    let user = server.call(Method::GET, "/session", None).await.good()["user"]["id"].clone();
    vec![
        ("team", vec![json!("tests")]),
        ("connection", vec![connection["id"].clone()]),
        ("database", vec![json!("main"), json!("nowhere")]),
        ("table", tables),
        ("job", jobs),
        ("run", runs.clone()),
        ("other", runs),
        ("number", vec![json!("1"), json!("2"), json!("0"), json!("x")]),
        ("user", vec![user]),
    ]
}

/// The document, whose parameters of paths are those that lead somewhere.
fn with_known(mut document: Value, known: &[(&str, Vec<Value>)]) -> Value {
    for operations in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in operations.as_object_mut().unwrap().values_mut() {
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let values = known.iter().find(|(name, _)| parameter["in"] == "path" && parameter["name"] == *name);
                if let Some((_, values)) = values {
                    parameter["schema"] = json!({ "type": "string", "enum": values });
                }
            }
        }
    }
    document
}

/// The owner comes as from a browser, the others by tokens of their scope.
async fn headers_of(server: &Server, role: &str) -> Vec<String> {
    if role == "owner" {
        return server.headers().into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    }
    let team = server.get("").await["id"].clone();
    let wish = json!({ "name": role, "team": team, "scope": role, "expires_in_days": 1 });
    let issued = server.call(Method::POST, "/tokens", Some(wish)).await.good();
    vec![format!("Authorization: Bearer {}", issued["secret"].as_str().unwrap())]
}

/// Its closing lines in one.
fn summary(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| {
        ["Operations:", "Selected:", "Tested:", "Test cases:", "✅", "❌", "Failures:", "generated"]
            .iter()
            .any(|word| line.contains(word))
    });
    let told: Vec<&str> = lines.collect();
    told[told.len().saturating_sub(6)..].join(" · ")
}

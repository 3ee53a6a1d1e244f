//! Secrets that were entered are nowhere but in the place that needs them: in no answer of the API, no log, no file of
//! the server, no checkpoint, no page of the database, no export, no mail, and not in what the kernel shows of a worker.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{NO_KAFKA, PASSWORD, Server, server_binary};

/// Nothing listens there.
const NOWHERE: &str = "127.0.0.1";
/// Entered beside the secrets, and none: it is found where things are kept, or the search finds nothing at all.
const MARKER: &str = "marker-that-is-no-secret";
const CANARIES: [&str; 6] = [
    "canary-of-kafka-1f",
    "canary-of-postgres-2f",
    "canary-of-a-table-3f",
    "canary-of-a-registry-4f",
    PASSWORD,
    "canary-of-mail-6f",
];

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_where_they_were_entered() {
    let post = Postbox::open();
    let settings = vec![
        ("MILLRACE_KAFKA", NO_KAFKA.to_owned()),
        ("MILLRACE_SMTP_URL", format!("smtp://post:{}@{}", CANARIES[5], post.address)),
        ("MILLRACE_SMTP_FROM", "millrace@example.org".to_owned()),
    ];
    let Some(server) = Server::start_with(settings).await else { return };
    let ids = furnish(&server).await;
    let mut seen = Seen::default();
    use_everything(&server, &ids, &mut seen).await;

    for path in readable(&server, &ids).await {
        let answer = server.call(Method::GET, &path, None).await;
        seen.look(&path, answer.body.to_string().as_bytes());
    }
    export(&server, &mut seen).await;
    ask_for_a_start(&server, &ids).await;
    seen.look("the mail", post.mail().as_bytes());
    // Its data and its whole log.
    let files = server.files();
    for file in files_below(files.ancestors().nth(3).unwrap()) {
        if file.file_name().is_some_and(|name| name != "secret.key") {
            seen.look(&file.display().to_string(), &std::fs::read(&file).unwrap_or_default());
        }
    }
    for kept in ["/connections", "/tables/", "millrace.db", "export", "the mail"] {
        assert!(seen.marked.iter().any(|place| place.contains(kept)), "no marker in {kept}: {:#?}", seen.marked);
    }
    assert!(seen.found.is_empty(), "{:#?}", seen.found);
}

/// Where was looked, and what was found there.
#[derive(Default)]
struct Seen {
    found: Vec<String>,
    /// Where the marker was.
    marked: Vec<String>,
}

impl Seen {
    fn look(&mut self, place: &str, bytes: &[u8]) {
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.found.extend(CANARIES.iter().filter(|canary| holds(canary)).map(|canary| format!("{canary} in {place}")));
        self.marked.extend(holds(MARKER).then(|| place.to_owned()));
    }
}

struct Ids {
    connections: Vec<String>,
    tables: Vec<String>,
    job: String,
    /// Reads a table that has a password of its own.
    sealed: String,
}

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

async fn furnish(server: &Server) -> Ids {
    let kafka = json!({
        "name": "cluster", "kind": "kafka",
        "options": { "bootstrap.servers": NO_KAFKA, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
                     "sasl.username": MARKER },
        "secrets": { "sasl.password": CANARIES[0] },
    });
    let kafka = server.post("/connections", kafka).await;
    let postgres = json!({
        "name": "shop", "kind": "postgresql",
        "options": { "hostname": NOWHERE, "port": "1", "database-name": "shop", "username": MARKER },
        "secrets": { "password": CANARIES[1] },
    });
    let postgres = server.post("/connections", postgres).await;
    let column = json!({ "name": "id", "data_type": "BIGINT", "kind": "physical", "nullable": true });
    let table = |name: &str, connector: &str, connection: Option<&Value>, format: Option<&str>, options: Value| {
        json!({ "database": "main", "name": name, "connector": connector, "format": format, "options": options,
                "connection": connection.map(|connection| connection["id"].clone()), "columns": [column] })
    };
    let of_topic = table(
        "of_topic",
        "kafka",
        Some(&kafka),
        Some("avro-confluent"),
        json!({ "topic": "orders", "avro-confluent.url": "http://127.0.0.1:1",
                "avro-confluent.basic-auth.user-info": format!("reader:{}", CANARIES[3]) }),
    );
    let of_connection = table("of_connection", "postgres", Some(&postgres), None, json!({ "table-name": "orders" }));
    let own = json!({ "table-name": "orders", "hostname": NOWHERE, "port": "1", "database-name": "shop",
                      "username": MARKER, "password": CANARIES[2] });
    let own = table("own", "postgres", None, None, own);
    let numbers = table("numbers", "datagen", None, None, json!({ "rows-per-second": "50" }));
    let out = table("out_there", "blackhole", None, None, json!({}));
    let mut tables = Vec::new();
    for draft in [of_topic, of_connection, own, numbers, out] {
        tables.push(id_of(&server.post("/tables", draft).await));
    }
    let sql = "INSERT INTO out_there SELECT id FROM numbers;";
    let job = id_of(&server.post("/jobs", json!({ "name": "Runs", "sql": sql })).await);
    let sealed = json!({ "name": MARKER, "sql": "INSERT INTO out_there SELECT id FROM own;" });
    let sealed = id_of(&server.post("/jobs", sealed).await);
    Ids { connections: vec![id_of(&kafka), id_of(&postgres)], tables, job, sealed }
}

/// Errors above all: they say most.
async fn use_everything(server: &Server, ids: &Ids, seen: &mut Seen) {
    for connection in &ids.connections {
        let tried = server.try_post(&format!("/connections/{connection}/test"), json!({})).await;
        seen.look("a test of a connection", tried.body.to_string().as_bytes());
    }
    for table in &ids.tables[..3] {
        let path = format!("/tables/{table}");
        let mut draft = server.get(&path).await;
        let rows = server.call(Method::GET, &format!("/teams/tests{path}/sample"), None).await;
        seen.look("a sample", rows.body.to_string().as_bytes());
        draft["comment"] = json!("changed");
        draft["accept_breaking"] = json!(true);
        server.call(Method::PUT, &format!("/teams/tests{path}"), Some(draft)).await.good();
    }
    for name in ["of_topic", "of_connection", "own"] {
        let sql = format!("INSERT INTO out_there SELECT id FROM {name}");
        let asked = json!({ "sql": sql, "from": "table", "max_seconds": 5 });
        for path in ["/sql/validate", "/test-runs"] {
            let answer = server.try_post(path, asked.clone()).await;
            seen.look(path, answer.body.to_string().as_bytes());
        }
        let preview = server.try_post("/previews", json!({ "sql": format!("SELECT * FROM {name}") })).await;
        seen.look("/previews", preview.body.to_string().as_bytes());
        let settings = [("restart_attempts", 1)];
        let failing = server.start_job(&format!("Fails {name}"), &sql, &settings).await;
        // Not every connector gives up by itself; each of them complains.
        let complains = |line: &Value| line["level"] == "warn" || line["level"] == "error";
        let lines = server.until_logged(&failing, "a complaint", complains).await;
        seen.look("its log", Value::from(lines).to_string().as_bytes());
        for rest in ["logs", "events", "report", "runs"] {
            let answer = server.get(&format!("/jobs/{failing}/{rest}")).await;
            seen.look(rest, answer.to_string().as_bytes());
        }
    }
    server.post(&format!("/jobs/{}/versions", ids.job), json!({ "note": "" })).await;
    let running =
        server.start_job("Runs with state", "INSERT INTO out_there SELECT COUNT(*) FROM numbers, own", &[]).await;
    for worker in server.workers_of(&running) {
        for file in ["environ", "cmdline"] {
            seen.look(file, &std::fs::read(format!("/proc/{worker}/{file}")).unwrap_or_default());
        }
    }
}

/// Which goes to the other owner of the team by mail.
async fn ask_for_a_start(server: &Server, ids: &Ids) {
    let other =
        json!({ "email": "other@example.org", "role": "owner", "new_user": { "name": "Other", "password": PASSWORD } });
    server.call(Method::PUT, "/teams/tests/members", Some(other)).await.good();
    let required = json!({ "mode": "required" });
    server.call(Method::PUT, "/teams/tests/approval-mode", Some(required)).await.good();
    let asked = json!({ "from": "fresh", "reason": MARKER, "start_when_approved": false });
    server.post(&format!("/jobs/{}/approvals", ids.sealed), asked).await;
}

/// An SMTP server, on a thread of its own.
struct Postbox {
    address: SocketAddr,
    taken: Receiver<String>,
}

impl Postbox {
    fn open() -> Postbox {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (take, taken) = channel();
        std::thread::spawn(move || {
            // Until the test is over.
            while take.send(take_one(&listener)).is_ok() {}
        });
        Postbox { address, taken }
    }

    /// All of it, up to the one with the marker.
    fn mail(&self) -> String {
        let mut all = String::new();
        while !all.contains(MARKER) {
            all += &self.taken.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no more than {all}"));
        }
        all
    }
}

/// The text of the next mail.
fn take_one(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    stream.write_all(b"220 post.test\r\n").unwrap();
    loop {
        let line = lines.next().unwrap().unwrap();
        let answer: &[u8] = match line.split([' ', ':']).next().unwrap() {
            "EHLO" => b"250-post.test\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => b"235 welcome\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").unwrap();
                let text: Vec<String> = lines.by_ref().map(Result::unwrap).take_while(|line| line != ".").collect();
                stream.write_all(b"250 taken\r\n").unwrap();
                return text.join("\n");
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).unwrap();
    }
}

/// Every answer that can be read without making up a parameter.
async fn readable(server: &Server, ids: &Ids) -> Vec<String> {
    let document = server.call(Method::GET, "/openapi.json", None).await.good();
    let streams = ["/live", "/tail", "/link", "sign-on"];
    let mut paths = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        if operations.get("get").is_none() || streams.iter().any(|part| path.contains(part)) {
            continue;
        }
        let path = path.strip_prefix("/api/v1").unwrap();
        let mut filled = vec![path.replace("{team}", "tests").replace("{job}", &ids.job).replace("{number}", "1")];
        for (parameter, values) in [("{connection}", &ids.connections), ("{table}", &ids.tables)] {
            filled = filled
                .into_iter()
                .flat_map(|path| match path.contains(parameter) {
                    true => values.iter().map(|value| path.replace(parameter, value)).collect(),
                    false => vec![path],
                })
                .collect();
        }
        paths.extend(filled.into_iter().filter(|path| !path.contains('{')));
    }
    paths
}

async fn export(server: &Server, seen: &mut Seen) {
    let team = server.get("").await["id"].clone();
    let wish = json!({ "name": "files", "team": team, "expires_in_days": 1 });
    let token = server.call(Method::POST, "/tokens", Some(wish)).await.good()["secret"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(server_binary());
    command.arg("export").arg(folder.path()).env("MILLRACE_SERVER", server.origin());
    let output = command.env("MILLRACE_TOKEN", token).env("MILLRACE_TEAM", "tests").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for file in files_below(folder.path()) {
        seen.look(&format!("export {}", file.display()), &std::fs::read(&file).unwrap());
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

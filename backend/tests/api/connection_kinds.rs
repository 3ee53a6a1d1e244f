//! Connections to object stores, mail servers and HTTP servers: tried against small servers of the test's own.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::support::{People, TestApp};

const CANARY: &str = "canary-9b21c4";

async fn app() -> TestApp {
    TestApp::with(&[("allow_private_addresses", "true")]).await
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// The outcome of its test and what the last step says.
async fn tried(test: &TestApp, people: &People, draft: Value) -> (bool, String) {
    let answer = test.post(&people.developer, &people.path("/connections/test"), draft).await.good();
    assert!(!answer.to_string().contains(CANARY), "{answer}");
    let detail = answer["steps"].as_array().unwrap().last().unwrap()["detail"].as_str().unwrap().to_owned();
    (answer["ok"] == json!(true), detail)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// As Amazon's documents say: a signed address is one whose signature over everything else is right.
fn is_signed(request: &Request, secret: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let mut rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature=")).collect();
    rest.sort_unstable();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default().to_owned();
    let (date, given) = (value("X-Amz-Date="), value("X-Amz-Signature="));
    let host = request.headers()[header::HOST].to_str().unwrap();
    let path = request.uri().path();
    let canonical = format!("GET\n{path}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", rest.join("&"));
    let Some(day) = date.get(..8) else { return false };
    let scope = format!("{day}/eu-central-1/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = ["eu-central-1", "s3", "aws4_request"]
        .iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), day), |key, part| hmac(&key, part));
    hex(&hmac(&key, &text)) == given
}

async fn store(request: Request) -> impl IntoResponse {
    let error = |status: StatusCode, code: &str| (status, format!("<Error><Code>{code}</Code></Error>"));
    if !is_signed(&request, CANARY) {
        return error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    if request.uri().path().trim_matches('/') != "events" {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let object = |name: &str| {
        format!(
            "<Contents><Key>{name}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>\
             <ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    };
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>events</Name><Prefix></Prefix><MaxKeys>100</MaxKeys><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>\
         {}{}</ListBucketResult>",
        object("a.json"),
        object("b.json")
    );
    (StatusCode::OK, list)
}

#[tokio::test]
async fn an_object_store_is_asked_with_a_signature() {
    let test = app().await;
    let people = People::settle(&test.app).await;
    let endpoint = serve(Router::new().fallback(store)).await;
    let draft = |bucket: &str, secret: &str| {
        json!({
            "name": "lake", "kind": "object_store",
            "options": { "endpoint": endpoint, "region": "eu-central-1", "bucket": bucket, "access-key-id": "AK1" },
            "secrets": { "secret-access-key": secret },
        })
    };
    assert_eq!(tried(&test, &people, draft("events", CANARY)).await, (true, "2 object(s) can be listed.".to_owned()));
    let (ok, detail) = tried(&test, &people, draft("events", "another")).await;
    assert!(!ok && detail.contains("does not belong to this access key"), "{detail}");
    let (ok, detail) = tried(&test, &people, draft("others", CANARY)).await;
    assert!(!ok && detail.contains("no such bucket"), "{detail}");

    let made = test.post(&people.developer, &people.path("/connections"), draft("events", CANARY)).await.good();
    assert_eq!(made["secrets_set"], json!(["secret-access-key"]));
    assert!(!made.to_string().contains(CANARY));
    let one = people.path(&format!("/connections/{}", made["id"].as_str().unwrap()));
    let stored = test.post(&people.developer, &format!("{one}/test"), json!({})).await.good();
    assert_eq!(stored["ok"], json!(true), "{stored}");
    // The stored secret goes nowhere else.
    let mut elsewhere = draft("events", CANARY);
    elsewhere["secrets"] = json!({});
    elsewhere["options"]["endpoint"] = json!("http://10.255.255.1:9000");
    let refused = test.call(&people.developer, "PUT", &one, Some(elsewhere)).await;
    refused.refused(400, "validation_failed");
    assert!(refused.body.to_string().contains("secrets.secret-access-key"), "{}", refused.body);
}

#[tokio::test]
async fn an_http_server_is_called_as_somebody_and_redirects_lead_nowhere() {
    let test = app().await;
    let people = People::settle(&test.app).await;
    let hooks = |headers: HeaderMap| async move {
        let key = headers.get("x-api-key").is_some_and(|key| key == CANARY);
        let bearer = headers.get(header::AUTHORIZATION).is_some_and(|value| value == &format!("Bearer {CANARY}")[..]);
        if key || bearer { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED }
    };
    let away = || async { (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/secrets")]) };
    let base = serve(Router::new().route("/hooks", get(hooks)).route("/away", get(away))).await;
    let draft = |path: &str, options: Value, secret: Option<&str>| {
        let mut all = json!({ "url": format!("{base}{path}") });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let secrets = secret.map_or(json!({}), |secret| json!({ "secret": secret }));
        json!({ "name": "hooks", "kind": "http", "options": all, "secrets": secrets })
    };
    let by_header = json!({ "authentication": "header", "header": "X-Api-Key" });
    for way in [by_header.clone(), json!({ "authentication": "bearer" })] {
        let (ok, detail) = tried(&test, &people, draft("/hooks", way, Some(CANARY))).await;
        assert!(ok && detail.contains("404"), "{detail}");
    }
    let (ok, detail) = tried(&test, &people, draft("/hooks", by_header, Some("another"))).await;
    assert!(!ok && detail.contains("refuses the caller"), "{detail}");
    let (ok, detail) = tried(&test, &people, draft("/away", json!({}), None)).await;
    assert!(ok && detail.contains("302"), "{detail}");
}

/// Lets one user in; answers what `lettre` asks of a server.
async fn mail_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // PLAIN: a zero byte, the user, a zero byte, the password.
    let right = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("\0post\0{CANARY}"))
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let right = right.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 post.test\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer: &[u8] = match line.split_once(' ').unwrap_or((&line, "")) {
                        ("EHLO", _) => b"250-post.test\r\n250 AUTH PLAIN\r\n",
                        ("AUTH", how) if how == format!("PLAIN {right}") => b"235 welcome\r\n",
                        // What it was told is repeated to nobody.
                        ("AUTH", how) => {
                            write.write_all(format!("535 {how} is wrong\r\n").as_bytes()).await.unwrap();
                            continue;
                        }
                        _ => b"250 ok\r\n",
                    };
                    if write.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_mail_server_is_signed_in_to_and_gets_no_mail() {
    let test = app().await;
    let people = People::settle(&test.app).await;
    let port = mail_server().await;
    let draft = |encryption: &str, password: &str| {
        json!({
            "name": "post", "kind": "smtp",
            "options": { "hostname": "localhost", "port": port.to_string(), "encryption": encryption,
                         "username": "post", "from": "alerts@example.org" },
            "secrets": { "password": password },
        })
    };
    let (ok, detail) = tried(&test, &people, draft("none", CANARY)).await;
    assert!(ok, "{detail}");
    let (ok, detail) = tried(&test, &people, draft("none", "another")).await;
    assert_eq!((ok, detail.as_str()), (false, "The server refuses the user name or the password."));
    // It has no TLS: the password is not sent in the open instead.
    let (ok, detail) = tried(&test, &people, draft("starttls", CANARY)).await;
    assert!(!ok, "{detail}");
}

#[tokio::test]
async fn local_addresses_are_denied_unless_the_administrator_allows_them() {
    let test = TestApp::new().await;
    let people = People::settle(&test.app).await;
    let drafts = [
        json!({ "name": "a", "kind": "http", "options": { "url": "http://127.0.0.1:1/x" } }),
        json!({ "name": "b", "kind": "smtp", "options": { "hostname": "127.0.0.1", "from": "a@example.org" } }),
        json!({ "name": "c", "kind": "object_store",
                "options": { "endpoint": "http://169.254.169.254", "bucket": "latest" } }),
    ];
    for draft in drafts {
        let refused = test.post(&people.developer, &people.path("/connections"), draft.clone()).await;
        refused.refused(400, "validation_failed");
        let tested = test.post(&people.developer, &people.path("/connections/test"), draft).await.good();
        assert_eq!(tested["ok"], json!(false), "{tested}");
    }
}

#[tokio::test]
async fn no_table_lies_on_them() {
    let test = app().await;
    let people = People::settle(&test.app).await;
    let hooks = json!({ "name": "hooks", "kind": "http", "options": { "url": "http://10.255.255.1/x" } });
    let made = test.post(&people.developer, &people.path("/connections"), hooks).await.good();
    let mut table = crate::table::draft("orders");
    table["connector"] = json!("postgres");
    table["connection"] = made["id"].clone();
    table["options"] = json!({ "table-name": "orders" });
    test.post(&people.developer, &people.path("/tables"), table).await.refused(400, "validation_failed");
}

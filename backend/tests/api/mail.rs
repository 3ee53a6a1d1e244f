//! Notices by mail, through a small SMTP server of the test's own.

use std::sync::Arc;

use millrace_backend::clock::now_ms;
use millrace_backend::mail;
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{People, TestApp};

/// Takes mails in; turns the first ones away for now.
#[derive(Clone, Default)]
struct Postbox {
    taken: Arc<Mutex<Vec<String>>>,
    turned_away: Arc<Mutex<u32>>,
}

impl Postbox {
    async fn open(turn_away: u32) -> (Postbox, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let postbox = Postbox::default();
        *postbox.turned_away.lock() = turn_away;
        let serving = postbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        (postbox, port)
    }

    async fn serve(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 post.test\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
                "EHLO" => b"250-post.test\r\n250 8BITMIME\r\n",
                "MAIL" if self.turns_away() => b"451 come back later\r\n",
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.unwrap();
                    let mut text = String::new();
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        text.push_str(&line);
                        text.push('\n');
                    }
                    self.taken.lock().push(text);
                    b"250 taken\r\n"
                }
                "QUIT" => {
                    let _ = write.write_all(b"221 bye\r\n").await;
                    return;
                }
                _ => b"250 ok\r\n",
            };
            if write.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    fn turns_away(&self) -> bool {
        let mut left = self.turned_away.lock();
        let turns = *left > 0;
        *left = left.saturating_sub(1);
        turns
    }
}

async fn waiting(test: &TestApp) -> i64 {
    let sql = "SELECT COUNT(*) FROM mails WHERE next_try_at IS NOT NULL";
    sqlx::query_scalar(sql).fetch_one(test.app.store.reader()).await.unwrap()
}

async fn ask(test: &TestApp, theirs: &People, ours: &People) {
    let source =
        json!({ "team": theirs.slug, "kind": "topic", "address": "k1", "table": "orders", "purpose": "Übersicht" });
    test.post(&ours.viewer, "/ingestion-requests", source).await.good();
}

#[tokio::test]
async fn notices_go_by_mail_and_are_tried_again() {
    let (postbox, port) = Postbox::open(1).await;
    let url = format!("smtp://127.0.0.1:{port}");
    let settings = [("smtp_url", url.as_str()), ("smtp_from", "Millrace <millrace@example.org>")];
    let test = TestApp::with(&settings).await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    ask(&test, &theirs, &ours).await;
    assert_eq!(waiting(&test).await, 2, "one for the operator, one for the owner");
    let now = now_ms();
    // The first is turned away for now, the second is taken.
    assert_eq!(mail::send_due(&test.app, now).await.unwrap(), 1);
    assert_eq!(mail::send_due(&test.app, now).await.unwrap(), 0, "not before its pause is over");
    assert_eq!(mail::send_due(&test.app, now + 30_000).await.unwrap(), 1);
    assert_eq!(mail::send_due(&test.app, now + 90_000_000).await.unwrap(), 0, "sent once");
    assert_eq!(waiting(&test).await, 0);

    let taken = postbox.taken.lock().clone();
    assert_eq!(taken.len(), 2);
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM mails").fetch_all(test.app.store.reader()).await.unwrap();
    for id in ids {
        let mail = taken.iter().find(|mail| mail.contains(&format!("Message-ID: <{id}@example.org>"))).unwrap();
        assert!(mail.contains("Subject: Somebody asks for the ingestion of orders"), "{mail}");
        assert!(mail.contains("From: Millrace <millrace@example.org>"), "{mail}");
        assert!(mail.contains("/requests"), "{mail}");
    }
    assert_eq!(test.get(&theirs.owner, "/notices").await.good()["mail"], true);
}

#[tokio::test]
async fn a_server_that_does_not_answer_keeps_the_mail_waiting() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", closed.local_addr().unwrap().port());
    drop(closed);
    let test = TestApp::with(&[("smtp_url", url.as_str()), ("smtp_from", "millrace@example.org")]).await;
    let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
    ask(&test, &theirs, &ours).await;
    assert_eq!(mail::send_due(&test.app, now_ms()).await.unwrap(), 0);
    assert_eq!(waiting(&test).await, 2);
}

#[tokio::test]
async fn without_a_way_out_nothing_is_queued() {
    for test in TestApp::on_each_database().await {
        let (theirs, ours) = (People::settle(&test.app).await, People::settle(&test.app).await);
        ask(&test, &theirs, &ours).await;
        assert_eq!(waiting(&test).await, 0);
        let inbox = test.get(&theirs.owner, "/notices").await.good();
        assert_eq!((&inbox["mail"], &inbox["unread"]), (&json!(false), &json!(1)));
        test.close().await;
    }
}

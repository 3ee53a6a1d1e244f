//! `/audit` and `/teams/{team}/audit`: the trail as a list, as a file, and whether it is unbroken.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use millrace_wire::audit::{AuditChain, AuditEntry, AuditFormat, AuditOutcome};
use millrace_wire::page::Page;
use serde::Deserialize;

use super::extract::{Json, Query};
use super::openapi;
use super::page::limit_of;
use crate::access::audit::Link;
use crate::access::identity::TeamCaller;
use crate::app::audit::{self, Looked};
use crate::error::{Error, Result};
use crate::state::App;
use crate::store::audit::Wanted;

#[derive(Deserialize)]
pub(super) struct AuditQuery {
    cursor: Option<String>,
    limit: Option<usize>,
    q: Option<String>,
    person: Option<String>,
    outcome: Option<AuditOutcome>,
    from: Option<i64>,
    to: Option<i64>,
    format: Option<AuditFormat>,
}

impl AuditQuery {
    fn looked(self) -> Looked {
        Looked { words: self.q, person: self.person, outcome: self.outcome, from: self.from, to: self.to }
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>> {
    page(&app, None, query).await
}

pub(super) async fn list_of_team(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>> {
    page(&app, Some(&caller), query).await
}

async fn page(app: &App, caller: Option<&TeamCaller>, query: AuditQuery) -> Result<Json<Page<AuditEntry>>> {
    let before = match query.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(cursor.parse().map_err(|_| Error::bad_request("The cursor is not valid."))?),
    };
    let limit = limit_of(query.limit);
    let wanted = audit::wanted(app, caller, query.looked()).await?;
    // One more than is shown tells whether there is another page.
    let (mut links, total) = audit::page(app, &wanted, before, i64::try_from(limit).unwrap_or(i64::MAX) + 1).await?;
    let more = links.len() > limit;
    links.truncate(limit);
    let next = links.last().filter(|_| more).map(|link| link.seq.to_string());
    Ok(Json(Page { items: links.into_iter().map(shown).collect(), next, total }))
}

pub(super) async fn verify(State(app): State<Arc<App>>) -> Result<Json<AuditChain>> {
    Ok(Json(audit::verify(&app).await?))
}

pub(super) async fn export(State(app): State<Arc<App>>, Query(query): Query<AuditQuery>) -> Result<Response> {
    file(app, None, query).await
}

pub(super) async fn export_of_team(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<AuditQuery>,
) -> Result<Response> {
    file(app, Some(&caller), query).await
}

async fn file(app: Arc<App>, caller: Option<&TeamCaller>, query: AuditQuery) -> Result<Response> {
    let format = query.format.unwrap_or(AuditFormat::Csv);
    let name = format!("audit-{}.{format}", caller.map_or("server", |caller| caller.slug.as_str()));
    let wanted = audit::wanted(&app, caller, query.looked()).await?;
    let kind = match format {
        AuditFormat::Csv => "text/csv; charset=utf-8",
        AuditFormat::JsonLines => "application/x-ndjson",
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
    ];
    Ok((headers, Body::from_stream(lines(app, wanted, format))).into_response())
}

/// The file in parts, as they are read: it may be larger than memory.
fn lines(app: Arc<App>, wanted: Wanted, format: AuditFormat) -> impl Stream<Item = Result<Bytes>> {
    let head = match format {
        AuditFormat::Csv => csv_line(&COLUMNS.map(str::to_owned)),
        AuditFormat::JsonLines => String::new(),
    };
    stream::try_unfold((app, wanted, 0_i64, head), move |(app, wanted, after, head)| async move {
        let links = audit::next(&app, &wanted, after).await?;
        let Some(last) = links.last().map(|link| link.seq) else {
            return Ok((!head.is_empty()).then(|| (Bytes::from(head), (app, wanted, i64::MAX, String::new()))));
        };
        let mut text = head;
        for entry in links.into_iter().map(shown) {
            match format {
                AuditFormat::Csv => text.push_str(&csv_line(&cells(&entry))),
                AuditFormat::JsonLines => {
                    text.push_str(&serde_json::to_string(&entry)?);
                    text.push('\n');
                }
            }
        }
        Ok(Some((Bytes::from(text), (app, wanted, last, String::new()))))
    })
}

const COLUMNS: [&str; 14] = [
    "seq",
    "at",
    "person",
    "via",
    "team",
    "what",
    "action",
    "object",
    "address",
    "request_id",
    "status",
    "outcome",
    "detail",
    "hash",
];

fn cells(entry: &AuditEntry) -> [String; 14] {
    let at = chrono::DateTime::from_timestamp_millis(entry.at).unwrap_or_default();
    let detail = entry.detail.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        entry.seq.to_string(),
        at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        entry.person.clone(),
        entry.via.clone(),
        entry.team.clone(),
        entry.what.clone(),
        entry.action.clone(),
        entry.object.clone(),
        entry.address.clone(),
        entry.request_id.clone(),
        entry.status.to_string(),
        entry.outcome.clone(),
        detail,
        entry.hash.clone(),
    ]
}

/// RFC 4180. What a spreadsheet would run as a formula is made text by a leading quote: e-mail addresses and paths are
/// what strangers typed.
fn csv_line(cells: &[String]) -> String {
    let field = |text: &String| {
        let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.clone() };
        if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    format!("{}\r\n", cells.iter().map(field).collect::<Vec<_>>().join(","))
}

fn shown(link: Link) -> AuditEntry {
    let Link { seq, entry, hash, .. } = link;
    AuditEntry {
        seq,
        at: entry.at,
        person: entry.user_email,
        via: entry.via,
        team: entry.team_slug,
        what: in_words(&entry.action),
        action: entry.action,
        object: entry.object,
        address: entry.address,
        request_id: entry.request_id,
        status: entry.status,
        outcome: entry.outcome,
        detail: serde_json::from_str(&entry.detail).ok(),
        hash,
    }
}

/// As the API's document says it. Calls that are no more keep their method and path.
fn in_words(action: &str) -> String {
    // What stands behind a semicolon is for readers of the document.
    static WORDS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let operations = openapi::operations();
        operations.iter().map(|known| (format!("{} {}", known.method, known.path), first_part(known.summary))).collect()
    });
    WORDS.get(action).cloned().unwrap_or_else(|| action.to_owned())
}

fn first_part(summary: &str) -> String {
    summary.split_once(';').map_or_else(|| summary.to_owned(), |(first, _)| format!("{first}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_stays_one_line_and_runs_nothing() {
        let cells = ["=cmd()", "a,b", "say \"x\"", "two\nlines", "plain"].map(str::to_owned);
        assert_eq!(csv_line(&cells), "'=cmd(),\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",plain\r\n");
    }

    #[test]
    fn actions_have_words() {
        assert_eq!(in_words("POST /teams"), "Make a team.");
        assert_eq!(in_words("POST /teams/{team}/jobs/{job}/start"), "Start.");
        assert_eq!(in_words("POST /gone"), "POST /gone");
    }
}

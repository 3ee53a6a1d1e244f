//! The console's files: embedded at build time, or from a folder while developing (`MILLRACE_WEB_DIST` at run time).
//!
//! Files below `assets/` carry a hash in their name and may be kept for ever. Every other address is a page of the
//! console and gets `index.html`; unknown addresses of the API get an error in JSON.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// One file of the bundle with its compressed copies.
pub(super) struct Embedded {
    path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

const INDEX: &str = "index.html";
const KEEP_FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

const NO_BUNDLE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Millrace</title>\
    <body><h1>The console is not in this build</h1>\
    <p>Run <code>cargo xtask run</code>, or build it with <code>cargo xtask web</code> and start the server with \
    <code>MILLRACE_WEB_DIST</code> set to its folder.</p>\
    <p>The API answers below <a href=\"/api/v1/openapi.json\">/api/v1</a>.</p></body></html>";

/// Where the files come from.
#[derive(Clone, Debug)]
pub enum Assets {
    Embedded,
    Folder(PathBuf),
}

/// A file found, in the best encoding the browser takes.
struct Found {
    bytes: Cow<'static, [u8]>,
    encoding: Option<&'static str>,
}

impl Assets {
    pub fn from_environment() -> Assets {
        match std::env::var_os("MILLRACE_WEB_DIST") {
            Some(folder) if !folder.is_empty() => Assets::Folder(PathBuf::from(folder)),
            _ => Assets::Embedded,
        }
    }

    /// The answer to everything outside of the API.
    pub async fn answer(self, method: Method, uri: Uri, headers: HeaderMap) -> Response {
        let path = uri.path().trim_start_matches('/');
        if path == "api" || path.starts_with("api/") {
            return Error::not_found("address in the API").into_response();
        }
        if method != Method::GET && method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
        }
        let accepted = Accepted::read(&headers);
        if let Some(found) = self.find(path, accepted).await {
            return file(path, found);
        }
        // A missing file is missing; answering with a page would be run as a script.
        if path.starts_with("assets/") {
            return Error::not_found("file").into_response();
        }
        match self.find(INDEX, accepted).await {
            Some(found) => file(INDEX, found),
            None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NO_BUNDLE).into_response(),
        }
    }

    async fn find(&self, path: &str, accepted: Accepted) -> Option<Found> {
        match self {
            Assets::Embedded => find_embedded(path, accepted),
            Assets::Folder(folder) => find_in(folder, path, accepted).await,
        }
    }
}

fn find_embedded(path: &str, accepted: Accepted) -> Option<Found> {
    let file = BUNDLE.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|at| BUNDLE.get(at))?;
    let (bytes, encoding) = match (file.brotli.filter(|_| accepted.brotli), file.gzip.filter(|_| accepted.gzip)) {
        (Some(brotli), _) => (brotli, Some("br")),
        (None, Some(gzip)) => (gzip, Some("gzip")),
        (None, None) => (file.plain, None),
    };
    Some(Found { bytes: Cow::Borrowed(bytes), encoding })
}

async fn find_in(folder: &Path, path: &str, accepted: Accepted) -> Option<Found> {
    // Names only: no way up, no absolute path.
    if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let copies = [(".br", "br", accepted.brotli), (".gz", "gzip", accepted.gzip)];
    for (suffix, encoding, _) in copies.into_iter().filter(|(_, _, takes)| *takes) {
        if let Ok(bytes) = tokio::fs::read(folder.join(format!("{path}{suffix}"))).await {
            return Some(Found { bytes: Cow::Owned(bytes), encoding: Some(encoding) });
        }
    }
    let bytes = tokio::fs::read(folder.join(path)).await.ok()?;
    Some(Found { bytes: Cow::Owned(bytes), encoding: None })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accepted {
    brotli: bool,
    gzip: bool,
}

impl Accepted {
    fn read(headers: &HeaderMap) -> Accepted {
        let text = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let takes = |name: &str| {
            text.split(',').map(str::trim).any(|part| match part.split_once(';') {
                None => part == name,
                Some((encoding, quality)) => encoding.trim() == name && quality.trim().replace(' ', "") != "q=0",
            })
        };
        Accepted { brotli: takes("br"), gzip: takes("gzip") }
    }
}

fn file(path: &str, found: Found) -> Response {
    let mut response = Response::new(Body::from(found.bytes.into_owned()));
    let kept = if path.starts_with("assets/") { KEEP_FOR_EVER } else { ASK_AGAIN };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(encoding) = found.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        for (name, text) in [
            ("index.html", "page"),
            ("assets/a.1.wasm", "plain"),
            ("assets/a.1.wasm.br", "br"),
            ("assets/a.1.wasm.gz", "gz"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::write(folder.path().parent().unwrap().join("millrace-outside.txt"), "outside").unwrap();
        folder
    }

    async fn get(folder: &tempfile::TempDir, path: &str, encodings: &str) -> (StatusCode, HeaderMap, String) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, encodings.parse().unwrap());
        let assets = Assets::Folder(folder.path().to_owned());
        let response = assets.answer(Method::GET, path.parse().unwrap(), headers).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn files_come_in_the_best_encoding_and_are_kept() {
        let folder = folder();
        for (accepted, body) in [("gzip, br", "br"), ("gzip", "gz"), ("", "plain"), ("br;q=0, gzip", "gz")] {
            let (status, headers, text) = get(&folder, "/assets/a.1.wasm", accepted).await;
            assert_eq!((status, text.as_str()), (StatusCode::OK, body), "{accepted}");
            assert_eq!(headers[header::CONTENT_TYPE], "application/wasm");
            assert_eq!(headers[header::CACHE_CONTROL], KEEP_FOR_EVER);
        }
    }

    #[tokio::test]
    async fn addresses_of_the_console_get_the_page() {
        let folder = folder();
        for path in ["/", "/sign-in", "/t/demo/jobs/1/overview"] {
            let (status, headers, text) = get(&folder, path, "").await;
            assert_eq!((status, text.as_str()), (StatusCode::OK, "page"), "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], ASK_AGAIN);
        }
    }

    #[tokio::test]
    async fn the_api_and_missing_files_do_not() {
        let folder = folder();
        for path in ["/api", "/api/v2/x", "/assets/none.js", "/assets/../../millrace-outside.txt"] {
            assert_eq!(get(&folder, path, "").await.0, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(get(&folder, "/../millrace-outside.txt", "").await.2, "page");
    }
}

//! Requests that change something must come from our own pages: a header that other sites cannot send without asking,
//! and an `Origin` that is ours. While the server listens on loopback only, the `Host` must be local as well, so that
//! a foreign name that resolves to this machine does not count as ours.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};

use crate::config::Config;
use crate::error::{Error, Result};

pub const OWN_PAGES_HEADER: &str = "x-millrace";

/// For callers that a browser authenticates by itself (cookies) or not at all.
pub fn check(config: &Config, method: &Method, headers: &HeaderMap) -> Result<()> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if headers.get(OWN_PAGES_HEADER).is_none_or(|value| value != "1") {
        return Err(Error::not_allowed(
            "Calls that change something need the header X-Millrace: 1, or a bearer token.",
        ));
    }
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    let own = match text(header::ORIGIN) {
        Some(origin) => is_own(config, origin, host),
        None => false,
    };
    if own {
        return Ok(());
    }
    Err(Error::not_allowed("Calls that change something must come from this server's own pages.")
        .hint("Behind a proxy, set public_url to the address that people use."))
}

fn is_own(config: &Config, origin: &str, host: Option<&str>) -> bool {
    if origin == config.origin() {
        return true;
    }
    if config.public_url.is_some() {
        return false;
    }
    let Some(host) = host else { return false };
    let same = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host);
    same && (!config.listen.ip().is_loopback() || is_local_name(host))
}

fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.ends_with(".localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn verdict(environment: &[(&str, &str)], headers: &[(&str, &str)]) -> bool {
        let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Config::from_sources(None, pairs).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check(&config, &Method::POST, &map).is_ok()
    }

    #[test]
    fn own_pages_pass() {
        let local = [("x-millrace", "1"), ("host", "localhost:7878"), ("origin", "http://localhost:7878")];
        assert!(verdict(&[], &local));
        let v6 = [("x-millrace", "1"), ("host", "[::1]:7878"), ("origin", "http://[::1]:7878")];
        assert!(verdict(&[], &v6));
        let public = [("x-millrace", "1"), ("host", "inner:7878"), ("origin", "https://mill.example")];
        assert!(verdict(&[("public_url", "https://mill.example/")], &public));
        let named = [("x-millrace", "1"), ("host", "mill:7878"), ("origin", "http://mill:7878")];
        assert!(verdict(&[("listen", "0.0.0.0:7878")], &named));
    }

    #[test]
    fn others_do_not() {
        let host = ("host", "localhost:7878");
        assert!(!verdict(&[], &[host, ("origin", "http://localhost:7878")]), "no header");
        assert!(!verdict(&[], &[host, ("x-millrace", "1")]), "no origin");
        assert!(!verdict(&[], &[host, ("x-millrace", "1"), ("origin", "http://evil.example")]), "foreign");
        assert!(!verdict(&[], &[host, ("x-millrace", "1"), ("origin", "null")]), "opaque");
        let rebound = [("host", "evil.example:7878"), ("x-millrace", "1"), ("origin", "http://evil.example:7878")];
        assert!(!verdict(&[], &rebound), "a foreign name that points here");
        let direct = [("host", "inner:7878"), ("x-millrace", "1"), ("origin", "http://inner:7878")];
        assert!(!verdict(&[("public_url", "https://mill.example")], &direct), "round the proxy");
    }

    #[test]
    fn reading_is_free() {
        let config = Config::from_sources(None, Default::default()).unwrap();
        assert!(check(&config, &Method::GET, &HeaderMap::new()).is_ok());
    }
}

//! PARSE_URL, by the generic syntax of RFC 3986; what is no URL gives NULL.

use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::{Call, Kernel};
use crate::types::LogicalType;

const fn form(params: &'static [Param]) -> Form {
    Form {
        params,
        variadic: false,
        returns: |_| LogicalType::String,
        nulls: Nulls::Always,
        kernel: Kernel::Native(parse_url),
    }
}

pub(super) const ENTRIES: &[Entry] = &[Entry {
    names: &["PARSE_URL"],
    category: "string",
    signature: "PARSE_URL(url, part[, key])",
    summary: "HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of a URL; with QUERY also the value of one key.",
    resolver: Resolver::Forms(&[form(&[Param::Text, Param::Text]), form(&[Param::Text, Param::Text, Param::Text])]),
}];

struct Url<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            return None;
        }
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let path_start = rest.find('/').unwrap_or(rest.len());
        Some(Url { scheme, authority: rest.get(..path_start)?, path: rest.get(path_start..)?, query, fragment })
    }

    fn user_info(&self) -> Option<&'a str> {
        self.authority.rsplit_once('@').map(|(user, _)| user)
    }

    fn host(&self) -> &'a str {
        let host = self.authority.rsplit_once('@').map_or(self.authority, |(_, host)| host);
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        }
    }
}

fn parse_url(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, part) = (call.texts(0)?, call.texts(1)?);
    let key = if call.args.len() > 2 { Some(call.texts(2)?) } else { None };
    call.text_rows(|row| {
        let url = Url::parse(input.get(row)?)?;
        let part = part.get(row)?;
        if let Some(key) = &key {
            let key = key.get(row)?;
            let mut pairs = url.query.filter(|_| part == "QUERY")?.split('&').filter_map(|pair| pair.split_once('='));
            return pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned());
        }
        match part {
            "HOST" => Some(url.host().to_owned()),
            "PATH" => Some(url.path.to_owned()),
            "QUERY" => url.query.map(str::to_owned),
            "REF" => url.fragment.map(str::to_owned),
            "PROTOCOL" => Some(url.scheme.to_owned()),
            "FILE" => Some(match url.query {
                Some(query) => format!("{}?{query}", url.path),
                None => url.path.to_owned(),
            }),
            "AUTHORITY" => Some(url.authority.to_owned()),
            "USERINFO" => url.user_info().map(str::to_owned),
            _ => None,
        }
    })
}

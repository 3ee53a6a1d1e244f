//! Object stores with Amazon's S3 interface: what connections to them may be told, and whether their objects are listed.

use std::time::Duration;

use millrace_wire::error::FieldError;
use reqwest::{StatusCode, Url};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use super::Settings;
use super::form::{Form, Names, set, web_address};
use super::web;
use crate::error::{Error, Result};

/// Absent: Amazon's own of the region.
const ENDPOINT: &str = "endpoint";
const REGION: &str = "region";
const BUCKET: &str = "bucket";
const PREFIX: &str = "prefix";
/// `true`: the bucket is part of the path, else of the host's name.
const PATH_STYLE: &str = "path-style";
const KEY_ID: &str = "access-key-id";
const SECRET: &str = "secret-access-key";
const NAMES: Names = Names {
    of: "an object store",
    options: &[ENDPOINT, REGION, BUCKET, PREFIX, PATH_STYLE, KEY_ID],
    secrets: &[SECRET],
};

const GOOD_FOR: Duration = Duration::from_secs(60);
const LISTED: usize = 100;
/// A hundred names are far less.
const LARGEST_ANSWER: usize = 1 << 20;

pub(super) fn problems(options: &Settings, secrets: &Settings, stored: &Settings) -> Vec<FieldError> {
    let mut form = Form::new(&NAMES, options, secrets, stored);
    if form.option(ENDPOINT).is_some() && web_address(options, ENDPOINT).is_none() {
        form.wrong_option(ENDPOINT, "Enter an address as https://minio.example:9000, or leave it out for Amazon's.");
    }
    if !form.option(REGION).is_none_or(is_region) {
        form.wrong_option(REGION, "A region is written as eu-central-1.");
    }
    if !form.option(BUCKET).is_some_and(is_bucket) {
        form.wrong_option(BUCKET, "Enter the name of a bucket: 3 to 63 of a-z, 0-9, point and hyphen.");
    }
    if form.option(PREFIX).is_some_and(|prefix| prefix.starts_with('/')) {
        form.wrong_option(PREFIX, "A prefix begins without /.");
    }
    if !matches!(form.option(PATH_STYLE), None | Some("true" | "false")) {
        form.wrong_option(PATH_STYLE, "Choose true or false.");
    }
    let by_host_of_a_number = form.option(PATH_STYLE) == Some("false")
        && web_address(options, ENDPOINT).is_some_and(|url| url.domain().is_none());
    if by_host_of_a_number {
        form.wrong_option(PATH_STYLE, "An address of numbers has no host for each bucket: choose the path.");
    }
    match (form.option(KEY_ID).is_some(), form.has_secret(SECRET)) {
        (true, false) => form.wrong_secret(SECRET, "Enter the secret of this access key."),
        (false, true) => form.wrong_option(KEY_ID, "Enter the access key that the secret belongs to."),
        _ => {}
    }
    form.problems()
}

fn is_region(region: &str) -> bool {
    region.len() <= 64 && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_bucket(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len()) && name.chars().all(allowed) && name.starts_with(ends) && name.ends_with(ends)
}

fn bucket(settings: &Settings) -> Option<Bucket> {
    let region = set(settings, REGION).unwrap_or("us-east-1").to_owned();
    let own = set(settings, ENDPOINT).is_some();
    let endpoint = match own {
        true => web_address(settings, ENDPOINT)?,
        false => Url::parse(&format!("https://s3.{region}.amazonaws.com")).ok()?,
    };
    let name = set(settings, BUCKET)?;
    // Stores of one's own rarely have a name for each bucket, and no certificate covers a name with a point in it.
    let by_path = set(settings, PATH_STYLE).map_or(own || name.contains('.'), |word| word == "true");
    let style = if by_path { UrlStyle::Path } else { UrlStyle::VirtualHost };
    Bucket::new(endpoint, style, name.to_owned(), region).ok()
}

pub(super) fn exposes(before: &Settings, after: &Settings) -> Option<&'static str> {
    let origin = |settings: &Settings| bucket(settings).map(|bucket| bucket.base_url().origin());
    (origin(before) != origin(after)).then_some("The address changed: enter the secret access key again.")
}

fn unusable() -> Error {
    Error::field("options.endpoint", "This is no address of an object store.")
}

pub(super) async fn check_address(options: &Settings, allow_private: bool) -> Result<()> {
    let bucket = bucket(options).ok_or_else(unusable)?;
    web::addresses(ENDPOINT, bucket.base_url(), allow_private).await.map(drop)
}

/// A store that may be called.
pub struct ObjectStore {
    client: reqwest::Client,
    bucket: Bucket,
    credentials: Option<Credentials>,
    prefix: String,
}

impl ObjectStore {
    /// `settings`: with the secret.
    pub async fn open(settings: &Settings, allow_private: bool) -> Result<ObjectStore> {
        let bucket = bucket(settings).ok_or_else(unusable)?;
        let client = web::client_for(ENDPOINT, bucket.base_url(), allow_private).await?;
        let key = set(settings, KEY_ID).zip(set(settings, SECRET));
        let credentials = key.map(|(id, secret)| Credentials::new(id.to_owned(), secret.to_owned()));
        let prefix = set(settings, PREFIX).unwrap_or_default().to_owned();
        Ok(ObjectStore { client, bucket, credentials, prefix })
    }

    /// How many objects there are, as far as one listing tells.
    pub async fn look(&self) -> Result<String> {
        let mut list = self.bucket.list_objects_v2(self.credentials.as_ref());
        list.with_max_keys(LISTED);
        if !self.prefix.is_empty() {
            list.with_prefix(self.prefix.as_str());
        }
        let mut answer = self.client.get(list.sign(GOOD_FOR)).send().await.map_err(web::unreachable)?;
        let status = answer.status();
        let region = answer.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
        let elsewhere = region.map(|region| format!(" The bucket's region is {region}.")).unwrap_or_default();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(web::unreachable)? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST_ANSWER {
                return Err(Error::external("The store's answer is too large."));
            }
        }
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() {
            return Err(Error::external(refusal(status, code_of(&text), &elsewhere)));
        }
        let not_understood =
            |cause| Error::external("The answer is no list of objects.").because(anyhow::anyhow!("{cause}"));
        let listed = ListObjectsV2::parse_response(&text).map_err(not_understood)?;
        let more = if listed.next_continuation_token.is_some() { " and more" } else { "" };
        Ok(format!("{} object(s){more} can be listed.", listed.contents.len()))
    }
}

/// `SignatureDoesNotMatch`, of an error in XML.
fn code_of(text: &str) -> &str {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    code.filter(|code| code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric())).unwrap_or_default()
}

fn refusal(status: StatusCode, code: &str, elsewhere: &str) -> String {
    match (status, code) {
        (_, "NoSuchBucket") => "There is no such bucket.".to_owned(),
        (_, "InvalidAccessKeyId") => "The store does not know this access key.".to_owned(),
        (_, "SignatureDoesNotMatch") => "The secret access key does not belong to this access key.".to_owned(),
        (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, _) => {
            "The store does not let this access key list the objects of the bucket.".to_owned()
        }
        (status, _) if status.is_redirection() => format!("The bucket lies at another address.{elsewhere}"),
        (status, "") => format!("The store answers {status}.{elsewhere}"),
        (status, code) => format!("The store answers {status}: {code}.{elsewhere}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fields, settings};
    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let told = |options: &[(&str, &str)], secrets: &[(&str, &str)]| {
            fields(problems(&settings(options), &settings(secrets), &Settings::new()))
        };
        assert!(told(&[(BUCKET, "events.raw")], &[]).is_empty(), "Amazon's own, and open to everybody");
        let good = (BUCKET, "events-raw");
        assert!(told(&[good, (KEY_ID, "AK"), (ENDPOINT, "http://minio:9000")], &[(SECRET, "hush")]).is_empty());
        assert_eq!(told(&[good, (KEY_ID, "AK")], &[]), ["secrets.secret-access-key"]);
        assert_eq!(told(&[good], &[(SECRET, "hush")]), ["options.access-key-id"]);
        for name in ["", "ab", "Events", "-events", "events/raw", "a b c"] {
            assert_eq!(told(&[(BUCKET, name)], &[]), ["options.bucket"], "{name}");
        }
        assert_eq!(told(&[good, (REGION, "eu.example/x")], &[]), ["options.region"]);
        assert_eq!(told(&[good, (ENDPOINT, "s3://x")], &[]), ["options.endpoint"]);
        assert_eq!(told(&[good, (PREFIX, "/raw")], &[]), ["options.prefix"]);
        let by_host = [good, (ENDPOINT, "http://10.0.0.1:9000"), (PATH_STYLE, "false")];
        assert_eq!(told(&by_host, &[]), ["options.path-style"]);
    }

    #[test]
    fn a_secret_goes_to_the_bucket_it_was_entered_for() {
        let at = |pairs: &[(&str, &str)]| settings(pairs);
        let before = at(&[(BUCKET, "events"), (REGION, "eu-central-1")]);
        assert!(exposes(&before, &at(&[(BUCKET, "events"), (ENDPOINT, "https://evil.example")])).is_some());
        assert!(exposes(&before, &at(&[(BUCKET, "events"), (REGION, "us-east-1")])).is_some());
        assert!(exposes(&before, &at(&[(BUCKET, "events"), (REGION, "eu-central-1"), (PREFIX, "x")])).is_none());
    }

    #[test]
    fn a_bucket_stands_in_the_path_where_no_host_can_have_its_name() {
        let base = |name: &str| bucket(&settings(&[(BUCKET, name)])).map(|bucket| bucket.base_url().to_string());
        assert_eq!(base("events").as_deref(), Some("https://events.s3.us-east-1.amazonaws.com/"));
        assert_eq!(base("events.raw").as_deref(), Some("https://s3.us-east-1.amazonaws.com/events.raw/"));
    }

    #[test]
    fn errors_are_told_in_words() {
        let text = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>hush</StringToSign></Error>";
        assert_eq!(code_of(text), "SignatureDoesNotMatch");
        assert_eq!(code_of("<Code><script></Code>"), "");
        assert!(refusal(StatusCode::NOT_FOUND, "NoSuchBucket", "").contains("no such bucket"));
        assert!(refusal(StatusCode::MOVED_PERMANENTLY, "", " The bucket's region is eu-west-1.").contains("eu-west-1"));
    }
}

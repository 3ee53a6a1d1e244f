//! The two requests of Kafka's protocol that reading a partition takes, as bytes.
//!
//! Version 10 of `Fetch` knows transactions and zstd and is spoken by every broker since Kafka 2.1. What comes from the
//! network is never trusted: each length is checked against what is there.

use bytes::{Buf, BufMut, Bytes, BytesMut};

const FETCH: i16 = 1;
const API_VERSIONS: i16 = 18;
const FETCH_VERSION: i16 = 10;

/// An answer that is cut off or makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

type Parsed<T> = std::result::Result<T, Malformed>;

/// What is asked of one partition.
pub(super) struct Wanted<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) max_bytes: i32,
}

#[derive(Clone, Copy)]
pub(super) struct FetchLimits {
    pub(super) wait_ms: i32,
    pub(super) min_bytes: i32,
    pub(super) max_bytes: i32,
    pub(super) read_committed: bool,
}

/// What came of one partition.
pub(super) struct Fetched {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) error: i16,
    /// End of the log.
    pub(super) high_watermark: i64,
    /// Up to where every transaction is decided; -1 where the broker does not say.
    pub(super) last_stable: i64,
    pub(super) aborted: Vec<Aborted>,
    pub(super) records: Bytes,
}

/// A transaction that was given up: its records begin here and end at its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aborted {
    pub(super) producer: i64,
    pub(super) first_offset: i64,
}

pub(super) fn fetch_request(correlation: i32, client: &str, limits: &FetchLimits, wanted: &[Wanted<'_>]) -> BytesMut {
    let mut out = request(FETCH, FETCH_VERSION, correlation, client);
    out.put_i32(-1);
    out.put_i32(limits.wait_ms);
    out.put_i32(limits.min_bytes);
    out.put_i32(limits.max_bytes);
    out.put_i8(i8::from(limits.read_committed));
    // No fetch session: each request names all its partitions.
    out.put_i32(0);
    out.put_i32(-1);
    // The order tells the broker whom to serve first, so partitions are not gathered by topic.
    out.put_i32(length(wanted.len()));
    for partition in wanted {
        put_text(&mut out, partition.topic);
        out.put_i32(1);
        out.put_i32(partition.partition);
        out.put_i32(-1);
        out.put_i64(partition.offset);
        out.put_i64(-1);
        out.put_i32(partition.max_bytes);
    }
    out.put_i32(0);
    sealed(out)
}

/// The error code of the whole answer, and its partitions.
pub(super) fn fetch_response(mut body: Bytes) -> Parsed<(i16, Vec<Fetched>)> {
    let body = &mut body;
    body.try_get_i32()?;
    let error = body.try_get_i16()?;
    body.try_get_i32()?;
    let mut fetched = Vec::new();
    for _ in 0..count(body)? {
        let topic = text(body)?;
        for _ in 0..count(body)? {
            fetched.push(partition(topic.clone(), body)?);
        }
    }
    Ok((error, fetched))
}

fn partition(topic: String, body: &mut Bytes) -> Parsed<Fetched> {
    let partition = body.try_get_i32()?;
    let error = body.try_get_i16()?;
    let high_watermark = body.try_get_i64()?;
    let last_stable = body.try_get_i64()?;
    body.try_get_i64()?;
    let aborted = (0..count(body)?)
        .map(|_| Ok(Aborted { producer: body.try_get_i64()?, first_offset: body.try_get_i64()? }))
        .collect::<Parsed<_>>()?;
    let size = usize::try_from(body.try_get_i32()?.max(0)).map_err(|_| Malformed)?;
    if size > body.len() {
        return Err(Malformed);
    }
    Ok(Fetched { topic, partition, error, high_watermark, last_stable, aborted, records: body.split_to(size) })
}

pub(super) fn versions_request(correlation: i32, client: &str) -> BytesMut {
    sealed(request(API_VERSIONS, 0, correlation, client))
}

/// Whether the broker speaks our version of `Fetch`.
pub(super) fn speaks_fetch(mut body: Bytes) -> Parsed<bool> {
    let body = &mut body;
    let error = body.try_get_i16()?;
    let mut speaks = false;
    for _ in 0..count(body)? {
        let (key, from, to) = (body.try_get_i16()?, body.try_get_i16()?, body.try_get_i16()?);
        speaks |= key == FETCH && (from..=to).contains(&FETCH_VERSION);
    }
    Ok(error == 0 && speaks)
}

fn request(key: i16, version: i16, correlation: i32, client: &str) -> BytesMut {
    let mut out = BytesMut::with_capacity(256);
    out.put_i32(0);
    out.put_i16(key);
    out.put_i16(version);
    out.put_i32(correlation);
    put_text(&mut out, client);
    out
}

/// Puts the length in front.
fn sealed(mut out: BytesMut) -> BytesMut {
    let size = length(out.len().saturating_sub(4));
    if let Some(mut front) = out.get_mut(..4) {
        front.put_i32(size);
    }
    out
}

fn put_text(out: &mut BytesMut, text: &str) {
    out.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    out.put_slice(text.as_bytes());
}

fn text(body: &mut Bytes) -> Parsed<String> {
    let size = usize::try_from(body.try_get_i16()?).map_err(|_| Malformed)?;
    if size > body.len() {
        return Err(Malformed);
    }
    String::from_utf8(body.split_to(size).to_vec()).map_err(|_| Malformed)
}

/// Elements that follow; none for null.
fn count(body: &mut Bytes) -> Parsed<i32> {
    Ok(body.try_get_i32()?.max(0))
}

fn length(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

impl From<bytes::TryGetError> for Malformed {
    fn from(_: bytes::TryGetError) -> Self {
        Malformed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_is_read_and_a_cut_one_is_refused() {
        let mut body = BytesMut::new();
        body.put_i32(0);
        body.put_i16(0);
        body.put_i32(0);
        body.put_i32(1);
        put_text(&mut body, "orders");
        body.put_i32(1);
        body.put_i32(3);
        body.put_i16(0);
        body.put_i64(90);
        body.put_i64(80);
        body.put_i64(5);
        body.put_i32(1);
        body.put_i64(7);
        body.put_i64(40);
        body.put_i32(3);
        body.put_slice(b"abc");
        let body = body.freeze();
        let (error, fetched) = fetch_response(body.clone()).ok().unwrap();
        assert_eq!((error, fetched.len()), (0, 1));
        assert_eq!((fetched[0].topic.as_str(), fetched[0].partition, fetched[0].high_watermark), ("orders", 3, 90));
        assert_eq!((fetched[0].last_stable, &fetched[0].records[..]), (80, &b"abc"[..]));
        assert_eq!(fetched[0].aborted, [Aborted { producer: 7, first_offset: 40 }]);
        for size in 0..body.len() {
            assert!(fetch_response(body.slice(..size)).is_err(), "{size}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let body = Bytes::from(body);
            let _ = fetch_response(body.clone());
            let _ = speaks_fetch(body);
        }
    }

    #[test]
    fn a_request_says_how_long_it_is() {
        let limits = FetchLimits { wait_ms: 500, min_bytes: 1, max_bytes: 9, read_committed: true };
        let wanted = [Wanted { topic: "orders", partition: 3, offset: 40, max_bytes: 9 }];
        let mut request = fetch_request(8, "millrace", &limits, &wanted).freeze();
        assert_eq!(usize::try_from(request.get_i32()).unwrap(), request.len());
    }

    #[test]
    fn a_broker_that_is_too_old_is_told_apart() {
        let answer = |from: i16, to: i16| {
            let mut body = BytesMut::new();
            body.put_i16(0);
            body.put_i32(1);
            body.put_i16(FETCH);
            body.put_i16(from);
            body.put_i16(to);
            speaks_fetch(body.freeze())
        };
        assert_eq!(answer(0, 9), Ok(false));
        assert_eq!(answer(4, 17), Ok(true));
        assert_eq!(speaks_fetch(Bytes::new()), Err(Malformed));
    }
}

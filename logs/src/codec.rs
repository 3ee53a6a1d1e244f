//! Lines as bytes, in the journal and in the lines of a day.
//!
//! ```text
//! line   = stream seq at level source attempt job organisation team job_name worker operator version target message
//! stream = 0 uuid | 1 text | 2 text        job = 0 | 1 uuid        at = zigzag varint
//! text   = length bytes                    numbers and lengths are LEB128 varints
//! ```
//! The files around it carry the version of this format in their first bytes.

use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::LogLevel;
use uuid::Uuid;

use crate::line::{Line, Source, Stream};

pub(crate) fn put(line: &Line, out: &mut Vec<u8>) {
    match &line.stream {
        Stream::Run(run) => {
            out.push(0);
            out.extend_from_slice(run.0.as_bytes());
        }
        Stream::Server(name) => {
            out.push(1);
            put_text(name, out);
        }
        Stream::Broker(name) => {
            out.push(2);
            put_text(name, out);
        }
    }
    put_number(line.seq, out);
    put_number(zigzag(line.at), out);
    out.push(level_number(line.level));
    out.push(match line.source {
        Source::Worker => 0,
        Source::Server => 1,
        Source::Broker => 2,
    });
    put_number(u64::from(line.attempt), out);
    match line.job {
        None => out.push(0),
        Some(job) => {
            out.push(1);
            out.extend_from_slice(job.0.as_bytes());
        }
    }
    for text in [&line.organisation, &line.team, &line.job_name, &line.worker, &line.operator, &line.version] {
        put_text(text, out);
    }
    put_text(&line.target, out);
    put_text(&line.message, out);
}

/// Takes one line off the front; `None` when the bytes are not one.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<Line> {
    let stream = match take_byte(bytes)? {
        0 => Stream::Run(RunId(take_uuid(bytes)?)),
        1 => Stream::Server(take_text(bytes)?),
        2 => Stream::Broker(take_text(bytes)?),
        _ => return None,
    };
    let seq = take_number(bytes)?;
    let at = unzigzag(take_number(bytes)?);
    let level = level_from(u64::from(take_byte(bytes)?))?;
    let source = *Source::ALL.get(usize::from(take_byte(bytes)?))?;
    let attempt = u32::try_from(take_number(bytes)?).ok()?;
    let job = match take_byte(bytes)? {
        0 => None,
        1 => Some(JobId(take_uuid(bytes)?)),
        _ => return None,
    };
    Some(Line {
        stream,
        seq,
        at,
        level,
        source,
        attempt,
        job,
        organisation: take_text(bytes)?,
        team: take_text(bytes)?,
        job_name: take_text(bytes)?,
        worker: take_text(bytes)?,
        operator: take_text(bytes)?,
        version: take_text(bytes)?,
        target: take_text(bytes)?,
        message: take_text(bytes)?,
    })
}

pub(crate) const fn level_number(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
        LogLevel::Trace => 4,
    }
}

pub(crate) fn level_from(number: u64) -> Option<LogLevel> {
    LogLevel::ALL.iter().copied().find(|level| u64::from(level_number(*level)) == number)
}

pub(crate) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(std::str::from_utf8(text).ok()?.to_owned())
}

fn take_uuid(bytes: &mut &[u8]) -> Option<Uuid> {
    let (id, rest) = bytes.split_at_checked(16)?;
    *bytes = rest;
    Uuid::from_slice(id).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream() -> impl Strategy<Value = Stream> {
        prop_oneof![
            any::<u128>().prop_map(|id| Stream::Run(RunId(Uuid::from_u128(id)))),
            ".{0,20}".prop_map(Stream::Server),
            ".{0,20}".prop_map(Stream::Broker),
        ]
    }

    proptest! {
        #[test]
        fn a_line_comes_back_as_it_was(
            stream in stream(),
            numbers in (any::<u64>(), any::<i64>(), any::<u32>(), 0_usize..5, 0_usize..3),
            job in proptest::option::of(any::<u128>()),
            texts in proptest::collection::vec(".{0,300}", 8),
        ) {
            let text = |number: usize| texts[number].clone();
            let line = Line {
                stream,
                seq: numbers.0,
                at: numbers.1,
                level: LogLevel::ALL[numbers.3],
                source: Source::ALL[numbers.4],
                organisation: text(0),
                team: text(1),
                job: job.map(|id| JobId(Uuid::from_u128(id))),
                job_name: text(2),
                attempt: numbers.2,
                worker: text(3),
                operator: text(4),
                version: text(5),
                target: text(6),
                message: text(7),
            };
            let mut bytes = Vec::new();
            put(&line, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take(&mut rest), Some(line));
            prop_assert!(rest.is_empty());
            for cut in 0..bytes.len() {
                prop_assert_eq!(take(&mut &bytes[..cut]), None);
            }
        }

        #[test]
        fn bytes_that_are_no_line_are_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            take(&mut bytes.as_slice());
        }
    }
}

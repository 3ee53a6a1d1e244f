#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;

use super::*;

const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;

fn varint(out: &mut BytesMut, value: i64) {
    let mut raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while raw >= 0x80 {
        out.put_u8((raw & 0x7f) as u8 | 0x80);
        raw >>= 7;
    }
    out.put_u8(raw as u8);
}

fn text(out: &mut BytesMut, bytes: Option<&[u8]>) {
    varint(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.put_slice(bytes.unwrap_or_default());
}

type Pair<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);
/// Offset, time, key and value.
type Row = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

fn records(values: &[Pair<'_>]) -> BytesMut {
    let mut out = BytesMut::new();
    for (index, (key, value)) in values.iter().enumerate() {
        let mut record = BytesMut::new();
        record.put_u8(0);
        varint(&mut record, index as i64 * 10);
        varint(&mut record, index as i64);
        text(&mut record, *key);
        text(&mut record, *value);
        varint(&mut record, 1);
        text(&mut record, Some(b"name"));
        text(&mut record, None);
        varint(&mut out, record.len() as i64);
        out.put(record);
    }
    out
}

/// A batch at offset 40 of producer 7.
fn batch(attributes: i16, count: i32, body: &[u8]) -> BytesMut {
    let mut checked = BytesMut::new();
    checked.put_i16(attributes);
    checked.put_i32(count - 1);
    checked.put_i64(1_000);
    checked.put_i64(2_000);
    checked.put_i64(7);
    checked.put_i16(0);
    checked.put_i32(0);
    checked.put_i32(count);
    checked.put_slice(body);
    let mut out = BytesMut::new();
    out.put_i64(40);
    out.put_i32(i32::try_from(checked.len() + 9).unwrap());
    out.put_i32(3);
    out.put_u8(2);
    out.put_u32(crc32c::crc32c(&checked));
    out.put(checked);
    out
}

fn two() -> BytesMut {
    records(&[(None, Some(b"one")), (Some(b"k"), None)])
}

fn read(log: &[u8]) -> Result<Vec<Row>, BatchError> {
    let mut log = Bytes::copy_from_slice(log);
    let mut found = Vec::new();
    while let Some(batch) = next_batch(&mut log)? {
        let mut records = batch.open()?;
        while let Some(record) = records.next_record()? {
            let mut headers = 0;
            record.each_header(|name, value| headers += usize::from(name == b"name" && value.is_none()));
            assert_eq!((headers, record.leader_epoch), (1, 3));
            found.push((
                record.offset,
                record.timestamp,
                record.key.map(<[u8]>::to_vec),
                record.value.map(<[u8]>::to_vec),
            ));
        }
    }
    Ok(found)
}

fn expected() -> Vec<Row> {
    vec![(40, 1_000, None, Some(b"one".to_vec())), (41, 1_010, Some(b"k".to_vec()), None)]
}

#[test]
fn records_are_read_where_they_lie_and_a_cut_batch_is_left() {
    let mut log = batch(0, 2, &two());
    let whole = log.len();
    log.extend_from_slice(&batch(0, 2, &two()));
    for size in whole..log.len() {
        assert_eq!(read(&log[..size]), Ok(expected()), "{size}");
    }
    for size in 0..whole {
        assert_eq!(read(&log[..size]), Ok(Vec::new()), "{size}");
    }
}

#[test]
fn the_time_of_the_broker_is_that_of_all_records() {
    let times: Vec<i64> = read(&batch(0x08, 2, &two())).unwrap().iter().map(|record| record.1).collect();
    assert_eq!(times, [2_000, 2_000]);
}

#[test]
fn all_compressions_are_unpacked() {
    let plain = two();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let snappy = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
    let mut java = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01".to_vec();
    for part in plain.chunks(5) {
        let part = snap::raw::Encoder::new().compress_vec(part).unwrap();
        java.put_u32(u32::try_from(part.len()).unwrap());
        java.extend_from_slice(&part);
    }
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    let packed = [(1, gzip.finish().unwrap()), (2, snappy), (2, java), (3, lz4.finish().unwrap()), (4, zstd)];
    for (codec, packed) in packed {
        assert_eq!(read(&batch(codec, 2, &packed)), Ok(expected()), "{codec}");
        assert!(read(&batch(codec, 2, &packed[..packed.len() / 2])).is_err(), "{codec}, cut");
    }
    assert_eq!(read(&batch(5, 2, &plain)), Err(BatchError::UnknownCompression));
}

#[test]
fn what_is_damaged_or_old_is_told() {
    let log = batch(0, 2, &two());
    for index in CHECKED..log.len() {
        let mut damaged = log.clone();
        damaged[index] ^= 1;
        assert_eq!(read(&damaged), Err(BatchError::Corrupt("a wrong checksum")), "{index}");
    }
    let mut old = log.clone();
    old[MAGIC] = 1;
    assert_eq!(read(&old), Err(BatchError::OldFormat));
    assert!(matches!(read(&batch(0, 3, &two())), Err(BatchError::Corrupt(_))), "a record too few");
}

#[test]
fn markers_say_how_a_transaction_ended() {
    let marker = |kind: u8| {
        let key = [0, 0, 0, kind];
        let body = records(&[(Some(&key[..]), Some(&[0; 6][..]))]);
        let mut log = batch(TRANSACTIONAL | CONTROL, 1, &body).freeze();
        next_batch(&mut log).unwrap().unwrap()
    };
    assert!(marker(0).is_control() && marker(0).is_transactional());
    assert_eq!((marker(0).is_abort(), marker(1).is_abort()), (Ok(true), Ok(false)));
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(log in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_any(&log);
    }

    #[test]
    fn a_well_made_head_before_anything_does_not_either(
        body in proptest::collection::vec(any::<u8>(), 0..200), codec in 0_i16..8, count in -2_i32..9
    ) {
        let _ = read_any(&batch(codec, count, &body));
    }
}

fn read_any(log: &[u8]) -> Result<(), BatchError> {
    let mut log = Bytes::copy_from_slice(log);
    while let Some(batch) = next_batch(&mut log)? {
        let mut records = batch.open()?;
        while let Some(record) = records.next_record()? {
            record.each_header(|_, _| {});
        }
    }
    Ok(())
}

//! Protobuf's binary encoding, of bytes that may be anything.

use super::text::Parsed;

/// Groups inside of groups, which are passed over.
const GROUPS: usize = 64;

/// What stands behind the number of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

#[derive(Clone, Copy)]
pub(super) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Input { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Parsed<u64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(ended)?;
            self.rest = rest;
            // As other readers do: what is beyond 64 bits is dropped.
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is longer than 64 bits".to_owned())
    }

    pub(super) fn fixed64(&mut self) -> Parsed<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn fixed32(&mut self) -> Parsed<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(ended)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn bytes(&mut self) -> Parsed<&'a [u8]> {
        let length = self.varint()?;
        let taken = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = taken.ok_or_else(ended)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next field's number and value; `None` for a group, which is passed over.
    #[inline]
    pub(super) fn field(&mut self) -> Parsed<(u32, Option<Value<'a>>)> {
        let (number, wire) = self.tag()?;
        let value = match wire {
            3 => {
                self.skip_group(number)?;
                None
            }
            _ => Some(self.value(wire)?),
        };
        Ok((number, value))
    }

    fn tag(&mut self) -> Parsed<(u32, u8)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| format!("{} is no number of a field", tag >> 3))?;
        Ok((number, (tag & 7) as u8))
    }

    fn value(&mut self, wire: u8) -> Parsed<Value<'a>> {
        Ok(match wire {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed64()?),
            2 => Value::Bytes(self.bytes()?),
            5 => Value::Fixed32(self.fixed32()?),
            other => return Err(format!("{other} is no kind of value")),
        })
    }

    fn skip_group(&mut self, number: u32) -> Parsed<()> {
        let mut open = vec![number];
        while let Some(inner) = open.last().copied() {
            match self.tag()? {
                (number, 3) if open.len() < GROUPS => open.push(number),
                (_, 3) => return Err(format!("groups are nested more than {GROUPS} deep")),
                (number, 4) if number == inner => drop(open.pop()),
                (number, 4) => return Err(format!("the group {inner} ends as {number}")),
                (_, wire) => drop(self.value(wire)?),
            }
        }
        Ok(())
    }
}

fn ended() -> String {
    "it ends too early".to_owned()
}

pub(super) fn write_varint(value: u64, out: &mut Vec<u8>) {
    let mut rest = value;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(super) fn write_tag(number: u32, wire: WireType, out: &mut Vec<u8>) {
    write_varint(u64::from(number) << 3 | wire as u64, out);
}

/// Writes a part whose length is known only behind it.
pub(super) fn write_sized<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let start = out.len();
    write(out)?;
    let length = out.len() - start;
    write_varint(length as u64, out);
    let prefix = out.len() - start - length;
    if let Some(part) = out.get_mut(start..) {
        part.rotate_right(prefix);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_of_any_length_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            write_varint(value, &mut out);
            let mut input = Input::new(&out);
            assert_eq!(input.varint(), Ok(value));
            assert!(input.is_empty());
        }
        assert!(Input::new(&[0xff; 11]).varint().is_err());
        assert!(Input::new(&[0x80]).varint().is_err());
    }

    #[test]
    fn lengths_stand_before_what_was_written() {
        let mut out = vec![9];
        write_sized(&mut out, |out| {
            out.extend([7; 200]);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(out[..3], [9, 200, 1]);
        assert_eq!((out.len(), out[3], out[202]), (203, 7, 7));
    }

    #[test]
    fn groups_are_passed_over() {
        // Field 1 is a group with a number and a group in it, field 2 the number 5.
        let bytes = [0x0b, 0x18, 1, 0x23, 0x24, 0x0c, 0x10, 5];
        let mut input = Input::new(&bytes);
        assert_eq!(input.field(), Ok((1, None)));
        assert_eq!(input.field(), Ok((2, Some(Value::Varint(5)))));
        assert!(Input::new(&[0x0b, 0x14]).field().is_err());
        assert!(Input::new(&[0x0b; 4096]).field().is_err());
        assert!(Input::new(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).field().is_err());
    }
}

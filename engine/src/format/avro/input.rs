//! Avro's binary encoding, of bytes that may be anything.

/// Values inside of values.
const DEPTH: usize = 64;
/// Values of no bytes that a record may hold.
const EMPTY_VALUES: usize = 1 << 16;

pub(super) type AvroResult<T> = Result<T, String>;

pub(super) struct Input<'a> {
    rest: &'a [u8],
    /// Items of arrays and maps that may still come: no more than there are bytes, and some for values without any.
    items: usize,
    depth: usize,
}

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Input { rest: bytes, items: bytes.len().saturating_add(EMPTY_VALUES), depth: 0 }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// To be undone by [`Self::leave`].
    pub(super) fn enter(&mut self) -> AvroResult<()> {
        self.depth += 1;
        if self.depth > DEPTH { Err(format!("values are nested more than {DEPTH} deep")) } else { Ok(()) }
    }

    pub(super) const fn leave(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> AvroResult<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ended)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> AvroResult<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(ended)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Zig-zag and variable length.
    #[inline]
    pub(super) fn long(&mut self) -> AvroResult<i64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or_else(ended)?;
            self.rest = rest;
            if shift == 63 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a number is longer than 64 bits".to_owned())
    }

    pub(super) fn int(&mut self) -> AvroResult<i32> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| format!("{value} is no int"))
    }

    pub(super) fn boolean(&mut self) -> AvroResult<bool> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(format!("{other} is no boolean")),
        }
    }

    pub(super) fn float(&mut self) -> AvroResult<f32> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    pub(super) fn double(&mut self) -> AvroResult<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(super) fn bytes(&mut self) -> AvroResult<&'a [u8]> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| format!("{length} is no length"))?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> AvroResult<&'a [u8]> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|error| format!("byte {} of a text is no UTF-8", error.valid_up_to()))?;
        Ok(bytes)
    }

    /// How many items the next block of an array or map has; 0 at its end.
    pub(super) fn block(&mut self) -> AvroResult<usize> {
        let count = self.long()?;
        if count < 0 {
            // The size in bytes, for those who skip.
            self.long()?;
        }
        let count = usize::try_from(count.unsigned_abs()).map_err(|_| "an array is too long".to_owned())?;
        self.items = self.items.checked_sub(count).ok_or("an array claims more items than the record can hold")?;
        Ok(count)
    }

    pub(super) fn index(&mut self) -> AvroResult<usize> {
        let index = self.long()?;
        usize::try_from(index).map_err(|_| format!("{index} is no branch of a union"))
    }
}

fn ended() -> String {
    "it ends too early".to_owned()
}

//! Encryption with AES-GCM, and hashes that are fast instead of secret.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce};
use arrow::datatypes::{Int32Type, Int64Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion_common::{DataFusionError, exec_err};
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::text_codec::bytes_from_hex;
use super::{Argument, Call, Kernel, ScalarCall};
use crate::types::{LogicalType, Type};

const T: Param = Param::Text;

/// Bytes before the cipher text.
const NONCE: usize = 12;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        names: &["AES_GCM_ENCRYPT"],
        category: "hash",
        signature: "AES_GCM_ENCRYPT(text, key)",
        summary: "The text encrypted, in base64: 12 random bytes, the cipher text, its tag. The key is 16 or 32 bytes in hexadecimal or base64.",
        resolver: Resolver::Custom(encrypt_call),
    },
    Entry {
        names: &["AES_GCM_DECRYPT"],
        category: "hash",
        signature: "AES_GCM_DECRYPT(text, key)",
        summary: "What AES_GCM_ENCRYPT has encrypted; NULL with another key or where the text was changed.",
        resolver: Resolver::Forms(&[Form::native(&[T, T], |_| LogicalType::String, Nulls::Always, decrypt)]),
    },
    hash(
        &["XXHASH64"],
        "XXHASH64(text or bytes)",
        "The 64-bit xxHash with seed 0 as BIGINT.",
        &[hash64(&[T]), hash64(&[Param::Bytes])],
    ),
    hash(
        &["MURMUR3"],
        "MURMUR3(text or bytes)",
        "The 32-bit Murmur3 hash with seed 0 as INT.",
        &[hash32(&[T]), hash32(&[Param::Bytes])],
    ),
];

const fn hash(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "hash", signature, summary, resolver: Resolver::Forms(forms) }
}

const fn hash64(params: &'static [Param]) -> Form {
    Form::native(params, |_| LogicalType::BigInt, Nulls::FromArguments, xxhash64)
}

const fn hash32(params: &'static [Param]) -> Form {
    Form::native(params, |_| LogicalType::Int, Nulls::FromArguments, murmur)
}

fn encrypt_call(name: &str, args: &[Argument]) -> Option<ScalarCall> {
    let [text, key] = args else { return None };
    let types = vec![T.accept(&text.ty)?, T.accept(&key.ty)?];
    let result = Type::new(LogicalType::String, text.ty.nullable || key.ty.nullable);
    let call = ScalarCall::new(name, types, result, Kernel::Native(encrypt));
    // Every time with other random bytes.
    Some(ScalarCall { volatile: true, ..call })
}

enum Cipher {
    Short(Box<Aes128Gcm>),
    Long(Box<Aes256Gcm>),
}

impl Cipher {
    fn of(key: &str) -> Result<Self, DataFusionError> {
        let hexadecimal = bytes_from_hex(key).filter(|_| matches!(key.len(), 32 | 64));
        let bytes = hexadecimal.or_else(|| BASE64.decode(key).ok()).unwrap_or_default();
        let cipher = match bytes.len() {
            16 => Aes128Gcm::new_from_slice(&bytes).ok().map(|cipher| Cipher::Short(Box::new(cipher))),
            32 => Aes256Gcm::new_from_slice(&bytes).ok().map(|cipher| Cipher::Long(Box::new(cipher))),
            _ => None,
        };
        match cipher {
            Some(cipher) => Ok(cipher),
            // The key itself is nobody's business.
            None => exec_err!("A key of AES-GCM is 16 or 32 bytes, in hexadecimal or base64."),
        }
    }

    fn encrypt(&self, nonce: &[u8; NONCE], text: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::from(*nonce);
        match self {
            Cipher::Short(cipher) => cipher.encrypt(&nonce, text).ok(),
            Cipher::Long(cipher) => cipher.encrypt(&nonce, text).ok(),
        }
    }

    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::from(<[u8; NONCE]>::try_from(nonce).ok()?);
        match self {
            Cipher::Short(cipher) => cipher.decrypt(&nonce, text).ok(),
            Cipher::Long(cipher) => cipher.decrypt(&nonce, text).ok(),
        }
    }
}

/// The cipher of the key, kept from row to row.
#[derive(Default)]
struct Ciphers {
    last: Option<(String, Cipher)>,
}

impl Ciphers {
    fn get(&mut self, key: &str) -> Result<Option<&Cipher>, DataFusionError> {
        if self.last.as_ref().is_none_or(|(last, _)| last != key) {
            self.last = Some((key.to_owned(), Cipher::of(key)?));
        }
        Ok(self.last.as_ref().map(|(_, cipher)| cipher))
    }
}

fn encrypt(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    each(call, |cipher, text| {
        let nonce = rand::random::<[u8; NONCE]>();
        let sealed = cipher.encrypt(&nonce, text.as_bytes())?;
        Some(BASE64.encode([nonce.as_slice(), &sealed].concat()))
    })
}

fn decrypt(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    each(call, |cipher, text| {
        let sealed = BASE64.decode(text).ok()?;
        String::from_utf8(cipher.decrypt(&sealed)?).ok()
    })
}

fn each(call: &Call, convert: impl Fn(&Cipher, &str) -> Option<String>) -> Result<ColumnarValue, DataFusionError> {
    let (input, key) = (call.texts(0)?, call.texts(1)?);
    let mut ciphers = Ciphers::default();
    let mut texts = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (Some(text), Some(key)) = (input.get(row), key.get(row)) else {
            texts.push(None);
            continue;
        };
        texts.push(ciphers.get(key)?.and_then(|cipher| convert(cipher, text)));
    }
    call.text_rows(|row| texts.get_mut(row).and_then(Option::take))
}

/// The bytes of a text or of bytes, row by row.
fn hashed<N>(call: &Call, hash: impl Fn(&[u8]) -> N) -> Result<Vec<Option<N>>, DataFusionError> {
    if call.arg_types.first().is_some_and(|ty| ty.logical.is_binary()) {
        let input = call.binaries(0)?;
        return Ok((0..call.rows).map(|row| input.get(row).map(&hash)).collect());
    }
    let input = call.texts(0)?;
    Ok((0..call.rows).map(|row| input.get(row).map(|text| hash(text.as_bytes()))).collect())
}

fn xxhash64(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let hashes = hashed(call, |bytes| xxhash_rust::xxh64::xxh64(bytes, 0).cast_signed())?;
    call.number_rows::<Int64Type>(|row| hashes.get(row).copied().flatten())
}

fn murmur(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let hashes = hashed(call, |bytes| murmur3(bytes).cast_signed())?;
    call.number_rows::<Int32Type>(|row| hashes.get(row).copied().flatten())
}

/// MurmurHash3_x86_32 by Austin Appleby, seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |block: u32| block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for block in blocks {
        hash ^= mix(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = tail.iter().rev().fold(0_u32, |rest, byte| (rest << 8) | u32::from(*byte));
    hash ^= mix(tail);
    // The length counts modulo 2^32.
    hash ^= (bytes.len() & 0xffff_ffff) as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Cipher, NONCE, murmur3};

    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(murmur3(b""), 0);
        assert_eq!(murmur3(b"hello"), 0x248b_fa47);
        assert_eq!(murmur3(b"hello, world"), 0x149b_bb7f);
        assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog"), 0x2e4f_f723);
        assert_eq!(xxhash_rust::xxh64::xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(xxhash_rust::xxh64::xxh64(b"abc", 0), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn what_was_encrypted_is_read_with_its_key_only() {
        let key = "000102030405060708090a0b0c0d0e0f";
        let cipher = Cipher::of(key).unwrap();
        let mut sealed = [vec![7; NONCE], cipher.encrypt(&[7; NONCE], b"secret").unwrap()].concat();
        assert_eq!(cipher.decrypt(&sealed).unwrap(), b"secret");
        assert!(Cipher::of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap().decrypt(&sealed).is_none());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(cipher.decrypt(&sealed).is_none());
        assert!(cipher.decrypt(b"short").is_none());
        for wrong in ["", "abc", "zz0102030405060708090a0b0c0d0e0f"] {
            let message = Cipher::of(wrong).err().unwrap().to_string();
            assert!(!message.contains(wrong) || wrong.is_empty(), "the key is in the message");
        }
    }

    /// The second test case of the specification of GCM by McGrew and Viega: zeros everywhere.
    #[test]
    fn the_cipher_is_aes_gcm() {
        let cipher = Cipher::of(&"0".repeat(32)).unwrap();
        let sealed = cipher.encrypt(&[0; NONCE], &[0; 16]).unwrap();
        let text = super::super::text_codec::hex(&sealed, false);
        assert_eq!(text, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
    }
}

//! Secrets at rest: AES-256-GCM under a key from a file that only the server's user may read.
//!
//! A sealed value is `v1.` and base64 of nonce and cipher text. The name under which a secret is stored is bound to it
//! as associated data, so that a value copied to another row does not open there.

use std::io::Write;
use std::path::Path;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const NONCE_BYTES: usize = 12;

/// The server's keys, all derived from one file.
#[derive(Clone)]
pub struct Keys {
    master: [u8; 32],
}

impl Keys {
    /// Reads the key file; makes one (mode 0600) when there is none.
    pub fn load_or_create(path: &Path) -> Result<Keys> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).ok_or_else(|| {
                Error::bad_request(format!("secret_key_file: '{}' does not hold 32 bytes in base64.", path.display()))
            }),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                let keys = Keys { master: rand::random() };
                keys.write(path).map_err(|cause| {
                    Error::bad_request(format!("secret_key_file: '{}' cannot be written: {cause}.", path.display()))
                })?;
                Ok(keys)
            }
            Err(cause) => {
                Err(Error::bad_request(format!("secret_key_file: '{}' cannot be read: {cause}.", path.display())))
            }
        }
    }

    fn parse(text: &str) -> Option<Keys> {
        let bytes = STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).ok()?;
        Some(Keys { master: bytes.try_into().ok()? })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", STANDARD_NO_PAD.encode(self.master))?;
        file.sync_all()
    }

    /// A key for one purpose; knowing it does not lead to the others.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"millrace key derivation 1\0");
        hash.update(purpose.as_bytes());
        hash.update([0]);
        hash.update(self.master);
        hash.finalize().into()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.derive("sealed secrets").into())
    }

    /// `place`: where it will be stored, for example `connection/<id>/sasl.password`.
    pub fn seal(&self, place: &str, secret: &str) -> Result<String> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret.as_bytes(), aad: place.as_bytes() };
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .map_err(|_| Error::internal(anyhow::anyhow!("a secret could not be sealed")))?;
        Ok(format!("v1.{}", STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    pub fn open(&self, place: &str, sealed: &str) -> Result<String> {
        let broken = || {
            Error::unavailable("A stored secret cannot be read with this server's key. Enter it again.")
                .because(anyhow::anyhow!("sealed value at {place} does not open"))
        };
        let bytes = sealed.strip_prefix("v1.").and_then(|text| STANDARD_NO_PAD.decode(text).ok()).ok_or_else(broken)?;
        let (nonce, cipher_text) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: cipher_text, aad: place.as_bytes() };
        let opened = self.cipher().decrypt(&(*nonce).into(), payload).map_err(|_| broken())?;
        String::from_utf8(opened).map_err(|_| broken())
    }

    /// Tells whether two secrets are the same without holding them; worth nothing without this server's key.
    pub fn digest(&self, purpose: &str, secret: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.derive(purpose));
        hash.update(secret.as_bytes());
        hex(&hash.finalize())
    }
}

/// 256 random bits, as text that is safe in cookies and URLs.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What the store keeps of a random token. The token has 256 random bits, so that a plain hash suffices.
pub fn hash_token(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let keys = Keys { master: [7; 32] };
        let sealed = keys.seal("connection/1/password", "hush").unwrap();
        assert!(!sealed.contains("hush"));
        assert_eq!(keys.open("connection/1/password", &sealed).unwrap(), "hush");
        assert!(keys.open("connection/2/password", &sealed).is_err());
        assert!(Keys { master: [8; 32] }.open("connection/1/password", &sealed).is_err());
        assert_ne!(keys.seal("connection/1/password", "hush").unwrap(), sealed);
    }

    #[test]
    fn a_digest_depends_on_the_key_the_purpose_and_the_secret() {
        let keys = Keys { master: [7; 32] };
        let digest = keys.digest("a", "hush");
        assert_eq!(digest, keys.digest("a", "hush"));
        for other in [keys.digest("b", "hush"), keys.digest("a", "hush!"), Keys { master: [8; 32] }.digest("a", "hush")]
        {
            assert_ne!(digest, other);
        }
    }

    #[test]
    fn broken_values_are_refused() {
        let keys = Keys { master: [7; 32] };
        for sealed in ["", "v1.", "v1.AAAA", "v2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "v1.%%%"] {
            assert!(keys.open("x", sealed).is_err(), "{sealed}");
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/secret.key");
        let first = Keys::load_or_create(&path).unwrap();
        let second = Keys::load_or_create(&path).unwrap();
        assert_eq!(first.master, second.master);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short").unwrap();
        assert!(Keys::load_or_create(&path).is_err());
    }
}

//! The token of an attempt: random, handed to its worker only, stored as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub(crate) fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// In hex.
pub(crate) fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `stored` is empty when no attempt is valid; then nothing fits. The comparison of hashes may take different times:
/// what leaks is about a hash of random bytes.
pub(crate) fn fits(token: &str, stored: &str) -> bool {
    !stored.is_empty() && hash(token) == stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_token_fits() {
        let token = fresh();
        assert!(fits(&token, &hash(&token)));
        assert!(!fits(&fresh(), &hash(&token)));
        assert!(!fits("", ""));
        assert!(!fits(&token, ""));
    }
}

//! Names of exports: `arrow-udf` writes signatures in Base64 with letters that a symbol may have.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789$_";

fn base64() -> Option<&'static GeneralPurpose> {
    static ENGINE: OnceLock<Option<GeneralPurpose>> = OnceLock::new();
    ENGINE.get_or_init(|| Some(GeneralPurpose::new(&Alphabet::new(LETTERS).ok()?, NO_PAD))).as_ref()
}

pub(super) fn decode(encoded: &str) -> Result<String, String> {
    let bytes = base64().and_then(|base64| base64.decode(encoded).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| format!("The module's export '{encoded}' is no name of a function."))
}

#[cfg(test)]
pub(super) fn encode(text: &str) -> String {
    base64().map(|base64| base64.encode(text)).unwrap_or_default()
}

//! What the options and secrets of a connection to Kafka are called: as the client library calls them.

pub const BOOTSTRAP: &str = "bootstrap.servers";
pub const PROTOCOL: &str = "security.protocol";
pub const MECHANISM: &str = "sasl.mechanism";
pub const USER: &str = "sasl.username";
pub const PASSWORD: &str = "sasl.password";
pub const AUTHORITY: &str = "ssl.ca.pem";
pub const CERTIFICATE: &str = "ssl.certificate.pem";
pub const KEY: &str = "ssl.key.pem";
pub const KEY_PASSWORD: &str = "ssl.key.password";

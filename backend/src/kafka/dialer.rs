//! The one rule for addresses that users name: resolve, check every address, and connect to what was checked.
//!
//! Loopback, link-local (with the metadata services of clouds), unspecified, multicast and broadcast addresses are
//! denied unless the administrator allows them. Private networks (10/8 and the like) are where brokers live and are
//! allowed. Addresses that Kafka announces are checked the same way before they are used for anything else.

use std::net::{IpAddr, SocketAddr};

use millrace_engine::connector::is_local;

use crate::error::{Error, Result};

/// The resolved form of `host:port,host:port`, to connect to instead of the names.
pub async fn check_bootstrap(bootstrap: &str, allow_private: bool) -> Result<String> {
    let mut checked = Vec::new();
    for server in bootstrap.split(',').map(str::trim).filter(|server| !server.is_empty()) {
        let (host, port) = split(server)?;
        let addresses = resolve(host, port).await?;
        for address in &addresses {
            allow(server, address.ip(), allow_private)?;
        }
        checked.extend(addresses.iter().map(ToString::to_string));
    }
    if checked.is_empty() {
        return Err(Error::field("options.bootstrap.servers", "Enter at least one broker as host:port."));
    }
    checked.dedup();
    Ok(checked.join(","))
}

/// The addresses of one server that a connection's `option` names, each of which may be called.
pub async fn check_server(option: &str, host: &str, port: u16, allow_private: bool) -> Result<Vec<SocketAddr>> {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    let addresses = resolve(host, port).await?;
    for address in &addresses {
        allow(&format!("{host}:{port}"), address.ip(), allow_private)
            .map_err(|error| error.at(format!("options.{option}")))?;
    }
    Ok(addresses)
}

/// Checks one announced address.
pub async fn check_announced(host: &str, port: u16, allow_private: bool) -> Result<()> {
    for address in resolve(host, port).await? {
        allow(&format!("{host}:{port}"), address.ip(), allow_private)?;
    }
    Ok(())
}

fn split(server: &str) -> Result<(&str, u16)> {
    let wrong = || Error::field("options.bootstrap.servers", format!("'{server}' is not host:port."));
    // A protocol in front, as in PLAINTEXT://host:port, would be taken by the client library: not by us.
    let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain =
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    let port = port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    if plain { Ok((host, port)) } else { Err(wrong()) }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let unknown = || Error::external(format!("The name '{host}' cannot be resolved."));
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((host, port)).await.map_err(|cause| unknown().because(cause))?.collect();
    if found.is_empty() { Err(unknown()) } else { Ok(found) }
}

fn allow(server: &str, address: IpAddr, allow_private: bool) -> Result<()> {
    if allow_private || !is_local(address) {
        return Ok(());
    }
    let message = format!("'{server}' leads to this machine or to a local-only address.");
    Err(Error::field("options.bootstrap.servers", message)
        .hint("An administrator can allow such addresses with allow_private_addresses."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn local_addresses_are_denied_in_every_spelling() {
        for server in [
            "127.0.0.1:9092",
            "127.1:9092",
            "0x7f000001:9092",
            "2130706433:9092",
            "localhost:9092",
            "[::1]:9092",
            "[::ffff:127.0.0.1]:9092",
            "[::127.0.0.1]:9092",
            "0.0.0.0:9092",
            "169.254.169.254:80",
            "[fe80::1]:9092",
            "10.0.0.1:9092,127.0.0.1:9092",
        ] {
            assert!(check_bootstrap(server, false).await.is_err(), "{server}");
        }
    }

    #[tokio::test]
    async fn what_is_allowed_is_given_back_resolved() {
        assert_eq!(
            check_bootstrap("10.1.2.3:9092, 192.168.0.1:1", false).await.unwrap(),
            "10.1.2.3:9092,192.168.0.1:1"
        );
        assert_eq!(check_bootstrap("127.0.0.1:9092", true).await.unwrap(), "127.0.0.1:9092");
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_so() {
        for server in ["", "host", "host:", ":9092", "host:x", "host:0", "PLAINTEXT://host:1", "a b:1", "unix:/x:1"] {
            assert!(check_bootstrap(server, true).await.is_err(), "{server}");
        }
    }
}

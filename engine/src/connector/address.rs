//! Which addresses are of this machine or of its link only: users' brokers must not lead there, see [`super::NO_LOCAL`].

use std::net::{IpAddr, Ipv4Addr};

/// Loopback, link-local (with the metadata services of clouds), unspecified, multicast and broadcast, also as IPv4 in
/// IPv6. Private networks (10/8 and the like) are where brokers live, and are not local.
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_local_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| v6.to_ipv4()) {
            Some(v4) => is_local_v4(v4),
            None => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local() || v6.is_multicast(),
        },
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let this_network = address.octets()[0] == 0;
    address.is_loopback() || this_network || address.is_link_local() || address.is_multicast() || address.is_broadcast()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn local_is_what_leads_to_this_machine_or_its_link() {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254", "fe80::1"] {
            assert!(is_local(text.parse().unwrap()), "{text}");
        }
        for text in ["10.0.0.1", "192.168.1.1", "8.8.8.8", "2001:db8::1", "fd00::1"] {
            assert!(!is_local(text.parse().unwrap()), "{text}");
        }
    }
}

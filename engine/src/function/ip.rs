//! Addresses of the Internet Protocol, version 4 and 6. What is no address gives NULL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrow::datatypes::{Int32Type, Int64Type};
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use super::registry::{Entry, Resolver};
use super::signature::{Form, Nulls, Param};
use super::{Call, NativeFn};
use crate::types::LogicalType;

const T: Param = Param::Text;

pub(super) const ENTRIES: &[Entry] = &[
    entry(&["IP_VERSION"], "IP_VERSION(address)", "4 or 6.", &[form(&[T], |_| LogicalType::Int, version)]),
    entry(
        &["IP_NORMALIZE"],
        "IP_NORMALIZE(address)",
        "The address in its shortest form; a version 4 address within version 6 as version 4.",
        &[form(&[T], |_| LogicalType::String, normalize)],
    ),
    entry(
        &["IP_IS_PRIVATE"],
        "IP_IS_PRIVATE(address)",
        "Whether the address belongs to no public network: private, loopback, link-local or shared.",
        &[form(&[T], |_| LogicalType::Boolean, is_private)],
    ),
    entry(
        &["IP_IN_NETWORK"],
        "IP_IN_NETWORK(address, network)",
        "Whether the address lies in a network such as '10.0.0.0/8' or '2001:db8::/32'.",
        &[form(&[T, T], |_| LogicalType::Boolean, in_network)],
    ),
    entry(
        &["INET_ATON"],
        "INET_ATON(address)",
        "A version 4 address as a number.",
        &[form(&[T], |_| LogicalType::BigInt, to_number)],
    ),
    entry(
        &["INET_NTOA"],
        "INET_NTOA(number)",
        "A number as a version 4 address.",
        &[form(&[Param::BigInt], |_| LogicalType::String, from_number)],
    ),
];

const fn entry(
    names: &'static [&'static str],
    signature: &'static str,
    summary: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { names, category: "network", signature, summary, resolver: Resolver::Forms(forms) }
}

const fn form(params: &'static [Param], returns: fn(&[crate::types::Type]) -> LogicalType, kernel: NativeFn) -> Form {
    Form::native(params, returns, Nulls::Always, kernel)
}

/// `::ffff:1.2.3.4` is `1.2.3.4`.
fn address(text: &str) -> Option<IpAddr> {
    Some(text.trim().parse::<IpAddr>().ok()?.to_canonical())
}

fn version(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.number_rows::<Int32Type>(|row| {
        Some(if input.get(row)?.trim().parse::<IpAddr>().ok()?.is_ipv4() { 4 } else { 6 })
    })
}

fn normalize(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.text_rows(|row| Some(address(input.get(row)?)?.to_string()))
}

fn is_private(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.boolean_rows(|row| {
        Some(match address(input.get(row)?)? {
            IpAddr::V4(address) => private_v4(address),
            IpAddr::V6(address) => private_v6(address),
        })
    })
}

fn private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // Shared by providers: RFC 6598.
    let shared = first == 100 && (64..128).contains(&second);
    address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified() || shared
}

fn private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
}

fn in_network(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let (input, network) = (call.texts(0)?, call.texts(1)?);
    call.boolean_rows(|row| contains(network.get(row)?, address(input.get(row)?)?))
}

/// `None` where the network is none.
fn contains(network: &str, address: IpAddr) -> Option<bool> {
    let (base, length) =
        network.trim().split_once('/').map_or((network.trim(), None), |(base, length)| (base, Some(length)));
    let base: IpAddr = base.parse().ok()?;
    let (base, address, bits) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (u128::from(base.to_bits()), u128::from(address.to_bits()), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        (base, _) => {
            let most = if base.is_ipv4() { 32 } else { 128 };
            return prefix(length, most).map(|_| false);
        }
    };
    let free = bits - prefix(length, bits)?;
    Some(base.checked_shr(free).unwrap_or(0) == address.checked_shr(free).unwrap_or(0))
}

/// How many bits name the network; all of them without a `/`.
fn prefix(length: Option<&str>, most: u32) -> Option<u32> {
    match length {
        Some(length) => length.parse().ok().filter(|length| *length <= most),
        None => Some(most),
    }
}

fn to_number(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.texts(0)?;
    call.number_rows::<Int64Type>(|row| Some(i64::from(input.get(row)?.trim().parse::<Ipv4Addr>().ok()?.to_bits())))
}

fn from_number(call: &Call) -> Result<ColumnarValue, DataFusionError> {
    let input = call.numbers::<Int64Type>(0)?;
    call.text_rows(|row| Some(Ipv4Addr::from(u32::try_from(input.get(row)?).ok()?).to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::{address, contains, private_v4, private_v6};

    #[test]
    fn networks_hold_their_addresses() {
        let inside = |network: &str, text: &str| contains(network, address(text).expect("an address"));
        assert_eq!(inside("10.0.0.0/8", "10.255.0.1"), Some(true));
        assert_eq!(inside("10.0.0.0/8", "11.0.0.1"), Some(false));
        assert_eq!(inside("0.0.0.0/0", "1.2.3.4"), Some(true));
        assert_eq!(inside("::/0", "2001:db8::1"), Some(true));
        assert_eq!(inside("192.168.1.7", "192.168.1.7"), Some(true));
        assert_eq!(inside("2001:db8::/32", "2001:db8:1::1"), Some(true));
        assert_eq!(inside("2001:db8::/32", "1.2.3.4"), Some(false));
        assert_eq!(inside("10.0.0.0/8", "::ffff:10.1.1.1"), Some(true));
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "net", "", "10.0.0.0/-1", "::/129"] {
            assert_eq!(inside(wrong, "10.0.0.1"), None, "{wrong}");
        }
    }

    #[test]
    fn private_networks_are_known() {
        for private in ["10.1.2.3", "172.31.0.1", "192.168.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1"] {
            assert!(private_v4(private.parse().expect("an address")), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1"] {
            assert!(!private_v4(public.parse().expect("an address")), "{public}");
        }
        for private in ["::1", "fd00::1", "fe80::1"] {
            assert!(private_v6(private.parse().expect("an address")), "{private}");
        }
        assert!(!private_v6("2001:4860:4860::8888".parse().expect("an address")));
    }
}

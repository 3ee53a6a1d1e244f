//! Options whose value is a credential, and secrets filled in there.
//!
//! A script names a secret as `${name}`. The text that is parsed keeps that name; the value comes in here, into the
//! options of a table and only where nothing ever shows an option's value. So no expression, plan, message or name of an
//! operator can hold it, whatever the script does with the text `${name}` elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use millrace_wire::connector::OptionKind;

use super::registry;

/// Of Kafka's client, which takes its options by their own names.
const OF_THE_CLIENT: &[&str] = &[
    "properties.sasl.password",
    "properties.sasl.jaas.config",
    "properties.ssl.key.password",
    "properties.ssl.key.pem",
    "properties.ssl.keystore.password",
    "properties.ssl.truststore.password",
];

/// Whether nothing ever shows the value of an option with this name.
pub fn is_credential(option: &str) -> bool {
    static KNOWN: OnceLock<BTreeSet<String>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let catalog = registry::catalog();
        let of_connectors = catalog.connectors.into_iter().flat_map(|connector| connector.options);
        let of_formats = catalog.formats.into_iter().flat_map(|format| format.options);
        let secret = of_connectors.chain(of_formats).filter(|option| option.kind == OptionKind::Secret);
        secret.map(|option| option.name).chain(OF_THE_CLIENT.iter().map(|name| (*name).to_owned())).collect()
    });
    // Formats of keys and of values have their options under names of their own.
    let plain = option.strip_prefix("key.").or_else(|| option.strip_prefix("value.")).unwrap_or(option);
    known.contains(option) || known.contains(plain)
}

/// Puts values in place of `${name}` in those options that are credentials.
pub(crate) fn fill_in(options: &mut BTreeMap<String, String>, secrets: &BTreeMap<String, String>) {
    if secrets.is_empty() {
        return;
    }
    for (_, value) in options.iter_mut().filter(|(option, _)| is_credential(option)) {
        *value = filled(value, secrets);
    }
}

/// In one pass: what stands in a secret is not looked into.
fn filled(text: &str, secrets: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("${") {
        filled.push_str(before);
        let found = from.split_once('}').and_then(|(name, after)| Some((secrets.get(name)?, after)));
        match found {
            Some((secret, after)) => {
                filled.push_str(secret);
                rest = after;
            }
            None => {
                filled.push_str("${");
                rest = from;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn secrets_go_into_credentials_and_nowhere_else() {
        let mut options = map(&[
            ("password", "${db}"),
            ("username", "${db}"),
            ("topic", "${db}"),
            ("value.avro-confluent.basic-auth.user-info", "reader:${db}${other}"),
            ("properties.sasl.jaas.config", "${db"),
        ]);
        fill_in(&mut options, &map(&[("db", "hush${db}")]));
        let expected = map(&[
            ("password", "hush${db}"),
            ("username", "${db}"),
            ("topic", "${db}"),
            ("value.avro-confluent.basic-auth.user-info", "reader:hush${db}${other}"),
            ("properties.sasl.jaas.config", "${db"),
        ]);
        assert_eq!(options, expected);
    }

    #[test]
    fn what_a_credential_is_follows_from_the_forms() {
        assert!(is_credential("password") && is_credential("key.avro-confluent.bearer-auth.token"));
        assert!(!is_credential("path") && !is_credential("connector") && !is_credential("properties.group.id"));
    }
}

//! Options of connectors and formats inside `WITH (…)`.

use millrace_wire::connector::{OptionClass, OptionKind, OptionSchema};
use millrace_wire::sql::CompletionKind;

use super::Found;
use crate::connector::registry;

/// `quoted`: the caret is inside the quotes already.
pub(super) fn keys(found: &mut Found, given: &[(String, String)], quoted: bool) {
    let catalog = registry::catalog();
    let value_of = |key: &str| given.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    let connector = catalog.connectors.iter().find(|known| Some(known.name.as_str()) == value_of("connector"));
    let mut offer = |name: &str, detail: &str, help: &str| {
        if value_of(name).is_none() {
            let insert = if quoted { name.to_owned() } else { format!("'{name}' = ''") };
            found.add(name, &insert, CompletionKind::Option, detail, help);
        }
    };
    let Some(connector) = connector else {
        return offer("connector", "required", "What the table stands for: kafka, filesystem, …");
    };
    if !connector.formats.is_empty() {
        offer("format", "required", "How records are encoded.");
    }
    let format = catalog.formats.iter().find(|known| Some(known.name.as_str()) == value_of("format"));
    let options = connector.options.iter().chain(format.map(|format| &format.options).into_iter().flatten());
    let mut options: Vec<&OptionSchema> = options.filter(|option| option.class != OptionClass::Platform).collect();
    options.sort_by_key(|option| option.class != OptionClass::Required);
    for option in options {
        let detail = match &option.default {
            Some(default) if !default.is_empty() => format!("default {default}"),
            _ => option.class.to_string(),
        };
        offer(&option.name, &detail, &option.help);
    }
}

pub(super) fn values(found: &mut Found, key: &str, given: &[(String, String)], quoted: bool) {
    let catalog = registry::catalog();
    let value_of = |key: &str| given.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    let mut offer = |value: &str, detail: &str| {
        let insert = if quoted { value.to_owned() } else { format!("'{value}'") };
        found.add(value, &insert, CompletionKind::Value, detail, "");
    };
    let connector = catalog.connectors.iter().find(|known| Some(known.name.as_str()) == value_of("connector"));
    match key {
        "connector" => catalog.connectors.iter().for_each(|known| offer(&known.name, &known.summary)),
        "format" => {
            let taken =
                |name: &str| connector.is_none_or(|connector| connector.formats.iter().any(|known| known == name));
            catalog
                .formats
                .iter()
                .filter(|known| taken(&known.name))
                .for_each(|known| offer(&known.name, &known.title));
        }
        _ => {
            let options = connector
                .map(|connector| &connector.options)
                .into_iter()
                .chain(catalog.formats.iter().map(|format| &format.options));
            let Some(option) = options.flatten().find(|option| option.name == key) else { return };
            option.choices.iter().for_each(|choice| offer(choice, ""));
            if option.kind == OptionKind::Boolean {
                ["true", "false"].iter().for_each(|truth| offer(truth, ""));
            }
        }
    }
}

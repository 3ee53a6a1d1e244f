//! The columns of a table that reads objects of a JSON schema. The conversions stand in docs/types.md.

use millrace_wire::table::{Column, ColumnKind};
use serde_json::{Map, Value};

/// Deeper schemas, and those that contain themselves, have no type in SQL.
const DEEPEST: usize = 32;

/// Columns of an object schema, by name: properties of JSON have no order.
pub fn columns(text: &str) -> Result<Vec<Column>, String> {
    let root: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let reader = Reader { root: &root };
    let object = reader.resolved(&root, 0)?;
    let properties = properties(object).ok_or("it describes no object, so that it has no columns")?;
    let required = required(object);
    let column = |(name, property): (&String, &Value)| {
        let (data_type, nullable) = reader.typed(property, 0).map_err(|why| format!("'{name}': {why}"))?;
        let description = reader.resolved(property, 0)?.get("description").and_then(Value::as_str);
        Ok(Column {
            name: name.clone(),
            data_type,
            kind: ColumnKind::Physical,
            source: None,
            nullable: nullable || !required.contains(&name.as_str()),
            comment: description.unwrap_or_default().to_owned(),
        })
    };
    properties.iter().map(column).collect()
}

struct Reader<'a> {
    root: &'a Value,
}

fn properties(object: &Value) -> Option<&Map<String, Value>> {
    object.get("properties")?.as_object()
}

fn required(object: &Value) -> Vec<&str> {
    let names = object.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

impl<'a> Reader<'a> {
    /// What a reference inside the document leads to.
    fn resolved(&self, schema: &'a Value, depth: usize) -> Result<&'a Value, String> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Ok(schema) };
        if depth > DEEPEST {
            return Err("it contains itself".to_owned());
        }
        let Some(path) = reference.strip_prefix('#') else {
            return Err(format!("it refers to another document: {reference}"));
        };
        let found = self.root.pointer(path).ok_or_else(|| format!("nothing is at {reference}"))?;
        self.resolved(found, depth + 1)
    }

    /// The type as SQL has it, without NOT NULL, and whether it may be NULL.
    fn typed(&self, schema: &'a Value, depth: usize) -> Result<(String, bool), String> {
        if depth > DEEPEST {
            return Err("it is nested too deeply, or contains itself".to_owned());
        }
        let schema = self.resolved(schema, 0)?;
        for several in ["anyOf", "oneOf"] {
            if let Some(options) = schema.get(several).and_then(Value::as_array) {
                return self.one_of(options, depth);
            }
        }
        let (word, nullable) = match schema.get("type") {
            Some(Value::String(word)) => (word.as_str(), false),
            Some(Value::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                let values: Vec<&str> = words.iter().copied().filter(|word| *word != "null").collect();
                match values.as_slice() {
                    [only] => (*only, words.len() > 1),
                    _ => return Err("several types at once have no type in SQL".to_owned()),
                }
            }
            // Words to choose from, without saying that they are texts.
            _ if schema.get("enum").is_some() => ("string", false),
            _ if schema.get("properties").is_some() => ("object", false),
            _ => return Err("it says no type".to_owned()),
        };
        Ok((self.of_word(word, schema, depth)?, nullable))
    }

    fn one_of(&self, options: &'a [Value], depth: usize) -> Result<(String, bool), String> {
        let is_null = |option: &&Value| option.get("type").and_then(Value::as_str) == Some("null");
        let values: Vec<&Value> = options.iter().filter(|option| !is_null(option)).collect();
        match values.as_slice() {
            [only] => {
                let (data_type, nullable) = self.typed(only, depth + 1)?;
                Ok((data_type, nullable || values.len() < options.len()))
            }
            _ => Err("several types at once have no type in SQL".to_owned()),
        }
    }

    fn of_word(&self, word: &str, schema: &'a Value, depth: usize) -> Result<String, String> {
        let inside = |schema: &'a Value| {
            let (data_type, nullable) = self.typed(schema, depth + 1)?;
            Ok::<_, String>(if nullable { data_type } else { format!("{data_type} NOT NULL") })
        };
        Ok(match word {
            "boolean" => "BOOLEAN".to_owned(),
            "integer" => "BIGINT".to_owned(),
            "number" => "DOUBLE".to_owned(),
            "string" => of_text(schema).to_owned(),
            "array" => match schema.get("items") {
                Some(items) => format!("ARRAY<{}>", inside(items)?),
                None => return Err("an array without items has no type in SQL".to_owned()),
            },
            "object" => match (properties(schema), schema.get("additionalProperties")) {
                (Some(fields), _) if !fields.is_empty() => {
                    let required = required(schema);
                    let field = |(name, property): (&String, &'a Value)| {
                        let (data_type, nullable) = self.typed(property, depth + 1)?;
                        let null = if nullable || !required.contains(&name.as_str()) { "" } else { " NOT NULL" };
                        Ok::<_, String>(format!("`{}` {data_type}{null}", name.replace('`', "``")))
                    };
                    format!("ROW<{}>", fields.iter().map(field).collect::<Result<Vec<_>, _>>()?.join(", "))
                }
                (_, Some(values @ Value::Object(_))) => format!("MAP<STRING NOT NULL, {}>", inside(values)?),
                _ => return Err("an object without properties has no type in SQL".to_owned()),
            },
            other => return Err(format!("the type '{other}' is not known")),
        })
    }
}

/// The times are read with `json.timestamp-format.standard` = `ISO-8601`.
fn of_text(schema: &Value) -> &'static str {
    let encoded = schema.get("contentEncoding").and_then(Value::as_str);
    match (schema.get("format").and_then(Value::as_str), encoded) {
        (Some("date-time"), _) => "TIMESTAMP_LTZ(3)",
        (Some("date"), _) => "DATE",
        (_, Some("base64")) => "BYTES",
        _ => "STRING",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::types::parse_type;

    /// The type of a required property.
    fn of(property: &str) -> Result<String, String> {
        let text = format!(r#"{{"type": "object", "properties": {{"c": {property}}}, "required": ["c"]}}"#);
        let columns = columns(&text)?;
        let data_type = columns[0].data_type.clone();
        parse_type(&data_type).unwrap_or_else(|why| panic!("{data_type}: {why}"));
        Ok(if columns[0].nullable { data_type } else { format!("{data_type} NOT NULL") })
    }

    #[test]
    fn every_type() {
        for (json, sql) in [
            (r#"{"type": "boolean"}"#, "BOOLEAN NOT NULL"),
            (r#"{"type": "integer"}"#, "BIGINT NOT NULL"),
            (r#"{"type": "number"}"#, "DOUBLE NOT NULL"),
            (r#"{"type": "string"}"#, "STRING NOT NULL"),
            (r#"{"enum": ["a", "b"]}"#, "STRING NOT NULL"),
            (r#"{"type": "string", "format": "uuid"}"#, "STRING NOT NULL"),
            (r#"{"type": "string", "format": "date"}"#, "DATE NOT NULL"),
            (r#"{"type": "string", "format": "time"}"#, "STRING NOT NULL"),
            (r#"{"type": "string", "format": "date-time"}"#, "TIMESTAMP_LTZ(3) NOT NULL"),
            (r#"{"type": "string", "contentEncoding": "base64"}"#, "BYTES NOT NULL"),
            (r#"{"type": ["string", "null"]}"#, "STRING"),
            (r#"{"oneOf": [{"type": "null"}, {"type": "integer"}]}"#, "BIGINT"),
            (r#"{"type": "array", "items": {"type": "integer"}}"#, "ARRAY<BIGINT NOT NULL> NOT NULL"),
            (
                r#"{"type": "object", "additionalProperties": {"type": "number"}}"#,
                "MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL",
            ),
            (
                r#"{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}"#,
                "ROW<`a` BIGINT NOT NULL, `b` STRING> NOT NULL",
            ),
        ] {
            assert_eq!(of(json).unwrap(), sql, "{json}");
        }
    }

    #[test]
    fn what_has_no_type_is_told() {
        for json in [
            r#"{"type": ["string", "integer"]}"#,
            r#"{"type": "array"}"#,
            r#"{"type": "object"}"#,
            r#"{}"#,
            r##"{"$ref": "other.json"}"##,
            r##"{"$ref": "#/properties/c"}"##,
        ] {
            assert!(of(json).is_err(), "{json}");
        }
        assert!(columns(r#"{"type": "string"}"#).is_err());
    }

    #[test]
    fn references_and_descriptions_are_followed() {
        let text = r##"{
            "definitions": {"money": {"type": "number", "description": "In euro."}},
            "properties": {"price": {"$ref": "#/definitions/money"}, "note": {"type": "string"}}
        }"##;
        let found = columns(text).unwrap();
        let price = found.iter().find(|column| column.name == "price").unwrap();
        assert_eq!((price.data_type.as_str(), price.comment.as_str(), price.nullable), ("DOUBLE", "In euro.", true));
    }
}

//! The columns of a table that reads values of an Avro schema. The conversions stand in docs/types.md.

use millrace_wire::table::{Column, ColumnKind};
use serde_json::Value;

use super::schema::{Kind, Logical, Node, NodeId, Schema};

/// Deeper schemas, and those that contain themselves, have no type in SQL.
const DEEPEST: usize = 32;

/// Columns of a record schema, with the documentation of its fields; and whether it holds points in time, which need
/// the table to say that they are ones.
pub fn columns(text: &str) -> Result<(Vec<Column>, bool), String> {
    let schema = Schema::parse(text)?;
    let fields = schema.record_fields(schema.root()).ok_or("it is no record, so that it has no columns")?;
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let doc = |name: &str| {
        let fields = json.get("fields")?.as_array()?;
        let field = fields.iter().find(|field| field.get("name").and_then(Value::as_str) == Some(name))?;
        field.get("doc")?.as_str().map(str::to_owned)
    };
    let mut found = Vec::with_capacity(fields.len());
    for field in fields {
        let (data_type, nullable) = typed(&schema, field.node, 0).map_err(|why| format!("'{}': {why}", field.name))?;
        found.push(Column {
            name: field.name.clone(),
            data_type,
            kind: ColumnKind::Physical,
            source: None,
            nullable,
            comment: doc(&field.name).unwrap_or_default(),
        });
    }
    let timed = fields.iter().any(|field| holds_time(&schema, field.node, 0));
    Ok((found, timed))
}

/// The type as SQL has it, without NOT NULL, and whether it may be NULL.
fn typed(schema: &Schema, id: NodeId, depth: usize) -> Result<(String, bool), String> {
    if depth > DEEPEST {
        return Err("it is nested too deeply, or contains itself".to_owned());
    }
    let value = schema.value_of(id);
    let nullable = match &schema.node(id).kind {
        Kind::Union(branches) => branches.iter().any(|branch| schema.node(*branch).kind == Kind::Null),
        kind => *kind == Kind::Null,
    };
    let inside = |id: NodeId| {
        let (data_type, nullable) = typed(schema, id, depth + 1)?;
        Ok::<_, String>(if nullable { data_type } else { format!("{data_type} NOT NULL") })
    };
    let node = schema.node(value);
    let data_type = match &node.kind {
        Kind::Array(items) => format!("ARRAY<{}>", inside(*items)?),
        Kind::Map(values) => format!("MAP<STRING NOT NULL, {}>", inside(*values)?),
        Kind::Record { fields, .. } => {
            let field = |field: &super::schema::RecordField| {
                Ok::<_, String>(format!("`{}` {}", field.name.replace('`', "``"), inside(field.node)?))
            };
            format!("ROW<{}>", fields.iter().map(field).collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Kind::Union(_) => return Err("a union of several types has no type in SQL".to_owned()),
        Kind::Null => return Err("it is always null".to_owned()),
        _ => scalar(node),
    };
    Ok((data_type, nullable))
}

fn scalar(node: &Node) -> String {
    let precision = |units: i64| match units {
        1_000 => 3,
        1_000_000 => 6,
        _ => 9,
    };
    let plain = match (node.logical, &node.kind) {
        (Some(Logical::Decimal { precision, scale }), _) => return format!("DECIMAL({precision}, {scale})"),
        (Some(Logical::Date), _) => "DATE",
        // The engine keeps times of day in milliseconds, as Flink does.
        (Some(Logical::TimeMillis | Logical::TimeMicros), _) => "TIME(3)",
        (Some(Logical::Timestamp { units, local: true }), _) => return format!("TIMESTAMP({})", precision(units)),
        (Some(Logical::Timestamp { units, local: false }), _) => {
            return format!("TIMESTAMP_LTZ({})", precision(units));
        }
        (None, Kind::Boolean) => "BOOLEAN",
        (None, Kind::Int) => "INT",
        (None, Kind::Long) => "BIGINT",
        (None, Kind::Float) => "FLOAT",
        (None, Kind::Double) => "DOUBLE",
        (None, Kind::Bytes) => "BYTES",
        (None, Kind::Fixed { size, .. }) => return format!("BINARY({size})"),
        // Texts and the words of enums.
        _ => "STRING",
    };
    plain.to_owned()
}

fn holds_time(schema: &Schema, id: NodeId, depth: usize) -> bool {
    let node = schema.node(schema.value_of(id));
    let inside = |id: &NodeId| depth < DEEPEST && holds_time(schema, *id, depth + 1);
    match &node.kind {
        Kind::Array(items) => inside(items),
        Kind::Map(values) => inside(values),
        Kind::Record { fields, .. } => fields.iter().any(|field| inside(&field.node)),
        _ => matches!(node.logical, Some(Logical::Timestamp { .. })),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::types::parse_type;

    /// The type of a field, and that the engine can read such a field into it.
    fn of(ty: &str) -> Result<String, String> {
        let text = format!(r#"{{"type": "record", "name": "r", "fields": [{{"name": "c", "type": {ty}}}]}}"#);
        let (columns, _) = columns(&text)?;
        let data_type = columns[0].data_type.clone();
        let parsed = parse_type(&data_type).unwrap_or_else(|why| panic!("{data_type}: {why}"));
        let schema = std::sync::Arc::new(Schema::parse(&text).unwrap());
        let field = crate::types::Field::new("c", parsed);
        super::super::reader::RowReader::new(&schema, schema.root(), &[&field]).unwrap_or_else(|why| panic!("{why}"));
        Ok(if columns[0].nullable { data_type } else { format!("{data_type} NOT NULL") })
    }

    #[test]
    fn every_type() {
        for (avro, sql) in [
            (r#""boolean""#, "BOOLEAN NOT NULL"),
            (r#""int""#, "INT NOT NULL"),
            (r#""long""#, "BIGINT NOT NULL"),
            (r#""float""#, "FLOAT NOT NULL"),
            (r#""double""#, "DOUBLE NOT NULL"),
            (r#""bytes""#, "BYTES NOT NULL"),
            (r#""string""#, "STRING NOT NULL"),
            (r#"["null", "string"]"#, "STRING"),
            (r#"["long", "null"]"#, "BIGINT"),
            (r#"{"type": "fixed", "name": "f", "size": 16}"#, "BINARY(16) NOT NULL"),
            (r#"{"type": "enum", "name": "e", "symbols": ["A", "B"]}"#, "STRING NOT NULL"),
            (r#"{"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}"#, "DECIMAL(10, 2) NOT NULL"),
            (r#"{"type": "int", "logicalType": "date"}"#, "DATE NOT NULL"),
            (r#"{"type": "int", "logicalType": "time-millis"}"#, "TIME(3) NOT NULL"),
            (r#"{"type": "long", "logicalType": "time-micros"}"#, "TIME(3) NOT NULL"),
            (r#"{"type": "long", "logicalType": "timestamp-millis"}"#, "TIMESTAMP_LTZ(3) NOT NULL"),
            (r#"{"type": "long", "logicalType": "timestamp-micros"}"#, "TIMESTAMP_LTZ(6) NOT NULL"),
            (r#"{"type": "long", "logicalType": "local-timestamp-millis"}"#, "TIMESTAMP(3) NOT NULL"),
            (r#"{"type": "long", "logicalType": "local-timestamp-micros"}"#, "TIMESTAMP(6) NOT NULL"),
            (r#"{"type": "array", "items": "int"}"#, "ARRAY<INT NOT NULL> NOT NULL"),
            (r#"{"type": "array", "items": ["null", "int"]}"#, "ARRAY<INT> NOT NULL"),
            (r#"{"type": "map", "values": "double"}"#, "MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL"),
            (
                r#"["null", {"type": "record", "name": "n", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "string"]}]}]"#,
                "ROW<`a` INT NOT NULL, `b` STRING>",
            ),
        ] {
            assert_eq!(of(avro).unwrap(), sql, "{avro}");
        }
    }

    #[test]
    fn what_has_no_type_is_told() {
        assert!(of(r#"["string", "int"]"#).unwrap_err().contains("union"));
        assert!(of(r#""null""#).unwrap_err().contains("null"));
        let itself = r#"{"type": "record", "name": "r", "fields": [{"name": "next", "type": ["null", "r"]}]}"#;
        assert!(columns(itself).unwrap_err().contains("contains itself"));
        assert!(columns(r#""string""#).unwrap_err().contains("no record"));
    }

    #[test]
    fn documentation_becomes_comments_and_time_is_noticed() {
        let text = r#"{"type": "record", "name": "r", "fields": [
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it happened."}]}"#;
        let (columns, timed) = columns(text).unwrap();
        assert_eq!((columns[0].comment.as_str(), timed), ("When it happened.", true));
    }
}

//! Avro schemas: from JSON, and to JSON again.
//!
//! A schema is a list of nodes that name each other by number, since a record may contain itself.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
}

pub(super) type NodeId = usize;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) logical: Option<Logical>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed { name: String, size: usize },
    Enum { name: String, symbols: Vec<String> },
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Record { name: String, fields: Vec<RecordField> },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordField {
    pub(super) name: String,
    pub(super) node: NodeId,
    /// Written with `"default": null`.
    pub(super) null_default: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    TimeMillis,
    TimeMicros,
    /// Units per second, and whether it is a point in time or a local one.
    Timestamp {
        units: i64,
        local: bool,
    },
}

impl Schema {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let mut parser = Parser { nodes: Vec::new(), named: BTreeMap::new() };
        let root = parser.node(&json, "")?;
        Ok(Schema { nodes: parser.nodes, root })
    }

    pub(super) fn from_nodes(nodes: Vec<Node>, root: NodeId) -> Self {
        Schema { nodes, root }
    }

    pub(super) const fn root(&self) -> NodeId {
        self.root
    }

    /// A number that is in no schema is the null of every schema: it is never followed.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        static NULL: Node = Node { kind: Kind::Null, logical: None };
        self.nodes.get(id).unwrap_or(&NULL)
    }

    /// The only branch of a union that is not null, and the branch of null when there is one; the node itself otherwise.
    pub(super) fn value_of(&self, id: NodeId) -> NodeId {
        let Kind::Union(branches) = &self.node(id).kind else { return id };
        let mut values = branches.iter().filter(|branch| self.node(**branch).kind != Kind::Null);
        match (values.next(), values.next()) {
            (Some(only), None) => *only,
            _ => id,
        }
    }

    /// The fields of a record, and of a nullable one.
    pub(super) fn record_fields(&self, id: NodeId) -> Option<&[RecordField]> {
        match &self.node(self.value_of(id)).kind {
            Kind::Record { fields, .. } => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let mut written = Vec::new();
        self.json(self.root, &mut written).to_string()
    }

    fn json(&self, id: NodeId, written: &mut Vec<NodeId>) -> Value {
        let node = self.node(id);
        let again = written.contains(&id);
        let plain = |name: &str| match node.logical.map(logical_json) {
            None => json!(name),
            Some(mut logical) => {
                logical.insert("type".to_owned(), json!(name));
                Value::Object(logical)
            }
        };
        match &node.kind {
            Kind::Null => json!("null"),
            Kind::Boolean => json!("boolean"),
            Kind::Int => plain("int"),
            Kind::Long => plain("long"),
            Kind::Float => json!("float"),
            Kind::Double => json!("double"),
            Kind::Bytes => plain("bytes"),
            Kind::String => json!("string"),
            Kind::Array(items) => json!({ "type": "array", "items": self.json(*items, written) }),
            Kind::Map(values) => json!({ "type": "map", "values": self.json(*values, written) }),
            Kind::Union(branches) => Value::Array(branches.iter().map(|branch| self.json(*branch, written)).collect()),
            Kind::Fixed { name, .. } | Kind::Enum { name, .. } | Kind::Record { name, .. } if again => json!(name),
            Kind::Fixed { name, size } => {
                written.push(id);
                let mut fixed = node.logical.map(logical_json).unwrap_or_default();
                fixed.extend(object(json!({ "type": "fixed", "name": name, "size": size })));
                Value::Object(fixed)
            }
            Kind::Enum { name, symbols } => {
                written.push(id);
                json!({ "type": "enum", "name": name, "symbols": symbols })
            }
            Kind::Record { name, fields } => {
                written.push(id);
                let field = |field: &RecordField| {
                    let mut json = object(json!({ "name": field.name, "type": self.json(field.node, written) }));
                    if field.null_default {
                        json.insert("default".to_owned(), Value::Null);
                    }
                    Value::Object(json)
                };
                let fields: Vec<Value> = fields.iter().map(field).collect();
                let (namespace, name) =
                    name.rsplit_once('.').map_or((None, name.as_str()), |(n, name)| (Some(n), name));
                match namespace {
                    Some(space) => json!({ "type": "record", "name": name, "namespace": space, "fields": fields }),
                    None => json!({ "type": "record", "name": name, "fields": fields }),
                }
            }
        }
    }
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

fn logical_json(logical: Logical) -> serde_json::Map<String, Value> {
    let name = match logical {
        Logical::Decimal { precision, scale } => {
            return object(json!({ "logicalType": "decimal", "precision": precision, "scale": scale }));
        }
        Logical::Date => "date",
        Logical::TimeMillis => "time-millis",
        Logical::TimeMicros => "time-micros",
        Logical::Timestamp { units: 1_000, local: false } => "timestamp-millis",
        Logical::Timestamp { units: 1_000_000, local: false } => "timestamp-micros",
        Logical::Timestamp { local: false, .. } => "timestamp-nanos",
        Logical::Timestamp { units: 1_000, local: true } => "local-timestamp-millis",
        Logical::Timestamp { units: 1_000_000, local: true } => "local-timestamp-micros",
        Logical::Timestamp { local: true, .. } => "local-timestamp-nanos",
    };
    object(json!({ "logicalType": name }))
}

struct Parser {
    nodes: Vec<Node>,
    named: BTreeMap<String, NodeId>,
}

impl Parser {
    fn add(&mut self, kind: Kind, logical: Option<Logical>) -> NodeId {
        self.nodes.push(Node { kind, logical });
        self.nodes.len() - 1
    }

    /// serde_json bounds the depth of what comes in here.
    fn node(&mut self, json: &Value, namespace: &str) -> Result<NodeId, String> {
        match json {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.node(branch, namespace)).collect::<Result<_, _>>()?;
                Ok(self.add(Kind::Union(branches), None))
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(name)) => self.complex(name, object, namespace),
                // {"type": {"type": …}} is the inner one.
                Some(inner) => self.node(inner, namespace),
                None => Err("a schema has no 'type'".to_owned()),
            },
            _ => Err("a schema is a name, an object or an array".to_owned()),
        }
    }

    fn by_name(&mut self, name: &str, namespace: &str) -> Result<NodeId, String> {
        let kind = match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => {
                let known = self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name));
                return known.copied().ok_or_else(|| format!("the type '{name}' is not known"));
            }
        };
        Ok(self.add(kind, None))
    }

    fn complex(
        &mut self,
        name: &str,
        object: &serde_json::Map<String, Value>,
        namespace: &str,
    ) -> Result<NodeId, String> {
        let part = |key: &str| object.get(key).ok_or_else(|| format!("a schema of type '{name}' has no '{key}'"));
        match name {
            "array" => {
                let items = self.node(part("items")?, namespace)?;
                Ok(self.add(Kind::Array(items), None))
            }
            "map" => {
                let values = self.node(part("values")?, namespace)?;
                Ok(self.add(Kind::Map(values), None))
            }
            "record" | "error" => {
                let (full, space) = self.declared(object, namespace)?;
                let id = self.add(Kind::Record { name: full.clone(), fields: Vec::new() }, None);
                self.named.insert(full.clone(), id);
                let fields = part("fields")?.as_array().ok_or("'fields' of a record is no array")?;
                let fields = fields.iter().map(|field| self.field(field, &space)).collect::<Result<Vec<_>, _>>()?;
                if let Some(node) = self.nodes.get_mut(id) {
                    node.kind = Kind::Record { name: full, fields };
                }
                Ok(id)
            }
            "enum" => {
                let (full, _) = self.declared(object, namespace)?;
                let symbols = part("symbols")?.as_array().ok_or("'symbols' of an enum is no array")?;
                let symbols = symbols.iter().map(|symbol| symbol.as_str().unwrap_or_default().to_owned()).collect();
                let id = self.add(Kind::Enum { name: full.clone(), symbols }, None);
                self.named.insert(full, id);
                Ok(id)
            }
            "fixed" => {
                let (full, _) = self.declared(object, namespace)?;
                let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or("'size' of a fixed is no number")?;
                let id = self.add(Kind::Fixed { name: full.clone(), size }, logical_of(object));
                self.named.insert(full, id);
                Ok(id)
            }
            _ => {
                let id = self.by_name(name, namespace)?;
                if let Some(node) = self.nodes.get_mut(id)
                    && !matches!(node.kind, Kind::Record { .. } | Kind::Enum { .. } | Kind::Fixed { .. })
                {
                    node.logical = logical_of(object);
                }
                Ok(id)
            }
        }
    }

    /// Full name and namespace of a named type.
    fn declared(&self, object: &serde_json::Map<String, Value>, namespace: &str) -> Result<(String, String), String> {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let name = text("name").ok_or("a named type has no 'name'")?;
        let full = full_name(name, text("namespace").unwrap_or(namespace));
        let space = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        if self.named.contains_key(&full) {
            return Err(format!("the type '{full}' is defined twice"));
        }
        Ok((full, space))
    }

    fn field(&mut self, json: &Value, namespace: &str) -> Result<RecordField, String> {
        let name = json.get("name").and_then(Value::as_str).ok_or("a field of a record has no 'name'")?;
        let ty = json.get("type").ok_or_else(|| format!("the field '{name}' has no 'type'"))?;
        let node = self.node(ty, namespace)?;
        let null_default = json.get("default").is_some_and(Value::is_null);
        Ok(RecordField { name: name.to_owned(), node, null_default })
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// One that is not known or does not fit is left out, as the specification says.
fn logical_of(object: &serde_json::Map<String, Value>) -> Option<Logical> {
    let number = |key: &str| object.get(key).and_then(Value::as_u64).and_then(|number| u8::try_from(number).ok());
    let base = object.get("type").and_then(Value::as_str)?;
    let logical = object.get("logicalType").and_then(Value::as_str)?;
    let local = logical.starts_with("local-");
    Some(match (base, logical.trim_start_matches("local-")) {
        ("bytes" | "fixed", "decimal") => {
            let (precision, scale) = (number("precision")?, number("scale").unwrap_or(0));
            (scale <= precision && precision > 0).then_some(Logical::Decimal { precision, scale })?
        }
        ("int", "date") => Logical::Date,
        ("int", "time-millis") => Logical::TimeMillis,
        ("long", "time-micros") => Logical::TimeMicros,
        ("long", "timestamp-millis") => Logical::Timestamp { units: 1_000, local },
        ("long", "timestamp-micros") => Logical::Timestamp { units: 1_000_000, local },
        ("long", "timestamp-nanos") => Logical::Timestamp { units: 1_000_000_000, local },
        _ => return None,
    })
}

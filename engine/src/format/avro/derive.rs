//! The schema that Flink derives from a table's columns.

use super::schema::{Kind, Logical, Node, NodeId, RecordField, Schema};
use crate::types::{Field, LogicalType, Type};

/// Of Flink's own: readers of its files may look for it.
const RECORD: &str = "org.apache.flink.avro.generated.record";

/// `legacy`: TIMESTAMP is written as a point in time, and TIMESTAMP_LTZ not at all.
pub(super) fn derive(fields: &[Field], legacy: bool) -> Result<Schema, String> {
    let mut deriver = Deriver { nodes: Vec::new(), legacy };
    let root = deriver.record(fields, RECORD)?;
    Ok(Schema::from_nodes(deriver.nodes, root))
}

/// As Flink's debezium-avro: the rows before and after a change, and the operation.
pub(super) fn derive_envelope(fields: &[Field], legacy: bool) -> Result<Schema, String> {
    let row = Type::nullable(LogicalType::Row(fields.to_vec()));
    let envelope = [
        Field::new("before", row.clone()),
        Field::new("after", row),
        Field::new("op", Type::nullable(LogicalType::String)),
    ];
    derive(&envelope, legacy)
}

struct Deriver {
    nodes: Vec<Node>,
    legacy: bool,
}

impl Deriver {
    fn add(&mut self, kind: Kind, logical: Option<Logical>) -> NodeId {
        self.nodes.push(Node { kind, logical });
        self.nodes.len() - 1
    }

    fn record(&mut self, fields: &[Field], name: &str) -> Result<NodeId, String> {
        let field = |field: &Field| {
            let node = self.typed(&field.ty, &format!("{name}_{}", field.name))?;
            Ok(RecordField { name: field.name.clone(), node, null_default: field.ty.nullable })
        };
        let fields = fields.iter().map(field).collect::<Result<_, String>>()?;
        Ok(self.add(Kind::Record { name: name.to_owned(), fields }, None))
    }

    fn typed(&mut self, ty: &Type, name: &str) -> Result<NodeId, String> {
        let node = self.value(&ty.logical, name)?;
        if !ty.nullable || ty.logical == LogicalType::Null {
            return Ok(node);
        }
        let null = self.add(Kind::Null, None);
        Ok(self.add(Kind::Union(vec![null, node]), None))
    }

    fn value(&mut self, ty: &LogicalType, name: &str) -> Result<NodeId, String> {
        use LogicalType as L;
        let kind = match ty {
            L::Null => Kind::Null,
            L::Boolean => Kind::Boolean,
            L::TinyInt | L::SmallInt | L::Int => Kind::Int,
            L::BigInt => Kind::Long,
            L::Float => Kind::Float,
            L::Double => Kind::Double,
            L::Char(_) | L::VarChar(_) | L::String => Kind::String,
            L::Binary(_) | L::VarBinary(_) | L::Bytes => Kind::Bytes,
            L::Date => return Ok(self.add(Kind::Int, Some(Logical::Date))),
            L::Time(precision) if *precision <= 3 => return Ok(self.add(Kind::Int, Some(Logical::TimeMillis))),
            L::Decimal { precision, scale } => {
                let logical = Logical::Decimal { precision: *precision, scale: *scale };
                return Ok(self.add(Kind::Bytes, Some(logical)));
            }
            L::Timestamp(precision) | L::TimestampLtz(precision) => {
                let logical = self.timestamp(ty, *precision)?;
                return Ok(self.add(Kind::Long, Some(logical)));
            }
            L::Array(element) => Kind::Array(self.typed(element, name)?),
            L::Multiset(element) if element.logical.is_character() => Kind::Map(self.value(&L::Int, name)?),
            L::Map(key, value) if key.logical.is_character() => Kind::Map(self.typed(value, name)?),
            L::Row(fields) => return self.record(fields, name),
            other => return Err(format!("Avro cannot hold {other}")),
        };
        Ok(self.add(kind, None))
    }

    fn timestamp(&self, ty: &LogicalType, precision: u8) -> Result<Logical, String> {
        let local = matches!(ty, LogicalType::Timestamp(_));
        if self.legacy && (!local || precision > 3) {
            return Err(format!("{ty} needs 'timestamp_mapping.legacy' = 'false', as in Flink"));
        }
        let units = crate::format::temporal::units_per_second(precision);
        Ok(Logical::Timestamp { units, local: local && !self.legacy })
    }
}

//! How the columns of a table and the fields of a message belong together, found once per decoder and encoder.

use super::model::{Enum, Field as ProtoField, Kind, Label, Message, Model};
use super::text::Parsed;
use crate::types::{Field, LogicalType};

/// Of a row: one field per column, in the order of the columns.
pub(super) struct MessagePlan {
    pub(super) fields: Vec<FieldPlan>,
    /// Number of a field and what it is to the row, by number.
    known: Vec<(u32, Known)>,
    /// How many choices the message has.
    pub(super) choices: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Known {
    /// None for a field that no column needs, and that puts others of its choice away.
    pub(super) column: Option<usize>,
    pub(super) choice: Option<usize>,
}

pub(super) struct FieldPlan {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) form: Form,
    pub(super) label: Label,
    pub(super) packed: bool,
    /// Of a field that is not there; of no use for messages, lists and maps.
    pub(super) default: DefaultValue,
    pub(super) absent_is_default: bool,
}

pub(super) enum Form {
    One(Item),
    Many(Item),
    Map(Item, Item),
}

pub(super) enum Item {
    Scalar(Kind),
    Enum(Enum),
    Message(MessagePlan),
}

/// As a reader of the wire would have found it.
pub(super) enum DefaultValue {
    Number(u64),
    Bytes(Vec<u8>),
}

impl MessagePlan {
    pub(super) fn known(&self, number: u32) -> Option<Known> {
        let at = self.known.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.known.get(at).map(|(_, known)| *known)
    }
}

/// Makes plans for one table.
pub(super) struct Planner<'a> {
    pub(super) model: &'a Model,
    /// What is not there is read as its default also where its absence can be told.
    pub(super) read_defaults: bool,
}

impl Planner<'_> {
    /// Every column that does not fit is named.
    pub(super) fn row<'f>(
        &self,
        message: &Message,
        columns: impl Iterator<Item = &'f Field>,
    ) -> Result<MessagePlan, Vec<String>> {
        let (mut fields, mut problems, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (column, field) in columns.enumerate() {
            let found = message.fields.iter().find(|candidate| candidate.name == field.name);
            let found = found.ok_or_else(|| missing(message, &field.name));
            match found.and_then(|found| Ok((found, self.field(found, &field.ty.logical)?))) {
                Ok((found, plan)) => {
                    known.push((plan.number, Known { column: Some(column), choice: found.oneof }));
                    fields.push(plan);
                }
                Err(why) => problems.push(why),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let others = message.fields.iter().filter(|field| field.oneof.is_some());
        for other in others {
            if known.iter().all(|(number, _)| *number != other.number) {
                known.push((other.number, Known { column: None, choice: other.oneof }));
            }
        }
        known.sort_by_key(|(number, _)| *number);
        let choices = message.fields.iter().filter_map(|field| field.oneof).max().map_or(0, |last| last + 1);
        Ok(MessagePlan { fields, known, choices })
    }

    fn field(&self, field: &ProtoField, ty: &LogicalType) -> Parsed<FieldPlan> {
        let form = match (&field.kind, ty) {
            (Kind::Map(key, value), LogicalType::Map(key_type, value_type)) => {
                Form::Map(self.item(field, key, &key_type.logical)?, self.item(field, value, &value_type.logical)?)
            }
            (Kind::Map(..), _) => return Err(does_not_fit(field, ty, "a map")),
            (kind, LogicalType::Array(element)) if field.label == Label::Repeated => {
                Form::Many(self.item(field, kind, &element.logical)?)
            }
            _ if field.label == Label::Repeated => return Err(does_not_fit(field, ty, "repeated")),
            (kind, _) => Form::One(self.item(field, kind, ty)?),
        };
        let default = match &form {
            Form::One(item) => default_of(item, field)?,
            Form::Many(_) | Form::Map(..) => DefaultValue::Number(0),
        };
        Ok(FieldPlan {
            name: field.name.clone(),
            number: field.number,
            form,
            label: field.label,
            packed: field.packed,
            default,
            absent_is_default: self.read_defaults || field.label == Label::Implicit,
        })
    }

    fn item(&self, field: &ProtoField, kind: &Kind, ty: &LogicalType) -> Parsed<Item> {
        use LogicalType as L;
        let fits = match kind {
            Kind::Message(at) => {
                let message = self.model.message(*at).ok_or_else(|| does_not_fit(field, ty, "unknown"))?;
                let L::Row(columns) = ty else { return Err(does_not_fit(field, ty, &message.name)) };
                let plan = self.row(message, columns.iter());
                return plan
                    .map(Item::Message)
                    .map_err(|problems| format!("in '{}': {}", field.name, problems.join("; ")));
            }
            Kind::Enum(at) => {
                let found = self.model.enums.get(*at).ok_or_else(|| does_not_fit(field, ty, "unknown"))?;
                if ty.is_character() || ty.is_integer() {
                    return Ok(Item::Enum(found.clone()));
                }
                return Err(does_not_fit(field, ty, &format!("the enum {}", found.name)));
            }
            Kind::Double => *ty == L::Double,
            Kind::Float => *ty == L::Float,
            Kind::Bool => *ty == L::Boolean,
            Kind::String => ty.is_character(),
            Kind::Bytes => ty.is_binary(),
            Kind::Map(..) => false,
            kind if kind.is_32_bit() => *ty == L::Int,
            _ => *ty == L::BigInt,
        };
        if fits { Ok(Item::Scalar(kind.clone())) } else { Err(does_not_fit(field, ty, kind.word())) }
    }
}

fn missing(message: &Message, column: &str) -> String {
    let names = message.fields.iter().map(|field| field.name.as_str());
    match crate::sql::suggest::nearest(column, names) {
        Some(near) => format!("the message '{}' has no field '{column}' (did you mean '{near}'?)", message.name),
        None => format!("the message '{}' has no field '{column}'", message.name),
    }
}

fn does_not_fit(field: &ProtoField, ty: &LogicalType, kind: &str) -> String {
    format!("the column '{}' is {ty}, the field of the message is {kind}", field.name)
}

fn default_of(item: &Item, field: &ProtoField) -> Parsed<DefaultValue> {
    let text = field.default.as_deref();
    let wrong = || format!("the default '{}' of '{}' does not fit its type", text.unwrap_or_default(), field.name);
    Ok(match item {
        Item::Message(_) => DefaultValue::Number(0),
        Item::Enum(found) => {
            let value = match text {
                None => found.values.first(),
                Some(name) => found.values.iter().find(|(known, _)| known == name),
            };
            DefaultValue::Number(value.map(|(_, number)| i64::from(*number) as u64).ok_or_else(wrong)?)
        }
        Item::Scalar(Kind::String | Kind::Bytes) => DefaultValue::Bytes(text.unwrap_or_default().as_bytes().to_vec()),
        Item::Scalar(kind) => match text {
            None => DefaultValue::Number(0),
            Some(text) => DefaultValue::Number(number_default(kind, text).ok_or_else(wrong)?),
        },
    })
}

/// As it stands on the wire.
fn number_default(kind: &Kind, text: &str) -> Option<u64> {
    if *kind == Kind::Bool {
        return text.parse::<bool>().ok().map(u64::from);
    }
    if *kind == Kind::Float {
        return text.parse::<f32>().ok().map(|value| value.to_bits().into());
    }
    if *kind == Kind::Double {
        return text.parse::<f64>().ok().map(f64::to_bits);
    }
    let value: i128 = text.parse().ok()?;
    let bits = u64::try_from(value).or_else(|_| i64::try_from(value).map(|value| value as u64)).ok()?;
    Some(match kind {
        Kind::Sint32 | Kind::Sint64 => zigzag(bits as i64),
        _ => bits,
    })
}

pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

//! Messages and enums of a `.proto` text, names resolved.

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// With the package.
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Enum {
    pub(super) name: String,
    /// Never empty.
    pub(super) values: Vec<(String, i32)>,
    /// Numbers without a name are values too (proto3).
    pub(super) open: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) label: Label,
    /// How it is written; both ways are read.
    pub(super) packed: bool,
    /// Of the fields of one choice only the last of a message is there.
    pub(super) oneof: Option<usize>,
    /// Of proto2, as it is written.
    pub(super) default: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Its absence is told from its default.
    Optional,
    Required,
    /// Absent when it has its default (proto3).
    Implicit,
    Repeated,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// Number in the model.
    Message(usize),
    Enum(usize),
    Map(Box<Kind>, Box<Kind>),
}

impl Kind {
    pub(super) fn of_scalar(name: &str) -> Option<Self> {
        Some(match name {
            "double" => Self::Double,
            "float" => Self::Float,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "bool" => Self::Bool,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            _ => return None,
        })
    }

    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Message(_) => "a message",
            Self::Enum(_) => "an enum",
            Self::Map(..) => "a map",
        }
    }

    /// Numbers of a repeated field may stand together.
    pub(super) const fn packs(&self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Message(_) | Self::Map(..))
    }

    pub(super) const fn is_map_key(&self) -> bool {
        self.is_32_bit() || self.is_64_bit() || matches!(self, Self::Bool | Self::String)
    }

    pub(super) const fn is_32_bit(&self) -> bool {
        matches!(self, Self::Int32 | Self::Uint32 | Self::Sint32 | Self::Fixed32 | Self::Sfixed32)
    }

    pub(super) const fn is_64_bit(&self) -> bool {
        matches!(self, Self::Int64 | Self::Uint64 | Self::Sint64 | Self::Fixed64 | Self::Sfixed64)
    }
}

impl Model {
    /// By its name with the package, or as a class of Java has it (`a.b.Outer$Inner`): packages of Java may be others, so
    /// the last part alone is enough where only one message has it.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let name = name.replace('$', ".");
        let exact = self.messages.iter().position(|message| message.name == name);
        exact.or_else(|| {
            let last = last_part(&name);
            let mut same = self.messages.iter().enumerate().filter(|(_, message)| last_part(&message.name) == last);
            let found = same.next().map(|(at, _)| at);
            found.filter(|_| same.next().is_none())
        })
    }

    pub(super) fn message(&self, at: usize) -> Option<&Message> {
        self.messages.get(at)
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

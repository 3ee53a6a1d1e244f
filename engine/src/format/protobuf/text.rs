//! `.proto` text into a model: messages, enums, maps, choices, of proto2 and proto3.
//!
//! Left out without a word is what changes no bytes of a message: options, services, reserved numbers. Refused by name
//! is what does: groups, extensions, editions, imports other than the well-known timestamp.

use super::model::{Enum, Field, Kind, Label, Message, Model};
use super::token::{Cursor, Token, tokens};

pub(super) type Parsed<T> = Result<T, String>;

const TIMESTAMP: &str = "google/protobuf/timestamp.proto";
const TIMESTAMP_TEXT: &str =
    "syntax = \"proto3\"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }";
/// Messages inside of messages.
const DEPTH: usize = 32;
/// Of a text, in bytes.
const LENGTH: usize = 1 << 20;

pub(super) fn parse(text: &str) -> Parsed<Model> {
    if text.len() > LENGTH {
        return Err(format!("it has more than {LENGTH} bytes"));
    }
    let mut draft = Draft::default();
    draft.file(text)?;
    if draft.imports_timestamp {
        draft.file(TIMESTAMP_TEXT)?;
    }
    draft.resolve()
}

/// Messages and enums by full name, before names inside of them are resolved.
#[derive(Default)]
struct Draft {
    messages: Vec<DraftMessage>,
    enums: Vec<Enum>,
    imports_timestamp: bool,
    proto3: bool,
    depth: usize,
}

struct DraftMessage {
    name: String,
    proto3: bool,
    fields: Vec<DraftField>,
}

struct DraftField {
    name: String,
    number: u32,
    label: Option<Label>,
    /// Number of the choice in its message.
    oneof: Option<usize>,
    ty: DraftType,
    default: Option<String>,
    packed: Option<bool>,
}

enum DraftType {
    Named(String),
    Map(String, String),
}

impl Draft {
    fn file(&mut self, text: &str) -> Parsed<()> {
        let tokens = tokens(text)?;
        let mut cursor = Cursor::new(&tokens);
        let mut package = String::new();
        self.proto3 = false;
        while let Some(token) = cursor.next() {
            let read = match token {
                Token::Sign(';') => Ok(()),
                Token::Word(word) => self.statement(word, &mut cursor, &mut package),
                Token::Number(other) | Token::Text(other) => Err(format!("'{other}' was not expected")),
                Token::Sign(other) => Err(format!("'{other}' was not expected")),
            };
            read.map_err(|why| format!("line {}: {why}", cursor.line()))?;
        }
        Ok(())
    }

    fn statement(&mut self, word: &str, cursor: &mut Cursor<'_>, package: &mut String) -> Parsed<()> {
        match word {
            "syntax" => {
                cursor.sign('=')?;
                self.proto3 = match cursor.text()?.as_str() {
                    "proto2" => false,
                    "proto3" => true,
                    other => return Err(format!("the syntax '{other}' is not supported")),
                };
                cursor.sign(';')
            }
            "package" => {
                *package = cursor.word()?;
                cursor.sign(';')
            }
            "import" => {
                while cursor.take_word("public") || cursor.take_word("weak") {}
                let file = cursor.text()?;
                if file != TIMESTAMP {
                    return Err(format!("the import of '{file}' is not supported; put its messages into the text"));
                }
                self.imports_timestamp = true;
                cursor.sign(';')
            }
            "message" => self.message(cursor, package),
            "enum" => self.enumeration(cursor, package),
            "option" => {
                cursor.skip_statement();
                Ok(())
            }
            "service" => {
                cursor.word()?;
                cursor.skip_braces()
            }
            "edition" => Err("editions are not supported; proto2 and proto3 are".to_owned()),
            "extend" => Err("extensions are not supported".to_owned()),
            other => Err(format!("'{other}' was not expected")),
        }
    }

    fn message(&mut self, cursor: &mut Cursor<'_>, scope: &str) -> Parsed<()> {
        let name = joined(scope, &cursor.word()?);
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("messages are nested too deeply".to_owned());
        }
        cursor.sign('{')?;
        let mut message = DraftMessage { name, proto3: self.proto3, fields: Vec::new() };
        let mut choices = 0;
        while !cursor.take_sign('}') {
            self.element(cursor, &mut message, &mut choices)?;
        }
        self.depth -= 1;
        self.messages.push(message);
        Ok(())
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, message: &mut DraftMessage, choices: &mut usize) -> Parsed<()> {
        if cursor.take_sign(';') {
            return Ok(());
        }
        // A field may be of a type that is named like a keyword; then no brace follows its name.
        let is_block = cursor.is_block();
        match cursor.peek_word() {
            Some("message") if is_block => {
                cursor.next();
                self.message(cursor, &message.name)
            }
            Some("enum") if is_block => {
                cursor.next();
                self.enumeration(cursor, &message.name)
            }
            Some("oneof") if is_block => {
                cursor.next();
                cursor.word()?;
                cursor.sign('{')?;
                while !cursor.take_sign('}') {
                    if cursor.take_word("option") {
                        cursor.skip_statement();
                    } else if !cursor.take_sign(';') {
                        message.fields.push(field(cursor, Some(*choices))?);
                    }
                }
                *choices += 1;
                Ok(())
            }
            Some("option" | "reserved" | "extensions") => {
                cursor.skip_statement();
                Ok(())
            }
            Some("extend") if is_block => Err("extensions are not supported".to_owned()),
            _ => {
                message.fields.push(field(cursor, None)?);
                Ok(())
            }
        }
    }

    fn enumeration(&mut self, cursor: &mut Cursor<'_>, scope: &str) -> Parsed<()> {
        let name = joined(scope, &cursor.word()?);
        cursor.sign('{')?;
        let mut values = Vec::new();
        while !cursor.take_sign('}') {
            if cursor.take_sign(';') {
                continue;
            }
            if matches!(cursor.peek_word(), Some("option" | "reserved")) {
                cursor.skip_statement();
                continue;
            }
            let value = cursor.word()?;
            cursor.sign('=')?;
            let number = cursor.number()?;
            let number = i32::try_from(number).map_err(|_| format!("{number} of '{value}' is no int32"))?;
            cursor.field_options()?;
            cursor.sign(';')?;
            values.push((value, number));
        }
        if values.is_empty() {
            return Err(format!("the enum '{name}' has no values"));
        }
        self.enums.push(Enum { name, values, open: self.proto3 });
        Ok(())
    }

    fn resolve(self) -> Parsed<Model> {
        let mut names = Names::default();
        let messages = self.messages.iter().enumerate().map(|(at, message)| (&message.name, Kind::Message(at)));
        let enums = self.enums.iter().enumerate().map(|(at, found)| (&found.name, Kind::Enum(at)));
        for (name, kind) in messages.chain(enums) {
            if names.insert(name.clone(), kind).is_some() {
                return Err(format!("'{name}' is defined twice"));
            }
        }
        let messages = self.messages.into_iter().map(|draft| resolve_message(draft, &names)).collect::<Parsed<_>>()?;
        Ok(Model { messages, enums: self.enums })
    }
}

/// Messages and enums by full name.
type Names = hashbrown::HashMap<String, Kind, foldhash::fast::RandomState>;

fn field(cursor: &mut Cursor<'_>, oneof: Option<usize>) -> Parsed<DraftField> {
    let label = match cursor.peek_word() {
        Some("repeated") => Some(Label::Repeated),
        Some("required") => Some(Label::Required),
        Some("optional") => Some(Label::Optional),
        _ => None,
    };
    if label.is_some() {
        cursor.next();
    }
    let ty = cursor.word()?;
    let ty = if ty == "map" && cursor.take_sign('<') {
        let key = cursor.word()?;
        cursor.sign(',')?;
        let value = cursor.word()?;
        cursor.sign('>')?;
        DraftType::Map(key, value)
    } else if ty == "group" {
        return Err("groups are not supported".to_owned());
    } else {
        DraftType::Named(ty)
    };
    let name = cursor.word()?;
    cursor.sign('=')?;
    let number = cursor.number()?;
    let number = u32::try_from(number).ok().filter(|number| (1..=536_870_911).contains(number));
    let number = number.ok_or_else(|| format!("the number of the field '{name}' is out of range"))?;
    let (default, packed) = cursor.field_options()?;
    cursor.sign(';')?;
    Ok(DraftField { name, number, label, oneof, ty, default, packed })
}

fn resolve_message(draft: DraftMessage, names: &Names) -> Parsed<Message> {
    let mut seen = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for field in &draft.fields {
        if !seen.0.insert(field.number) || !seen.1.insert(field.name.as_str()) {
            return Err(format!("the field '{}' of '{}', or its number, is there twice", field.name, draft.name));
        }
    }
    let field = |field: DraftField| resolve_field(field, &draft.name, draft.proto3, names);
    let fields = draft.fields.into_iter().map(field).collect::<Parsed<_>>()?;
    Ok(Message { name: draft.name, fields })
}

fn resolve_field(draft: DraftField, scope: &str, proto3: bool, names: &Names) -> Parsed<Field> {
    let (kind, is_map) = match &draft.ty {
        DraftType::Named(name) => (kind_of(name, scope, names)?, false),
        DraftType::Map(key, value) => {
            let (key, value) = (kind_of(key, scope, names)?, kind_of(value, scope, names)?);
            if !key.is_map_key() {
                return Err(format!("the keys of the map '{}' are neither text nor whole numbers", draft.name));
            }
            (Kind::Map(Box::new(key), Box::new(value)), true)
        }
    };
    let label = match draft.label {
        _ if is_map => Label::Repeated,
        Some(label) => label,
        None if draft.oneof.is_some() || !proto3 || matches!(kind, Kind::Message(_)) => Label::Optional,
        None => Label::Implicit,
    };
    let packed = label == Label::Repeated && draft.packed.unwrap_or(proto3) && kind.packs();
    Ok(Field {
        name: draft.name,
        number: draft.number,
        kind,
        label,
        packed,
        oneof: draft.oneof,
        default: draft.default,
    })
}

/// Names are looked for from the inside outwards.
fn kind_of(name: &str, scope: &str, names: &Names) -> Parsed<Kind> {
    if let Some(kind) = Kind::of_scalar(name) {
        return Ok(kind);
    }
    if let Some(full) = name.strip_prefix('.') {
        return names.get(full).cloned().ok_or_else(|| format!("the type '{full}' is not known"));
    }
    let mut scope = scope;
    loop {
        if let Some(kind) = names.get(&joined(scope, name)) {
            return Ok(kind.clone());
        }
        if scope.is_empty() {
            return Err(unknown_type(name));
        }
        scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
}

fn unknown_type(name: &str) -> String {
    match name.ends_with("protobuf.Timestamp") {
        true => format!("the type '{name}' is not known without import \"{TIMESTAMP}\""),
        false => format!("the type '{name}' is not known"),
    }
}

fn joined(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
